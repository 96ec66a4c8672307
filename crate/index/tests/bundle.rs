//! Round-trips a small site through a bundle, and damages the bundle in every way that the network may.

use anchorite_index::bundle::{
    self, Bundle, Calibration, FORMAT, MAX_PART_BYTES, Manifest, ReliabilityBin, Role, WeightFile,
};
use anchorite_index::chunk::{ChunkOptions, chunk_documents};
use anchorite_index::error::BundleError;
use anchorite_index::parse::{ParseOptions, parse_page};
use anchorite_index::vector::{VectorChoice, VectorOptions};
use anchorite_index::{ChunkIdx, Index, IndexOptions, SearchOptions, ShardId};

const PAGES: [(&str, &str); 3] = [
    (
        "errors.md",
        "# Errors\n\nA function returns a `Result`.\n\n## Propagating\n\nThe ? operator returns the error early.",
    ),
    (
        "guide/README.md",
        "# Guide\n\nStart here.\n\n## Install\n\nRun `cargo install`.\n\n## Install\n\nOr download it.",
    ),
    (
        "maps.html",
        "<main><h1 id=maps>Hash maps</h1><p>A HashMap stores values by key.</p></main>",
    ),
];

/// A repeatable embedding for a text: counts of its letters.
fn embedding(text: &str) -> Vec<f32> {
    let mut counts = vec![0.1; 26];
    for byte in text.bytes().filter(u8::is_ascii_lowercase) {
        counts[usize::from(byte - b'a')] += 1.0;
    }
    counts
}

fn index(choice: VectorChoice) -> Index {
    let options = ParseOptions::default();
    let parse = |(source, text): &(&str, &str)| {
        parse_page(source, text.as_bytes(), &options).expect("a good page")
    };
    let documents: Vec<_> = PAGES.iter().map(parse).collect();
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    let embeddings = chunks.iter().map(|chunk| embedding(&chunk.text)).collect();
    let options = IndexOptions {
        vectors: VectorOptions { choice, seed: 1 },
        ..IndexOptions::default()
    };
    Index::build(&documents, chunks, Some(embeddings), &options).expect("a good index")
}

fn written(choice: VectorChoice) -> Bundle {
    let adapter = WeightFile {
        role: Role::Adapter,
        name: "voice".to_owned(),
        label: None,
        bytes: b"GGUF adapter".to_vec(),
    };
    bundle::write(&index(choice), &[adapter], "0.1.0").expect("a good bundle")
}

fn content(bundle: &Bundle, role: Role) -> Result<Vec<u8>, BundleError> {
    let file = bundle.manifest.file(role).expect("the role is there");
    file.join(|path| {
        bundle
            .files
            .iter()
            .find(|(other, _)| other == path)
            .map(|(_, bytes)| bytes.as_slice())
    })
}

fn shard<'b>(bundle: &'b Bundle, path: &str) -> Result<&'b [u8], BundleError> {
    let file = bundle.files.iter().find(|(other, _)| other == path);
    file.map(|(_, bytes)| bytes.as_slice())
        .ok_or_else(|| BundleError::MissingPart {
            path: path.to_owned(),
        })
}

/// An index with only its resident part loaded.
fn opened(bundle: &Bundle) -> Result<Index, BundleError> {
    bundle::read_index(&bundle.manifest, &content(bundle, Role::Index)?)
}

fn read(bundle: &Bundle) -> Result<Index, BundleError> {
    let mut index = opened(bundle)?;
    let vectors = content(bundle, Role::Vectors)?;
    bundle::read_vectors(&bundle.manifest, &vectors, &mut index)?;
    loop {
        let missing = index.missing_shards();
        if missing.is_empty() {
            break;
        }
        for missing in missing {
            index.insert_shard(missing.id, shard(bundle, &missing.path)?)?;
        }
    }
    Ok(index)
}

#[test]
fn a_bundle_returns_the_index() {
    for choice in [
        VectorChoice::Flat,
        VectorChoice::Graph,
        VectorChoice::Shards,
    ] {
        let before = index(choice);
        let bundle = written(choice);
        let after = read(&bundle).expect("as written");
        assert!(after.chunks().eq(before.chunks()), "chunks of {choice:?}");
        for idx in (0..6).map(ChunkIdx) {
            assert_eq!(after.document(idx), before.document(idx));
        }
        let options = SearchOptions::default();
        for query in ["return an error", "hash map", "install"] {
            let hits = |index: &Index| index.search(query, Some(&embedding(query)), &options);
            assert_eq!(hits(&after), hits(&before), "hits of `{query}`");
        }
    }
}

#[test]
fn the_same_documents_give_the_same_bytes() {
    assert_eq!(written(VectorChoice::Graph), written(VectorChoice::Graph));
}

#[test]
fn the_manifest_names_all_files() {
    let bundle = written(VectorChoice::Flat);
    let (path, json) = bundle.files.last().expect("files");
    assert_eq!(path, "manifest.json");
    let manifest = Manifest::parse(json).expect("as written");
    assert_eq!(manifest, bundle.manifest);
    assert_eq!(
        (
            manifest.documents,
            manifest.chunks,
            manifest.embedding_dimension
        ),
        (3, 6, Some(26))
    );
    for file in &manifest.files {
        for part in &file.parts {
            assert_eq!(part.path[6..22], part.sha256[..16], "content-addressed");
            assert_eq!(manifest.part(&part.path), Some(part));
        }
    }
    assert_eq!(
        content(&bundle, Role::Adapter).as_deref(),
        Ok(&b"GGUF adapter"[..])
    );
}

#[test]
fn large_files_are_cut_into_parts() {
    let bytes: Vec<u8> = (0..251).cycle().take(MAX_PART_BYTES + 5).collect();
    let weights = WeightFile {
        role: Role::Generator,
        name: "generator".to_owned(),
        label: None,
        bytes: bytes.clone(),
    };
    let bundle =
        bundle::write(&index(VectorChoice::Flat), &[weights], "0.1.0").expect("a good bundle");
    let file = bundle
        .manifest
        .file(Role::Generator)
        .expect("the generator");
    let sizes: Vec<u64> = file.parts.iter().map(|part| part.bytes).collect();
    assert_eq!(sizes, [MAX_PART_BYTES as u64, 5]);
    assert!(
        content(&bundle, Role::Generator).expect("all parts") == bytes,
        "joined again"
    );
}

#[test]
fn refuses_other_versions_whatever_else_they_hold() {
    for (json, found) in [
        (&br#"{ "format": 1, "files": [] }"#[..], 1),
        (br#"{ "format": 7, "rivers": [] }"#, 7),
    ] {
        let refused = Manifest::parse(json).expect_err("another version");
        let expected = BundleError::UnknownFormat {
            expected: FORMAT,
            found,
        };
        assert_eq!(refused, expected);
        assert!(refused.hint().contains("rebuild"), "says what to do");
    }
}

fn calibration() -> Calibration {
    Calibration {
        answered: 0.65,
        closest: 0.15,
        questions: 300,
        claimed: 100,
        wrong: 3,
        risk: 0.075,
        reliability: vec![ReliabilityBin {
            probability: 0.1,
            questions: 30,
            right: 2,
        }],
    }
}

#[test]
fn a_calibration_stands_in_the_manifest_and_in_its_id() {
    let plain = written(VectorChoice::Flat);
    let mut bundle = plain.clone();
    bundle
        .set_calibration(Some(calibration()))
        .expect("good shares");
    let (_, json) = bundle.files.last().expect("the manifest is last");
    let read = Manifest::parse(json).expect("a good manifest");
    assert_eq!(read.calibration, Some(calibration()));
    assert_ne!(read.id, plain.manifest.id, "other answers, another id");
    let n_files = plain.files.len() - 1;
    assert!(
        bundle.files[..n_files] == plain.files[..n_files],
        "nothing but the manifest changes"
    );
    let changed = String::from_utf8(json.clone()).expect("JSON");
    let changed = changed.replacen("\"wrong\": 3", "\"wrong\": 0", 1);
    assert!(
        matches!(Manifest::parse(changed.as_bytes()), Err(BundleError::ManifestField { field, .. }) if field == "id"),
        "a better figure by hand is found out"
    );
}

#[test]
fn shares_that_are_none_are_refused() {
    type Change = fn(&mut Calibration);
    let wrong: [(&str, Change); 4] = [
        ("calibration.answered", |found| found.answered = 1.5),
        ("calibration.risk", |found| found.risk = f32::NAN),
        ("calibration.closest", |found| found.closest = 0.7),
        ("calibration.reliability", |found| {
            found.reliability[0].probability = -0.1;
        }),
    ];
    for (expected, change) in wrong {
        let mut found = calibration();
        change(&mut found);
        let error = written(VectorChoice::Flat).set_calibration(Some(found));
        assert!(
            matches!(&error, Err(BundleError::ManifestField { field, .. }) if field == expected),
            "expected `{expected}`, found {error:?}"
        );
    }
}

#[test]
fn one_changed_bit_is_named() {
    let bundle = written(VectorChoice::Flat);
    for idx in 0..bundle.files.len() - 1 {
        let mut damaged = bundle.clone();
        let (path, bytes) = &mut damaged.files[idx];
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let damaged_path = path.clone();
        let found = match bundle.manifest.part(&damaged_path) {
            Some(part) => part.verify(bytes).err(),
            None => read(&damaged).err(),
        };
        match found {
            Some(BundleError::Hash { path, expected, .. }) => {
                assert_eq!(path, damaged_path);
                assert_eq!(expected[..16], path[6..22], "content-addressed");
            }
            other => panic!("expected a wrong hash of {damaged_path}, found {other:?}"),
        }
    }
}

#[test]
fn one_changed_bit_of_the_manifest_is_an_error() {
    let bundle = written(VectorChoice::Flat);
    let json = &bundle.files.last().expect("files").1;
    for place in 0..json.len() {
        let mut damaged = json.clone();
        damaged[place] ^= 4;
        if let Ok(manifest) = Manifest::parse(&damaged) {
            // Only what identifies nothing may change unseen: the writer's version, and counts, which reading compares.
            let mut same = manifest.clone();
            same.anchorite.clone_from(&bundle.manifest.anchorite);
            if same != bundle.manifest {
                let damaged = Bundle {
                    manifest,
                    files: bundle.files.clone(),
                };
                let found = read(&damaged).err();
                assert!(
                    matches!(found, Some(BundleError::Malformed { .. })),
                    "byte {place}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn a_missing_part_is_named() {
    let mut bundle = written(VectorChoice::Flat);
    let path = bundle.manifest.file(Role::Index).expect("listed").parts[0]
        .path
        .clone();
    bundle.files.retain(|(other, _)| *other != path);
    assert_eq!(read(&bundle).err(), Some(BundleError::MissingPart { path }));
}

#[test]
fn a_missing_file_is_named() {
    let bundle = written(VectorChoice::Flat);
    let mut manifest = bundle.manifest.clone();
    manifest.files.retain(|file| file.role != Role::Index);
    let found = bundle::read_index(&manifest, &[]).err();
    assert_eq!(found, Some(BundleError::MissingFile { role: "index" }));
}

#[test]
fn a_part_cut_short_is_named() {
    let mut bundle = written(VectorChoice::Flat);
    let part = bundle.manifest.file(Role::Vectors).expect("listed").parts[0].clone();
    let (_, bytes) = bundle
        .files
        .iter_mut()
        .find(|(path, _)| *path == part.path)
        .expect("the part");
    bytes.truncate(10);
    assert_eq!(
        read(&bundle).err(),
        Some(BundleError::Length {
            path: part.path,
            expected: part.bytes,
            found: 10
        })
    );
}

/// A bundle whose `role` file is `bytes`, with a manifest that vouches for it.
fn vouched(bundle: &Bundle, role: Role, bytes: &[u8]) -> Bundle {
    use sha2::{Digest, Sha256};
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let mut vouched = bundle.clone();
    let sha256 = hex(&Sha256::digest(bytes));
    let file = vouched
        .manifest
        .files
        .iter_mut()
        .find(|file| file.role == role)
        .expect("listed");
    file.bytes = bytes.len() as u64;
    file.sha256.clone_from(&sha256);
    file.parts.truncate(1);
    file.parts[0].bytes = bytes.len() as u64;
    file.parts[0].path = format!("files/{}.bin", &sha256[..16]);
    file.parts[0].sha256 = sha256;
    vouched
        .files
        .push((file.parts[0].path.clone(), bytes.to_vec()));
    vouched
}

#[test]
fn a_query_reads_no_more_than_it_needs() {
    let bundle = written(VectorChoice::Flat);
    let mut index = opened(&bundle).expect("as written");
    let options = SearchOptions::default();
    assert!(
        index.search("hash map", None, &options).is_empty(),
        "no words are here yet"
    );
    let before = index.missing_shards().len();
    let mut steps = 0;
    loop {
        let needs = index.search_loaded("hash map", None, &options).missing;
        let Some(first) = needs.first() else { break };
        steps += 1;
        assert!(steps < 10, "it comes to an end: {needs:?}");
        let bytes = shard(&bundle, &first.path).expect("listed");
        assert_eq!(bytes.len(), first.bytes as usize);
        index.insert_shard(first.id, bytes).expect("as written");
    }
    let hits = index.search("hash map", None, &options);
    assert_eq!(hits[0].chunk, ChunkIdx(5));
    assert_eq!(
        index.chunk(hits[0].chunk),
        None,
        "its text was not asked for"
    );
    for text in index.needs_texts([hits[0].chunk]) {
        index
            .insert_shard(text.id, shard(&bundle, &text.path).expect("listed"))
            .expect("as written");
    }
    assert_eq!(index.url(hits[0].chunk), "maps.html#maps");
    assert!(
        index.missing_shards().len() < before,
        "some shards are here"
    );
    let unknown = index
        .insert_shard(ShardId::from_bits(7).expect("a name"), b"x")
        .err();
    assert_eq!(unknown, Some(BundleError::UnknownShard { id: 7 }));
}

#[test]
fn absurd_counts_are_errors_and_cost_no_memory() {
    let bundle = written(VectorChoice::Graph);
    let absurd = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for role in [Role::Index, Role::Vectors] {
        let found = read(&vouched(&bundle, role, &absurd)).err();
        assert!(
            matches!(found, Some(BundleError::Malformed { .. })),
            "{role}: {found:?}"
        );
        // 2^31 - 1 of whatever comes first.
        let found = read(&vouched(
            &bundle,
            role,
            &[0xff, 0xff, 0xff, 0xff, 0x07, 0, 0, 0, 0],
        ))
        .err();
        assert!(
            matches!(found, Some(BundleError::Malformed { .. })),
            "{role}: {found:?}"
        );
    }
    let json =
        String::from_utf8(bundle.files.last().expect("files").1.clone()).expect("JSON is UTF-8");
    let found = Manifest::parse(
        json.replace("\"chunks\": 6", "\"chunks\": 4294967295")
            .as_bytes(),
    )
    .err();
    assert!(
        matches!(&found, Some(BundleError::ManifestField { field, .. }) if field == "chunks"),
        "{found:?}"
    );
}

/// Even a file that its manifest vouches for may be malformed: every damage is an error or harmless.
#[test]
fn no_damage_panics() {
    for choice in [
        VectorChoice::Flat,
        VectorChoice::Graph,
        VectorChoice::Shards,
    ] {
        let bundle = written(choice);
        for role in [Role::Index, Role::Vectors] {
            let bytes = content(&bundle, role).expect("as written");
            let step = bytes.len().div_ceil(400);
            for place in (0..bytes.len()).step_by(step) {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << (place % 8);
                for damaged in [&damaged[..], &bytes[..place]] {
                    if let Ok(index) = read(&vouched(&bundle, role, damaged)) {
                        index.search(
                            "return hash map",
                            Some(&embedding("error")),
                            &SearchOptions::while_typing(5),
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn an_unknown_graph_is_named() {
    let bundle = written(VectorChoice::Graph);
    let bytes = content(&bundle, Role::Vectors).expect("as written");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(
        text.contains("instant-distance 0.6.1"),
        "the layout is stamped"
    );
    let place = bytes
        .windows(5)
        .position(|window| window == b"0.6.1")
        .expect("the stamp");
    let mut newer = bytes;
    newer[place] = b'9';
    let found = read(&vouched(&bundle, Role::Vectors, &newer)).err();
    let expected = BundleError::UnknownGraph {
        expected: "instant-distance 0.6.1 postcard",
        found: "instant-distance 9.6.1 postcard".to_owned(),
    };
    assert_eq!(found, Some(expected));
}

#[test]
fn an_older_layout_of_shards_is_named() {
    let bundle = written(VectorChoice::Shards);
    let mut older = content(&bundle, Role::Vectors).expect("as written");
    let place = older
        .windows(8)
        .position(|window| window == b"shards 2")
        .expect("the stamp");
    older[place + 7] = b'1';
    let found = read(&vouched(&bundle, Role::Vectors, &older)).err();
    let expected = BundleError::UnknownGraph {
        expected: "shards 2",
        found: "shards 1".to_owned(),
    };
    assert_eq!(found, Some(expected));
}

#[test]
fn empty_weights_and_second_generators_are_refused() {
    let weights = |bytes: &[u8]| WeightFile {
        role: Role::Generator,
        name: "g".to_owned(),
        label: None,
        bytes: bytes.to_vec(),
    };
    let write = |files: &[WeightFile]| bundle::write(&index(VectorChoice::Flat), files, "0").err();
    assert!(matches!(
        write(&[weights(b"")]),
        Some(BundleError::Malformed {
            role: "generator",
            ..
        })
    ));
    assert!(matches!(
        write(&[weights(b"a"), weights(b"b")]),
        Some(BundleError::ManifestField { .. })
    ));
}
