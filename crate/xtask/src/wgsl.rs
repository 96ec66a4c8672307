//! Turns the graphics engine's shaders into files that can be read and compared: `target/wgsl`.

use std::fs;

use anyhow::Context;

use crate::run;

/// Writes each shader, with a mark where each of its parts is from.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = run::target().join("wgsl");
    if folder.exists() {
        // Shaders that are no longer put together would stay.
        fs::remove_dir_all(&folder)
            .with_context(|| format!("could not empty `{}`", folder.display()))?;
    }
    run::run(
        run::cargo()
            .args(["run", "--quiet", "--package", "anchorite-tests"])
            .args(["--example", "write_wgsl", "--"])
            .arg(&folder),
    )
}
