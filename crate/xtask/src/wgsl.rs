//! Writes the graphics engine's shaders to `target/wgsl`, as files that can be read and compared.

use std::fs;

use anyhow::Context;

use crate::run;

/// Writes each shader, with marks that say which file each of its parts comes from.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = run::target().join("wgsl");
    if folder.exists() {
        // Shaders that are no longer generated would remain.
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
