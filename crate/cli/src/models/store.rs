//! Finds a model's file by name in the user's cache folder, and checks that it is the right file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use sha2::{Digest, Sha256};

use crate::build::cache::hex;
use crate::models::models_dir::default_models_dir;
use crate::models::registry::{Entry, Registry, is_sha256};
use crate::report::Hint;

/// Bytes read at once.
pub(crate) const PIECE: usize = 1 << 16;

/// Which models are known by name, and where their files are kept.
#[derive(Args, Debug, Clone)]
pub(crate) struct ModelArguments {
    /// Where pulled models are kept; default: `anchorite/models` in the cache folder of this system.
    #[arg(
        long,
        value_name = "DIR",
        env = "ANCHORITE_MODELS_DIR",
        hide_env_values = true
    )]
    pub(crate) models_dir: Option<PathBuf>,
    /// A file of further models, in the form of models/registry.toml; its names come before those that ship.
    #[arg(
        long,
        value_name = "FILE",
        env = "ANCHORITE_REGISTRY",
        hide_env_values = true
    )]
    pub(crate) registry: Option<PathBuf>,
}

impl ModelArguments {
    pub(crate) fn registry(&self) -> anyhow::Result<Registry> {
        Registry::open(self.registry.as_deref())
    }

    pub(crate) fn store(&self) -> anyhow::Result<Store> {
        let dir = match &self.models_dir {
            Some(dir) => dir.clone(),
            None => default_models_dir().ok_or_else(|| {
                Hint::error(
                    "this system names no cache folder",
                    "say where models are kept with --models-dir or ANCHORITE_MODELS_DIR",
                )
            })?,
        };
        Ok(Store { dir })
    }
}

/// The folder of pulled models: `NAME.gguf`, and next to it `NAME.gguf.sha256` if its hash was pinned on first use.
pub(crate) struct Store {
    pub(crate) dir: PathBuf,
}

impl Store {
    /// Path of a model's file, which may not exist.
    pub(crate) fn path(&self, entry: &Entry) -> PathBuf {
        self.dir.join(format!("{}.gguf", entry.name))
    }

    /// Path of the pinned hash, for a model that has no hash in any registry.
    pub(crate) fn pin_path(&self, entry: &Entry) -> PathBuf {
        self.dir.join(format!("{}.gguf.sha256", entry.name))
    }

    /// The hash pinned for a model.
    pub(crate) fn pin(&self, entry: &Entry) -> anyhow::Result<Option<String>> {
        let path = self.pin_path(entry);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => {
                return Err(cause).with_context(|| format!("could not read `{}`", path.display()));
            }
        };
        let mut text = Vec::new();
        file.take(64)
            .read_to_end(&mut text)
            .with_context(|| format!("could not read `{}`", path.display()))?;
        let digits = String::from_utf8(text).ok().filter(|text| is_sha256(text));
        digits.map(Some).ok_or_else(|| {
            Hint::error(
                format!("`{}` does not begin with a SHA-256", path.display()),
                "remove it, and pull the model again with --sha256 or --trust-first",
            )
        })
    }

    /// Pins a hash, in the form that `sha256sum --check` reads.
    pub(crate) fn set_pin(&self, entry: &Entry, sha256: &str) -> anyhow::Result<()> {
        let path = self.pin_path(entry);
        std::fs::write(&path, format!("{sha256}  {}.gguf\n", entry.name))
            .with_context(|| format!("could not write `{}`", path.display()))
    }

    /// The checked bytes of a pulled model.
    pub(crate) fn read(&self, entry: &Entry) -> anyhow::Result<Vec<u8>> {
        let path = self.path(entry);
        let pull = format!("run `anchorite pull {}`", entry.name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                let message = format!("`{}` is not in `{}`", entry.name, self.dir.display());
                return Err(Hint::error(message, pull));
            }
            Err(cause) => {
                return Err(cause).with_context(|| format!("could not read `{}`", path.display()));
            }
        };
        let expected = match &entry.sha256 {
            Some(sha256) => Some(sha256.clone()),
            None => self.pin(entry)?,
        };
        let Some(expected) = expected else {
            return Err(Hint::error(
                format!("nothing says what `{}` should hold", path.display()),
                format!(
                    "{pull}, or give the file itself: --{} {}",
                    entry.kind.as_str(),
                    path.display()
                ),
            ));
        };
        let found = hex(&Sha256::digest(&bytes));
        if found != expected {
            return Err(Hint::error(
                format!(
                    "`{}` has another SHA-256, expected {expected}: `{found}`",
                    path.display()
                ),
                pull,
            ));
        }
        Ok(bytes)
    }
}

/// The SHA-256 of a file, read piece by piece.
pub(crate) fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file =
        File::open(path).with_context(|| format!("could not read `{}`", path.display()))?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let n = file
            .read(&mut piece)
            .with_context(|| format!("could not read `{}`", path.display()))?;
        if n == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&piece[..n]);
    }
}
