//! Turns text into tokens and tokens into text, as the metadata of a GGUF file describes.
//!
//! | `tokenizer.ggml.model` | how | merging by |
//! |---|---|---|
//! | `gpt2`  | words by `tokenizer.ggml.pre`, spelt byte by byte, merged by a list | `tokenizers` |
//! | `llama` | SentencePiece's BPE: merged by score, unknown characters as bytes  | own, see there |
//! | `bert`  | cleaned words, longest pieces                                       | `tokenizers` |
//! | `t5`    | SentencePiece's unigram model: the likeliest pieces; encoders only  | own, see there |
//!
//! Other models (`rwkv`, ...) are refused.

mod byte_level;
mod byte_pair;
mod charsmap;
mod encoder;
mod frame;
mod pattern;
mod seams;
mod sentence_piece;
mod special;
mod split;
mod stream;
mod unigram;
mod vocabulary;
mod word_piece;

pub(crate) use encoder::EncoderTokenizer;
pub use stream::TokenStream;

use std::borrow::Cow;

use byte_pair::BytePair;
use frame::{Frame, Last};
use sentence_piece::{SPACE, SentencePiece};
use vocabulary::{Kind, Vocabulary};
use word_piece::{WordPiece, WordPieceTokenizer};

use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::token::TokenId;

/// The key that names the kind of tokenizer.
const MODEL_KEY: &str = "tokenizer.ggml.model";
/// The token that starts and ends a text in byte-level vocabularies, if the file names none. Source: llama.cpp,
/// `llama-vocab.cpp`.
const BYTE_LEVEL_ROLE: TokenId = TokenId(11);

/// The tokenizer of one model.
#[derive(Debug)]
pub struct Tokenizer {
    frame: Frame,
    model: Model,
}

#[derive(Debug)]
enum Model {
    BytePair(BytePair),
    SentencePiece(SentencePiece),
    WordPiece(WordPiece),
}

impl Tokenizer {
    /// Builds the tokenizer that `gguf` describes.
    ///
    /// # Errors
    /// [`LoadError::MissingMetadata`], [`LoadError::MetadataType`], [`LoadError::MetadataValue`] for a key that is
    /// missing, of the wrong type, or out of range; [`LoadError::Tokenizer`] for a vocabulary that `tokenizers`
    /// refuses.
    pub fn from_gguf(gguf: &Gguf) -> Result<Tokenizer, LoadError> {
        let (vocabulary, model, adds_first) = match gguf.string(MODEL_KEY)? {
            "gpt2" => {
                let mut vocabulary = Vocabulary::from_gguf(gguf)?;
                // Added around a text on request, but it ends no turn: in GPT-2's own vocabulary it is a comma.
                let known = Some(BYTE_LEVEL_ROLE).filter(|id| id.idx() < vocabulary.len());
                vocabulary.bos = vocabulary.bos.or(known);
                vocabulary.eos = vocabulary.eos.or(known);
                let model = BytePair::from_gguf(gguf, &vocabulary)?;
                let adds_first = model.splitter.add_bos;
                (vocabulary, Model::BytePair(model), adds_first)
            }
            "llama" => {
                let mut vocabulary = Vocabulary::from_gguf(gguf)?;
                // SentencePiece's own numbering, if the file does not say.
                let n_tokens = vocabulary.len();
                let known = |id: u32| Some(TokenId(id)).filter(|id| id.idx() < n_tokens);
                vocabulary.unknown = vocabulary.unknown.or(known(0));
                vocabulary.bos = vocabulary.bos.or(known(1));
                vocabulary.eos = vocabulary.eos.or(known(2));
                vocabulary.ends.extend(vocabulary.eos);
                let model = SentencePiece::from_gguf(gguf, &vocabulary)?;
                (vocabulary, Model::SentencePiece(model), true)
            }
            "bert" => {
                let WordPieceTokenizer { frame, model } = WordPieceTokenizer::from_gguf(gguf)?;
                let model = Model::WordPiece(model);
                return Ok(Tokenizer { frame, model });
            }
            other => return Err(unknown_model("`gpt2`, `llama` or `bert`", other)),
        };
        let last = Last {
            token: vocabulary.eos,
            key: "tokenizer.ggml.eos_token_id",
            adds_key: "tokenizer.ggml.add_eos_token",
            adds: false,
        };
        let frame = Frame::from_gguf(gguf, vocabulary, adds_first, last)?;
        Ok(Tokenizer { frame, model })
    }

    /// The tokens of a prompt. Control tokens spelt in it (`<|im_start|>`) steer the model, so it must come from a
    /// template; text by visitors or from pages must pass through [`Tokenizer::escape_control_tokens`] first.
    ///
    /// `add_special` adds the tokens that the model expects around a whole text, according to the file. A token that
    /// the text already starts or ends with is not doubled, so a rendered template may be encoded either way.
    ///
    /// # Errors
    /// [`RunError::Tokenize`] if `tokenizers` refuses the text; no such text is known.
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<TokenId>, RunError> {
        self.encode_with(text, true, add_special)
    }

    /// The tokens of a text in which control tokens have no effect: their spelling is tokenized like any other.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_text(&self, text: &str, add_special: bool) -> Result<Vec<TokenId>, RunError> {
        self.encode_with(text, false, add_special)
    }

    fn encode_with(
        &self,
        text: &str,
        may_steer: bool,
        add_special: bool,
    ) -> Result<Vec<TokenId>, RunError> {
        self.frame.encode(
            text,
            may_steer,
            add_special,
            |piece, is_start, tokens| match &self.model {
                Model::BytePair(model) => model.encode(piece, tokens),
                Model::SentencePiece(model) => {
                    model.encode(piece, is_start && model.add_space_prefix, tokens);
                    Ok(())
                }
                Model::WordPiece(model) => model.encode(piece, tokens),
            },
        )
    }

    /// `text`, made safe for a template: control tokens spelt in it are split by U+2060 and have no effect.
    ///
    /// Pages and visitors may write `<|im_end|>`; the model must see it as quoted text, not as the end of a turn.
    pub fn escape_control_tokens<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.frame.specials.part(text)
    }

    /// The text of `tokens`; control tokens yield none. Invalid UTF-8 becomes U+FFFD.
    pub fn decode(&self, tokens: &[TokenId]) -> String {
        let mut stream = self.stream();
        let mut text: String = tokens
            .iter()
            .filter_map(|&token| stream.push(token))
            .collect();
        text.extend(stream.finish());
        text
    }

    /// A decoder for tokens that arrive one at a time.
    pub fn stream(&self) -> TokenStream<'_> {
        TokenStream::new(self)
    }

    /// True if this token ends the model's text.
    pub fn is_end(&self, token: TokenId) -> bool {
        self.frame.vocabulary.ends.contains(&token)
    }

    /// The tokens that end the model's text.
    pub fn ends(&self) -> Vec<TokenId> {
        self.frame.vocabulary.ends.iter().copied().collect()
    }

    /// Number of tokens in the vocabulary.
    pub fn n_tokens(&self) -> usize {
        self.frame.vocabulary.len()
    }

    /// The token spelt exactly `piece` in the vocabulary (`<|im_end|>`, `[SEP]`).
    pub fn token(&self, piece: &str) -> Option<TokenId> {
        self.frame.vocabulary.find(piece)
    }

    /// Appends the bytes of `token`, which may be part of a character.
    pub(crate) fn append_bytes(&self, token: TokenId, bytes: &mut Vec<u8>) {
        let Some(piece) = self.frame.vocabulary.pieces.get(token.idx()) else {
            return;
        };
        match (self.frame.vocabulary.kinds[token.idx()], &self.model) {
            (Kind::Control | Kind::Unknown, _) => {}
            (Kind::Byte(byte), _) => bytes.push(byte),
            (Kind::UserDefined, _) => bytes.extend_from_slice(piece.as_bytes()),
            (Kind::Normal | Kind::Unused, Model::BytePair(_)) => byte_level::unspell(piece, bytes),
            (Kind::Normal | Kind::Unused, Model::SentencePiece(_) | Model::WordPiece(_)) => {
                for c in piece.chars() {
                    let c = if c == SPACE { ' ' } else { c };
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
    }

    /// True if the tokenizer added the space before the first word, so decoding must remove it.
    fn strips_first_space(&self) -> bool {
        match &self.model {
            Model::BytePair(_) => false,
            Model::SentencePiece(model) => model.add_space_prefix,
            Model::WordPiece(_) => true,
        }
    }
}

/// The error for a [`MODEL_KEY`] that is not `expected`.
fn unknown_model(expected: &str, found: &str) -> LoadError {
    LoadError::MetadataValue {
        key: MODEL_KEY.into(),
        expected: expected.into(),
        found: found.chars().take(64).collect(),
    }
}

#[cfg(test)]
mod tests;
