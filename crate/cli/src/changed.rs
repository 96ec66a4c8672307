//! Writes files whose content is new, and leaves all others as they are.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Writes a file, and the folders above it, unless it has this very content; true if it was written.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    // The length first: most files that changed have another one.
    if fs::metadata(path).is_ok_and(|about| about.len() == bytes.len() as u64)
        && fs::read(path).is_ok_and(|found| found == bytes)
    {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make `{}`", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("could not write `{}`", path.display()))?;
    Ok(true)
}
