//! Reads bundles that earlier versions wrote, as they lie frozen in `tests/compat`, and finds in them what they held.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anchorite_index::bundle::{self, Manifest, Role};
use anchorite_index::{Index, SearchOptions, SearchOutcome, Shard};

/// The frozen bundles by format. Their weights are left out, since only the program that built them could use them.
fn frozen() -> Vec<(u32, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/compat");
    let entries = fs::read_dir(folder).expect("the frozen bundles");
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name()?.to_str()?;
            let format = name.strip_prefix("bundle-v")?.parse().ok()?;
            Some((format, path))
        })
        .collect();
    found.sort();
    found
}

/// The bytes of a role's file, which are checked.
fn file(bundle: &Path, manifest: &Manifest, role: Role) -> Vec<u8> {
    let entry = manifest.file(role).expect("the file is listed");
    let read = |path: &str| fs::read(bundle.join(path)).expect("the part is there");
    let parts: BTreeMap<&str, Vec<u8>> = entry
        .parts
        .iter()
        .map(|part| (part.path.as_str(), read(&part.path)))
        .collect();
    let joined = entry.join(|path| parts.get(path).map(Vec::as_slice));
    joined.expect("the parts are the ones listed")
}

fn insert(index: &mut Index, bundle: &Path, shards: Vec<Shard>) {
    for shard in shards {
        let bytes = fs::read(bundle.join(&shard.path)).expect("the shard is there");
        index.insert_shard(shard.id, &bytes).expect("it is whole");
    }
}

/// The addresses of the best sections for a query, once all shards that it needs are loaded.
fn search(index: &mut Index, bundle: &Path, query: &str) -> Vec<String> {
    let options = SearchOptions::question(3);
    loop {
        let SearchOutcome { hits, missing, .. } = index.search_loaded(query, None, &options);
        let texts = index.needs_texts(hits.iter().map(|hit| hit.chunk));
        let missing = [missing, texts].concat();
        if missing.is_empty() {
            return hits.iter().map(|hit| index.url(hit.chunk)).collect();
        }
        insert(index, bundle, missing);
    }
}

#[test]
fn bundles_of_earlier_formats_are_found_in_as_before() {
    let bundles = frozen();
    let formats: Vec<u32> = bundles.iter().map(|(format, _)| *format).collect();
    let expected: Vec<u32> = (bundle::OLDEST_FORMAT..bundle::FORMAT).collect();
    assert_eq!(formats, expected, "each earlier format is frozen");
    for (format, folder) in bundles {
        let json = fs::read(folder.join(bundle::MANIFEST_PATH)).expect("the manifest");
        let manifest = Manifest::parse(&json).expect("the format is read");
        assert_eq!(manifest.format, format);
        assert_eq!((manifest.documents, manifest.chunks), (3, 7), "{format}");
        assert_eq!(manifest.embedding_dimension, Some(384), "{format}");
        let resident = file(&folder, &manifest, Role::Index);
        let mut index = bundle::read_index(&manifest, &resident).expect("the index is read");
        for (query, url) in [
            ("how deep do I sow runner beans", "beans.html#growing-beans"),
            ("water beans in pots", "beans.html#watering"),
            ("carbon of straw", "compost.html#what-not-to-add"),
            ("cost of a late tool", "borrow.html#late"),
        ] {
            let found = search(&mut index, &folder, query);
            assert_eq!(
                found.first().map(String::as_str),
                Some(url),
                "{format}: {query}"
            );
        }
        let vectors = file(&folder, &manifest, Role::Vectors);
        bundle::read_vectors(&manifest, &vectors, &mut index).expect("the vectors are read");
        assert_eq!(index.dimension(), Some(384), "{format}");
        let filters = index.needs_filter_values();
        insert(&mut index, &folder, filters);
        let counts = index.filters().map(|filters| filters.counts());
        let tags = counts.expect("the filters are loaded");
        let tags = &tags["tags"];
        assert_eq!(
            *tags,
            BTreeMap::from([("beans", 1), ("garden", 2)]),
            "{format}"
        );
    }
}
