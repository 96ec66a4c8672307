//! Embeds texts on all cores, and keeps the results in a file, because they take minutes.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::Path;

use anchorite_model::Parts;
use anchorite_model::embed::{Embedder, Side};

/// Number of texts after which results are saved and progress is reported.
const N_AT_ONCE: usize = 1000;

/// An embedder, and its embeddings from this run and earlier ones.
pub(crate) struct Embeddings {
    embedder: Embedder,
    file: File,
    /// Embeddings by the hash of their text.
    known: HashMap<u64, Vec<f32>>,
}

impl Embeddings {
    /// Loads the embedder at `path`, and the embeddings kept in `folder`.
    pub(crate) fn open(folder: &Path, path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("the embedder's file");
        let kept = folder.join(format!("embeddings-{:016x}.f32", hash(&bytes)));
        let embedder = Embedder::load(Parts::new(vec![bytes])).expect("an embedder");
        let bytes = std::fs::read(&kept).unwrap_or_default();
        // A record is a hash and a vector. An incomplete record, left by an interrupted run, is dropped.
        let n_bytes = 8 + 4 * embedder.dimension();
        let mut known = HashMap::new();
        for record in bytes.chunks_exact(n_bytes) {
            if let Some((key, vector)) = record.split_first_chunk() {
                let (vector, _) = vector.as_chunks();
                let vector = vector.iter().map(|&x| f32::from_le_bytes(x)).collect();
                known.insert(u64::from_le_bytes(*key), vector);
            }
        }
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(&kept);
        let file = file.expect("the file of embeddings");
        let n_whole = bytes.len() / n_bytes * n_bytes;
        file.set_len(n_whole as u64).expect("its whole records");
        Self {
            embedder,
            file,
            known,
        }
    }

    /// The unit-length embedding of each text, computed now if it is not known.
    pub(crate) fn of(&mut self, texts: &[String]) -> Vec<Vec<f32>> {
        let unknown: Vec<&String> = texts
            .iter()
            .filter(|text| !self.known.contains_key(&hash(text.as_bytes())))
            .collect();
        for (done, part) in (0..).step_by(N_AT_ONCE).zip(unknown.chunks(N_AT_ONCE)) {
            println!("embedding: {done} of {} texts", unknown.len());
            let vectors = self.embed(part);
            let mut records = Vec::new();
            for (text, vector) in part.iter().zip(vectors) {
                let key = hash(text.as_bytes());
                records.extend(key.to_le_bytes());
                records.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
                self.known.insert(key, vector);
            }
            self.file.write_all(&records).expect("room for embeddings");
        }
        let vector = |text: &String| self.known[&hash(text.as_bytes())].clone();
        texts.iter().map(vector).collect()
    }

    fn embed(&self, texts: &[&String]) -> Vec<Vec<f32>> {
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        let embed = |texts: &[&String]| {
            let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
            self.embedder
                .embed(Side::Passage, &texts)
                .expect("embeddings")
        };
        std::thread::scope(|scope| {
            let parts = texts.chunks(texts.len().div_ceil(n_threads).max(1));
            let threads: Vec<_> = parts.map(|part| scope.spawn(move || embed(part))).collect();
            let made = threads.into_iter().map(|thread| thread.join());
            made.flat_map(|vectors| vectors.expect("embeddings"))
                .collect()
        })
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
