//! Checks that damaged shards with a matching hash give errors or harmless indexes, never a panic.

use super::*;
use crate::chunk::{ChunkOptions, chunk_documents};
use crate::document::{Document, Section};
use crate::find::SearchOptions;
use crate::index::{Index, IndexOptions};
use crate::order::Sort;
use crate::shard::Family;

fn documents() -> Vec<Document> {
    let document = |idx: usize, language: &str, text: &str| Document {
        source: format!("{idx}.md"),
        url: format!("{idx}.html"),
        title: format!("Page {idx}"),
        sections: vec![Section {
            anchor: Some("a".to_owned()),
            headings: vec!["Returning errors".to_owned()],
            text: text.to_owned(),
        }],
        filters: [("tag".to_owned(), vec![format!("t{}", idx % 2)])].into(),
        meta: [("image".to_owned(), format!("{idx}.png"))].into(),
        sort: [("date".to_owned(), format!("2026-01-0{}", 1 + idx % 2))].into(),
        weight: 1.0 + idx as f32,
        language: Some(language.to_owned()),
    };
    vec![
        document(
            0,
            "en",
            "Functions returning errors, iterators iterating over HashMap entries.",
        ),
        document(
            1,
            "de",
            "Die H\u{e4}user sind gr\u{f6}\u{df}er als das Haus.",
        ),
        document(2, "en", "Nothing but returned errors."),
    ]
}

fn index() -> Index {
    let documents = documents();
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    Index::build(&documents, chunks, None, &IndexOptions::default()).expect("a good index")
}

/// Every single-bit change, and every truncation, of `bytes`.
fn damages(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).flat_map(move |place| {
        (0..8)
            .map(move |bit| {
                let mut damaged = bytes.to_vec();
                damaged[place] ^= 1 << bit;
                damaged
            })
            .chain([bytes[..place].to_vec()])
    })
}

/// The uncompressed shards of a family, and the resident file.
fn files(family: Family) -> (Vec<Vec<u8>>, Vec<u8>) {
    let bundle = write(&index(), &[], "test").expect("a good bundle");
    let file = |path: &str| {
        let found = bundle.files.iter().find(|(other, _)| other == path);
        found.expect("listed").1.clone()
    };
    let resident = file(&bundle.manifest.file(Role::Index).expect("listed").parts[0].path);
    let read = resident::read(&resident).expect("as written");
    let shards = read
        .shards()
        .into_iter()
        .filter(|shard| shard.id.family() == family);
    let shards = shards
        .map(|shard| deflate::inflate("test", &file(&shard.path)).expect("as written"))
        .collect();
    (
        shards,
        deflate::inflate("test", &resident).expect("as written"),
    )
}

fn search(index: &Index) {
    let options = SearchOptions {
        filters: [("tag".to_owned(), vec!["t0".to_owned()])].into(),
        ..SearchOptions::while_typing(5)
    };
    let sort = Sort {
        by: "date".to_owned(),
        descending: true,
    };
    for query in ["return err", "haus", "hash map", "\"returned errors\" eror"] {
        for sort in [None, Some(sort.clone())] {
            let options = SearchOptions {
                sort,
                ..options.clone()
            };
            for hit in index.search_loaded(query, None, &options).hits {
                let _ = (index.url(hit.chunk), index.section(hit.chunk));
            }
        }
    }
}

#[test]
fn damaged_words_do_not_panic() {
    let (shards, _) = files(Family::Terms);
    let mut index = index();
    for damaged in damages(&shards[0]) {
        if let Ok(shard) = wire_terms::read(&damaged)
            && wire_terms::check(&shard, index.n_chunks(), index.n_documents()).is_ok()
        {
            index.lexical.insert(0, shard);
            search(&index);
        }
    }
}

#[test]
fn damaged_texts_do_not_panic() {
    let (shards, _) = files(Family::Texts);
    let mut index = index();
    let range = 0..u32::try_from(index.n_chunks()).expect("few");
    for damaged in damages(&shards[0]) {
        if let Ok(shard) = wire_texts::read(&damaged, range.clone(), &index.lexical.collection) {
            index.texts.insert(0, shard);
            search(&index);
        }
    }
}

#[test]
fn damaged_filters_do_not_panic() {
    let (shards, _) = files(Family::Filters);
    let mut index = index();
    for damaged in damages(&shards[0]) {
        if let Ok(filters) = filters::read(&damaged, index.n_documents()) {
            index.filters = Some(filters);
            search(&index);
        }
    }
}

#[test]
fn damaged_orders_do_not_panic() {
    let (shards, _) = files(Family::Orders);
    let mut index = index();
    for damaged in damages(&shards[0]) {
        if let Ok(order) = orders::read(&damaged, index.n_documents()) {
            index.orders.insert(0, order);
            search(&index);
        }
    }
}

#[test]
fn a_damaged_resident_file_does_not_panic() {
    let (_, resident) = files(Family::Terms);
    for damaged in damages(&resident) {
        if let Ok(index) = resident::read(&deflate::deflate(&damaged)) {
            search(&index);
            index.missing_shards();
            index.needs_texts((0..9).map(crate::ChunkIdx));
        }
    }
    for damaged in damages(&deflate::deflate(&resident)) {
        let _ = resident::read(&damaged);
    }
}

#[test]
fn pages_of_a_table_are_read_or_refused() {
    let shards: Vec<Vec<u8>> = (0..1000_u32).map(|n| n.to_le_bytes().to_vec()).collect();
    let written = table::write::table(&shards);
    let empty = table::write::table(&[]);
    let wires = Family::ALL.map(|family| match family {
        Family::Terms => written.wire(),
        _ => empty.wire(),
    });
    let n_shards = |n_terms: usize| {
        Family::ALL.map(|family| if family == Family::Terms { n_terms } else { 0 })
    };
    let mut table = ShardTable::read(&wires, n_shards(1000)).expect("as written");
    assert_eq!(table.totals(Family::Terms), (1000, 4000));
    let page = table.locate(Family::Terms, 999).expect("its page");
    assert!(page.id.is_table(), "named by a page: {page:?}");
    let bytes = &written.pages[page.id.number() as usize];
    for damaged in damages(bytes) {
        assert!(
            table.verify(page.id, &damaged).is_err(),
            "every damage is noticed"
        );
        let _ = table.clone().add_page(page.id, &damaged);
    }
    table.verify(page.id, bytes).expect("as written");
    table.add_page(page.id, bytes).expect("as written");
    let shard = table.locate(Family::Terms, 999).expect("named now");
    assert_eq!(
        (shard.id.is_table(), shard.id.number(), shard.bytes),
        (false, 999, 4)
    );
    table
        .verify(shard.id, &999_u32.to_le_bytes())
        .expect("the shard");
    assert_eq!(table.locate(Family::Terms, 1000), None);
    assert_eq!(table.locate(Family::Texts, 0), None);
    assert!(
        ShardTable::read(&wires, n_shards(999)).is_err(),
        "counts are compared"
    );
}
