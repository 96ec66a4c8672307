//! Turns `manifest.json` into checked entries, and checks fetched bytes against them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::BundleError;
use crate::hex;
use crate::similarity::Similarity;
use crate::vector::MAX_DIMENSION;

/// The version of the format that is written.
pub const FORMAT: u32 = 6;
/// The oldest version that is read. Version 3 has no reader and no calibration; 3 and 4 name their fields in snake
/// case; up to 5, all embedders have the scale of the one that ships.
pub const OLDEST_FORMAT: u32 = 3;
/// Path of the manifest in a bundle.
pub const MANIFEST_PATH: &str = "manifest.json";
/// Maximum size of a part: static hosts refuse files of 25 MiB and more.
pub const MAX_PART_BYTES: usize = 20 << 20;
const MAX_MANIFEST_BYTES: usize = 1 << 20;
const MAX_FILES: usize = 64;
const MAX_PARTS: usize = 4096;
const MAX_NAME_BYTES: usize = 200;
const MAX_LABEL_CHARS: usize = 40;
const MAX_BINS: usize = 100;
pub(super) const MAX_CHUNKS: u32 = 1 << 24;

/// The purpose of a bundle's file, by which it is found in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The resident part of the index, which every search needs: counts, lengths, and where the shards are.
    Index,
    /// The index by embeddings, or its resident part if the vectors are cut into shards.
    Vectors,
    /// Weights that turn a query into an embedding.
    Embedder,
    /// Weights that find the answer to a question within a passage.
    Reader,
    /// Weights that write answers.
    Generator,
    /// Weights added to the generator's.
    Adapter,
}

impl Role {
    /// Its name in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Vectors => "vectors",
            Self::Embedder => "embedder",
            Self::Reader => "reader",
            Self::Generator => "generator",
            Self::Adapter => "adapter",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Index | Self::Vectors => "bin",
            Self::Embedder | Self::Reader | Self::Generator | Self::Adapter => "gguf",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The contents of a bundle, as `manifest.json` lists them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the format: [`OLDEST_FORMAT`] to [`FORMAT`].
    pub format: u32,
    /// Version of the program that wrote the bundle.
    pub anchorite: String,
    /// SHA-256 over roles, names, lengths and hashes of all files and parts, the calibration and the similarity: equal
    /// contents have equal ids.
    pub id: String,
    /// Number of indexed documents.
    pub documents: u32,
    /// Number of indexed chunks.
    pub chunks: u32,
    /// Length of the embeddings, if there are any.
    #[serde(alias = "embedding_dimension")]
    pub embedding_dimension: Option<u32>,
    /// The embedder's cosines of this site's unrelated texts. Absent for an embedder whose file names no scale of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub similarity: Option<Similarity>,
    /// The shards of the index, which `index` names.
    pub shards: ShardTotals,
    /// Probability thresholds for this site's questions. Absent if too few questions could be generated or no reader
    /// was available; the thresholds for all sites then apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub calibration: Option<Calibration>,
    /// All files other than the manifest.
    pub files: Vec<FileEntry>,
}

/// Results of a site's answers to questions generated from its own pages.
///
/// An answer is right if it quotes the question's own section. It is wrong if it quotes another section, or any section
/// at all after the question's page was removed from the index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Calibration {
    /// Minimum probability, 0 to 1, for a question to count as answered.
    pub answered: f32,
    /// Minimum probability for the closest passage to be shown; at most `answered`.
    pub closest: f32,
    /// Number of questions asked: with their page, without it, and from other sites.
    pub questions: u32,
    /// Number of questions that count as answered.
    pub claimed: u32,
    /// Number of those answers that are wrong.
    pub wrong: u32,
    /// Upper bound of the share of wrong answers among those that count as answered, at a confidence of 95 % (Clopper
    /// and Pearson, 1934). It holds for questions like the generated ones.
    pub risk: f32,
    /// How often the quotation was right, by probability, ascending.
    pub reliability: Vec<ReliabilityBin>,
}

/// Questions of similar probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ReliabilityBin {
    /// Mean of their probabilities.
    pub probability: f32,
    /// Number of questions.
    pub questions: u32,
    /// Number of questions with a right quotation.
    pub right: u32,
}

/// Number and size of an index's shards, pages of tables included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ShardTotals {
    /// Their number.
    pub count: u32,
    /// Their total length in bytes.
    pub bytes: u64,
}

/// One whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FileEntry {
    /// Its purpose.
    pub role: Role,
    /// Display name.
    pub name: String,
    /// Label by which visitors choose an adapter with a voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub label: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Its parts in order; together they are the file.
    pub parts: Vec<PartEntry>,
}

/// One part, fetched separately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PartEntry {
    /// Its path in the bundle: `files/`, the first 16 digits of its SHA-256, a dot and an extension.
    pub path: String,
    /// Its length, at most [`MAX_PART_BYTES`].
    pub bytes: u64,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// Parses a manifest and checks everything that other code relies on.
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
        // The version first: the fields of a newer format must not look like a syntax error.
        let Version { format: found } = serde_json::from_slice(bytes).map_err(syntax)?;
        if !(u64::from(OLDEST_FORMAT)..=u64::from(FORMAT)).contains(&found) {
            return Err(BundleError::UnknownFormat {
                expected: FORMAT,
                found,
            });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(syntax)?;
        manifest.check()?;
        Ok(manifest)
    }

    pub(super) fn check(&self) -> Result<(), BundleError> {
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
                "embeddingDimension".to_owned(),
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
        if let Some(calibration) = &self.calibration {
            calibration.check()?;
        }
        if let Some(similarity) = &self.similarity {
            similarity.check()?;
        }
        let expected = self.content_id();
        if self.id != expected {
            return Err(field("id".to_owned(), expected, &self.id));
        }
        Ok(())
    }

    /// The [`Self::id`] of its contents.
    pub(super) fn content_id(&self) -> String {
        let mut hash = Sha256::new();
        // `Debug` prints enough digits to round-trip a number, so one read back hashes the same.
        if let Some(found) = &self.similarity {
            hash.update(format!("similarity {found:?}\n"));
        }
        if let Some(found) = &self.calibration {
            hash.update(format!("calibration {found:?}\n"));
        }
        for file in &self.files {
            hash.update(format!(
                "{} {} {} {}\n",
                file.role, file.bytes, file.sha256, file.name
            ));
            if let Some(label) = &file.label {
                hash.update(format!("label {label}\n"));
            }
            for part in &file.parts {
                hash.update(format!("{} {}\n", part.bytes, part.sha256));
            }
        }
        hex(&hash.finalize())
    }

    /// The file with this role; the first one if there are several adapters.
    pub fn file(&self, role: Role) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.role == role)
    }

    /// The part at this path.
    pub fn part(&self, path: &str) -> Option<&PartEntry> {
        self.files
            .iter()
            .flat_map(|file| &file.parts)
            .find(|part| part.path == path)
    }
}

impl Calibration {
    fn check(&self) -> Result<(), BundleError> {
        let shares = [
            ("answered", self.answered),
            ("closest", self.closest),
            ("risk", self.risk),
        ];
        let bins = self
            .reliability
            .iter()
            .map(|bin| ("reliability", bin.probability));
        for (name, found) in shares.into_iter().chain(bins) {
            if !(0.0..=1.0).contains(&found) {
                return Err(field(
                    format!("calibration.{name}"),
                    "0 to 1".to_owned(),
                    found,
                ));
            }
        }
        if self.closest > self.answered {
            return Err(field(
                "calibration.closest".to_owned(),
                format!("at most `answered`, {}", self.answered),
                self.closest,
            ));
        }
        if self.reliability.len() > MAX_BINS {
            return Err(field(
                "calibration.reliability".to_owned(),
                format!("at most {MAX_BINS}"),
                self.reliability.len(),
            ));
        }
        Ok(())
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
        let is_shown = |label: &String| {
            let n_chars = label.chars().count();
            (1..=MAX_LABEL_CHARS).contains(&n_chars) && !label.contains(char::is_control)
        };
        if let Some(label) = self.label.as_ref().filter(|label| !is_shown(label)) {
            return Err(field(
                format!("{place}.label"),
                format!("a line of 1 to {MAX_LABEL_CHARS} characters"),
                format!("{label:?}"),
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

    /// Checks the length and SHA-256 of the whole file.
    ///
    /// # Errors
    /// [`BundleError::Length`] or [`BundleError::Hash`].
    pub fn verify(&self, bytes: &[u8]) -> Result<(), BundleError> {
        verify(&self.name, self.bytes, &self.sha256, bytes)
    }

    /// Joins the file from its parts, which `part` looks up by path, and checks each.
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
    /// Checks the length and SHA-256 of the fetched bytes.
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

pub(super) fn part_path(sha256: &str, role: Role) -> String {
    format!(
        "files/{}.{}",
        sha256.get(..16).unwrap_or(sha256),
        role.extension()
    )
}

/// Path of a shard in a bundle, from the first digits of its SHA-256 in hexadecimal.
pub(super) fn shard_path(sha256: &str) -> String {
    part_path(sha256, Role::Index)
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
