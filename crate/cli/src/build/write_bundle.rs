//! Writes a bundle's files into a folder, and removes those that an earlier build left there.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anchorite::index::bundle::{self, Bundle};
use anyhow::Context;

use crate::bundle as bundle_dir;

/// Writes the files that do not exist yet, the manifest last, so that no manifest ever names missing files. Returns the
/// number of files written, and their bytes.
pub(crate) fn write_files(out: &Path, bundle: &Bundle) -> anyhow::Result<(usize, u64)> {
    let is_rebuild = bundle_dir::manifest(out).is_ok();
    let is_manifest = |path: &str| path == bundle::MANIFEST_PATH;
    let (manifest, files): (Vec<_>, Vec<_>) =
        bundle.files.iter().partition(|(path, _)| is_manifest(path));
    let (mut n_written, mut n_bytes) = (0, 0);
    for (path, bytes) in files.into_iter().chain(manifest) {
        let path = out.join(path);
        // The name says what the content should be, but not that it is intact.
        if std::fs::metadata(&path).is_ok_and(|about| about.len() == bytes.len() as u64)
            && std::fs::read(&path).is_ok_and(|found| found == *bytes)
        {
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("could not make `{}`", folder.display()))?;
        }
        std::fs::write(&path, bytes)
            .with_context(|| format!("could not write `{}`", path.display()))?;
        n_written += 1;
        n_bytes += bytes.len() as u64;
    }
    if is_rebuild {
        remove_stale(out, bundle)?;
    }
    Ok((n_written, n_bytes))
}

/// Removes files that an earlier build left in the same folder: only those with content-addressed names in the bundle's
/// form.
fn remove_stale(out: &Path, bundle: &Bundle) -> anyhow::Result<()> {
    let kept: HashSet<PathBuf> = bundle
        .files
        .iter()
        .map(|(path, _)| out.join(path))
        .collect();
    let folder = out.join("files");
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("could not list `{}`", folder.display()))?;
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
