//! Builds a sharded bundle from embeddings, queries it as a page does, and prints recall, bytes, requests and times.
//!
//! `measure_shards DIMENSION COUNT QUERIES.f32 VECTORS.f32..`: files of 32-bit floats, as written by `anchorite eval
//! retrieval --cache`. If COUNT exceeds the number of vectors, variants are made: two vectors mixed, plus noise of a
//! tenth of their length.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use anchorite_index::bundle::{self, Bundle, Role};
use anchorite_index::chunk::{ChunkOptions, chunk_documents};
use anchorite_index::document::{Document, Section};
use anchorite_index::vector::{VectorChoice, VectorOptions};
use anchorite_index::{Family, Index, IndexOptions, SearchOptions};

const MAX_QUERIES: usize = 500;
/// Searches before fetches are counted: by then a page has loaded most of the shards that queries share.
const WARM_UP: usize = 20;

#[expect(
    clippy::disallowed_methods,
    reason = "an example runs natively and owns the clock"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "results go to standard output")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dimension, count, queries, files @ ..] = &arguments[..] else {
        panic!("usage: measure_shards DIMENSION COUNT QUERIES.f32 VECTORS.f32..");
    };
    let dimension: usize = dimension.parse().expect("a whole number of components");
    let count: usize = count.parse().expect("a whole number of vectors");
    let mut embeddings: Vec<Vec<f32>> = files
        .iter()
        .flat_map(|file| vectors(file, dimension))
        .collect();
    let n_real = embeddings.len().min(count);
    grow(&mut embeddings, count);
    let all_queries = vectors(queries, dimension);
    let step = all_queries.len().div_ceil(MAX_QUERIES).max(1);
    let queries: Vec<&Vec<f32>> = all_queries.iter().step_by(step).collect();

    let start = now();
    let built = built(embeddings);
    let build_seconds = start.elapsed().as_secs_f64();
    let vectors = built.vectors.as_ref().expect("vectors were given");
    println!("{count} vectors, {n_real} of them real; {}", vectors.mode());
    println!(
        "built in {build_seconds:.1} s; {:.0} MB of memory at most, with the vectors in single precision",
        peak_megabytes()
    );
    let bundle = bundle::write(&built, &[], "0").expect("a good index");
    let resident = file(&bundle, Role::Vectors);
    println!(
        "resident: {} bytes, {:.2} a vector",
        resident.len(),
        resident.len() as f64 / count as f64
    );

    let files: HashMap<&str, &[u8]> = bundle
        .files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    let index_file = file(&bundle, Role::Index);
    let fresh = || {
        let mut page =
            bundle::read_index(&bundle.manifest, &index_file).expect("it is as it was written");
        bundle::read_vectors(&bundle.manifest, &resident, &mut page)
            .expect("they are as they were written");
        page
    };
    let mut page = fresh();
    let (mut requests, mut bytes, mut times) = (Vec::new(), Vec::new(), Vec::new());
    let mut first = Vec::new();
    let (mut n_found, mut n_exact, mut n_expected) = (0, 0, 0);
    for (idx, query) in queries.iter().enumerate() {
        let (n_requests, n_bytes) = fetch(&mut page, &files, query);
        if idx >= WARM_UP {
            requests.push(n_requests as f64);
            bytes.push(n_bytes as f64);
        } else {
            first.push(fetch(&mut fresh(), &files, query).1 as f64);
        }
        let page = page.vectors.as_ref().expect("they were read");
        let start = now();
        let found = page.search(query, 10);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        let exact = vectors.search_exact(query, 10);
        n_expected += exact.len();
        n_exact += found.iter().filter(|hit| exact.contains(hit)).count();
        let is_found = |chunk: u32| found.iter().any(|&(other, _)| other == chunk);
        n_found += exact.iter().filter(|hit| is_found(hit.0)).count();
    }
    println!(
        "{} queries: recall@10 {:.4} against all vectors, {:.4} with the exact cosine",
        queries.len(),
        n_found as f64 / n_expected.max(1) as f64,
        n_exact as f64 / n_expected.max(1) as f64
    );
    for (what, values) in [
        ("bytes of a first query", &mut first),
        ("requests of a query after warm-up", &mut requests),
        ("bytes of a query after warm-up", &mut bytes),
        ("ms of a search, natively", &mut times),
    ] {
        values.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| values[(values.len() - 1) * percent / 100];
        println!(
            "{what}: median {:.3}, 95th percentile {:.3}, most {:.3}",
            at(50),
            at(95),
            at(100)
        );
    }
}

/// Inserts shards until the query needs no more; counts requests and bytes.
fn fetch(page: &mut Index, files: &HashMap<&str, &[u8]>, query: &[f32]) -> (usize, u64) {
    let (mut n_requests, mut n_bytes) = (0, 0);
    loop {
        let needs = page
            .search_loaded("", Some(query), &SearchOptions::default())
            .missing;
        if needs.is_empty() {
            return (n_requests, n_bytes);
        }
        for shard in needs {
            assert_eq!(shard.id.family(), Family::Vectors, "there are no words");
            page.insert_shard(shard.id, files[shard.path.as_str()])
                .expect("as it was written");
            n_requests += 1;
            n_bytes += u64::from(shard.bytes);
        }
    }
}

fn file(bundle: &Bundle, role: Role) -> Vec<u8> {
    let entry = bundle.manifest.file(role).expect("the role is there");
    let part = |path: &str| bundle.files.iter().find(|(other, _)| other == path);
    let parts = entry.parts.iter().filter_map(|entry| part(&entry.path));
    parts.flat_map(|(_, bytes)| bytes.clone()).collect()
}

/// An index with one page per vector.
fn built(embeddings: Vec<Vec<f32>>) -> Index {
    let documents: Vec<Document> = (0..embeddings.len())
        .map(|idx| Document {
            source: idx.to_string(),
            url: idx.to_string(),
            title: String::new(),
            sections: vec![Section {
                text: "text".to_owned(),
                ..Section::default()
            }],
            filters: BTreeMap::new(),
            meta: BTreeMap::new(),
            sort: BTreeMap::new(),
            weight: 1.0,
            language: None,
        })
        .collect();
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    let options = IndexOptions {
        vectors: VectorOptions {
            choice: VectorChoice::Shards,
            ..VectorOptions::default()
        },
        ..IndexOptions::default()
    };
    Index::build(&documents, chunks, Some(embeddings), &options).expect("good embeddings")
}

fn vectors(path: &str, dimension: usize) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("`{path}`: {error}"));
    let values: Vec<f32> = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    values
        .chunks_exact(dimension)
        .map(<[f32]>::to_vec)
        .collect()
}

/// Adds variants up to `count`, the same in every run.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the vectors"
)]
fn grow(embeddings: &mut Vec<Vec<f32>>, count: usize) {
    embeddings.truncate(count);
    let n_real = embeddings.len();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    while embeddings.len() < count {
        let (a, b) = (random(), random());
        let pick = |share: f32| ((share * n_real as f32) as usize).min(n_real - 1);
        let (a, b) = (&embeddings[pick(a)], &embeddings[pick(b)]);
        let noise = 0.1 * 3_f32.sqrt() / (a.len() as f32).sqrt();
        let mixed = a.iter().zip(b).map(|(a, b)| 0.75 * a + 0.25 * b);
        let variant = mixed.map(|x| x + noise * (2.0 * random() - 1.0)).collect();
        embeddings.push(variant);
    }
}

/// Peak memory of this process, where Linux reports it.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1000.0
}
