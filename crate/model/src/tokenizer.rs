//! Turns text into tokens and tokens into text, as the metadata of a GGUF file say.
//!
//! | `tokenizer.ggml.model` | how | merging by |
//! |---|---|---|
//! | `gpt2`  | words by `tokenizer.ggml.pre`, spelt byte by byte, merged by a list | `tokenizers` |
//! | `llama` | SentencePiece's BPE: merged by score, unknown characters as bytes  | own, see there |
//! | `bert`  | cleaned words, longest pieces                                       | `tokenizers` |
//!
//! Other models (`t5`, `rwkv`, ...) are refused.

mod byte_level;
mod byte_pair;
mod pattern;
mod sentence_piece;
mod special;
mod split;
mod stream;
mod vocabulary;
mod word_piece;

pub use stream::TokenStream;

use std::borrow::Cow;

use byte_pair::BytePair;
use sentence_piece::{SPACE, SentencePiece};
use special::{Fragment, SpecialTokens};
use vocabulary::{Kind, Vocabulary};
use word_piece::WordPiece;

use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::token::TokenId;

/// The tokenizer of one model.
#[derive(Debug)]
pub struct Tokenizer {
    vocabulary: Vocabulary,
    specials: SpecialTokens,
    model: Model,
    /// Put before a whole text.
    first: Option<TokenId>,
    /// Put after a whole text.
    last: Option<TokenId>,
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
    /// not there, not of its type, or not possible; [`LoadError::Tokenizer`] for what `tokenizers` refuses.
    pub fn from_gguf(gguf: &Gguf) -> Result<Tokenizer, LoadError> {
        const MODEL: &str = "tokenizer.ggml.model";
        let mut vocabulary = Vocabulary::from_gguf(gguf)?;
        let (model, adds_bos, adds_last) = match gguf.string(MODEL)? {
            "gpt2" => {
                let model = BytePair::from_gguf(gguf, &vocabulary)?;
                let adds_bos = model.splitter.add_bos;
                (Model::BytePair(model), adds_bos, false)
            }
            "llama" => {
                // SentencePiece's own numbering, where the file does not say.
                let n_tokens = vocabulary.len();
                let known = |id: u32| Some(TokenId(id)).filter(|id| id.idx() < n_tokens);
                vocabulary.unknown = vocabulary.unknown.or(known(0));
                vocabulary.bos = vocabulary.bos.or(known(1));
                vocabulary.eos = vocabulary.eos.or(known(2));
                vocabulary.ends.extend(vocabulary.eos);
                let model = SentencePiece::from_gguf(gguf, &vocabulary)?;
                (Model::SentencePiece(model), true, false)
            }
            "bert" => {
                vocabulary.bos = vocabulary.bos.or_else(|| vocabulary.find("[CLS]"));
                vocabulary.separator = vocabulary.separator.or_else(|| vocabulary.find("[SEP]"));
                (
                    Model::WordPiece(WordPiece::from_gguf(gguf, &vocabulary)?),
                    true,
                    true,
                )
            }
            other => {
                return Err(LoadError::MetadataValue {
                    key: MODEL.into(),
                    expected: "`gpt2`, `llama` or `bert`".into(),
                    found: other.chars().take(64).collect(),
                });
            }
        };
        let is_word_piece = matches!(model, Model::WordPiece(_));
        let (last, last_key, adds_key) = if is_word_piece {
            (
                vocabulary.separator,
                "tokenizer.ggml.seperator_token_id",
                "tokenizer.ggml.add_sep_token",
            )
        } else {
            (
                vocabulary.eos,
                "tokenizer.ggml.eos_token_id",
                "tokenizer.ggml.add_eos_token",
            )
        };
        let first = wanted(
            gguf.opt_bool("tokenizer.ggml.add_bos_token")?
                .unwrap_or(adds_bos),
            vocabulary.bos,
            "tokenizer.ggml.bos_token_id",
        )?;
        let last = wanted(
            gguf.opt_bool(adds_key)?.unwrap_or(adds_last),
            last,
            last_key,
        )?;
        Ok(Tokenizer {
            specials: SpecialTokens::of(&vocabulary),
            vocabulary,
            model,
            first,
            last,
        })
    }

    /// The tokens of a prompt. Control tokens spelt in it (`<|im_start|>`) steer the model, so it must come from a
    /// template; what readers or pages wrote goes into it by [`Tokenizer::harmless`].
    ///
    /// `add_special` adds the tokens that the model expects around a whole text, as the file says. One that the text
    /// already starts or ends with is not doubled, so a rendered template may be encoded either way.
    ///
    /// # Errors
    /// [`RunError::Tokenize`] if `tokenizers` refuses the text; none is known that it does.
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<TokenId>, RunError> {
        self.encode_fragments(&self.specials.cut(text, true), add_special)
    }

    /// The tokens of a text in which control tokens mean nothing: their spelling is tokenized like any other.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_text(&self, text: &str, add_special: bool) -> Result<Vec<TokenId>, RunError> {
        self.encode_fragments(&self.specials.cut(text, false), add_special)
    }

    /// `text`, safe to stand in a template: a control token spelt in it is parted by U+2060 and steers nothing.
    ///
    /// Pages and readers may write `<|im_end|>`; what they write is quoted to the model, never obeyed as its frame.
    pub fn harmless<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.specials.part(text)
    }

    fn encode_fragments(
        &self,
        fragments: &[Fragment<'_>],
        add_special: bool,
    ) -> Result<Vec<TokenId>, RunError> {
        let mut tokens = Vec::new();
        let mut after_special = true;
        for fragment in fragments {
            match fragment {
                Fragment::Token(id) => tokens.push(*id),
                Fragment::Text(text) => match &self.model {
                    Model::BytePair(model) => model.encode(text, &mut tokens)?,
                    Model::SentencePiece(model) => {
                        model.encode(text, after_special && model.add_space_prefix, &mut tokens);
                    }
                    Model::WordPiece(model) => model.encode(text, &mut tokens)?,
                },
            }
            after_special = matches!(fragment, Fragment::Token(_));
        }
        if add_special {
            if let Some(first) = self.first.filter(|first| tokens.first() != Some(first)) {
                tokens.insert(0, first);
            }
            tokens.extend(self.last.filter(|last| tokens.last() != Some(last)));
        }
        Ok(tokens)
    }

    /// The text of `tokens`; control tokens have none. Bytes that are no text become U+FFFD.
    pub fn decode(&self, tokens: &[TokenId]) -> String {
        let mut stream = self.stream();
        let mut text: String = tokens
            .iter()
            .filter_map(|&token| stream.push(token))
            .collect();
        text.extend(stream.finish());
        text
    }

    /// A decoder for tokens that come one at a time.
    pub fn stream(&self) -> TokenStream<'_> {
        TokenStream::new(self)
    }

    /// Whether the model says with this token that it is done.
    pub fn is_end(&self, token: TokenId) -> bool {
        self.vocabulary.ends.contains(&token)
    }

    /// Number of tokens in the vocabulary.
    pub fn n_tokens(&self) -> usize {
        self.vocabulary.len()
    }

    /// The token spelt exactly `piece` in the vocabulary (`<|im_end|>`, `[SEP]`).
    pub fn token(&self, piece: &str) -> Option<TokenId> {
        self.vocabulary.find(piece)
    }

    /// Appends what `token` stands for, which may be part of a character.
    fn append_bytes(&self, token: TokenId, bytes: &mut Vec<u8>) {
        let Some(piece) = self.vocabulary.pieces.get(token.idx()) else {
            return;
        };
        match (self.vocabulary.kinds[token.idx()], &self.model) {
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

    /// Whether the space before the first word was added by the tokenizer, and is taken away again.
    fn strips_first_space(&self) -> bool {
        match &self.model {
            Model::BytePair(_) => false,
            Model::SentencePiece(model) => model.add_space_prefix,
            Model::WordPiece(_) => true,
        }
    }
}

/// `token` if it is to be added; then it must exist.
fn wanted(is_added: bool, token: Option<TokenId>, key: &str) -> Result<Option<TokenId>, LoadError> {
    match token {
        None if is_added => Err(LoadError::MissingMetadata { key: key.into() }),
        token => Ok(token.filter(|_| is_added)),
    }
}

#[cfg(test)]
mod tests;
