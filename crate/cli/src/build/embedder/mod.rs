//! Chooses the embedder of a site by its languages, and fits it to the site.

pub(crate) mod language;
pub(crate) mod rows;
pub(crate) mod similarity;

use std::path::Path;

use anchorite::index::bundle::{Role, WeightFile};
use anchorite::index::chunk::Chunk;
use anchorite::index::{Index, Similarity};
use anchorite::model::embed::Embedder;
use anchorite::model::gguf::Gguf;
use anchorite::model::parts::Parts;
use anyhow::Context;
use serde::Serialize;

use self::language::Languages;
use crate::build::warnings::Warnings;
use crate::models::choice;
use crate::models::shipped::EMBEDDER;
use crate::settings::{BundleArguments, read_model};

/// The embedder of sites in other languages than English, in the registry.
const MULTILINGUAL: &str = "multilingual-e5-small";

/// An embedder as it comes, before it is fitted to a site.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub(crate) file: WeightFile,
    /// The reader on its layers, if it has one and that is here.
    pub(crate) reader: Option<WeightFile>,
    /// Why it was chosen, as the end of a sentence.
    pub(crate) why: String,
}

/// An embedder as a build reports it.
#[derive(Serialize)]
pub(crate) struct EmbedderSummary {
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) bytes: usize,
}

impl EmbedderSummary {
    /// The same in one line.
    pub(crate) fn line(&self) -> String {
        #[expect(clippy::cast_precision_loss, reason = "megabytes")]
        let megabytes = self.bytes as f64 / 1e6;
        format!("{megabytes:.1} MB, {}", self.why)
    }
}

/// The embedder that was asked for or, if none was, the one for the site's languages; `None` for search by words alone.
pub(crate) fn choose(
    arguments: &BundleArguments,
    models: &Path,
    languages: &Languages,
    warnings: &mut Warnings,
) -> anyhow::Result<Option<Chosen>> {
    let of_folder = |why: String| {
        let file = shipped(models)?;
        let reader = None;
        Ok(Some(Chosen { file, reader, why }))
    };
    match arguments.embedder.as_deref() {
        Some("none") => return Ok(None),
        Some(value) => {
            return Ok(Some(Chosen {
                file: choice::chosen(&arguments.named, value, Role::Embedder)?,
                reader: choice::own_reader(&arguments.named, value)?,
                why: "asked for with --embedder".to_owned(),
            }));
        }
        None => {}
    }
    if arguments.models.is_some() {
        return of_folder("the one of the folder given with --models".to_owned());
    }
    if languages.is_english() {
        return of_folder("for a site in English".to_owned());
    }
    let tags = languages.tags().join(", ");
    let registry = arguments.named.registry()?;
    let entry = registry.find(MULTILINGUAL)?;
    let store = arguments.named.store()?;
    if !store.path(entry).is_file() {
        warnings.add(
            "no_embedder",
            "run `anchorite pull multilingual-e5-small` and build again; or say `--embedder none`",
            "",
            format!(
                "the site is in {tags}, and `{MULTILINGUAL}` is not here: search is by words alone"
            ),
        );
        return Ok(None);
    }
    let reader = choice::own_reader(&arguments.named, MULTILINGUAL)?;
    if reader.is_none() && !arguments.no_reader {
        warnings.add(
            "no_reader",
            "run `anchorite pull multilingual-e5-small` again and build again; or say `--no-reader`",
            "",
            format!("the reader of `{MULTILINGUAL}` is not here: nothing counts as answered"),
        );
    }
    Ok(Some(Chosen {
        file: WeightFile {
            role: Role::Embedder,
            name: EMBEDDER.to_owned(),
            label: None,
            bytes: store.read(entry)?,
        },
        reader,
        why: format!("`{MULTILINGUAL}`, for a site in {tags}"),
    }))
}

/// The embedder of a folder of models.
pub(crate) fn shipped(models: &Path) -> anyhow::Result<WeightFile> {
    let file = WeightFile {
        role: Role::Embedder,
        name: EMBEDDER.to_owned(),
        label: None,
        bytes: read_model(models, EMBEDDER)?,
    };
    // Later errors know the file by its name alone.
    Gguf::parse(&Parts::new(vec![file.bytes.clone()])).with_context(|| {
        let path = models.join(EMBEDDER);
        format!("could not load the embedder `{}`", path.display())
    })?;
    Ok(file)
}

impl Chosen {
    /// The embedder to run, with its whole vocabulary.
    pub(crate) fn load(&self) -> anyhow::Result<Embedder> {
        load(&self.file)
    }

    /// The embedder for the site alone, once its texts are embedded.
    ///
    /// One of many languages is mostly vocabulary and keeps the tokens that the site needs; `keeps_all` leaves it whole. An
    /// embedder with a scale of its own comes with that of the site's texts.
    pub(crate) fn fitted(self, site: &Site<'_>, keeps_all: bool) -> anyhow::Result<Fitted> {
        let Self { mut file, why, .. } = self;
        let gguf = Gguf::parse(&Parts::new(vec![file.bytes.clone()]))?;
        let is_large = gguf.opt_string("tokenizer.ggml.model")? == Some("t5");
        if is_large && !keeps_all {
            let embedder = load(&file)?;
            file.bytes = rows::of_site(std::mem::take(&mut file.bytes), &embedder, site)
                .context("could not cut the embedder's vocabulary")?;
        }
        let embedder = load(&file)?;
        let similarity = match similarity::of_model(&gguf)? {
            Some(before) => Some(similarity::of_site(&embedder, site, before)?),
            None => None,
        };
        Ok(Fitted {
            embedder,
            similarity,
            file,
            why,
        })
    }
}

/// The texts of a site: its chunks, what is embedded of each, and the embedding.
pub(crate) struct Site<'s> {
    pub(crate) chunks: &'s [Chunk],
    pub(crate) text: &'s (dyn Fn(usize) -> String + Sync),
    pub(crate) embedding: &'s (dyn Fn(usize) -> Option<&'s [f32]> + Sync),
    pub(crate) languages: &'s Languages,
}

/// The embedder of one site.
pub(crate) struct Fitted {
    pub(crate) embedder: Embedder,
    /// The cosines of the site's unrelated texts, if the embedder has a scale of its own.
    pub(crate) similarity: Option<Similarity>,
    pub(crate) file: WeightFile,
    why: String,
}

impl Fitted {
    /// Completes the index: how close unrelated texts come only shows in it.
    pub(crate) fn complete(&self, index: &mut Index) -> anyhow::Result<()> {
        if let Some(before) = self.similarity {
            // The index scales cosines while it is measured.
            let near = similarity::near(index, &self.embedder)?;
            index.similarity = Some(Similarity { near, ..before });
        }
        Ok(())
    }

    pub(crate) fn summary(&self) -> EmbedderSummary {
        EmbedderSummary {
            name: self.file.name.clone(),
            why: self.why.clone(),
            bytes: self.file.bytes.len(),
        }
    }
}

/// Loads an embedder from its file.
pub(crate) fn load(file: &WeightFile) -> anyhow::Result<Embedder> {
    Embedder::load(Parts::new(vec![file.bytes.clone()]))
        .with_context(|| format!("could not load the embedder `{}`", file.name))
}
