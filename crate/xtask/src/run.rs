//! Runs a program to its end, or fails with an error that shows the command line.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The root of the checkout that Cargo was called in: several checkouts may share a target folder, and so this program.
pub(crate) fn root() -> PathBuf {
    let crate_dir = std::env::var_os("CARGO_MANIFEST_DIR");
    let crate_dir = crate_dir.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    crate_dir
        .ancestors()
        .nth(2)
        .unwrap_or(&crate_dir)
        .to_owned()
}

/// The folder for Cargo's build output.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of test data that [`crate::setup::data`] unpacks.
pub(crate) fn unpacked() -> PathBuf {
    root().join(target()).join("data")
}

/// A command that runs in the root of the checkout.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Cargo, as it was called, without the variables that the outer call set for xtask itself.
pub(crate) fn cargo() -> Command {
    let mut command = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_PKG_NAME")
        // Skipped tests write their reasons to this file.
        .env(
            "ANCHORITE_SKIPPED",
            root().join(target()).join("skipped.txt"),
        )
        .env("ANCHORITE_UNPACKED", unpacked());
    command
}

/// Runs a command to its end.
///
/// # Errors
/// The program is missing, or its exit code is not 0.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    let status = command
        .status()
        .with_context(|| format!("could not start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// Runs a command to its end and returns its standard output.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let line = line(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed: {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed what is not UTF-8"))
}

/// True if a program can be started.
pub(crate) fn exists(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The sources that git tracks, or would track once added.
pub(crate) fn tracked_files() -> anyhow::Result<Vec<PathBuf>> {
    let list = output(command("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "*.rs",
        "*.wgsl",
        "*.ts",
        "*.mjs",
        "*.py",
    ]))?;
    Ok(list
        .lines()
        .map(PathBuf::from)
        .filter(|path| root().join(path).exists())
        .collect())
}
