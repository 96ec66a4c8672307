//! Finds models that are pulled, not committed.

use std::path::PathBuf;

/// A model's file as `anchorite pull` keeps it.
///
/// Prints `skipped: ...` and returns `None` if it was not pulled; `cargo xtask test` pulls it if there is a network.
pub fn path(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ANCHORITE_MODELS_DIR").map(PathBuf::from);
    let path = folder
        .or_else(anchorite_cli::default_models_dir)?
        .join(format!("{name}.gguf"));
    if path.is_file() {
        return Some(path);
    }
    crate::skipped(&format!(
        "no {}; run `anchorite pull {name}`",
        path.display()
    ));
    None
}
