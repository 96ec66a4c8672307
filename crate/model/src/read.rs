//! Turns a question and a window of text into the span of the answer, and into logits for whether there is one.
//!
//! A bert encoder reads both at once, as `[CLS] question [SEP] heading [SEP] text [SEP]`, the question of type 0 and
//! the rest of type 1. Two linear heads sit on top of its last layer: per token, `[3, C]`, the logits of being the
//! answer's first token, its last token, and in an evidence sentence; per window, `[2, C]`, on `[CLS]`, the logits of
//! being about the question and of answering it. `[CLS]` as first and last token means that there is no answer (Devlin
//! et al., "BERT", 2019, section 4.3). `models/recipes/reader` trains the model and frames windows the same way.

use std::ops::Range;
use std::sync::Arc;

use crate::config::ModelConfig;
use crate::embed::Embedder;
use crate::error::{LoadError, RunError};
use crate::forward::bert::{BertForward, Biased, Input};
use crate::forward::matrix::{Inputs, Linear};
use crate::forward::threads::Threads;
use crate::gguf::Gguf;
use crate::parts::Parts;
use crate::token::TokenId;
use crate::tokenizer::EncoderTokenizer;
use crate::weights::Tensors;

/// The supported version of the heads and of the frame, from `reader.version`.
const VERSION: u32 = 1;
const VERSION_KEY: &str = "reader.version";
/// The name of the embedder whose layers an adapter changes.
const BASE_KEY: &str = "general.base_model.0.name";
/// Most tokens of a question and of a heading, as in training.
const QUESTION_TOKENS: usize = 40;
const HEADING_TOKENS: usize = 16;
/// `[CLS]`, and a `[SEP]` each after question, heading and text.
const FRAME_TOKENS: usize = 4;
/// Most bytes of a text that are cut into windows; the rest is ignored.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// An extractive reader: an encoder and two heads.
#[derive(Debug)]
pub struct Reader {
    config: ModelConfig,
    tokenizer: Arc<EncoderTokenizer>,
    /// `[CLS]` and `[SEP]`.
    ends: (TokenId, TokenId),
    forward: BertForward,
    /// `[3, C]`
    tokens: Biased,
    /// `[2, C]`
    window: Biased,
}

/// A tokenised question.
#[derive(Clone, Debug)]
pub struct Question {
    tokens: Vec<TokenId>,
}

/// A piece of text that is read in one pass.
#[derive(Clone, Debug)]
pub struct Window {
    heading: Vec<TokenId>,
    tokens: Vec<TokenId>,
    /// For each token, the bytes of its word in the text.
    words: Vec<Range<usize>>,
}

/// The reader's logits for one window.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Logit of the window being about the question.
    pub relevant: f32,
    /// Logit of the window answering the question.
    pub answerable: f32,
    /// Logit of there being no answer, start plus end.
    pub null: f32,
    /// The words of the window, in order.
    pub words: Vec<Word>,
}

/// The reader's logits for one word.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Its byte range in the text.
    pub range: Range<usize>,
    /// Logit of being the answer's first word.
    pub start: f32,
    /// Logit of being the answer's last word.
    pub end: f32,
    /// Logit of being in a sentence that answers; the mean over the word's tokens.
    pub evidence: f32,
}

/// The likeliest answer of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its byte range in the text, whole words.
    pub range: Range<usize>,
    /// Its start and end logits minus those of no answer: above 0 if the answer is likelier.
    pub margin: f32,
}

impl Window {
    /// The byte range in the text from its first word to its last.
    pub fn range(&self) -> Range<usize> {
        let start = self.words.first().map_or(0, |word| word.start);
        let end = self.words.last().map_or(start, |word| word.end);
        start..end
    }
}

impl Reading {
    /// The likeliest answer of at most `max_words` words, all with indices in `among`; `None` if there are none.
    pub fn best_span(&self, among: Range<usize>, max_words: usize) -> Option<Span> {
        let words = self.words.get(among)?;
        let mut best: Option<(&Word, &Word, f32)> = None;
        for (idx, first) in words.iter().enumerate() {
            for last in words[idx..].iter().take(max_words) {
                let logits = first.start + last.end;
                if best.is_none_or(|(_, _, most)| logits > most) {
                    best = Some((first, last, logits));
                }
            }
        }
        best.map(|(first, last, logits)| Span {
            range: first.range.start..last.range.end,
            margin: logits - self.null,
        })
    }
}

impl Reader {
    /// Loads a reader, which is a whole encoder or, if `general.type` is `adapter`, a low-rank change of the encoder of an
    /// embedder: it then has the pairs, the rows of both token types and the heads, and shares everything else.
    ///
    /// # Errors
    /// Any [`LoadError`]; [`LoadError::MissingMetadata`] for an encoder that is not a reader,
    /// [`LoadError::MetadataValue`] for another version, for an encoder with a single token type, or for a change of
    /// another embedder than the one given.
    pub fn load(mut parts: Parts, embedder: Option<&Embedder>) -> Result<Self, LoadError> {
        let gguf = Gguf::parse(&parts)?;
        check_version(&gguf)?;
        let is_adapter = gguf.opt_string("general.type")? == Some("adapter");
        let reader = match is_adapter {
            true => Self::on(&gguf, &mut parts, changed_by(&gguf, embedder)?)?,
            false => Self::whole(&gguf, &mut parts)?,
        };
        if reader.forward.n_types() < 2 {
            return Err(LoadError::MetadataValue {
                key: "tokenizer.ggml.token_type_count".into(),
                expected: "2, one for the question and one for the text".into(),
                found: reader.forward.n_types().to_string(),
            });
        }
        let room = FRAME_TOKENS + QUESTION_TOKENS + HEADING_TOKENS;
        if reader.config.context_length <= room {
            return Err(LoadError::MetadataValue {
                key: "bert.context_length".into(),
                expected: format!("more than {room}"),
                found: reader.config.context_length.to_string(),
            });
        }
        Ok(reader)
    }

    fn whole(gguf: &Gguf, parts: &mut Parts) -> Result<Self, LoadError> {
        let config = ModelConfig::encoder_from_gguf(gguf)?;
        let tokenizer = Arc::new(EncoderTokenizer::from_gguf(gguf)?);
        let take = |tensors: &mut Tensors<Linear>| heads(tensors, config.n_embd);
        let loaded = BertForward::load_with(gguf, parts, &config, take)?;
        Self::new(config, tokenizer, loaded)
    }

    fn on(gguf: &Gguf, parts: &mut Parts, embedder: &Embedder) -> Result<Self, LoadError> {
        let config = embedder.config().clone();
        let tokenizer = Arc::clone(embedder.tokenizer());
        let take = |tensors: &mut Tensors<Linear>| heads(tensors, config.n_embd);
        let loaded = embedder.forward().adapted(gguf, parts, take)?;
        Self::new(config, tokenizer, loaded)
    }

    fn new(
        config: ModelConfig,
        tokenizer: Arc<EncoderTokenizer>,
        (forward, (tokens, window)): (BertForward, (Biased, Biased)),
    ) -> Result<Self, LoadError> {
        let ends = tokenizer.ends().ok_or_else(|| LoadError::MissingMetadata {
            key: "tokenizer.ggml.cls_token_id".into(),
        })?;
        Ok(Self {
            config,
            tokenizer,
            ends,
            forward,
            tokens,
            window,
        })
    }

    /// The first [`QUESTION_TOKENS`] tokens of a question.
    ///
    /// # Errors
    /// [`RunError::Tokenize`].
    pub fn question(&self, text: &str) -> Result<Question, RunError> {
        let (mut tokens, _) = self.tokenizer.encode_words(text)?;
        tokens.truncate(QUESTION_TOKENS);
        Ok(Question { tokens })
    }

    /// Cuts `text` into windows of at most `max_tokens` tokens, counting question, heading and frame; each begins
    /// `overlap` tokens before the previous one's end. Ranges are bytes of `text`. A text without words has no windows.
    ///
    /// # Errors
    /// [`RunError::Tokenize`].
    pub fn windows(
        &self,
        question: &Question,
        heading: &str,
        text: &str,
        max_tokens: usize,
        overlap: usize,
    ) -> Result<Vec<Window>, RunError> {
        let (mut heading, _) = self.tokenizer.encode_words(heading)?;
        heading.truncate(HEADING_TOKENS);
        let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
        let (tokens, words) = self.tokenizer.encode_words(text)?;
        let used = question.tokens.len() + heading.len() + FRAME_TOKENS;
        let room = max_tokens
            .min(self.config.context_length)
            .saturating_sub(used)
            .max(1);
        let step = room.saturating_sub(overlap).max(1);
        let mut windows = Vec::new();
        let mut start = 0;
        while start < tokens.len() {
            let end = (start + room).min(tokens.len());
            windows.push(Window {
                heading: heading.clone(),
                tokens: tokens[start..end].to_vec(),
                words: words[start..end].to_vec(),
            });
            if end == tokens.len() {
                break;
            }
            start += step;
        }
        Ok(windows)
    }

    /// Reads each window; its logits do not depend on the other windows.
    ///
    /// # Errors
    /// [`RunError::ContextOverflow`] for a window cut for a shorter question; [`RunError::NotFinite`] for a damaged model.
    pub fn read(&self, question: &Question, windows: &[Window]) -> Result<Vec<Reading>, RunError> {
        let framed: Vec<Vec<TokenId>> = windows
            .iter()
            .map(|window| self.frame(question, window))
            .collect();
        // `[CLS]`, the question and `[SEP]`.
        let n_first = question.tokens.len() + 2;
        let inputs: Vec<Input<'_>> = framed
            .iter()
            .map(|tokens| Input { tokens, n_first })
            .collect();
        self.forward.encode(&inputs, |idx, x| {
            let window = &windows[idx];
            self.reading(x, n_first + window.heading.len() + 1, window)
        })
    }

    fn frame(&self, question: &Question, window: &Window) -> Vec<TokenId> {
        let (first, separator) = self.ends;
        let parts = [&question.tokens, &window.heading, &window.tokens];
        let mut framed = vec![first];
        for part in parts {
            framed.extend(part);
            framed.push(separator);
        }
        framed
    }

    /// The heads over one window, `[T, C]`, whose text begins at `text_start`.
    fn reading(&self, x: &[f32], text_start: usize, window: &Window) -> Result<Reading, RunError> {
        let c = self.config.n_embd;
        let (mut of_tokens, mut of_window) = (Vec::new(), Vec::new());
        self.tokens
            .apply(&Inputs::new(Threads::One, x, c), &mut of_tokens);
        self.window
            .apply(&Inputs::new(Threads::One, &x[..c], c), &mut of_window);
        if let Some(place) = of_tokens.iter().position(|logit| !logit.is_finite()) {
            return Err(RunError::NotFinite {
                position: place / 3,
            });
        }
        let logits = |idx: usize| &of_tokens[3 * idx..3 * idx + 3];
        let mut words: Vec<Word> = Vec::new();
        let mut n_tokens = 0.0;
        for (idx, range) in window.words.iter().enumerate() {
            let [start, end, evidence] = *logits(text_start + idx) else {
                continue;
            };
            match words.last_mut() {
                // The word continues: its end logit is this token's, and its evidence is the mean.
                Some(word) if word.range == *range => {
                    n_tokens += 1.0;
                    word.end = end;
                    word.evidence += (evidence - word.evidence) / n_tokens;
                }
                _ => {
                    n_tokens = 1.0;
                    words.push(Word {
                        range: range.clone(),
                        start,
                        end,
                        evidence,
                    });
                }
            }
        }
        Ok(Reading {
            relevant: of_window[0],
            answerable: of_window[1],
            null: logits(0)[0] + logits(0)[1],
            words,
        })
    }
}

/// Refuses a file without heads, or with heads of another version.
fn check_version(gguf: &Gguf) -> Result<(), LoadError> {
    let version = gguf.opt_u32(VERSION_KEY)?;
    let version = version.ok_or_else(|| LoadError::MissingMetadata {
        key: VERSION_KEY.into(),
    })?;
    if version != VERSION {
        return Err(LoadError::MetadataValue {
            key: VERSION_KEY.into(),
            expected: VERSION.to_string(),
            found: version.to_string(),
        });
    }
    Ok(())
}

/// The embedder, if it is the one that the file changes.
fn changed_by<'e>(gguf: &Gguf, embedder: Option<&'e Embedder>) -> Result<&'e Embedder, LoadError> {
    let expected = gguf.string(BASE_KEY)?;
    match embedder {
        Some(embedder) if embedder.name() == expected => Ok(embedder),
        other => Err(LoadError::MetadataValue {
            key: BASE_KEY.into(),
            expected: match other {
                Some(embedder) => format!("`{}`, the embedder next to it", embedder.name()),
                None => "no embedder, because none is loaded".into(),
            },
            found: expected.into(),
        }),
    }
}

/// The heads over tokens and over the window.
fn heads(tensors: &mut Tensors<Linear>, c: usize) -> Result<(Biased, Biased), LoadError> {
    let tokens = Biased::take(tensors, "reader.tokens", 3, c)?;
    Ok((tokens, Biased::take(tensors, "reader.window", 2, c)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(at: usize, start: f32, end: f32) -> Word {
        Word {
            range: at..at + 1,
            start,
            end,
            evidence: 0.0,
        }
    }

    #[test]
    fn the_best_span_ends_where_it_began_or_later() {
        let reading = Reading {
            relevant: 0.0,
            answerable: 0.0,
            null: 1.0,
            words: vec![
                word(0, 0.0, 9.0),
                word(2, 4.0, 1.0),
                word(4, 0.0, 2.0),
                word(6, 0.0, 3.0),
            ],
        };
        // The likeliest end is the first word, but that precedes the start.
        let found = reading.best_span(0..4, 2).expect("a span");
        assert_eq!(found.range, 0..1, "the first word alone has 9");
        assert_eq!(reading.best_span(1..4, 2).expect("a span").range, 2..5);
        assert_eq!(reading.best_span(4..4, 2), None, "no words");
        let wide = reading.best_span(1..4, 9).expect("a span");
        assert_eq!((wide.range, wide.margin), (2..7, 6.0));
    }
}
