//! Cuts the vocabulary of an encoder down to some of its tokens: their spellings, scores and rows.
//!
//! A multilingual encoder is mostly vocabulary: of the 118 million parameters of multilingual-e5-small, 96 million are the
//! rows of 250,002 tokens, of which a site in one language uses a tenth.

use std::collections::BTreeSet;

use super::write::{TensorOut, Writer};
use super::{Gguf, Value};
use crate::error::LoadError;
use crate::parts::Parts;
use crate::token::TokenId;

/// The rows of the tokens.
const EMBEDDING: &str = "token_embd.weight";
/// Arrays with a value for each token.
const BY_TOKEN: [&str; 3] = ["tokens", "scores", "token_type"];
/// Where every key about the tokens begins.
const PREFIX: &str = "tokenizer.ggml.";
/// How the keys end that name a token by its id.
const ID: &str = "_token_id";

/// The same encoder with the tokens in `kept` alone, in their order; tokens with a role stay.
///
/// # Errors
/// [`LoadError::MissingMetadata`] or [`LoadError::MissingTensor`] for a file without a vocabulary;
/// [`LoadError::TensorShape`] if rows and tokens differ in number.
pub fn keep(parts: &Parts, kept: &BTreeSet<TokenId>) -> Result<Vec<u8>, LoadError> {
    let gguf = Gguf::parse(parts)?;
    let n_tokens = gguf.strings(&format!("{PREFIX}tokens"))?.len();
    let entry = gguf.entry(EMBEDDING)?;
    let [width, n_rows] = entry.shape[..] else {
        return Err(shape(entry.shape.clone(), n_tokens));
    };
    let rows = gguf.tensor(parts, EMBEDDING)?;
    if n_rows != n_tokens || n_rows == 0 || !rows.len().is_multiple_of(n_rows) {
        return Err(shape(entry.shape.clone(), n_tokens));
    }
    let is_role = |key: &str| key.starts_with(PREFIX) && key.ends_with(ID);
    let mut kept = kept.clone();
    for key in gguf.metadata.keys().filter(|key| is_role(key)) {
        kept.extend(gguf.opt_u32(key)?.map(TokenId));
    }
    let kept: Vec<TokenId> = kept.into_iter().filter(|id| id.idx() < n_tokens).collect();
    let mut writer = Writer::new();
    for (key, value) in &gguf.metadata {
        let by_token = key
            .strip_prefix(PREFIX)
            .is_some_and(|key| BY_TOKEN.contains(&key));
        let value = match value {
            Value::Array(values) if by_token && values.len() == n_tokens => {
                Value::Array(kept.iter().map(|id| values[id.idx()].clone()).collect())
            }
            value if is_role(key) => {
                let found = value.as_integer();
                let place = kept.iter().position(|id| Some(i128::from(id.0)) == found);
                let place = place.and_then(|place| u32::try_from(place).ok());
                place.map_or_else(|| value.clone(), Value::U32)
            }
            value => value.clone(),
        };
        writer.set(key, value);
    }
    let mut in_order: Vec<_> = gguf.tensors.iter().collect();
    in_order.sort_by_key(|(_, entry)| entry.offset);
    for (name, entry) in in_order {
        let (shape, bytes) = if name == EMBEDDING {
            let row = rows.len() / n_rows;
            let rows = kept.iter().flat_map(|id| &rows[id.idx() * row..][..row]);
            (vec![width, kept.len()], rows.copied().collect())
        } else {
            (entry.shape.clone(), gguf.tensor(parts, name)?.into_owned())
        };
        writer.add(TensorOut {
            name: name.clone(),
            kind: entry.kind,
            shape,
            bytes,
        });
    }
    Ok(writer.finish())
}

fn shape(found: Vec<usize>, n_tokens: usize) -> LoadError {
    let width = found.first().copied().unwrap_or(0);
    LoadError::TensorShape {
        name: EMBEDDING.into(),
        expected: vec![width, n_tokens],
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::TensorType;

    fn encoder() -> Writer {
        let mut writer = Writer::new();
        let pieces = ["<s>", "</s>", "<unk>", "a", "b", "c"].map(Value::from);
        let scores = [0.0, 0.0, 0.0, -1.0, -2.0, -3.0].map(Value::F32);
        let values: Vec<f32> = (0..12u8).map(f32::from).collect();
        writer
            .set("tokenizer.ggml.tokens", Value::Array(pieces.to_vec()))
            .set("tokenizer.ggml.scores", Value::Array(scores.to_vec()))
            .set("tokenizer.ggml.eos_token_id", 1u32)
            .set("tokenizer.ggml.unknown_token_id", 2u32)
            .add(TensorOut::pack(
                EMBEDDING,
                TensorType::F32,
                &[2, 6],
                &values,
            ))
            .add(TensorOut::pack(
                "position_embd.weight",
                TensorType::F32,
                &[2, 1],
                &[7.0; 2],
            ));
        writer
    }

    #[test]
    fn kept_tokens_keep_their_rows_and_roles() {
        let parts = Parts::new(vec![encoder().finish()]);
        let kept = BTreeSet::from([TokenId(5), TokenId(3), TokenId(99)]);
        let cut = Parts::new(vec![keep(&parts, &kept).expect("it is cut")]);
        let gguf = Gguf::parse(&cut).expect("it is GGUF");
        let tokens = gguf.strings("tokenizer.ggml.tokens").expect("tokens");
        assert_eq!(tokens, ["</s>", "<unk>", "a", "c"]);
        let scores = gguf.floats("tokenizer.ggml.scores").expect("scores");
        assert_eq!(scores, [0.0, 0.0, -1.0, -3.0]);
        assert_eq!(gguf.opt_u32("tokenizer.ggml.eos_token_id"), Ok(Some(0)));
        assert_eq!(gguf.opt_u32("tokenizer.ggml.unknown_token_id"), Ok(Some(1)));
        assert_eq!(gguf.tensors[EMBEDDING].shape, [2, 4]);
        let rows = gguf.tensor(&cut, EMBEDDING).expect("rows");
        let rows: Vec<f32> = rows
            .chunks(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
            .collect();
        assert_eq!(rows, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 10.0, 11.0]);
        let positions = gguf
            .tensor(&cut, "position_embd.weight")
            .expect("positions");
        assert_eq!(positions.len(), 8, "other tensors stay whole");
    }

    #[test]
    fn rows_without_tokens_are_refused() {
        let mut writer = encoder();
        writer.unset("tokenizer.ggml.tokens");
        let parts = Parts::new(vec![writer.finish()]);
        assert!(keep(&parts, &BTreeSet::new()).is_err());
        let mut writer = encoder();
        writer.tensors[0] = TensorOut::pack(EMBEDDING, TensorType::F32, &[2, 5], &[0.0; 10]);
        let error = keep(&Parts::new(vec![writer.finish()]), &BTreeSet::new());
        assert!(
            matches!(error, Err(LoadError::TensorShape { .. })),
            "{error:?}"
        );
    }
}
