//! Embeds texts once for each model and text, and stores the results on disk if the caller asks for it.

use std::path::{Path, PathBuf};

use anchorite::model::embed::{Embedder, Side};
use anchorite::model::error::RunError;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// An embedder, and where its results are stored.
pub(super) struct CachedEmbedder<'e> {
    pub(super) embedder: &'e Embedder,
    /// Hash of the weights.
    pub(super) hash: &'e str,
    pub(super) dir: Option<&'e Path>,
}

impl CachedEmbedder<'_> {
    /// The embedding of each text.
    ///
    /// A cached file is named by a hash of the weights and all texts, so that a change of either makes another file.
    pub(super) fn embed(
        &self,
        side: Side,
        what: &str,
        texts: &[String],
    ) -> anyhow::Result<Vec<Vec<f32>>> {
        let file = self.dir.map(|dir| self.file(side, dir, texts));
        if let Some(file) = &file
            && let Ok(bytes) = std::fs::read(file)
            && let Some(embeddings) = self.unpack(&bytes, texts.len())
        {
            return Ok(embeddings);
        }
        let embeddings = self.compute(side, what, texts)?;
        if let (Some(file), Some(dir)) = (&file, self.dir) {
            std::fs::create_dir_all(dir)
                .with_context(|| format!("could not make `{}`", dir.display()))?;
            let bytes: Vec<u8> = embeddings
                .iter()
                .flatten()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            // Written under another name first, so that an interrupted run leaves no partial file.
            let unfinished = file.with_extension("part");
            std::fs::write(&unfinished, bytes)
                .and_then(|()| std::fs::rename(&unfinished, file))
                .with_context(|| format!("could not write `{}`", file.display()))?;
        }
        Ok(embeddings)
    }

    fn file(&self, side: Side, dir: &Path, texts: &[String]) -> PathBuf {
        let mut hash = Sha256::new();
        if side == Side::Query {
            hash.update(b"queries");
        }
        for text in texts {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let texts = super::hex(&hash.finalize()[..8]);
        dir.join(format!("embeddings-{}-{texts}.f32", self.hash))
    }

    /// `None` for a file that this embedder did not write for these texts.
    fn unpack(&self, bytes: &[u8], n_texts: usize) -> Option<Vec<Vec<f32>>> {
        let dimension = self.embedder.dimension();
        let (values, rest) = bytes.as_chunks::<4>();
        let is_whole = rest.is_empty() && values.len() == n_texts * dimension;
        let row = |row: &[[u8; 4]]| row.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        is_whole.then(|| values.chunks_exact(dimension).map(row).collect())
    }

    fn compute(&self, side: Side, what: &str, texts: &[String]) -> anyhow::Result<Vec<Vec<f32>>> {
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let progress = ProgressBar::new(texts.len() as u64)
            .with_style(style)
            .with_message(format!("embedding {what}"));
        let embeddings = texts
            .par_iter()
            .map(|text| {
                let embedding = self
                    .embedder
                    .embed(side, &[text])?
                    .pop()
                    .unwrap_or_default();
                progress.inc(1);
                Ok(embedding)
            })
            .collect::<Result<Vec<_>, RunError>>()
            .with_context(|| format!("could not embed {what}"))?;
        progress.finish_and_clear();
        Ok(embeddings)
    }
}
