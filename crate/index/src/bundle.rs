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

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::chunk::Chunk;
use crate::error::{BundleError, Contradiction};
use crate::hex;
use crate::index::{DocumentEntry, Index};
use crate::lexical::dictionary::Dictionary;
use crate::lexical::postings::Varints;
use crate::lexical::{LexicalIndex, LexicalParts};
use crate::vector::{GRAPH_LAYOUT, MAX_DIMENSION, VectorIndex};

/// The one version of the format that is written and read.
pub const FORMAT: u32 = 1;
/// Where the manifest stands in a bundle.
pub const MANIFEST_PATH: &str = "manifest.json";
/// Largest part: static hosts refuse files of 25 MiB and more.
pub const MAX_PART_BYTES: usize = 20 << 20;
const MAX_MANIFEST_BYTES: usize = 1 << 20;
const MAX_FILES: usize = 64;
const MAX_PARTS: usize = 4096;
const MAX_NAME_BYTES: usize = 200;
const MAX_CHUNKS: u32 = 1 << 24;
/// Longest word of the dictionary, in bytes: 40 characters of up to 4 bytes, and room for those that grow in lower case.
const MAX_TERM_BYTES: usize = 512;
/// Layout of vectors without a graph.
const FLAT_LAYOUT: &str = "flat 1 postcard";

/// What a file of a bundle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Urls, titles and texts.
    Documents,
    /// The index by words.
    Lexical,
    /// The index by embeddings.
    Vectors,
    /// Weights that turn a query into an embedding.
    Embedder,
    /// Weights that write answers.
    Generator,
    /// Weights that are added to the generator's.
    Adapter,
}

impl Role {
    /// Its name in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Lexical => "lexical",
            Self::Vectors => "vectors",
            Self::Embedder => "embedder",
            Self::Generator => "generator",
            Self::Adapter => "adapter",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Documents | Self::Lexical | Self::Vectors => "bin",
            Self::Embedder | Self::Generator | Self::Adapter => "gguf",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format: [`FORMAT`].
    pub format: u32,
    /// Version of the program that wrote it.
    pub anchorite: String,
    /// SHA-256 over roles, names, lengths and hashes of all files: the same content gives the same id.
    pub id: String,
    /// How many documents are indexed.
    pub documents: u32,
    /// How many chunks are indexed.
    pub chunks: u32,
    /// Length of the embeddings, where there are any.
    pub embedding_dimension: Option<u32>,
    /// All files but the manifest.
    pub files: Vec<FileEntry>,
}

/// One file, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// What it is for.
    pub role: Role,
    /// What a person calls it.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Its parts in order; together they are the file.
    pub parts: Vec<PartEntry>,
}

/// One part, as it is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEntry {
    /// Where it stands in the bundle: `files/`, the first 16 digits of its SHA-256, a dot and an extension.
    pub path: String,
    /// Its length, at most [`MAX_PART_BYTES`].
    pub bytes: u64,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// Reads a manifest and checks all that others rely on.
    ///
    /// # Errors
    /// [`BundleError::ManifestSyntax`], [`BundleError::UnknownFormat`] or [`BundleError::ManifestField`].
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        #[derive(Deserialize)]
        struct Version {
            format: u64,
        }
        if bytes.len() > MAX_MANIFEST_BYTES {
            let (expected, found) = (format!("at most {MAX_MANIFEST_BYTES} bytes"), bytes.len());
            return Err(field("length".to_owned(), expected, found));
        }
        let syntax = |error: serde_json::Error| BundleError::ManifestSyntax {
            reason: error.to_string(),
        };
        // The version first: what a newer format holds is none of this program's business.
        let Version { format: found } = serde_json::from_slice(bytes).map_err(syntax)?;
        if found != u64::from(FORMAT) {
            return Err(BundleError::UnknownFormat {
                expected: FORMAT,
                found,
            });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(syntax)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), BundleError> {
        if self.chunks > MAX_CHUNKS || self.chunks < self.documents.min(1) {
            return Err(field(
                "chunks".to_owned(),
                format!("1 to {MAX_CHUNKS}"),
                self.chunks,
            ));
        }
        if self.documents > MAX_CHUNKS {
            return Err(field(
                "documents".to_owned(),
                format!("at most {MAX_CHUNKS}"),
                self.documents,
            ));
        }
        if let Some(found) = self
            .embedding_dimension
            .filter(|&n| n == 0 || n as usize > MAX_DIMENSION)
        {
            return Err(field(
                "embedding_dimension".to_owned(),
                format!("1 to {MAX_DIMENSION}"),
                found,
            ));
        }
        if self.files.len() > MAX_FILES {
            return Err(field(
                "files".to_owned(),
                format!("at most {MAX_FILES}"),
                self.files.len(),
            ));
        }
        for (idx, file) in self.files.iter().enumerate() {
            file.check(&format!("files[{idx}]"))?;
            let is_second = self.files[..idx]
                .iter()
                .any(|before| before.role == file.role);
            if is_second && file.role != Role::Adapter {
                return Err(field(
                    format!("files[{idx}].role"),
                    "one file of each role".to_owned(),
                    file.role,
                ));
            }
        }
        let expected = content_id(&self.files);
        if self.id != expected {
            return Err(field("id".to_owned(), expected, &self.id));
        }
        Ok(())
    }

    /// The file of a role, the first where there are several adapters.
    pub fn file(&self, role: Role) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.role == role)
    }

    /// The part at a path.
    pub fn part(&self, path: &str) -> Option<&PartEntry> {
        self.files
            .iter()
            .flat_map(|file| &file.parts)
            .find(|part| part.path == path)
    }
}

impl FileEntry {
    fn check(&self, place: &str) -> Result<(), BundleError> {
        if self.name.is_empty() || self.name.len() > MAX_NAME_BYTES {
            return Err(field(
                format!("{place}.name"),
                format!("1 to {MAX_NAME_BYTES} bytes"),
                self.name.len(),
            ));
        }
        check_hash(&self.sha256, place)?;
        if self.parts.is_empty() || self.parts.len() > MAX_PARTS {
            return Err(field(
                format!("{place}.parts"),
                format!("1 to {MAX_PARTS}"),
                self.parts.len(),
            ));
        }
        let mut n_bytes = 0;
        for (idx, part) in self.parts.iter().enumerate() {
            let place = format!("{place}.parts[{idx}]");
            check_hash(&part.sha256, &place)?;
            let expected = part_path(&part.sha256, self.role);
            if part.path != expected {
                return Err(field(format!("{place}.path"), expected, &part.path));
            }
            if part.bytes == 0 || part.bytes > MAX_PART_BYTES as u64 {
                return Err(field(
                    format!("{place}.bytes"),
                    format!("1 to {MAX_PART_BYTES}"),
                    part.bytes,
                ));
            }
            n_bytes += part.bytes;
        }
        if n_bytes != self.bytes {
            return Err(field(
                format!("{place}.bytes"),
                n_bytes.to_string(),
                self.bytes,
            ));
        }
        Ok(())
    }

    /// Checks the whole file.
    ///
    /// # Errors
    /// [`BundleError::Length`] or [`BundleError::Hash`].
    pub fn verify(&self, bytes: &[u8]) -> Result<(), BundleError> {
        verify(&self.name, self.bytes, &self.sha256, bytes)
    }

    /// Puts the file together from its parts, which `part` looks up by path, and checks each.
    ///
    /// # Errors
    /// [`BundleError::MissingPart`], [`BundleError::Length`] or [`BundleError::Hash`].
    pub fn join<'p>(
        &self,
        mut part: impl FnMut(&str) -> Option<&'p [u8]>,
    ) -> Result<Vec<u8>, BundleError> {
        let mut file = Vec::new();
        for entry in &self.parts {
            let bytes = part(&entry.path).ok_or_else(|| BundleError::MissingPart {
                path: entry.path.clone(),
            })?;
            entry.verify(bytes)?;
            file.extend_from_slice(bytes);
        }
        self.verify(&file)?;
        Ok(file)
    }
}

impl PartEntry {
    /// Checks length and SHA-256 of what was fetched.
    ///
    /// # Errors
    /// [`BundleError::Length`] or [`BundleError::Hash`], with path, expected and found.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), BundleError> {
        verify(&self.path, self.bytes, &self.sha256, bytes)
    }
}

fn verify(path: &str, n_bytes: u64, sha256: &str, bytes: &[u8]) -> Result<(), BundleError> {
    let found = bytes.len() as u64;
    if found != n_bytes {
        return Err(BundleError::Length {
            path: path.to_owned(),
            expected: n_bytes,
            found,
        });
    }
    let found = hex(&Sha256::digest(bytes));
    if found != sha256 {
        return Err(BundleError::Hash {
            path: path.to_owned(),
            expected: sha256.to_owned(),
            found,
        });
    }
    Ok(())
}

fn check_hash(sha256: &str, place: &str) -> Result<(), BundleError> {
    if sha256.len() == 64
        && sha256
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    {
        return Ok(());
    }
    Err(field(
        format!("{place}.sha256"),
        "64 digits of 0-9 and a-f".to_owned(),
        sha256,
    ))
}

fn part_path(sha256: &str, role: Role) -> String {
    format!(
        "files/{}.{}",
        sha256.get(..16).unwrap_or(sha256),
        role.extension()
    )
}

fn content_id(files: &[FileEntry]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(format!(
            "{} {} {} {}\n",
            file.role, file.bytes, file.sha256, file.name
        ));
    }
    hex(&hash.finalize())
}

fn field(field: String, expected: String, found: impl ToString) -> BundleError {
    // A damaged field may be a megabyte long; its beginning identifies it.
    let found = found.to_string().chars().take(100).collect();
    BundleError::ManifestField {
        field,
        expected,
        found,
    }
}

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

#[cfg(feature = "build")]
pub use write::{Bundle, WeightFile, write};

#[cfg(feature = "build")]
mod write {
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
}
