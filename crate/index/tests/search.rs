//! Indexes small pages and searches them as visitors do.

use anchorite_index::chunk::{ChunkOptions, chunk_documents};
use anchorite_index::error::BuildError;
use anchorite_index::parse::{ParseOptions, parse_page};
use anchorite_index::{Index, IndexOptions, SearchOptions};

fn index(pages: &[(&str, &str)]) -> Index {
    let options = ParseOptions::default();
    let parse = |(source, text): &(&str, &str)| {
        parse_page(source, text.as_bytes(), &options).expect("a good page")
    };
    let documents: Vec<_> = pages.iter().map(parse).collect();
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    Index::build(&documents, chunks, None, &IndexOptions::default()).expect("a good index")
}

const PAGES: [(&str, &str); 5] = [
    (
        "result.md",
        "# Recoverable errors\n\nMost errors are not serious. A function can return an error to its caller.\n\n## The ? operator\n\nIt stops early.",
    ),
    (
        "panic.md",
        "# Unrecoverable errors\n\nThe panic! macro stops the program. No function survives.",
    ),
    (
        "maps.md",
        "# Hash maps\n\nThe type HashMap<K, V> stores keys. Call insert_or_update on it.",
    ),
    (
        "iterators.md",
        "# Iterators\n\nAn iterator visits items. Iterators are lazy. Iterating is cheap.",
    ),
    (
        "loops.md",
        "# Loops\n\nIt is what it is: a loop repeats, how often you want it to.",
    ),
];

fn urls(query: &str, options: &SearchOptions) -> Vec<String> {
    let index = index(&PAGES);
    index
        .search(query, None, options)
        .into_iter()
        .map(|hit| index.url(hit.chunk))
        .collect()
}

fn first(query: &str) -> String {
    urls(query, &SearchOptions::default())
        .into_iter()
        .next()
        .unwrap_or_default()
}

#[test]
fn questions_find_their_section() {
    assert_eq!(
        first("how do I return an error from a function?"),
        "result.html#recoverable-errors"
    );
    assert_eq!(first("what does ? do"), "result.html#the--operator");
    assert_eq!(first("panic!"), "panic.html#unrecoverable-errors");
    assert_eq!(
        first("iterates lazily over ITEMS"),
        "iterators.html#iterators"
    );
}

#[test]
fn identifiers_are_found_whole_in_part_and_apart() {
    for query in [
        "HashMap",
        "hash map",
        "hashmap",
        "`HashMap<K, V>`",
        "insert_or_update",
        "update insert",
    ] {
        assert_eq!(first(query), "maps.html#hash-maps", "`{query}`");
    }
}

#[test]
fn headings_and_titles_count_more_than_text() {
    let pages = [
        ("a.md", "# Other\n\nA word on closures, once."),
        ("b.md", "# Closures\n\nThey capture things."),
    ];
    let index = index(&pages);
    let hits = index.search("closures", None, &SearchOptions::default());
    assert_eq!(index.url(hits[0].chunk), "b.html#closures");
    assert_eq!(hits[0].lexical.map(|ranked| ranked.rank), Some(1));
}

#[test]
fn the_last_word_may_be_unfinished_while_typing() {
    let typing = SearchOptions::while_typing(3);
    for query in ["iter", "iterat", "iterato", "iterators", "hashm", "lazy it"] {
        let expected = if query == "hashm" {
            "maps.html#hash-maps"
        } else {
            "iterators.html#iterators"
        };
        assert_eq!(
            urls(query, &typing).first().map(String::as_str),
            Some(expected),
            "`{query}`"
        );
    }
    assert_eq!(urls("iterat ", &typing), [""; 0], "a space finishes a word");
    assert_eq!(
        urls("iterat", &SearchOptions::default()),
        [""; 0],
        "a question is finished"
    );
}

#[test]
fn coverage_is_the_share_of_topic_words_found() {
    let index = index(&PAGES);
    let coverage = |query: &str| index.search(query, None, &SearchOptions::default())[0].coverage;
    assert_eq!(coverage("how do I return an error?"), 1.0);
    assert_eq!(coverage("the hash map"), 1.0);
    let half = coverage("iterators zymurgy");
    assert!(
        (0.2..0.6).contains(&half),
        "an unknown word counts most: {half}"
    );
    assert_eq!(
        coverage("how often is it what you want"),
        1.0,
        "with no topic, all words count"
    );
}

#[test]
fn queries_of_any_kind_are_answered() {
    let options = SearchOptions::default();
    assert_eq!(urls("", &options), [""; 0]);
    assert_eq!(urls("zymurgy", &options), [""; 0]);
    assert_eq!(urls(" \u{0}\u{202e}\u{1f600} ... ", &options), [""; 0]);
    let long = "error ".repeat(10_000);
    assert_eq!(
        urls(&long, &options).first(),
        urls("error", &options).first()
    );
}

#[test]
fn one_page_does_not_fill_the_list() {
    let sections: String = (0..9)
        .map(|idx| format!("## Part {idx}\n\nAbout bees.\n\n"))
        .collect();
    let pages = [
        ("long.md", sections.as_str()),
        (
            "short.md",
            "# Honey\n\nMade by bees, and a lot of other text on honey.",
        ),
    ];
    let index = index(&pages);
    let hits = |per_document| {
        let options = SearchOptions {
            per_document,
            ..SearchOptions::default()
        };
        index.search("bees", None, &options).len()
    };
    assert_eq!(hits(Some(2)), 3);
    assert_eq!(hits(None), 10);
}

#[test]
fn sections_can_be_read_around_a_hit() {
    let text = format!(
        "# A\n\n{}\n\n## B\n\nshort",
        "Some words in a sentence. ".repeat(100)
    );
    let index = index(&[("a.md", &text)]);
    let hit = index.search("sentence", None, &SearchOptions::default())[0];
    let section = index.section(hit.chunk);
    assert_eq!(
        section,
        0..u32::try_from(index.n_chunks()).expect("few") - 1
    );
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let document = parse_page("a.md", b"text", &ParseOptions::default()).expect("a good page");
    let chunks = chunk_documents(std::slice::from_ref(&document), &ChunkOptions::default());
    let options = IndexOptions::default();
    let found = Index::build(&[], chunks.clone(), None, &options).err();
    assert!(
        matches!(
            found,
            Some(BuildError::ChunkOrder {
                chunk: 0,
                document: 0,
                n_documents: 0
            })
        ),
        "{found:?}"
    );
    let found = Index::build(std::slice::from_ref(&document), Vec::new(), None, &options).err();
    assert!(matches!(found, Some(BuildError::NoChunks)), "{found:?}");
    let found = Index::build(
        std::slice::from_ref(&document),
        chunks,
        Some(Vec::new()),
        &options,
    )
    .err();
    assert!(
        matches!(
            found,
            Some(BuildError::EmbeddingCount {
                expected: 1,
                found: 0
            })
        ),
        "{found:?}"
    );
}
