//! Indexes a few pages, both as built and as read back, and finds the pages that a query gets from each.

use std::collections::BTreeMap;

use anchorite_index::bundle::{self, Bundle, Role};
use anchorite_index::chunk::{ChunkOptions, chunk_documents};
use anchorite_index::{Document, Hit, Index, IndexOptions, SearchOptions, SearchOutcome, Section};

pub(crate) fn page(url: &str, language: Option<&str>, title: &str, text: &str) -> Document {
    Document {
        source: url.to_owned(),
        url: url.to_owned(),
        title: title.to_owned(),
        sections: vec![Section {
            anchor: None,
            headings: vec![title.to_owned()],
            text: text.to_owned(),
        }],
        filters: BTreeMap::new(),
        meta: BTreeMap::new(),
        sort: BTreeMap::new(),
        weight: 1.0,
        language: language.map(str::to_owned),
    }
}

pub(crate) fn built(documents: &[Document]) -> (Index, Bundle) {
    let chunks = chunk_documents(documents, &ChunkOptions::default());
    let index =
        Index::build(documents, chunks, None, &IndexOptions::default()).expect("a good index");
    let bundle = bundle::write(&index, &[], "test").expect("a good bundle");
    (index, bundle)
}

pub(crate) fn file<'b>(bundle: &'b Bundle, path: &str) -> &'b [u8] {
    let found = bundle.files.iter().find(|(other, _)| other == path);
    &found.expect("listed").1
}

/// The index of a bundle, without its shards.
pub(crate) fn fresh(bundle: &Bundle) -> Index {
    let resident = bundle.manifest.file(Role::Index).expect("listed");
    let resident = resident.join(|path| Some(file(bundle, path)));
    bundle::read_index(&bundle.manifest, &resident.expect("as written")).expect("as written")
}

/// The hits of a query on a fresh index that is given the shards it needs.
pub(crate) fn asked(bundle: &Bundle, query: &str, options: &SearchOptions) -> Vec<Hit> {
    let mut index = fresh(bundle);
    for _ in 0..20 {
        let SearchOutcome { hits, missing, .. } = index.search_loaded(query, None, options);
        if missing.is_empty() {
            return hits;
        }
        for shard in missing {
            index
                .insert_shard(shard.id, file(bundle, &shard.path))
                .expect("as written");
        }
    }
    panic!("`{query}` asks for more and more");
}

pub(crate) fn urls(site: &(Index, Bundle), query: &str, options: &SearchOptions) -> Vec<String> {
    let (index, bundle) = site;
    let hits = index.search(query, None, options);
    assert_eq!(asked(bundle, query, options), hits, "hits of `{query}`");
    hits.into_iter().map(|hit| index.url(hit.chunk)).collect()
}

#[track_caller]
pub(crate) fn check(site: &(Index, Bundle), query: &str, expected: &[&str]) {
    assert_eq!(
        urls(site, query, &SearchOptions::default()),
        expected,
        "`{query}`"
    );
}
