//! Turns a shard of consecutive chunks into bytes and back: URLs, titles, headings and texts.

use serde::{Deserialize, Serialize};

use super::{malformed, read_whole};
use crate::chunk::Chunk;
use crate::chunk_store::{DocumentEntry, TextShard};
use crate::error::BundleError;
use crate::lexical::collection::Collection;
use crate::shard::Family;

const ROLE: &str = Family::Texts.as_str();

/// Documents, nested as parsed so that nothing is stored twice. No position counts from the start of the index, so a
/// changed page leaves the shards of other pages alone.
#[derive(Serialize, Deserialize)]
struct TextsFile<'b> {
    #[serde(borrow)]
    documents: Vec<DocumentWire<'b>>,
}

#[derive(Serialize, Deserialize)]
struct DocumentWire<'b> {
    url: &'b str,
    title: &'b str,
    /// Names and values, sorted.
    #[serde(borrow)]
    meta: Vec<(&'b str, &'b str)>,
    #[serde(borrow)]
    sections: Vec<SectionWire<'b>>,
}

#[derive(Serialize, Deserialize)]
struct SectionWire<'b> {
    anchor: Option<&'b str>,
    #[serde(borrow)]
    headings: Vec<&'b str>,
    #[serde(borrow)]
    chunks: Vec<ChunkWire<'b>>,
}

#[derive(Serialize, Deserialize)]
struct ChunkWire<'b> {
    /// The 16 digits of the id, as a number.
    id: u64,
    text: &'b str,
}

/// Reads the shard of the chunks in `range`, whose documents `collection` knows.
pub(super) fn read(
    bytes: &[u8],
    range: std::ops::Range<u32>,
    collection: &Collection,
) -> Result<TextShard, BundleError> {
    let file: TextsFile<'_> = read_whole(ROLE, bytes)?;
    let first_document = collection.document(range.start).unwrap_or(0);
    let mut shard = TextShard {
        first_document,
        ..TextShard::default()
    };
    let mut document = first_document;
    let mut position = range.start;
    for wire in &file.documents {
        // Documents without a chunk have no text to store.
        document = collection.document(position).unwrap_or(document);
        while shard.documents.len() < (document - first_document) as usize {
            shard.documents.push(DocumentEntry::default());
        }
        let meta = wire.meta.iter();
        let meta = meta.map(|&(name, value)| (name.to_owned(), value.to_owned()));
        shard.documents.push(DocumentEntry {
            url: wire.url.to_owned(),
            title: wire.title.to_owned(),
            meta: meta.collect(),
        });
        for section in &wire.sections {
            let headings = section.headings.iter().map(|&heading| heading.to_owned());
            let headings: Vec<String> = headings.collect();
            for chunk in &section.chunks {
                if collection.document(position) != Some(document) {
                    return Err(malformed(ROLE, "document of a chunk", document, "another"));
                }
                shard.chunks.push(Chunk {
                    id: format!("{:016x}", chunk.id),
                    document,
                    anchor: section.anchor.map(str::to_owned),
                    headings: headings.clone(),
                    text: chunk.text.to_owned(),
                });
                position += 1;
            }
        }
    }
    if position == range.end {
        Ok(shard)
    } else {
        let found = position - range.start;
        Err(malformed(ROLE, "number of chunks", range.len(), found))
    }
}

#[cfg(feature = "build")]
pub(super) mod write {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::bundle::write::to_bytes;
    use crate::chunk_store::ChunkIdx;
    use crate::index::Index;

    /// Up to this size, in bytes before compression, all texts go into one shard.
    const MAX_WHOLE_BYTES: usize = 192 << 10;
    /// Above it, a shard takes no further document once it has this many bytes.
    const SHARD_BYTES: usize = 3 << 10;
    /// Or once it reaches this size, if the hash of the next document's URL says so: a page that grows then moves few
    /// boundaries.
    const MIN_SHARD_BYTES: usize = 3 << 9;
    /// One document in this many may begin a shard early.
    const EARLY: u8 = 4;
    /// A long document is split once a shard holds this many bytes of it.
    const MAX_SHARD_BYTES: usize = 4 << 10;

    /// All texts of an index, cut into shards, with the first chunk of each.
    pub(in crate::bundle) fn shards(
        index: &Index,
    ) -> Result<(Vec<u32>, Vec<Vec<u8>>), BundleError> {
        let chunks: Vec<&Chunk> = index.chunks().collect();
        let sizes = (0..chunks.len()).map(|idx| n_bytes(index, &chunks, idx));
        let sizes: Vec<usize> = sizes.collect();
        let is_whole = sizes.iter().sum::<usize>() <= MAX_WHOLE_BYTES;
        let mut firsts = Vec::new();
        let mut files = Vec::new();
        let (mut start, mut size) = (0, 0);
        for idx in 1..=chunks.len() {
            size += sizes[idx - 1];
            let ends = match chunks.get(idx) {
                None => true,
                Some(_) if is_whole => false,
                Some(next) if next.document == chunks[idx - 1].document => size >= MAX_SHARD_BYTES,
                Some(_) => {
                    size >= SHARD_BYTES || (size >= MIN_SHARD_BYTES && begins_early(index, idx))
                }
            };
            if ends {
                firsts.push(position(start));
                files.push(file(index, start, &chunks[start..idx])?);
                (start, size) = (idx, 0);
            }
        }
        Ok((firsts, files))
    }

    fn position(idx: usize) -> u32 {
        u32::try_from(idx).unwrap_or(u32::MAX)
    }

    /// Bytes that a chunk adds to a shard: in reference documentation, mostly headings and addresses.
    fn n_bytes(index: &Index, chunks: &[&Chunk], idx: usize) -> usize {
        let chunk = chunks[idx];
        let before = idx.checked_sub(1).map(|idx| chunks[idx]);
        let before = before.filter(|before| before.document == chunk.document);
        let own = 16 + chunk.text.len();
        let section = match before {
            Some(before)
                if (&before.anchor, &before.headings) == (&chunk.anchor, &chunk.headings) =>
            {
                0
            }
            _ => {
                let headings = chunk.headings.iter().map(String::len).sum::<usize>();
                headings + chunk.anchor.as_ref().map_or(0, String::len)
            }
        };
        let document = match before {
            Some(_) => 0,
            None => index
                .document(ChunkIdx(position(idx)))
                .map_or(0, |document| {
                    let meta = document
                        .meta
                        .iter()
                        .map(|(name, value)| name.len() + value.len());
                    document.url.len() + document.title.len() + meta.sum::<usize>()
                }),
        };
        own + section + document
    }

    fn begins_early(index: &Index, idx: usize) -> bool {
        let document = index.document(ChunkIdx(position(idx)));
        document.is_some_and(|document| {
            Sha256::digest(document.url.as_bytes())[0].is_multiple_of(EARLY)
        })
    }

    fn file(index: &Index, start: usize, chunks: &[&Chunk]) -> Result<Vec<u8>, BundleError> {
        let mut documents: Vec<DocumentWire<'_>> = Vec::new();
        let mut before = None;
        for (idx, chunk) in chunks.iter().enumerate() {
            if before != Some(chunk.document) {
                before = Some(chunk.document);
                let Some(document) = index.document(ChunkIdx(position(start + idx))) else {
                    let expected = "one of the index";
                    return Err(malformed(
                        ROLE,
                        "document of a chunk",
                        expected,
                        chunk.document,
                    ));
                };
                documents.push(DocumentWire {
                    url: &document.url,
                    title: &document.title,
                    meta: document
                        .meta
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_str()))
                        .collect(),
                    sections: Vec::new(),
                });
            }
            let wire = ChunkWire {
                id: id(chunk)?,
                text: &chunk.text,
            };
            let anchor = chunk.anchor.as_deref();
            let sections = documents.last_mut().map(|document| &mut document.sections);
            let Some(sections) = sections else { continue };
            match sections.last_mut() {
                Some(section) if section.anchor == anchor && section.headings == chunk.headings => {
                    section.chunks.push(wire);
                }
                _ => sections.push(SectionWire {
                    anchor,
                    headings: chunk.headings.iter().map(String::as_str).collect(),
                    chunks: vec![wire],
                }),
            }
        }
        to_bytes(ROLE, &TextsFile { documents })
    }

    fn id(chunk: &Chunk) -> Result<u64, BundleError> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let is_id = chunk.id.len() == 16 && chunk.id.bytes().all(is_digit);
        let id = u64::from_str_radix(&chunk.id, 16).ok().filter(|_| is_id);
        id.ok_or_else(|| malformed(ROLE, "id of a chunk", "16 digits of 0-9 and a-f", &chunk.id))
    }
}
