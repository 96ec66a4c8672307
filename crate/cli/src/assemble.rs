//! Turns documents, chunks and embeddings into a bundle on disk: the last step of a build, on one machine or after many.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anchorite::Thresholds;
use anchorite::index::bundle::{self, Bundle, Calibration, Role, WeightFile};
use anchorite::index::document::Document;
use anchorite::index::parse::LeftOut;
use anchorite::index::{Index, IndexOptions};
use anchorite::model::embed::Embedder;
use anchorite::model::parts::Parts;
use anchorite::model::read::Reader;
use anyhow::Context;
use serde::Serialize;

use crate::bundle as bundle_dir;
use crate::cache::TextKey;
use crate::calibrate;
use crate::select::Selected;
use crate::settings::{BundleArguments, read_model};
use crate::shipped::{EMBEDDER, READER};
use crate::warnings::{Group, Warnings};

/// Figures of a build, from which its last lines are printed.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) documents: usize,
    pub(crate) sections: usize,
    pub(crate) chunks: usize,
    /// Pages that were left out, by reason.
    pub(crate) left_out: BTreeMap<LeftOut, usize>,
    pub(crate) warnings: Vec<Group>,
    pub(crate) n_warnings: usize,
    /// Pages and embeddings reused from earlier builds.
    pub(crate) reuse: Reuse,
    /// Bytes by role.
    pub(crate) bytes: BTreeMap<String, u64>,
    pub(crate) bytes_total: u64,
    /// Bytes of files that are new in the folder: the upload to a host, and the download for a returning visitor.
    pub(crate) bytes_changed: u64,
    pub(crate) files: usize,
    pub(crate) files_changed: usize,
    /// How vectors are searched, and why.
    pub(crate) vectors: Option<String>,
    pub(crate) seconds: f64,
    /// Seconds by step.
    pub(crate) steps: BTreeMap<&'static str, f64>,
    /// The site's thresholds for counting a question as answered, and the risk at them.
    pub(crate) calibration: Option<Calibration>,
    pub(crate) has_reader: bool,
    /// Peak memory in use; `None` if the system does not report it.
    pub(crate) peak_memory_bytes: Option<u64>,
    pub(crate) bundle: String,
}

/// The process's peak resident set, in bytes; `None` if Linux does not report it.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}

/// Numbers of pages and embeddings that this build made, and that it reused.
#[derive(Serialize, Default)]
pub(crate) struct Reuse {
    pub(crate) pages_read: usize,
    pub(crate) pages_reused: usize,
    pub(crate) chunks_embedded: usize,
    pub(crate) embeddings_reused: usize,
}

/// Indexes, lays out and writes a bundle.
///
/// `embeddings` has one entry for each of `keys`, which are the keys of the chunks; `writers` are the generator and its adapters.
pub(crate) fn assemble(
    selected: Selected,
    keys: &[TextKey],
    embeddings: HashMap<TextKey, Vec<f32>>,
    embedder: Vec<u8>,
    writers: Vec<WeightFile>,
    models: &Path,
    arguments: &BundleArguments,
) -> anyhow::Result<Summary> {
    let vectors = in_order(keys, embeddings)?;
    let Selected {
        documents,
        chunks,
        n_sections,
        left_out,
    } = selected;
    let n_chunks = chunks.len();
    let index = Index::build(&documents, chunks, Some(vectors), &IndexOptions::default())?;
    let weights = weights(arguments, models, embedder, writers)?;
    let mut written = bundle::write(&index, &weights, env!("CARGO_PKG_VERSION"))?;
    written.set_calibration(calibration(&index, &weights, arguments)?)?;
    let mut bytes = BTreeMap::new();
    for file in &written.manifest.files {
        *bytes.entry(file.role.to_string()).or_default() += file.bytes;
    }
    bytes.insert("shards".to_owned(), written.manifest.shards.bytes);
    let (files_changed, bytes_changed) = write_files(arguments.out()?, &written)?;
    Ok(Summary {
        documents: documents.len(),
        sections: n_sections,
        chunks: n_chunks,
        left_out,
        warnings: Vec::new(),
        n_warnings: 0,
        reuse: Reuse::default(),
        bytes_total: bytes.values().sum(),
        bytes,
        bytes_changed,
        files: written.files.len(),
        files_changed,
        vectors: index
            .vectors
            .as_ref()
            .map(|vectors| vectors.mode().to_string()),
        seconds: 0.0,
        steps: BTreeMap::new(),
        peak_memory_bytes: peak_memory_bytes(),
        calibration: written.manifest.calibration.clone(),
        has_reader: written.manifest.file(Role::Reader).is_some(),
        bundle: written.manifest.id.clone(),
    })
}

/// Calibrates on the site's own questions; `None` without a reader, if not wanted, or with too few questions.
fn calibration(
    index: &Index,
    weights: &[WeightFile],
    arguments: &BundleArguments,
) -> anyhow::Result<Option<Calibration>> {
    let bytes = |role| {
        let file = weights.iter().find(|file| file.role == role)?;
        Some(Parts::new(vec![file.bytes.clone()]))
    };
    let models = bytes(Role::Embedder).zip(bytes(Role::Reader));
    let Some((embedder, reader)) = models.filter(|_| !arguments.no_calibration) else {
        return Ok(None);
    };
    let embedder = Embedder::load(embedder).context("could not load the embedder")?;
    let reader = Reader::load(reader).context("could not load the reader")?;
    calibrate::calibrate(index, &embedder, &reader)
}

/// The keys of the chunks' embedding texts, in order.
pub(crate) fn keys(documents: &[Document], selected: &Selected) -> Vec<TextKey> {
    use rayon::prelude::*;
    selected
        .chunks
        .par_iter()
        .map(|chunk| {
            let title = &documents[chunk.document as usize].title;
            crate::cache::text_key(&chunk.embedding_text(title))
        })
        .collect()
}

/// One embedding per key, in order; the last use of a key moves its embedding instead of copying it.
fn in_order(
    keys: &[TextKey],
    mut embeddings: HashMap<TextKey, Vec<f32>>,
) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut uses: HashMap<&TextKey, usize> = HashMap::new();
    for key in keys {
        *uses.entry(key).or_default() += 1;
    }
    keys.iter()
        .map(|key| {
            let left = uses.entry(key).or_default();
            *left -= 1;
            let embedding = if *left == 0 {
                embeddings.remove(key)
            } else {
                embeddings.get(key).cloned()
            };
            embedding.context("a chunk has no embedding")
        })
        .collect()
}

fn weights(
    arguments: &BundleArguments,
    models: &Path,
    embedder: Vec<u8>,
    writers: Vec<WeightFile>,
) -> anyhow::Result<Vec<WeightFile>> {
    let mut weights = vec![WeightFile {
        role: Role::Embedder,
        name: EMBEDDER.to_owned(),
        label: None,
        bytes: embedder,
    }];
    if !arguments.no_reader && models.join(READER).exists() {
        weights.push(WeightFile {
            role: Role::Reader,
            name: READER.to_owned(),
            label: None,
            bytes: read_model(models, READER)?,
        });
    }
    weights.extend(writers);
    Ok(weights)
}

/// Writes the files that do not exist yet, the manifest last, so that no manifest ever names missing files. Returns the
/// number of files written, and their bytes.
fn write_files(out: &Path, bundle: &Bundle) -> anyhow::Result<(usize, u64)> {
    let is_rebuild = bundle_dir::manifest(out).is_ok();
    let is_manifest = |path: &str| path == bundle::MANIFEST_PATH;
    let (manifest, files): (Vec<_>, Vec<_>) =
        bundle.files.iter().partition(|(path, _)| is_manifest(path));
    let (mut n_written, mut n_bytes) = (0, 0);
    for (path, bytes) in files.into_iter().chain(manifest) {
        let path = out.join(path);
        // The name says what the content should be, but not that it is intact.
        if std::fs::metadata(&path).is_ok_and(|about| about.len() == bytes.len() as u64)
            && std::fs::read(&path).is_ok_and(|found| found == *bytes)
        {
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("could not make `{}`", folder.display()))?;
        }
        std::fs::write(&path, bytes)
            .with_context(|| format!("could not write `{}`", path.display()))?;
        n_written += 1;
        n_bytes += bytes.len() as u64;
    }
    if is_rebuild {
        remove_stale(out, bundle)?;
    }
    Ok((n_written, n_bytes))
}

/// Removes files that an earlier build left in the same folder: only those with content-addressed names in the bundle's
/// form.
fn remove_stale(out: &Path, bundle: &Bundle) -> anyhow::Result<()> {
    let kept: HashSet<PathBuf> = bundle
        .files
        .iter()
        .map(|(path, _)| out.join(path))
        .collect();
    let folder = out.join("files");
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("could not list `{}`", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_named_by_content = path.file_stem().is_some_and(|stem| {
            let stem = stem.as_encoded_bytes();
            stem.len() == 16 && stem.iter().all(u8::is_ascii_hexdigit)
        });
        if is_named_by_content && !kept.contains(&path) {
            std::fs::remove_file(&path)
                .with_context(|| format!("could not remove `{}`", path.display()))?;
        }
    }
    Ok(())
}

impl Summary {
    /// Prints warnings and figures on standard error, and all of them as JSON on standard output if requested.
    pub(crate) fn print(
        mut self,
        warnings: Warnings,
        arguments: &BundleArguments,
    ) -> anyhow::Result<()> {
        warnings.print();
        self.n_warnings = warnings.count();
        self.warnings = warnings.into_groups();
        eprintln!(
            "{} documents, {} sections, {} chunks in {:.1} s; {} warning(s)",
            self.documents, self.sections, self.chunks, self.seconds, self.n_warnings
        );
        let reasons = self.left_out.iter().map(|(reason, n)| {
            let reason = match reason {
                LeftOut::NotFound => "of a missing page",
                LeftOut::Redirect => "sent on",
                LeftOut::NoIndex => "noindex",
                LeftOut::Draft => "a draft",
                LeftOut::NoRoot => "without the root selector",
                LeftOut::Unmarked => "without `data-pagefind-body`",
                LeftOut::Copy => "a copy of another",
            };
            format!("{n} {reason}")
        });
        let reasons: Vec<String> = reasons.collect();
        if !reasons.is_empty() {
            eprintln!("  left out: {}", reasons.join(", "));
        }
        if self.reuse.pages_reused + self.reuse.embeddings_reused > 0 {
            eprintln!(
                "  from the cache: {} of {} pages, {} of {} embeddings",
                self.reuse.pages_reused,
                self.reuse.pages_reused + self.reuse.pages_read,
                self.reuse.embeddings_reused,
                self.reuse.embeddings_reused + self.reuse.chunks_embedded
            );
        }
        for (role, bytes) in &self.bytes {
            eprintln!("  {role:<10} {bytes:>12} bytes");
        }
        if let Some(mode) = &self.vectors {
            eprintln!("  vectors: {mode}");
        }
        if self.has_reader {
            eprintln!("  answers: {}", certified(self.calibration.as_ref()));
        }
        eprintln!(
            "bundle of {} bytes in `{}`; {} of {} files changed, {} bytes",
            self.bytes_total,
            arguments.out()?.display(),
            self.files_changed,
            self.files,
            self.bytes_changed
        );
        if arguments.json {
            println!("{}", serde_json::to_string_pretty(&self)?);
        }
        Ok(())
    }
}

/// A site's thresholds and their risk in one line.
pub(crate) fn certified(calibration: Option<&Calibration>) -> String {
    let Some(found) = calibration else {
        return format!(
            "the thresholds for all sites ({:.2}), for the bundle has none of its own",
            Thresholds::default().answered
        );
    };
    let whence = if found.risk > calibrate::MAX_RISK {
        format!(
            "no threshold could be certified at a risk of {:.0} %; from the one for all sites ({:.2}) on",
            100.0 * calibrate::MAX_RISK,
            found.answered
        )
    } else {
        format!("from a probability of {:.2} on", found.answered)
    };
    format!(
        "{whence}, of {} made questions {} count as answered, {} wrongly: a risk of at most {:.1} % (95 %)",
        found.questions,
        found.claimed,
        found.wrong,
        100.0 * found.risk
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_that_is_too_high_is_not_told_as_certified() {
        let at = |risk: f32| Calibration {
            answered: 0.60,
            closest: 0.10,
            questions: 300,
            claimed: 80,
            wrong: 4,
            risk,
            reliability: Vec::new(),
        };
        let said = certified(Some(&at(0.099)));
        assert_eq!(
            said,
            "from a probability of 0.60 on, of 300 made questions 80 count as answered, 4 wrongly: a risk of at most 9.9 % (95 %)"
        );
        let said = certified(Some(&at(0.63)));
        assert_eq!(
            said,
            "no threshold could be certified at a risk of 10 %; from the one for all sites (0.60) on, of 300 made questions 80 \
             count as answered, 4 wrongly: a risk of at most 63.0 % (95 %)"
        );
    }
}
