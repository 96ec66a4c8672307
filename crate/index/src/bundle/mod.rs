//! Turns an index and weights into the files that a site serves, and those files back into an index.
//!
//! Nothing else knows the layout. A bundle is a small `manifest.json`, fetched fresh, and files that never change under
//! their name:
//!
//! | role | file | holds |
//! |------|------|-------|
//! | `documents` | postcard of [`DocumentsFile`] | urls, titles, sections, texts |
//! | `lexical` | postcard of [`LexicalFile`] | front-coded words, lists of chunks as varints |
//! | `vectors` | postcard of [`VectorsFile`] | one opaque, checksummed section of 8-bit vectors |
//! | `embedder`, `generator`, `adapter` | GGUF | weights, as they were given |
//!
//! Each file is cut into parts of at most 20 MiB, named by their SHA-256. Whoever reads a part checks it against the
//! manifest; whoever reads a file trusts no count in it.

mod manifest;
#[cfg(feature = "build")]
mod write;

pub use manifest::{FORMAT, FileEntry, MANIFEST_PATH, MAX_PART_BYTES, Manifest, PartEntry, Role};
#[cfg(feature = "build")]
pub use write::{Bundle, WeightFile, write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::chunk::Chunk;
use crate::error::{BundleError, Contradiction};
use crate::hex;
use crate::index::{DocumentEntry, Index};
use crate::lexical::dictionary::Dictionary;
use crate::lexical::postings::Varints;
use crate::lexical::{LexicalIndex, LexicalParts};
use crate::vector::{GRAPH_LAYOUT, VectorIndex};

/// Longest word of the dictionary, in bytes: 40 characters of up to 4 bytes, and room for those that grow in lower case.
const MAX_TERM_BYTES: usize = 512;
/// Layout of vectors without a graph.
const FLAT_LAYOUT: &str = "flat 1 postcard";

/// Urls, titles and texts, nested as they were parsed so that nothing is stored twice.
#[derive(Serialize, Deserialize)]
struct DocumentsFile<'b> {
    #[serde(borrow)]
    documents: Vec<DocumentWire<'b>>,
}

#[derive(Serialize, Deserialize)]
struct DocumentWire<'b> {
    url: &'b str,
    title: &'b str,
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

/// The index by words. Fields of numbers are varints, one after the other.
#[derive(Serialize, Deserialize)]
struct LexicalFile<'b> {
    /// For each word: length shared with the word before, length of the rest, the rest.
    terms: &'b [u8],
    forms: &'b [u8],
    form_terms: &'b [u8],
    /// Length of each term's list, in bytes.
    list_lengths: &'b [u8],
    postings: &'b [u8],
    /// Words in each chunk.
    lengths: &'b [u8],
    /// Chunks of each document.
    document_chunks: &'b [u8],
}

/// The index by embeddings.
#[derive(Serialize, Deserialize)]
struct VectorsFile<'b> {
    /// Who wrote the section, and how: `flat ..`, or name and version of the library of the graph.
    layout: &'b str,
    dimension: u32,
    chunks: u32,
    /// First 16 bytes of the section's SHA-256.
    checksum: [u8; 16],
    section: &'b [u8],
}

fn checksum(section: &[u8]) -> [u8; 16] {
    Sha256::digest(section)
        .first_chunk()
        .copied()
        .unwrap_or_default()
}

/// Reads an index from whole files, checked against the manifest. Without `vectors` it searches by words only.
///
/// # Errors
/// [`BundleError::MissingFile`] if the manifest lists no such file; [`BundleError::Length`] or [`BundleError::Hash`] if
/// a file is not the one listed; [`BundleError::Malformed`] or [`BundleError::UnknownGraph`] if its content is wrong.
pub fn read_index(
    manifest: &Manifest,
    documents: &[u8],
    lexical: &[u8],
    vectors: Option<&[u8]>,
) -> Result<Index, BundleError> {
    let listed = |role: Role| {
        manifest.file(role).ok_or(BundleError::MissingFile {
            role: role.as_str(),
        })
    };
    listed(Role::Documents)?.verify(documents)?;
    listed(Role::Lexical)?.verify(lexical)?;
    let (documents, chunks) = read_documents(documents)?;
    let in_documents = |place, expected: u32, found: usize| {
        if expected as usize == found {
            Ok(())
        } else {
            Err(malformed(Role::Documents, place, expected, found))
        }
    };
    in_documents("number of documents", manifest.documents, documents.len())?;
    in_documents("number of chunks", manifest.chunks, chunks.len())?;
    let lexical = read_lexical(lexical)?;
    if lexical.n_chunks() != chunks.len() {
        return Err(malformed(
            Role::Lexical,
            "number of chunks",
            chunks.len(),
            lexical.n_chunks(),
        ));
    }
    let vectors = match vectors {
        Some(bytes) => {
            listed(Role::Vectors)?.verify(bytes)?;
            let vectors = read_vectors(bytes, chunks.len())?;
            let expected = manifest.embedding_dimension.unwrap_or(0);
            if vectors.dimension() != expected as usize {
                return Err(malformed(
                    Role::Vectors,
                    "dimension",
                    expected,
                    vectors.dimension(),
                ));
            }
            Some(vectors)
        }
        None => None,
    };
    Ok(Index {
        documents,
        chunks,
        lexical,
        vectors,
    })
}

fn read_documents(bytes: &[u8]) -> Result<(Vec<DocumentEntry>, Vec<Chunk>), BundleError> {
    let file: DocumentsFile<'_> = read_whole(Role::Documents, bytes)?;
    let (mut documents, mut chunks) = (Vec::new(), Vec::new());
    for (document, wire) in (0_u32..).zip(&file.documents) {
        documents.push(DocumentEntry {
            url: wire.url.to_owned(),
            title: wire.title.to_owned(),
        });
        for section in &wire.sections {
            for chunk in &section.chunks {
                chunks.push(Chunk {
                    id: format!("{:016x}", chunk.id),
                    document,
                    anchor: section.anchor.map(str::to_owned),
                    headings: section
                        .headings
                        .iter()
                        .map(|&heading| heading.to_owned())
                        .collect(),
                    text: chunk.text.to_owned(),
                });
            }
        }
    }
    Ok((documents, chunks))
}

fn read_lexical(bytes: &[u8]) -> Result<LexicalIndex, BundleError> {
    let file: LexicalFile<'_> = read_whole(Role::Lexical, bytes)?;
    let sums = |place, bytes| {
        let mut sums = vec![0_u32];
        for number in numbers(place, bytes)? {
            let sum = sums.last().copied().unwrap_or(0).checked_add(number);
            sums.push(
                sum.ok_or_else(|| malformed(Role::Lexical, place, "a sum within 32 bits", "more"))?,
            );
        }
        Ok(sums)
    };
    let parts = LexicalParts {
        terms: read_words("terms", file.terms)?,
        forms: read_words("forms", file.forms)?,
        form_terms: numbers("terms of forms", file.form_terms)?,
        postings: file.postings.to_owned(),
        starts: sums("lengths of lists", file.list_lengths)?,
        lengths: numbers("lengths of chunks", file.lengths)?,
        first_chunks: sums("chunks of documents", file.document_chunks)?,
    };
    LexicalIndex::new(parts).map_err(|wrong| contradiction(Role::Lexical, wrong))
}

fn numbers(place: &'static str, bytes: &[u8]) -> Result<Vec<u32>, BundleError> {
    let mut varints = Varints::new(bytes);
    let numbers = varints.by_ref().collect();
    if varints.is_empty() {
        Ok(numbers)
    } else {
        Err(malformed(
            Role::Lexical,
            place,
            "whole numbers",
            "a part of one",
        ))
    }
}

fn read_words(place: &'static str, bytes: &[u8]) -> Result<Dictionary, BundleError> {
    let wrong = |found: &str| malformed(Role::Lexical, place, "words in increasing order", found);
    let mut words = Dictionary::default();
    let mut word: Vec<u8> = Vec::new();
    let mut varints = Varints::new(bytes);
    while !varints.is_empty() {
        let lengths = varints.next().zip(varints.next());
        let (shared, n_more) = lengths.ok_or_else(|| wrong("a part of a number"))?;
        let (shared, n_more) = (shared as usize, n_more as usize);
        if shared > word.len() || n_more > MAX_TERM_BYTES || shared + n_more > MAX_TERM_BYTES {
            return Err(wrong("a length beyond its word"));
        }
        word.truncate(shared);
        word.extend_from_slice(
            varints
                .take_bytes(n_more)
                .ok_or_else(|| wrong("a part of a word"))?,
        );
        let text = std::str::from_utf8(&word).map_err(|_| wrong("bytes that are not UTF-8"))?;
        if !words.push(text) {
            return Err(wrong("a word out of order"));
        }
    }
    Ok(words)
}

fn read_vectors(bytes: &[u8], n_chunks: usize) -> Result<VectorIndex, BundleError> {
    let file: VectorsFile<'_> = read_whole(Role::Vectors, bytes)?;
    let is_graph = file.layout == GRAPH_LAYOUT;
    if !is_graph && file.layout != FLAT_LAYOUT {
        let found = file.layout.chars().take(100).collect();
        return Err(BundleError::UnknownGraph {
            expected: GRAPH_LAYOUT,
            found,
        });
    }
    if file.checksum != checksum(file.section) {
        return Err(malformed(
            Role::Vectors,
            "checksum of the section",
            hex(&checksum(file.section)),
            hex(&file.checksum),
        ));
    }
    if file.chunks as usize != n_chunks {
        return Err(malformed(
            Role::Vectors,
            "number of chunks",
            n_chunks,
            file.chunks,
        ));
    }
    VectorIndex::from_bytes(file.section, is_graph, file.dimension as usize, n_chunks)
        .map_err(|wrong| contradiction(Role::Vectors, wrong))
}

fn read_whole<'b, T: Deserialize<'b>>(role: Role, bytes: &'b [u8]) -> Result<T, BundleError> {
    let (value, rest) = postcard::take_from_bytes(bytes)
        .map_err(|error| malformed(role, "its structure", "the format's layout", error))?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(malformed(role, "its end", "no more bytes", rest.len()))
    }
}

fn malformed(
    role: Role,
    place: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> BundleError {
    BundleError::Malformed {
        role: role.as_str(),
        place,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

fn contradiction(role: Role, wrong: Contradiction) -> BundleError {
    malformed(role, wrong.place, wrong.expected, wrong.found)
}
