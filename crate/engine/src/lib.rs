//! Turns a question into a cited answer, by joining the index and the models.
//!
//! The modules are listed in the order in which a question passes through them: [`follow_up`] completes it from earlier
//! turns, [`retrieve`] finds passages, [`read`] looks for the answer in them, [`gate`] decides whether they hold one,
//! [`quote`] quotes it verbatim from its passage, as a [`mod@unit`] of the document, [`prompt`] puts the passages into the
//! generator's prompt, [`check`] matches the generated text, apart from the [`phrases`] of a voice, with the passages
//! it cites, [`written`] decides whether that text may be shown, and [`session`] runs them in that order; [`searcher`]
//! is the part of it that only searches, and [`recover`] chooses where an answer continues after its device was lost.
//! Nothing here touches files, the network, a GPU or a page: the caller gives bytes, a clock and a seed.

pub mod answer;
pub mod check;
pub mod embed;
pub mod error;
pub mod follow_up;
pub mod gate;
pub mod phrases;
pub mod prompt;
pub mod quote;
pub mod read;
pub mod recover;
pub mod retrieve;
pub mod sentence;
pub mod searcher;
pub mod session;
pub mod unit;
mod voices;
pub mod written;

pub use answer::{Answer, AskEvent, AskOptions, Draft, Passage, Quote, Sentence, Timing, Written};
pub use embed::Embed;
pub use error::EngineError;
pub use follow_up::{FollowUp, Turn};
pub use gate::{Outcome, Thresholds};
pub use phrases::Phrases;
pub use retrieve::{FilterValues, Found, SearchRequest, SearchResult};
pub use searcher::Searcher;
pub use session::Session;

pub use anchorite_index as index;
pub use anchorite_model as model;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
