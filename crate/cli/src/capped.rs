//! Reads a file up to a size limit.

use std::io;
use std::path::Path;

use crate::report::Hint;

/// Reads a file of at most `max` bytes by `read`, which is `std::fs::read` or `read_to_string`; `hint` says what to do if that fails.
///
/// # Errors
/// If the file is too long or can't be read.
pub(crate) fn read<'p, T>(
    path: &'p Path,
    max: u64,
    hint: &str,
    read: impl FnOnce(&'p Path) -> io::Result<T>,
) -> anyhow::Result<T> {
    let unreadable = |cause: String| {
        Hint::error(
            format!("could not read `{}`: {cause}", path.display()),
            hint,
        )
    };
    let len = std::fs::metadata(path)
        .map_err(|cause| unreadable(cause.to_string()))?
        .len();
    if len > max {
        return Err(unreadable(format!("more than {max} bytes: {len}")));
    }
    read(path).map_err(|cause| unreadable(cause.to_string()))
}
