//! Finds the chunks nearest to a vector in a bundle's files: what a page does once its question is embedded.

use anchorite_index::bundle::{Manifest, read_index, read_vectors};
use anchorite_index::{Index, vector};
use wasm_bindgen::prelude::*;

/// A bundle's vectors.
#[wasm_bindgen]
pub struct VectorIndex(Index);

#[wasm_bindgen]
impl VectorIndex {
    /// Opens `manifest.json` and the files of the roles `index` and `vectors`, each joined from its parts.
    pub fn open(manifest: &[u8], index: &[u8], vectors: &[u8]) -> Result<VectorIndex, JsError> {
        let manifest = Manifest::parse(manifest)?;
        let mut index = read_index(&manifest, index)?;
        read_vectors(&manifest, vectors, &mut index)?;
        // A page fetches shards query by query, which this code can't.
        if let vector::VectorMode::Shards { n_vectors, .. } = vectors_of(&index)?.mode() {
            let found = format!(
                "the benchmark searches vectors that are whole; expected less than {}, found {n_vectors}: \
                 name a smaller number with `--n`",
                vector::SHARDS_FROM
            );
            return Err(JsError::new(&found));
        }
        Ok(VectorIndex(index))
    }

    /// How neighbours are found.
    pub fn mode(&self) -> Result<String, JsError> {
        Ok(vectors_of(&self.0)?.mode().to_string())
    }

    /// The `k` chunks nearest to `vector`, best first.
    pub fn search(&self, vector: &[f32], k: usize) -> Result<Vec<u32>, JsError> {
        let nearest = vectors_of(&self.0)?.search(vector, k);
        Ok(nearest.into_iter().map(|(chunk, _)| chunk).collect())
    }
}

fn vectors_of(index: &Index) -> Result<&vector::VectorIndex, JsError> {
    let vectors = index.vectors.as_ref();
    vectors.ok_or_else(|| JsError::new("the bundle has no vectors"))
}
