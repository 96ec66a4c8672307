//! Reuses the pages and embeddings of an earlier build, by the hash of their inputs.
//!
//! Nothing in a cache affects the bundle: an entry is used only if the build would make exactly the same. A damaged
//! entry is rebuilt.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anchorite::index::parse::Page;
use anchorite::index::parse::markdown::Anchors;
use anyhow::Context;
use sha2::{Digest, Sha256};

/// Raised whenever pages are read or embedded differently.
const VERSION: &str = concat!("anchorite ", env!("CARGO_PKG_VERSION"), " cache 6");
/// The first bytes of a file of embeddings.
const MAGIC: &[u8; 16] = b"anchorite-emb-1\n";
/// The default folder of caches; each bundle has a folder of its own inside.
const DEFAULT_DIR: &str = ".anchorite-cache";
/// Maximum dimension that a file of embeddings may state.
const MAX_DIMENSION: usize = 1 << 16;

/// Identifies a text to embed: the first 16 bytes of its SHA-256.
pub(crate) type TextKey = [u8; 16];

/// The key of a text.
pub(crate) fn text_key(text: &str) -> TextKey {
    first(&Sha256::digest(text.as_bytes()))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

/// The folder of cached pages and embeddings of one bundle.
pub(crate) struct Cache {
    dir: PathBuf,
    /// The settings that decide how pages are read.
    fingerprint: String,
    /// Names of the page entries that this build used.
    used: Mutex<HashSet<String>>,
}

impl Cache {
    /// Opens the cache of the bundle `out`; below the working directory if `dir` is `None`.
    pub(crate) fn open(dir: Option<&Path>, out: &Path, fingerprint: &str) -> anyhow::Result<Self> {
        let dir = match dir {
            Some(dir) => dir.to_owned(),
            None => {
                let out = std::path::absolute(out).context("could not name the output folder")?;
                let name = Sha256::digest(out.as_os_str().as_encoded_bytes());
                Path::new(DEFAULT_DIR).join(hex(&name[..8]))
            }
        };
        fs::create_dir_all(dir.join("pages"))
            .with_context(|| format!("could not make the cache `{}`", dir.display()))?;
        // Makes backup tools and git skip the cache.
        let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
        fs::write(dir.join("CACHEDIR.TAG"), tag)
            .and_then(|()| fs::write(dir.join(".gitignore"), "*\n"))
            .with_context(|| format!("could not write into the cache `{}`", dir.display()))?;
        Ok(Self {
            dir,
            fingerprint: fingerprint.to_owned(),
            used: Mutex::default(),
        })
    }

    /// The name of a page's entry: everything that decides how it is read.
    pub(crate) fn page_name(&self, source: &str, anchors: Anchors, bytes: &[u8]) -> String {
        let mut hash = Sha256::new();
        let anchors = format!("{anchors:?}");
        for part in [VERSION, &self.fingerprint, source, &anchors] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(bytes);
        hex(&hash.finalize()[..16])
    }

    /// A page from an earlier build.
    pub(crate) fn page(&self, name: &str) -> Option<Page> {
        let bytes = fs::read(self.page_path(name)).ok()?;
        let (sum, body) = bytes.split_first_chunk::<16>()?;
        let is_whole = *sum == first::<16>(&Sha256::digest(body));
        let page = is_whole.then(|| postcard::from_bytes(body).ok()).flatten();
        if page.is_some() {
            self.note(name);
        }
        page
    }

    /// Stores a page. A failure does not fail the build.
    pub(crate) fn keep_page(&self, name: &str, page: &Page) {
        let Ok(body) = postcard::to_allocvec(page) else {
            return;
        };
        let sum: [u8; 16] = first(&Sha256::digest(&body));
        let path = self.page_path(name);
        let folder = path.parent().map(fs::create_dir_all);
        if !matches!(folder, Some(Ok(()))) {
            return;
        }
        if write_whole(&path, |file| {
            file.write_all(&sum)?;
            file.write_all(&body)
        })
        .is_ok()
        {
            self.note(name);
        }
    }

    fn page_path(&self, name: &str) -> PathBuf {
        let folder = name.get(..2).unwrap_or("");
        self.dir.join("pages").join(folder).join(name)
    }

    fn note(&self, name: &str) {
        if let Ok(mut used) = self.used.lock() {
            used.insert(name.to_owned());
        }
    }

    /// Removes the pages that this build did not use.
    pub(crate) fn prune(&self) {
        let used = match self.used.lock() {
            Ok(used) => used,
            Err(_) => return,
        };
        let folders = fs::read_dir(self.dir.join("pages"))
            .into_iter()
            .flatten()
            .flatten();
        for entry in folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten()) {
            let Ok(entry) = entry else { continue };
            if !used.contains(&*entry.file_name().to_string_lossy()) {
                // An entry that cannot be removed only takes up space.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn embeddings_path(&self, model: &str) -> PathBuf {
        self.dir
            .join(format!("embeddings-{}", model.get(..16).unwrap_or(model)))
    }

    /// The embeddings among `wanted` that an earlier build made with the same model; streamed, so that memory holds no
    /// more than is used.
    pub(crate) fn embeddings(
        &self,
        model: &str,
        dimension: usize,
        wanted: &HashSet<TextKey>,
    ) -> HashMap<TextKey, Vec<f32>> {
        read_embeddings(&self.embeddings_path(model), model, dimension, wanted).unwrap_or_default()
    }

    /// Stores the embeddings of this build, in the order of their keys, and drops those of earlier builds.
    pub(crate) fn keep_embeddings(
        &self,
        model: &str,
        dimension: usize,
        embeddings: &HashMap<TextKey, Vec<f32>>,
    ) -> anyhow::Result<()> {
        let mut keys: Vec<&TextKey> = embeddings.keys().collect();
        keys.sort_unstable();
        let path = self.embeddings_path(model);
        write_whole(&path, |file| {
            let mut hash = Sha256::new();
            let mut put = |file: &mut BufWriter<fs::File>, bytes: &[u8]| {
                hash.update(bytes);
                file.write_all(bytes)
            };
            put(file, &header(model, dimension, keys.len()))?;
            let mut record = Vec::with_capacity(16 + 4 * dimension);
            for key in &keys {
                record.clear();
                record.extend_from_slice(*key);
                let values = embeddings.get(*key).into_iter().flatten();
                record.extend(values.flat_map(|value| value.to_le_bytes()));
                put(file, &record)?;
            }
            file.write_all(&hash.finalize())
        })
        .with_context(|| format!("could not write `{}`", path.display()))
    }
}

/// The header of a file of embeddings: kind, version, model, dimension and number of embeddings.
fn header(model: &str, dimension: usize, n_embeddings: usize) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend(&Sha256::digest(format!("{VERSION} {model}").as_bytes())[..]);
    header.extend((dimension as u64).to_le_bytes());
    header.extend((n_embeddings as u64).to_le_bytes());
    header
}

fn read_embeddings(
    path: &Path,
    model: &str,
    dimension: usize,
    wanted: &HashSet<TextKey>,
) -> Option<HashMap<TextKey, Vec<f32>>> {
    if dimension == 0 || dimension > MAX_DIMENSION {
        return None;
    }
    let mut file = BufReader::with_capacity(1 << 20, fs::File::open(path).ok()?);
    let mut head = vec![0; header(model, dimension, 0).len()];
    file.read_exact(&mut head).ok()?;
    let n_embeddings = u64::from_le_bytes(*head.last_chunk()?);
    let expected = header(model, dimension, usize::try_from(n_embeddings).ok()?);
    if head != expected {
        return None;
    }
    let mut hash = Sha256::new();
    hash.update(&head);
    let mut record = vec![0; 16 + 4 * dimension];
    let mut found = HashMap::new();
    for _ in 0..n_embeddings {
        file.read_exact(&mut record).ok()?;
        hash.update(&record);
        let key: TextKey = first(&record);
        if wanted.contains(&key) {
            let (values, _) = record[16..].as_chunks::<4>();
            found.insert(
                key,
                values
                    .iter()
                    .map(|bytes| f32::from_le_bytes(*bytes))
                    .collect(),
            );
        }
    }
    let mut sum = [0; 32];
    file.read_exact(&mut sum).ok()?;
    (sum[..] == hash.finalize()[..]).then_some(found)
}

/// Writes to a temporary file and renames it once it is complete.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<fs::File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = BufWriter::new(fs::File::create(&beside)?);
    write(&mut file)?;
    file.into_inner().map_err(|error| error.into_error())?;
    fs::rename(&beside, path)
}
