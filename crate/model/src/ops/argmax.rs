//! The greedy choice.

use crate::token::TokenId;

/// The token with the largest logit; the first one on a tie, and 0 if there are no logits.
pub fn argmax(logits: &[f32]) -> TokenId {
    let mut best = 0;
    for (idx, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = idx;
        }
    }
    TokenId(u32::try_from(best).unwrap_or(u32::MAX))
}
