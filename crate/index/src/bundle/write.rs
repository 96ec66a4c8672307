//! Turns an index and weights into the files of a bundle; `super` reads them.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::manifest::{MAX_CHUNKS, content_id, part_path};
use super::*;
use crate::lexical::postings::push_varint;

/// Weights to ship with an index.
#[derive(Debug, Clone)]
pub struct WeightFile {
    /// What they are for.
    pub role: Role,
    /// What a person calls them.
    pub name: String,
    /// The GGUF file.
    pub bytes: Vec<u8>,
}

/// A bundle, ready to be put into a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What it holds.
    pub manifest: Manifest,
    /// Path and content of every file, `manifest.json` last: a site that is updated file by file never names
    /// what is not there yet.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Lays out a bundle. The same index and weights give the same bytes.
///
/// # Errors
/// [`BundleError::TooLarge`] if there are more chunks or bytes than the format holds;
/// [`BundleError::Malformed`] if a weights file is empty or a chunk's id is not of the kind that chunking makes;
/// [`BundleError::ManifestField`] if two weights files other than adapters share a role, or a name is too long.
pub fn write(
    index: &Index,
    weights: &[WeightFile],
    anchorite_version: &str,
) -> Result<Bundle, BundleError> {
    let count = |what: &str, len: usize| {
        u32::try_from(len)
            .ok()
            .filter(|&n| n <= MAX_CHUNKS)
            .ok_or(BundleError::TooLarge {
                what: what.to_owned(),
                expected: u64::from(MAX_CHUNKS),
                found: len as u64,
            })
    };
    let mut bundle = Vec::new();
    let mut files = vec![
        add(
            &mut bundle,
            Role::Documents,
            "documents",
            &documents_file(index)?,
        )?,
        add(&mut bundle, Role::Lexical, "lexical", &lexical_file(index)?)?,
    ];
    if let Some(vectors) = &index.vectors {
        files.push(add(
            &mut bundle,
            Role::Vectors,
            "vectors",
            &vectors_file(vectors)?,
        )?);
    }
    for file in weights {
        files.push(add(&mut bundle, file.role, &file.name, &file.bytes)?);
    }
    let manifest = Manifest {
        format: FORMAT,
        anchorite: anchorite_version.to_owned(),
        id: content_id(&files),
        documents: count("number of documents", index.documents.len())?,
        chunks: count("number of chunks", index.chunks.len())?,
        embedding_dimension: index
            .dimension()
            .map(|n| count("dimension", n))
            .transpose()?,
        files,
    };
    manifest.check()?;
    let mut json =
        serde_json::to_vec_pretty(&manifest).map_err(|error| BundleError::ManifestSyntax {
            reason: error.to_string(),
        })?;
    json.push(b'\n');
    bundle.push((MANIFEST_PATH.to_owned(), json));
    Ok(Bundle {
        manifest,
        files: bundle,
    })
}

/// Cuts a file into parts and adds those that are not there yet.
fn add(
    bundle: &mut Vec<(String, Vec<u8>)>,
    role: Role,
    name: &str,
    bytes: &[u8],
) -> Result<FileEntry, BundleError> {
    if bytes.is_empty() {
        return Err(malformed(role, "its length", "at least one byte", 0));
    }
    let mut parts = Vec::new();
    for part in bytes.chunks(MAX_PART_BYTES) {
        let sha256 = hex(&Sha256::digest(part));
        let path = part_path(&sha256, role);
        if !bundle.iter().any(|(other, _)| *other == path) {
            bundle.push((path.clone(), part.to_vec()));
        }
        parts.push(PartEntry {
            path,
            bytes: part.len() as u64,
            sha256,
        });
    }
    let sha256 = hex(&Sha256::digest(bytes));
    Ok(FileEntry {
        role,
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        sha256,
        parts,
    })
}

fn documents_file(index: &Index) -> Result<Vec<u8>, BundleError> {
    let mut documents: Vec<DocumentWire<'_>> = index
        .documents
        .iter()
        .map(|document| DocumentWire {
            url: &document.url,
            title: &document.title,
            sections: Vec::new(),
        })
        .collect();
    for chunk in &index.chunks {
        let n_documents = documents.len();
        let Some(document) = documents.get_mut(chunk.document as usize) else {
            let expected = format!("less than {n_documents}");
            return Err(malformed(
                Role::Documents,
                "document of a chunk",
                expected,
                chunk.document,
            ));
        };
        let is_id = chunk.id.len() == 16
            && chunk
                .id
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let id = u64::from_str_radix(&chunk.id, 16).ok().filter(|_| is_id);
        let Some(id) = id else {
            return Err(malformed(
                Role::Documents,
                "id of a chunk",
                "16 digits of 0-9 and a-f",
                &chunk.id,
            ));
        };
        let wire = ChunkWire {
            id,
            text: &chunk.text,
        };
        let anchor = chunk.anchor.as_deref();
        match document.sections.last_mut() {
            Some(section) if section.anchor == anchor && section.headings == chunk.headings => {
                section.chunks.push(wire);
            }
            _ => document.sections.push(SectionWire {
                anchor,
                headings: chunk.headings.iter().map(String::as_str).collect(),
                chunks: vec![wire],
            }),
        }
    }
    to_bytes(Role::Documents, &DocumentsFile { documents })
}

fn lexical_file(index: &Index) -> Result<Vec<u8>, BundleError> {
    let parts = index.lexical.parts();
    to_bytes(
        Role::Lexical,
        &LexicalFile {
            terms: &front_coded(&parts.terms),
            forms: &front_coded(&parts.forms),
            form_terms: &varints(parts.form_terms.iter().copied()),
            list_lengths: &varints(parts.starts.windows(2).map(|bounds| bounds[1] - bounds[0])),
            postings: &parts.postings,
            lengths: &varints(parts.lengths.iter().copied()),
            document_chunks: &varints(
                parts
                    .first_chunks
                    .windows(2)
                    .map(|bounds| bounds[1] - bounds[0]),
            ),
        },
    )
}

fn vectors_file(vectors: &VectorIndex) -> Result<Vec<u8>, BundleError> {
    let unwritable = |error| malformed(Role::Vectors, "the section", "to be written", error);
    let section = vectors.to_bytes().map_err(unwritable)?;
    let small = |what: &str, len: usize| {
        u32::try_from(len).map_err(|_| BundleError::TooLarge {
            what: what.to_owned(),
            expected: u64::from(u32::MAX),
            found: len as u64,
        })
    };
    let file = VectorsFile {
        layout: if vectors.is_graph() {
            GRAPH_LAYOUT
        } else {
            FLAT_LAYOUT
        },
        dimension: small("dimension", vectors.dimension())?,
        chunks: small("number of vectors", vectors.len())?,
        checksum: checksum(&section),
        section: &section,
    };
    to_bytes(Role::Vectors, &file)
}

fn to_bytes(role: Role, file: &impl Serialize) -> Result<Vec<u8>, BundleError> {
    postcard::to_allocvec(file)
        .map_err(|error| malformed(role, "its structure", "to be written", error))
}

fn varints(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut bytes = Vec::new();
    numbers.for_each(|number| push_varint(&mut bytes, number));
    bytes
}

fn front_coded(words: &Dictionary) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = "";
    for word in words.iter() {
        let n_shared = before
            .bytes()
            .zip(word.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let more = &word.as_bytes()[n_shared..];
        for length in [n_shared, more.len()] {
            // The tokenizer cuts words at 40 characters.
            push_varint(&mut bytes, u32::try_from(length).unwrap_or(u32::MAX));
        }
        bytes.extend_from_slice(more);
        before = word;
    }
    bytes
}
