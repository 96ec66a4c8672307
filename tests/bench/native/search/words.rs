//! Turns chunks and pages into the files for comparing search by words: documents, queries, our index.

use std::path::Path;

use anchorite_index::chunk::{ChunkOptions, chunk_documents};
use anchorite_index::{Document, Index, IndexOptions};
use serde_json::json;

use crate::corpus::{Corpus, queries};
use crate::{write_bundle, write_json};

/// Writes the files for each of `sizes`, and those of the site.
pub(crate) fn write(corpus: &Corpus, out: &Path, sizes: &[usize]) {
    for &n in sizes {
        let documents = corpus.documents(n);
        let docs: Vec<_> = documents
            .iter()
            .enumerate()
            .map(|(id, document)| {
                let text = &document.sections[0].text;
                json!({ "id": id, "title": document.title, "url": document.url, "text": text })
            })
            .collect();
        write_json(&out.join(format!("docs-{n}.json")), &json!(docs));
        let queries: Vec<_> = corpus
            .queries(n)
            .into_iter()
            .map(|(idx, q)| json!({ "id": idx.to_string(), "q": q }))
            .collect();
        write_json(&out.join(format!("queries-{n}.json")), &json!(queries));
        write_bundle(&out.join(format!("bundle-{n}")), &index(&documents));
    }
    let pages = &corpus.pages;
    let chunks = chunk_documents(pages, &ChunkOptions::default());
    let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    let queries: Vec<_> = queries(&texts, 13)
        .into_iter()
        .map(|(idx, q)| json!({ "id": pages[chunks[idx].document as usize].url, "q": q }))
        .collect();
    write_json(&out.join("queries-pages.json"), &json!(queries));
    write_bundle(&out.join("pages"), &index(pages));
}

fn index(documents: &[Document]) -> Index {
    let chunks = chunk_documents(documents, &ChunkOptions::default());
    Index::build(documents, chunks, None, &IndexOptions::default()).expect("an index")
}
