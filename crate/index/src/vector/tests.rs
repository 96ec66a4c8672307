//! Checks recall of the graph, its bytes, and that no damage to them panics.

use super::*;
use crate::error::BuildError;

/// A small generator of repeatable numbers in -1 to 1 (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn embeddings(&mut self, n: usize, dimension: usize) -> Vec<Vec<f32>> {
        let centres: Vec<Vec<f32>> = (0..n.div_ceil(50))
            .map(|_| (0..dimension).map(|_| self.next()).collect())
            .collect();
        (0..n)
            .map(|idx| {
                centres[idx % centres.len()]
                    .iter()
                    .map(|x| x + 0.6 * self.next())
                    .collect()
            })
            .collect()
    }
}

fn options(graph: GraphChoice) -> VectorOptions {
    VectorOptions { graph, seed: 7 }
}

#[test]
fn quantised_vectors_keep_their_direction() {
    let embedding = Numbers(3).embeddings(1, 385).remove(0);
    let index = VectorIndex::build(std::slice::from_ref(&embedding), VectorOptions::default())
        .expect("good embedding");
    let found = index.search(&embedding, 5);
    assert_eq!(found[0].0, 0);
    assert!(
        (found[0].1 - 1.0).abs() < 1e-3,
        "cosine with itself: {}",
        found[0].1
    );
}

#[test]
fn the_graph_recalls_what_the_scan_finds() {
    let seed = 11;
    let mut numbers = Numbers(seed);
    let embeddings = numbers.embeddings(1500, 48);
    let queries = numbers.embeddings(60, 48);
    let graph =
        VectorIndex::build(&embeddings, options(GraphChoice::Graph)).expect("good embeddings");
    let flat =
        VectorIndex::build(&embeddings, options(GraphChoice::Flat)).expect("good embeddings");
    assert!(graph.is_graph() && !flat.is_graph(), "options are followed");
    let mut n_found = 0;
    for query in embeddings.iter().step_by(50).chain(&queries) {
        let expected: Vec<u32> = flat
            .search(query, 10)
            .into_iter()
            .map(|(chunk, _)| chunk)
            .collect();
        assert_eq!(
            expected,
            graph
                .search_exact(query, 10)
                .into_iter()
                .map(|(chunk, _)| chunk)
                .collect::<Vec<_>>()
        );
        n_found += graph
            .search(query, 10)
            .iter()
            .filter(|(chunk, _)| expected.contains(chunk))
            .count();
    }
    let recall = n_found as f32 / 900.0;
    println!("recall@10 of the graph against the scan: {recall} (seed {seed}, 1500 vectors)");
    assert!(recall >= 0.95, "recall@10 {recall}, seed {seed}");
}

#[test]
fn the_mode_says_which_and_why() {
    let embeddings = Numbers(5).embeddings(40, 8);
    let mode = |graph| {
        VectorIndex::build(&embeddings, options(graph))
            .expect("good")
            .mode()
            .to_string()
    };
    assert_eq!(
        mode(GraphChoice::Auto),
        "flat scan: 40 vectors are fewer than 4000, where a graph pays"
    );
    assert_eq!(
        mode(GraphChoice::Graph),
        "instant-distance graph over 40 vectors, by option"
    );
    let many = Numbers(5).embeddings(GRAPH_THRESHOLD, 4);
    let index = VectorIndex::build(&many, VectorOptions::default()).expect("good embeddings");
    assert_eq!(
        index.mode(),
        VectorMode::Graph {
            n_vectors: GRAPH_THRESHOLD
        }
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let embeddings = Numbers(9).embeddings(300, 16);
    let bytes = |seed| {
        let options = VectorOptions {
            graph: GraphChoice::Graph,
            seed,
        };
        VectorIndex::build(&embeddings, options)
            .map(|index| index.to_bytes().expect("memory"))
            .expect("good")
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2), "the seed matters");
}

#[test]
fn refuses_embeddings_that_do_not_fit() {
    let build =
        |embeddings: &[Vec<f32>]| VectorIndex::build(embeddings, VectorOptions::default()).err();
    let found = build(&[vec![1.0, 2.0], vec![1.0]]);
    assert!(
        matches!(
            found,
            Some(BuildError::EmbeddingDimension {
                chunk: 1,
                expected: 2,
                found: 1
            })
        ),
        "{found:?}"
    );
    let found = build(&[vec![]]);
    assert!(
        matches!(found, Some(BuildError::EmbeddingDimension { chunk: 0, .. })),
        "{found:?}"
    );
    let found = build(&[vec![1.0], vec![f32::NAN]]);
    assert!(
        matches!(
            found,
            Some(BuildError::EmbeddingNotFinite {
                chunk: 1,
                component: 0
            })
        ),
        "{found:?}"
    );
}

#[test]
fn queries_without_direction_find_nothing() {
    let index = VectorIndex::build(&Numbers(5).embeddings(40, 8), options(GraphChoice::Graph))
        .expect("good");
    for query in [vec![], vec![0.0; 8], vec![f32::NAN; 8], vec![1.0; 7]] {
        assert_eq!(index.search(&query, 3), [], "{query:?}");
    }
    assert_eq!(index.search(&[1.0; 8], 0), []);
}

#[test]
fn stored_vectors_return_and_every_damage_is_an_error_or_harmless() {
    for graph in [GraphChoice::Flat, GraphChoice::Graph] {
        let embeddings = Numbers(13).embeddings(90, 8);
        let index = VectorIndex::build(&embeddings, options(graph)).expect("good embeddings");
        let bytes = index.to_bytes().expect("memory");
        let read = |bytes: &[u8]| VectorIndex::from_bytes(bytes, index.is_graph(), 8, 90);
        let back = read(&bytes).expect("as written");
        assert_eq!(
            back.search(&embeddings[3], 10),
            index.search(&embeddings[3], 10)
        );
        for len in (0..bytes.len()).step_by(7) {
            assert!(read(&bytes[..len]).is_err(), "cut to {len}");
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            if let Ok(damaged) = read(&damaged) {
                damaged.search(&embeddings[place % 90], 10);
            }
        }
        assert!(
            VectorIndex::from_bytes(&bytes, index.is_graph(), 8, 91).is_err(),
            "another number of chunks"
        );
        assert!(
            VectorIndex::from_bytes(&bytes, index.is_graph(), 9, 90).is_err(),
            "another dimension"
        );
    }
}
