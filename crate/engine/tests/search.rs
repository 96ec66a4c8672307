//! Searches a bundle that arrives piece by piece: results name the missing shards, and show what is there.

use anchorite::index::bundle::{self, Bundle, Role};
use anchorite::index::chunk::{ChunkOptions, chunk_documents};
use anchorite::index::parse::{ParseOptions, parse_page};
use anchorite::index::{Index, IndexOptions};
use anchorite::{Found, SearchRequest, Searcher};

/// A bundle with more pages than one shard of texts holds.
fn bundle() -> Bundle {
    let options = ParseOptions::default();
    let documents: Vec<_> = (0..400)
        .map(|idx| {
            let filler =
                format!("Pump number {idx} moves water from well{idx} uphill. ").repeat(14);
            let text = format!(
                "# Pump {idx}\n\n## Using it\n\n{filler}\n\n## Care\n\nOil it with oil{idx}.\n"
            );
            parse_page(&format!("pump{idx}.md"), text.as_bytes(), &options).expect("a good page")
        })
        .collect();
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    let index =
        Index::build(&documents, chunks, None, &IndexOptions::default()).expect("a good index");
    bundle::write(&index, &[], "test").expect("a good bundle")
}

fn opened(bundle: &Bundle) -> Searcher {
    let resident = bundle.manifest.file(Role::Index).expect("listed");
    let resident = resident
        .join(|path| Some(file(bundle, path)))
        .expect("as written");
    Searcher::new(bundle::read_index(&bundle.manifest, &resident).expect("as written"))
}

fn file<'b>(bundle: &'b Bundle, path: &str) -> &'b [u8] {
    let found = bundle.files.iter().find(|(other, _)| other == path);
    &found.expect("listed").1
}

/// Searches until nothing is missing; returns the results, and how many bytes they took.
fn searched(searcher: &mut Searcher, bundle: &Bundle, query: &str) -> (Found, usize) {
    let request = SearchRequest {
        limit: 5,
        ..SearchRequest::default()
    };
    let mut n_bytes = 0;
    for _ in 0..10 {
        let found = searcher.search(query, &request).expect("a good query");
        if found.missing.is_empty() {
            return (found, n_bytes);
        }
        for shard in &found.missing {
            n_bytes += file(bundle, &shard.path).len();
            let bytes = file(bundle, &shard.path);
            searcher.insert_shard(shard.id, bytes).expect("as written");
        }
    }
    panic!("`{query}` asks for more and more");
}

#[test]
fn a_search_fetches_what_it_reads_and_no_more() {
    let bundle = bundle();
    assert!(
        bundle.manifest.shards.count > 20,
        "{:?}",
        bundle.manifest.shards
    );
    let mut searcher = opened(&bundle);
    let (found, first) = searched(&mut searcher, &bundle, "oil77");
    assert_eq!(found.results[0].url, "pump77.html#care");
    assert_eq!(found.results[0].headings, ["Pump 77", "Care"]);
    let all = bundle.manifest.shards.bytes;
    assert!(first as u64 * 4 < all, "{first} of {all} bytes");
    let (again, more) = searched(&mut searcher, &bundle, "oil77");
    assert_eq!(
        (&again.results, more),
        (&found.results, 0),
        "nothing is fetched twice"
    );
}

#[test]
fn what_is_here_is_shown_while_the_rest_is_missing() {
    let bundle = bundle();
    let mut searcher = opened(&bundle);
    searched(&mut searcher, &bundle, "oil77");
    let request = SearchRequest {
        limit: 5,
        ..SearchRequest::default()
    };
    let partial = searcher
        .search("oil77 well200", &request)
        .expect("a good query");
    assert!(!partial.missing.is_empty(), "a word of another shard");
    assert_eq!(partial.results[0].url, "pump77.html#care");
}

#[test]
fn what_is_to_be_marked_are_words_with_a_topic_and_what_they_were_taken_for() {
    let bundle = bundle();
    let (found, _) = searched(&mut opened(&bundle), &bundle, "what is the nubmer ");
    assert!(!found.results.is_empty(), "corrected to `number`");
    assert_eq!(found.terms, ["nubmer", "number"]);
}

#[test]
fn a_question_names_its_shards_first() {
    let bundle = bundle();
    let mut searcher = opened(&bundle);
    for _ in 0..10 {
        let needs = searcher
            .needs("Which oil suits pump 77?", 4)
            .expect("a good question");
        if needs.is_empty() {
            return;
        }
        for shard in needs {
            searcher
                .insert_shard(shard.id, file(&bundle, &shard.path))
                .expect("as written");
        }
    }
    panic!("it asks for more and more");
}
