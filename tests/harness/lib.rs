//! Turns a test's needs (public corpora, devices, small models) into ready values, so that no test sets them up itself.

use std::path::PathBuf;

/// The folder of public test corpora: `ANCHORITE_DATA`, or `../shared/data` beside the checkout.
///
/// Prints `skipped: ...` and returns `None` where it is absent, so that a fresh clone anywhere passes.
pub fn data_dir() -> Option<PathBuf> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let dir = std::env::var_os("ANCHORITE_DATA").map_or(default, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("skipped: no public test data at {}; set ANCHORITE_DATA", dir.display());
    None
}
