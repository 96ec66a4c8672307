//! Finds the folder of the models that ship with the program, wherever the program was installed.

use std::path::{Path, PathBuf};

use crate::models::models_dir::default_models_dir;
use crate::report::Hint;

/// The sentence embedder in a folder of models.
pub(crate) const EMBEDDER: &str = "embedder.gguf";
/// The reader in a folder of models.
pub(crate) const READER: &str = "reader.gguf";
/// The folder's own folder of the models that a build uses unless told otherwise.
const DEFAULT: &str = "default";

/// The folder that holds `default` and the files that the shipped registry names: the first one found of [`places`].
///
/// # Errors
/// None of them exists.
fn dir() -> anyhow::Result<PathBuf> {
    first(&places())
}

/// The folder against which the shipped registry's files are resolved. Where there is none, it is the likeliest place, which
/// the error of whoever reads such a file then names.
pub(crate) fn registry_dir() -> PathBuf {
    let places = places();
    let found = first(&places).ok();
    found
        .or_else(|| places.into_iter().next())
        .unwrap_or_default()
}

/// The folder of the models that a build uses: the one given, or the one that ships.
///
/// # Errors
/// There is no such folder.
pub(crate) fn default_dir(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let Some(given) = given else {
        return Ok(dir()?.join(DEFAULT));
    };
    if !given.is_dir() {
        return Err(Hint::error(
            format!("there is no folder of models at `{}`", given.display()),
            "--models takes a folder that holds `embedder.gguf` and `reader.gguf`; without it, those that ship are used",
        ));
    }
    Ok(given.to_path_buf())
}

/// One file of models: the one given, or the one of this name that ships.
///
/// # Errors
/// None is given, and there is no folder of those that ship.
pub(crate) fn file(given: Option<&Path>, name: &str) -> anyhow::Result<PathBuf> {
    match given {
        Some(path) => Ok(path.to_path_buf()),
        None => Ok(default_dir(None)?.join(name)),
    }
}

/// Where the folder may be: next to an unpacked program, where a package installs data, in the source checkout that the
/// program was built from, and where pulled models are kept.
fn places() -> Vec<PathBuf> {
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    let folder = program
        .ok()
        .and_then(|path| Some(path.parent()?.to_path_buf()));
    let installed = folder.iter().flat_map(|folder| {
        let shared = folder.join("../share/anchorite/models");
        [folder.join("models"), shared]
    });
    let checkout = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models");
    let pulled = std::env::var_os("ANCHORITE_MODELS_DIR").map(PathBuf::from);
    installed
        .chain([PathBuf::from(checkout)])
        .chain(pulled.or_else(default_models_dir))
        .collect()
}

fn first(places: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let found = places
        .iter()
        .find(|place| place.join(DEFAULT).join(EMBEDDER).is_file());
    found.cloned().ok_or_else(|| {
        let places: Vec<String> = places
            .iter()
            .map(|place| format!("`{}`", place.join(DEFAULT).display()))
            .collect();
        Hint::error(
            format!(
                "the models that ship are missing: there is none of {}",
                places.join(", ")
            ),
            "put the folder `models` of the release next to the program, or give a folder with --models",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_that_holds_models_is_taken_and_none_is_an_error_that_names_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let places = ["a", "b", "c"].map(|name| folder.path().join(name));
        let missing = first(&places).expect_err("nothing is there").to_string();
        for place in &places {
            let named = place.join(DEFAULT).display().to_string();
            assert!(missing.contains(&named), "{missing}");
        }
        for (made, expected) in [("c", 2), ("b", 1)] {
            let models = folder.path().join(made).join(DEFAULT);
            std::fs::create_dir_all(&models).expect("a folder");
            assert!(first(&places[..=expected]).is_err(), "an empty folder");
            std::fs::write(models.join(EMBEDDER), "").expect("a file");
            assert_eq!(first(&places).expect("one is there"), places[expected]);
        }
    }
}
