//! Writes a bundle's files into a folder, and removes those that an earlier build left there.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anchorite::index::bundle::{self, Bundle};
use anyhow::Context;

use crate::capped;
use crate::changed;
use crate::report::Hint;

/// The folder with a bundle's parts.
const FOLDER: &str = "files";
/// Maximum length of a manifest that is read to see whose it is, in bytes.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;

/// Writes the files that do not exist yet, the manifest last, so that no manifest ever names missing files. Returns the
/// number of files written, and their bytes.
pub(crate) fn write_files(out: &Path, bundle: &Bundle) -> anyhow::Result<(usize, u64)> {
    let is_rebuild = holds_bundle(out)?;
    let is_manifest = |path: &str| path == bundle::MANIFEST_PATH;
    let (manifest, files): (Vec<_>, Vec<_>) =
        bundle.files.iter().partition(|(path, _)| is_manifest(path));
    let (mut n_written, mut n_bytes) = (0, 0);
    for (path, bytes) in files.into_iter().chain(manifest) {
        // The name says what the content should be, but not that it is intact.
        if changed::write(&out.join(path), bytes)? {
            n_written += 1;
            n_bytes += bytes.len() as u64;
        }
    }
    if is_rebuild {
        let kept = bundle.files.iter().map(|(path, _)| out.join(path));
        remove_content(out, &kept.collect())?;
    }
    Ok((n_written, n_bytes))
}

/// Removes a bundle of any version from a folder, if there is one.
pub(crate) fn remove_files(out: &Path) -> anyhow::Result<()> {
    if !holds_bundle(out)? {
        return Ok(());
    }
    remove_content(out, &HashSet::new())?;
    // It stays if it holds something else.
    let _ = std::fs::remove_dir(out.join(FOLDER));
    let manifest = out.join(bundle::MANIFEST_PATH);
    std::fs::remove_file(&manifest)
        .with_context(|| format!("could not remove `{}`", manifest.display()))
}

/// True if the folder has a bundle, of any version.
///
/// # Errors
/// It has another program's `manifest.json`.
pub(crate) fn holds_bundle(out: &Path) -> anyhow::Result<bool> {
    let path = out.join(bundle::MANIFEST_PATH);
    if std::fs::symlink_metadata(&path).is_err() {
        return Ok(false);
    }
    let hint = "give a folder of its own for the bundle, or move the file away";
    let bytes = capped::read(&path, MAX_MANIFEST_BYTES, hint, std::fs::read)?;
    // A build that was cut short may have left an empty one.
    let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if bytes.is_empty()
        || ["format", "anchorite", "files"]
            .iter()
            .all(|key| !manifest[*key].is_null())
    {
        return Ok(true);
    }
    Err(Hint::error(
        format!(
            "`{}` is not a bundle's manifest, and would be replaced",
            path.display()
        ),
        hint,
    ))
}

/// Removes the files that builds wrote and this one doesn't: only those with content-addressed names in the bundle's form.
fn remove_content(out: &Path, kept: &HashSet<PathBuf>) -> anyhow::Result<()> {
    let folder = out.join(FOLDER);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => {
            return Err(cause).with_context(|| format!("could not list `{}`", folder.display()));
        }
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_named_by_content = path.file_stem().is_some_and(|stem| {
            let stem = stem.as_encoded_bytes();
            stem.len() == 16 && stem.iter().all(u8::is_ascii_hexdigit)
        });
        if is_named_by_content && !kept.contains(&path) {
            std::fs::remove_file(&path)
                .with_context(|| format!("could not remove `{}`", path.display()))?;
        }
    }
    Ok(())
}
