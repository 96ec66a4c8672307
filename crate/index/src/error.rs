//! Names every way in which a page, a build or a bundle can be refused, and what to do about each.

/// Why one page could not be read. The other pages of a site are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The file is empty.
    #[error("page `{page}` is empty")]
    Empty {
        /// Path of the page.
        page: String,
    },
    /// The file is larger than the caller allows.
    #[error("page `{page}` is larger than `{max_bytes}` bytes: `{found}`")]
    TooLarge {
        /// Path of the page.
        page: String,
        /// The largest size allowed, in bytes.
        max_bytes: usize,
        /// Its size in bytes.
        found: usize,
    },
    /// The file could not be read at all.
    #[error("page `{page}` could not be read: {reason}")]
    Unreadable {
        /// Path of the page.
        page: String,
        /// The system's error message.
        reason: String,
    },
    /// The file contains a NUL byte, so it is not text.
    #[error("page `{page}` is binary: byte zero at offset `{offset}`")]
    Binary {
        /// Path of the page.
        page: String,
        /// Offset of the first NUL byte.
        offset: usize,
    },
    /// The text is in another encoding, or damaged.
    #[error("page `{page}` is not UTF-8: first bad byte at offset `{offset}`")]
    NotUtf8 {
        /// Path of the page.
        page: String,
        /// Offset of the first byte that is not UTF-8.
        offset: usize,
    },
    /// The bytes are invalid in the encoding that the page declares, by a byte order mark or in its head.
    #[error("page `{page}` is not the `{encoding}` that it says it is")]
    Damaged {
        /// Path of the page.
        page: String,
        /// The declared encoding.
        encoding: &'static str,
    },
    /// Markup that no person or generator wrote, and that would take unbounded time or memory to parse.
    #[error("page `{page}` is too complex: {what} over `{max}`: `{found}`")]
    TooComplex {
        /// Path of the page.
        page: String,
        /// Name of the exceeded limit.
        what: &'static str,
        /// The limit.
        max: usize,
        /// The actual count.
        found: usize,
    },
    /// The markup was read, but contains no visible text.
    #[error("page `{page}` has no text")]
    NoText {
        /// Path of the page.
        page: String,
    },
    /// The file's extension is neither that of Markdown nor of HTML or plain text.
    #[error("page `{page}` has an extension that is not read: `{extension}`")]
    UnknownExtension {
        /// Path of the page.
        page: String,
        /// The text after the last dot of its name; empty without one.
        extension: String,
    },
}

impl PageError {
    /// Stable name of the variant, for programs and statistics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "empty",
            Self::TooLarge { .. } => "too_large",
            Self::Unreadable { .. } => "unreadable",
            Self::Binary { .. } => "binary",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::Damaged { .. } => "damaged",
            Self::TooComplex { .. } => "too_complex",
            Self::NoText { .. } => "no_text",
            Self::UnknownExtension { .. } => "unknown_extension",
        }
    }

    /// Advice to the owner of the page.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "check that the file exists and may be read",
            Self::Empty { .. } => "write the page, or leave it out of the folder",
            Self::TooLarge { .. } => "split the page, or raise the limit on page size",
            Self::Binary { .. } => {
                "a text page was expected: check that the file is what its name says"
            }
            Self::NotUtf8 { .. } => "save the page as UTF-8",
            Self::Damaged { .. } => "save the page as UTF-8, or name its true encoding",
            Self::TooComplex { .. } => "close the elements that the page leaves open",
            Self::NoText { .. } => {
                "check that the text stands in the main content, and not only in scripts or navigation"
            }
            Self::UnknownExtension { .. } => {
                "pages are read from .md, .markdown, .mdx, .html, .htm, .txt and .text"
            }
        }
    }
}

/// Why an index could not be built from chunks and embeddings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is nothing to index.
    #[error("no chunk to index")]
    NoChunks,
    /// A chunk names a document that does not exist, or chunks are not in document order.
    #[error(
        "chunk `{chunk}` names document `{document}` out of order, of `{n_documents}` documents"
    )]
    ChunkOrder {
        /// Position of the chunk.
        chunk: usize,
        /// The document that it names.
        document: u32,
        /// Number of documents.
        n_documents: usize,
    },
    /// More documents, chunks or terms than the format can count.
    #[error("too many {what}: expected at most `{expected}`, found `{found}`")]
    TooMany {
        /// Name of the count.
        what: &'static str,
        /// The most that the format holds.
        expected: u64,
        /// The actual count.
        found: u64,
    },
    /// The number of embeddings differs from the number of chunks.
    #[error("embeddings do not match chunks: expected `{expected}`, found `{found}`")]
    EmbeddingCount {
        /// Number of chunks.
        expected: usize,
        /// Number of embeddings given.
        found: usize,
    },
    /// Embeddings that differ in length, are empty, or are longer than the format allows.
    #[error(
        "embedding of chunk `{chunk}` has a wrong dimension: expected `{expected}`, found `{found}`"
    )]
    EmbeddingDimension {
        /// Position of the chunk.
        chunk: usize,
        /// Dimension of the first embedding.
        expected: usize,
        /// Dimension of this one.
        found: usize,
    },
    /// An embedding contains an infinity or a NaN.
    #[error("embedding of chunk `{chunk}` is not finite at component `{component}`")]
    EmbeddingNotFinite {
        /// Position of the chunk.
        chunk: usize,
        /// Position in the embedding.
        component: usize,
    },
    /// The thread that builds the graph could not be started.
    #[error("the thread that builds the graph did not start: `{reason}`")]
    Thread {
        /// The system's error message.
        reason: String,
    },
}

impl BuildError {
    /// Advice to the caller.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoChunks => "give at least one page with text",
            Self::ChunkOrder { .. } => {
                "pass the documents that the chunks were made from, in the same order"
            }
            Self::TooMany { .. } => "split the site into several bundles",
            Self::EmbeddingCount { .. } => "embed every chunk once, in order",
            Self::EmbeddingDimension { .. } => "use one embedder for all chunks",
            Self::EmbeddingNotFinite { .. } => "check the embedder: its weights may be damaged",
            Self::Thread { .. } => "free some memory or raise the limit on threads, then try again",
        }
    }
}

/// Why a bundle could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The manifest is not the JSON that the format specifies.
    #[error("manifest cannot be read: `{reason}`")]
    ManifestSyntax {
        /// Place and cause.
        reason: String,
    },
    /// The bundle was made for another version of the format.
    #[error("bundle format is not supported: expected `{expected}`, found `{found}`")]
    UnknownFormat {
        /// The newest version that this program reads.
        expected: u32,
        /// The version that the manifest names.
        found: u64,
    },
    /// A field of the manifest contradicts the format or another field.
    #[error("manifest field `{field}` is wrong: expected `{expected}`, found `{found}`")]
    ManifestField {
        /// Which field, with its place.
        field: String,
        /// The value that the format requires.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The bundle has no file of this role.
    #[error("bundle has no file of role `{role}`")]
    MissingFile {
        /// The role.
        role: &'static str,
    },
    /// A bundle can't be written from an index with shards that are not loaded.
    #[error("index is incomplete: `{n_missing}` shards were not supplied")]
    Incomplete {
        /// Number of missing shards.
        n_missing: usize,
    },
    /// The index does not name the given shard.
    #[error("index names no shard `{id}`")]
    UnknownShard {
        /// Its number.
        id: u32,
    },
    /// A part that the manifest lists was not given.
    #[error("part `{path}` is missing")]
    MissingPart {
        /// Its path in the bundle.
        path: String,
    },
    /// The length of a part or file differs from the manifest: it was cut short, or replaced.
    #[error("`{path}` has a wrong length in bytes: expected `{expected}`, found `{found}`")]
    Length {
        /// Its path or name in the bundle.
        path: String,
        /// Length stated in the manifest.
        expected: u64,
        /// Actual length.
        found: u64,
    },
    /// The SHA-256 of a part or file differs from the manifest: it was changed or damaged.
    #[error("`{path}` has a wrong SHA-256: expected `{expected}`, found `{found}`")]
    Hash {
        /// Its path or name in the bundle.
        path: String,
        /// SHA-256 stated in the manifest, in hexadecimal.
        expected: String,
        /// Actual SHA-256.
        found: String,
    },
    /// A file's bytes match the manifest, but their content contradicts itself.
    #[error("{role} file is malformed at {place}: expected {expected}, found `{found}`")]
    Malformed {
        /// The role of the file.
        role: &'static str,
        /// Where in the file.
        place: &'static str,
        /// The value that the format requires.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The vectors are in a layout that this program does not know, such as a graph built by another library.
    #[error("layout of vectors is not supported: expected `{expected}`, found `{found}`")]
    UnknownGraph {
        /// The layout that this program reads.
        expected: &'static str,
        /// The layout that the file names.
        found: String,
    },
    /// An item to be written exceeds a limit of the format.
    #[error("{what} is too large for a bundle: expected at most `{expected}`, found `{found}`")]
    TooLarge {
        /// Name of the item that is too large.
        what: String,
        /// The most that the format holds.
        expected: u64,
        /// Its size or count.
        found: u64,
    },
}

impl BundleError {
    /// Stable name of the variant, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ManifestSyntax { .. } => "manifest_syntax",
            Self::UnknownFormat { .. } => "unknown_format",
            Self::ManifestField { .. } => "manifest_field",
            Self::MissingFile { .. } => "missing_file",
            Self::Incomplete { .. } => "incomplete",
            Self::UnknownShard { .. } => "unknown_shard",
            Self::MissingPart { .. } => "missing_part",
            Self::Length { .. } => "length",
            Self::Hash { .. } => "hash",
            Self::Malformed { .. } => "malformed",
            Self::UnknownGraph { .. } => "unknown_graph",
            Self::TooLarge { .. } => "too_large",
        }
    }

    /// Advice to the owner of the bundle.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ManifestSyntax { .. } => {
                "the file may not be a bundle's manifest.json, or was cut short"
            }
            Self::UnknownFormat { .. } => {
                "rebuild the bundle with this version of anchorite, or update the page's scripts"
            }
            Self::ManifestField { .. } => {
                "the manifest was changed by hand or damaged: build the bundle again"
            }
            Self::MissingFile { .. } => "build the bundle again with this file included",
            Self::MissingPart { .. } => "upload the whole bundle folder, `files/` included",
            Self::Length { .. } => {
                "the download was cut short or the file replaced: fetch or upload it again"
            }
            Self::Hash { .. } => {
                "the file was changed or damaged on its way: fetch or upload it again"
            }
            Self::Incomplete { .. } => "insert all shards of the index first",
            Self::UnknownShard { .. } => {
                "insert only what `search_loaded` named, into the index that named it"
            }
            Self::Malformed { .. } | Self::UnknownGraph { .. } => {
                "build the bundle again with this version of anchorite"
            }
            Self::TooLarge { .. } => "split the site into several bundles",
        }
    }
}

/// A contradiction inside a stored section: place, expected, found. [`crate::bundle`] adds the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) place: &'static str,
    pub(crate) expected: String,
    pub(crate) found: String,
}
