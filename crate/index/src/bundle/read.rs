//! Turns the files that are fetched before any search into an index; `super::insert` adds the shards.

use super::manifest::{FileEntry, Manifest, Role};
use super::table::ShardTable;
use super::{
    LAYOUTS, VECTORS, VectorsFile, checksum, contradiction, malformed, read_whole, resident,
};
use crate::error::BundleError;
use crate::hex;
use crate::index::Index;
use crate::shard::Family;
use crate::vector::{GRAPH_LAYOUT, VectorIndex};

/// Reads the lexical index from the file with role [`Role::Index`], checked against the manifest. No shards are loaded
/// yet.
///
/// # Errors
/// [`BundleError::MissingFile`] if the manifest lists no such file; [`BundleError::Length`] or [`BundleError::Hash`] if
/// it is not the one listed; [`BundleError::Malformed`] if its content is wrong.
pub fn read_index(manifest: &Manifest, bytes: &[u8]) -> Result<Index, BundleError> {
    listed(manifest, Role::Index)?.verify(bytes)?;
    let index = resident::read(bytes)?;
    let same = |place, expected: u64, found: u64| {
        if expected == found {
            Ok(())
        } else {
            Err(malformed(resident::ROLE, place, expected, found))
        }
    };
    let (documents, chunks) = (manifest.documents.into(), manifest.chunks.into());
    same("number of documents", documents, index.n_documents() as u64)?;
    same("number of chunks", chunks, index.n_chunks() as u64)?;
    let totals = Family::ALL.map(|family| index.shards.totals(family));
    let n_shards = totals.iter().map(|&(n_shards, _)| n_shards as u64).sum();
    let n_bytes = totals.iter().map(|&(_, n_bytes)| n_bytes).sum();
    same("number of shards", manifest.shards.count.into(), n_shards)?;
    same("bytes of shards", manifest.shards.bytes, n_bytes)?;
    Ok(index)
}

/// Adds the vector index from the file with role [`Role::Vectors`], checked against the manifest.
///
/// # Errors
/// As for [`read_index`]; [`BundleError::UnknownGraph`] if another library made the graph, or the layout is of another
/// version.
pub fn read_vectors(
    manifest: &Manifest,
    bytes: &[u8],
    index: &mut Index,
) -> Result<(), BundleError> {
    listed(manifest, Role::Vectors)?.verify(bytes)?;
    let n_chunks = index.n_chunks();
    let vectors = vectors_from(bytes, n_chunks, &mut index.shards)?;
    let expected = manifest.embedding_dimension.unwrap_or(0);
    if vectors.dimension() != expected as usize {
        let found = vectors.dimension();
        return Err(malformed(VECTORS, "dimension", expected, found));
    }
    index.vectors = Some(vectors);
    index.similarity = manifest.similarity;
    Ok(())
}

fn listed(manifest: &Manifest, role: Role) -> Result<&FileEntry, BundleError> {
    manifest.file(role).ok_or(BundleError::MissingFile {
        role: role.as_str(),
    })
}

fn vectors_from(
    bytes: &[u8],
    n_chunks: usize,
    shards: &mut ShardTable,
) -> Result<VectorIndex, BundleError> {
    let file: VectorsFile<'_> = read_whole(VECTORS, bytes)?;
    let mut layouts = LAYOUTS.into_iter();
    let Some((_, layout)) = layouts.find(|(name, _)| *name == file.layout) else {
        let kind = |layout: &str| layout.split(' ').next().map(str::to_owned);
        let mut same_kind = LAYOUTS.iter().map(|(name, _)| *name);
        return Err(BundleError::UnknownGraph {
            expected: same_kind
                .find(|name| kind(name) == kind(file.layout))
                .unwrap_or(GRAPH_LAYOUT),
            found: file.layout.chars().take(100).collect(),
        });
    };
    if file.checksum != checksum(file.section) {
        return Err(malformed(
            VECTORS,
            "checksum of the section",
            hex(&checksum(file.section)),
            hex(&file.checksum),
        ));
    }
    if file.chunks as usize != n_chunks {
        return Err(malformed(
            VECTORS,
            "number of chunks",
            n_chunks,
            file.chunks,
        ));
    }
    let vectors = VectorIndex::from_bytes(file.section, layout, file.dimension as usize, n_chunks)
        .map_err(|wrong| contradiction(VECTORS, wrong))?;
    shards.read_family(Family::Vectors, &file.table, vectors.n_shards())?;
    Ok(vectors)
}
