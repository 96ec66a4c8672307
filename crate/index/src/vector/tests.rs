//! Checks the recall of the graph and of shards, their bytes, and that damaged bytes never cause a panic.

use super::*;
use crate::error::BuildError;

/// A small repeatable random number generator, for values in -1 to 1 (xorshift).
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

fn options(choice: VectorChoice) -> VectorOptions {
    VectorOptions { choice, seed: 7 }
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
        VectorIndex::build(&embeddings, options(VectorChoice::Graph)).expect("good embeddings");
    let flat =
        VectorIndex::build(&embeddings, options(VectorChoice::Flat)).expect("good embeddings");
    assert_eq!(
        (graph.layout(), flat.layout()),
        (Layout::Graph, Layout::Flat),
        "options are followed"
    );
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
    let mode = |choice| {
        VectorIndex::build(&embeddings, options(choice))
            .expect("good")
            .mode()
            .to_string()
    };
    assert_eq!(
        mode(VectorChoice::Auto),
        "flat scan of 40 vectors: a graph is not tried up to 8192"
    );
    assert_eq!(
        mode(VectorChoice::Graph),
        "instant-distance graph over 40 vectors"
    );
    assert_eq!(
        mode(VectorChoice::Shards),
        "40 vectors in 1 shards, of which a search reads up to 1"
    );
}

#[test]
fn the_build_counts_what_a_graph_compares() {
    let many = Numbers(5).embeddings(GRAPH_FROM + 1, 4);
    let index = VectorIndex::build(&many, VectorOptions::default()).expect("good embeddings");
    let (is_graph, counted) = match index.mode() {
        VectorMode::Graph { graph_compares, .. } => (true, graph_compares),
        VectorMode::Flat { graph_compares, .. } => (false, graph_compares),
        VectorMode::Shards { .. } => panic!("far below {SHARDS_FROM}: {}", index.mode()),
    };
    let counted = counted.expect("the build counted");
    assert!(
        (1..=many.len()).contains(&counted),
        "{counted} of {} compared",
        many.len()
    );
    assert_eq!(
        is_graph,
        counted * GRAPH_STEP * GRAPH_GAIN < many.len(),
        "the cheaper one: {}",
        index.mode()
    );
}

#[test]
fn shards_are_of_bounded_size_and_hold_every_vector_once() {
    let embeddings = Numbers(21).embeddings(3000, 24);
    let index = VectorIndex::build(&embeddings, options(VectorChoice::Shards)).expect("good");
    for shard in index.shards() {
        let size = shard.len();
        assert!(
            (1..=clusters::MAX_MEMBERS).contains(&size),
            "a shard of {size}"
        );
    }
    let all = index.search_exact(&embeddings[0], 4000).into_iter();
    let mut chunks: Vec<u32> = all.map(|(chunk, _)| chunk).collect();
    chunks.sort_unstable();
    assert!(chunks.into_iter().eq(0..3000), "every vector once");
}

#[test]
fn shards_are_the_same_on_any_number_of_threads() {
    let embeddings = Numbers(41).embeddings(900, 24);
    let bytes = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads);
        let index = pool.build().expect("threads").install(|| {
            VectorIndex::build(&embeddings, options(VectorChoice::Shards)).expect("good")
        });
        let mut bytes = index.to_bytes().expect("memory");
        let shards = index.shards().into_iter();
        shards.for_each(|shard| shard.push_bytes(&mut bytes));
        bytes
    };
    assert_eq!(bytes(1), bytes(5));
}

#[test]
fn equal_vectors_are_cut_into_shards_too() {
    let embeddings = vec![vec![1.0, 2.0, 3.0]; 500];
    let index = VectorIndex::build(&embeddings, options(VectorChoice::Shards)).expect("good");
    assert_eq!(index.search_exact(&[1.0, 2.0, 3.0], 500).len(), 500);
}

/// The stored bytes of shard `shard`.
fn stored(index: &VectorIndex, shard: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    index.shards()[shard].push_bytes(&mut bytes);
    bytes
}

fn insert_shard(part: &mut VectorIndex, whole: &VectorIndex, shard: u32) {
    let bytes = stored(whole, shard as usize);
    let rows = part.read_shard(shard as usize, &bytes).expect("as written");
    part.insert(shard as usize, rows);
}

fn share_found(expected: &[(u32, f32)], found: &[(u32, f32)]) -> f32 {
    let is_found = |chunk: u32| found.iter().any(|&(other, _)| other == chunk);
    let n_found = expected.iter().filter(|hit| is_found(hit.0)).count();
    n_found as f32 / expected.len() as f32
}

#[test]
fn a_search_estimates_all_and_is_exact_where_that_matters() {
    let seed = 31;
    let embeddings = Numbers(seed).embeddings(4000, 48);
    let whole = VectorIndex::build(&embeddings, options(VectorChoice::Shards)).expect("good");
    let resident = whole.to_bytes().expect("memory");
    let (mut estimated, mut read) = (0.0, 0.0);
    for query in Numbers(seed + 1).embeddings(50, 48) {
        let mut part = VectorIndex::from_bytes(&resident, Layout::Shards, 48, 4000).expect("whole");
        let exact = whole.search_exact(&query, 10);
        estimated += share_found(&exact, &part.search(&query, 10)) / 50.0;
        let missing = part.find(&query, 10).1;
        let most = clusters::N_PROBES;
        assert!(
            (1..=most).contains(&missing.len()),
            "of {most}: {missing:?}"
        );
        for shard in missing {
            insert_shard(&mut part, &whole, shard);
        }
        assert_eq!(
            part.find(&query, 10).1,
            [0; 0],
            "all that was named is here"
        );
        let found = part.search(&query, 10);
        assert_eq!(found, whole.search(&query, 10), "as from the whole");
        read += share_found(&exact, &found) / 50.0;
    }
    println!("recall@10 {estimated} by codes, {read} with shards (seed {seed}, 4000 vectors)");
    assert!(estimated >= 0.6, "by codes {estimated}, seed {seed}");
    assert!(
        read >= 0.98 && read > estimated,
        "with shards {read}, seed {seed}"
    );
}

#[test]
fn what_is_here_from_other_searches_changes_nothing() {
    let embeddings = Numbers(33).embeddings(3000, 32);
    let whole = VectorIndex::build(&embeddings, options(VectorChoice::Shards)).expect("good");
    let resident = whole.to_bytes().expect("memory");
    let mut visited = VectorIndex::from_bytes(&resident, Layout::Shards, 32, 3000).expect("whole");
    for query in embeddings.iter().step_by(300) {
        for shard in visited.find(query, 10).1 {
            insert_shard(&mut visited, &whole, shard);
        }
        let mut fresh =
            VectorIndex::from_bytes(&resident, Layout::Shards, 32, 3000).expect("whole");
        for shard in fresh.find(query, 10).1 {
            insert_shard(&mut fresh, &whole, shard);
        }
        assert_eq!(visited.search(query, 300), fresh.search(query, 300));
    }
}

#[test]
fn damaged_shards_are_errors_or_harmless() {
    let embeddings = Numbers(17).embeddings(300, 8);
    let mut index = VectorIndex::build(&embeddings, options(VectorChoice::Shards)).expect("good");
    let bytes = stored(&index, 0);
    for len in 0..bytes.len() {
        assert!(index.read_shard(0, &bytes[..len]).is_err(), "cut to {len}");
    }
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        if let Ok(rows) = index.read_shard(0, &damaged) {
            index.insert(0, rows);
            index.search(&embeddings[place % 300], 10);
        }
    }
    assert!(index.read_shard(99, &bytes).is_err(), "no such shard");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let embeddings = Numbers(9).embeddings(300, 16);
    let bytes = |seed| {
        let options = VectorOptions {
            choice: VectorChoice::Graph,
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
    let index = VectorIndex::build(&Numbers(5).embeddings(40, 8), options(VectorChoice::Graph))
        .expect("good");
    for query in [vec![], vec![0.0; 8], vec![f32::NAN; 8], vec![1.0; 7]] {
        assert_eq!(index.search(&query, 3), [], "{query:?}");
    }
    assert_eq!(index.search(&[1.0; 8], 0), []);
}

#[test]
fn stored_vectors_return_and_every_damage_is_an_error_or_harmless() {
    for choice in [
        VectorChoice::Flat,
        VectorChoice::Graph,
        VectorChoice::Shards,
    ] {
        let embeddings = Numbers(13).embeddings(90, 8);
        let index = VectorIndex::build(&embeddings, options(choice)).expect("good embeddings");
        let bytes = index.to_bytes().expect("memory");
        let read = |bytes: &[u8]| VectorIndex::from_bytes(bytes, index.layout(), 8, 90);
        let back = read(&bytes).expect("as written");
        if choice != VectorChoice::Shards {
            assert_eq!(
                back.search(&embeddings[3], 10),
                index.search(&embeddings[3], 10)
            );
        }
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
            VectorIndex::from_bytes(&bytes, index.layout(), 8, 91).is_err(),
            "another number of chunks"
        );
        assert!(
            VectorIndex::from_bytes(&bytes, index.layout(), 9, 90).is_err(),
            "another dimension"
        );
    }
}
