//! The reasons to refuse a question or a bundle, each with advice.

use anchorite_index::bundle::Role;
use anchorite_index::error::BundleError;
use anchorite_model::error::{LoadError, RunError};
use thiserror::Error;

/// Why a session could not be opened, or a question could not be answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The question has no letter or digit.
    #[error("the question is empty")]
    QuestionEmpty,
    /// The question is longer than the limit.
    #[error("the question is too long: {found} characters, at most {limit} are read")]
    QuestionTooLong {
        /// Characters given.
        found: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// The index can't sort results by this key.
    #[error("results can't be sorted by `{found}`: {}", sort_keys(.expected))]
    SortKey {
        /// The keys that documents can be sorted by.
        expected: Vec<String>,
        /// The key asked for.
        found: String,
    },
    /// An option is outside its range.
    #[error("option `{option}` is out of range: expected {expected}, found {found}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// The range allowed.
        expected: &'static str,
        /// The value given.
        found: String,
    },
    /// The pinned instructions and the question don't fit in the generator's window.
    #[error(
        "the question does not fit the generator's window: {needed} tokens with its instructions, {available} are free"
    )]
    WindowFull {
        /// Tokens that the pinned part takes.
        needed: usize,
        /// Tokens free for a prompt.
        available: usize,
    },
    /// A required file is not in the bundle, or its parts have not arrived.
    #[error("the bundle's {role} is not there: {path}")]
    Missing {
        /// Role of the file.
        role: Role,
        /// Its first missing part, or why the file is absent.
        path: String,
    },
    /// The embedder's vectors differ in length from the index's.
    #[error(
        "the embedder does not fit the index: the index holds vectors of {expected}, the embedder makes {found}"
    )]
    EmbedderMismatch {
        /// The index's dimension.
        expected: usize,
        /// The embedder's.
        found: usize,
    },
    /// An embedder that runs elsewhere failed.
    #[error("the embedder failed: {reason}")]
    Embedder {
        /// Error text of the embedder.
        reason: String,
    },
    /// The generator's file has no chat template.
    #[error("the generator `{name}` has no chat template (`tokenizer.chat_template`)")]
    NoTemplate {
        /// The model's name.
        name: String,
    },
    /// A set phrase of a voice could say something about the documents.
    #[error("voice `{voice}` has a phrase that can't be set: expected {expected}, found `{found}`")]
    VoicePhrase {
        /// The voice's label.
        voice: String,
        /// The form allowed.
        expected: &'static str,
        /// The phrase.
        found: String,
    },
    /// No adapter of this name is loaded.
    #[error("no voice is called `{found}`: {}", voices(.expected))]
    UnknownVoice {
        /// Names of the loaded adapters.
        expected: Vec<String>,
        /// The name asked for.
        found: String,
    },
    /// A part that the manifest does not name.
    #[error("the manifest names no part `{path}`")]
    UnknownPart {
        /// The path given.
        path: String,
    },
    /// The browser or the system refused to allocate more memory.
    #[error("there is no memory for what is to be loaded: {asked} bytes were asked for")]
    NoMemory {
        /// Bytes requested, in addition to the memory in use.
        asked: u64,
    },
    /// The generator's file could not be fetched again after its device was lost.
    #[error("the generator could not be loaded again: {reason}")]
    Reload {
        /// Error text that says why the file is missing.
        reason: String,
    },
    /// A search or a question came before the index was loaded.
    #[error("the index is not loaded yet")]
    IndexNotLoaded,
    /// Another question is being answered; they are answered one at a time.
    #[error("another question is being answered")]
    Busy,
    /// The bundle is damaged, incomplete or of another version.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A weights file can't be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A model failed while running.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl EngineError {
    /// A stable name of the state, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            EngineError::QuestionEmpty => "question_empty",
            EngineError::QuestionTooLong { .. } => "question_too_long",
            EngineError::SortKey { .. } => "sort_key",
            EngineError::Option { .. } => "option",
            EngineError::WindowFull { .. } => "window_full",
            EngineError::Missing { .. } => "missing_file",
            EngineError::EmbedderMismatch { .. } => "embedder_mismatch",
            EngineError::Embedder { .. } => "embedder",
            EngineError::NoTemplate { .. } => "no_template",
            EngineError::VoicePhrase { .. } => "voice_phrase",
            EngineError::UnknownVoice { .. } => "unknown_voice",
            EngineError::UnknownPart { .. } => "unknown_part",
            EngineError::NoMemory { .. } => "no_memory",
            EngineError::Reload { .. } => "reload",
            EngineError::IndexNotLoaded => "index_not_loaded",
            EngineError::Busy => "busy",
            EngineError::Bundle(error) => error.code(),
            EngineError::Load(error) => error.code(),
            EngineError::Run(error) => error.code(),
        }
    }

    /// Advice for the visitor or the site's owner.
    pub fn hint(&self) -> &'static str {
        match self {
            EngineError::QuestionEmpty => "type a question",
            EngineError::QuestionTooLong { .. } => {
                "ask one question at a time, in a sentence or two"
            }
            EngineError::SortKey { .. } => {
                "mark a value of each page with `data-pagefind-sort`, and build the bundle again"
            }
            EngineError::Option { .. } => "leave the option out to get its default",
            EngineError::WindowFull { .. } => {
                "ask a shorter question, or ship a generator with a larger context"
            }
            EngineError::Missing { .. } => "build the bundle again, and upload every file of it",
            EngineError::EmbedderMismatch { .. } => {
                "build the bundle again with the embedder that ships in it"
            }
            EngineError::Embedder { .. } => "reload the page; report it if it happens again",
            EngineError::NoTemplate { .. } => {
                "use an instruction-tuned GGUF: its metadata holds the chat template"
            }
            EngineError::VoicePhrase { .. } => {
                "change the phrases of its file, and train it on the new ones"
            }
            EngineError::UnknownVoice { .. } => "give the name of an adapter in the bundle",
            EngineError::UnknownPart { .. } => {
                "fetch the manifest again: the bundle changed while it was being read"
            }
            EngineError::NoMemory { .. } => {
                "close other tabs, or ship a smaller model; what was loaded before goes on working"
            }
            EngineError::Reload { .. } => {
                "reload the page; until then answers are quotations alone"
            }
            EngineError::IndexNotLoaded => "wait until the bundle has loaded",
            EngineError::Busy => "wait for the answer, or stop it first",
            EngineError::Bundle(error) => error.hint(),
            EngineError::Load(error) => error.hint(),
            EngineError::Run(error) => error.hint(),
        }
    }
}

fn sort_keys(expected: &[String]) -> String {
    match expected {
        [] => "no document has a value to sort by".to_owned(),
        _ => format!("expected one of `{}`", expected.join("`, `")),
    }
}

fn voices(expected: &[String]) -> String {
    match expected {
        [] => "no adapter is loaded".to_owned(),
        _ => format!("expected one of `{}`", expected.join("`, `")),
    }
}
