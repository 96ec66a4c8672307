//! Turns chunks into the files for comparing search by meaning: embeddings, the exact answers, our index.

use std::path::Path;

use anchorite_index::chunk::Chunk;
use anchorite_index::{Document, Index, IndexOptions};
use serde_json::json;

use crate::corpus::Corpus;
use crate::embed::Embeddings;
use crate::{write_bundle, write_json};

/// Number of chunks that a query asks for.
const K: usize = 10;

/// Writes the files for each of `sizes`.
pub(crate) fn write(corpus: &Corpus, out: &Path, embedder: &Path, sizes: &[usize]) {
    let mut embeddings = Embeddings::open(out, embedder);
    for &n in sizes {
        let documents = corpus.documents(n);
        let chunks: Vec<Chunk> = (0..).zip(&documents).map(chunk).collect();
        let titles = documents.iter().map(|document| document.title.as_str());
        let texts = chunks.iter().zip(titles);
        let texts: Vec<String> = texts
            .map(|(chunk, title)| chunk.embedding_text(title))
            .collect();
        let queries: Vec<String> = corpus.queries(n).into_iter().map(|(_, q)| q).collect();
        let vectors = embeddings.of(&texts);
        let queries = embeddings.of(&queries);
        write_vectors(&out.join(format!("vectors-{n}.f32")), &vectors);
        write_vectors(&out.join(format!("vector-queries-{n}.f32")), &queries);
        let nearest: Vec<_> = queries
            .iter()
            .map(|query| nearest(&vectors, query))
            .collect();
        write_json(&out.join(format!("nearest-{n}.json")), &json!(nearest));
        let options = IndexOptions::default();
        let index = Index::build(&documents, chunks, Some(vectors), &options).expect("an index");
        if let Some(vectors) = &index.vectors {
            println!("{}", vectors.mode());
        }
        write_bundle(&out.join(format!("vectors-{n}")), &index);
    }
}

/// A document's one section as one chunk, whatever its length: every engine gets the same vectors.
fn chunk((id, document): (u32, &Document)) -> Chunk {
    Chunk {
        id: format!("{id:016x}"),
        document: id,
        anchor: None,
        headings: Vec::new(),
        text: document.sections[0].text.clone(),
    }
}

/// The chunks with the largest cosines, best first; embeddings have unit length.
fn nearest(vectors: &[Vec<f32>], query: &[f32]) -> Vec<usize> {
    let dot = |vector: &Vec<f32>| -> f32 { vector.iter().zip(query).map(|(a, b)| a * b).sum() };
    let mut cosines: Vec<(usize, f32)> = vectors.iter().map(dot).enumerate().collect();
    cosines.sort_by(|a, b| b.1.total_cmp(&a.1));
    cosines.into_iter().take(K).map(|(idx, _)| idx).collect()
}

fn write_vectors(path: &Path, vectors: &[Vec<f32>]) {
    let bytes = vectors.iter().flatten().flat_map(|x| x.to_le_bytes());
    let bytes: Vec<u8> = bytes.collect();
    std::fs::write(path, bytes).expect("a file of vectors");
}
