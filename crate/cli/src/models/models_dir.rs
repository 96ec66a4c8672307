//! Finds the folder in which pulled models are kept unless another is given.

use std::path::PathBuf;

/// Where pulled models are kept by default: `anchorite/models` in the cache folder of this system, if it names one.
pub fn default_models_dir() -> Option<PathBuf> {
    Some(cache_dir()?.join("anchorite").join("models"))
}

/// The user's cache folder on each system; the XDG specification calls relative paths invalid.
fn cache_dir() -> Option<PathBuf> {
    let variable = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    if cfg!(windows) {
        return variable("LOCALAPPDATA");
    }
    if cfg!(target_os = "macos") {
        return Some(variable("HOME")?.join("Library/Caches"));
    }
    variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))
}
