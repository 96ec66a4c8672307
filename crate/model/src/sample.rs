//! Turns logits into the next token: the likeliest, or a draw made repeatable by a seed.

use std::collections::{BTreeSet, VecDeque};

use crate::ops::argmax::argmax;
use crate::ops::softmax::softmax;
use crate::token::TokenId;

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleOptions {
    /// Divides the logits: 0 is greedy, 1 samples the model's own distribution, higher values flatten it.
    pub temperature: f32,
    /// Keeps only this many of the likeliest tokens; 0 keeps all.
    pub top_k: usize,
    /// Keeps the likeliest tokens that together reach this probability: 1 keeps all, 0 is greedy.
    pub top_p: f32,
    /// Drops tokens less likely than this share of the likeliest one's probability; 0 drops none.
    pub min_p: f32,
    /// Divides the positive logits, and multiplies the negative ones, of tokens among the last 64; 1 leaves them
    /// unchanged. Source: Keskar et al., "CTRL" (2019).
    pub repetition_penalty: f32,
    /// The same seed, prompt and model give the same text on every backend: a draw depends only on seed, position and
    /// token. Backends may diverge where two tokens are so close that rounding decides.
    pub seed: u64,
}

impl Default for SampleOptions {
    /// Greedy; given a temperature, top-k 40 and top-p 0.95.
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.0,
            repetition_penalty: 1.0,
            seed: 0,
        }
    }
}

/// How many recent tokens the penalty covers.
const MEMORY: usize = 64;

/// Chooses tokens for one sequence. Twin of `kernels/sample/choose.wgsl`.
#[derive(Debug, Clone)]
pub struct Sampler {
    options: SampleOptions,
    /// The position of the next token.
    position: u32,
    /// The last tokens, at most [`MEMORY`].
    last: VecDeque<TokenId>,
}

impl Sampler {
    /// A sampler at the start of a sequence.
    pub fn new(options: SampleOptions) -> Self {
        Self {
            options,
            position: 0,
            last: VecDeque::new(),
        }
    }

    /// Records the tokens before the next one. Every token must be passed, since a draw depends on its position.
    pub fn read(&mut self, tokens: &[TokenId]) {
        let n_tokens = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        self.position = self.position.wrapping_add(n_tokens);
        self.last
            .extend(&tokens[tokens.len().saturating_sub(MEMORY)..]);
        self.last.drain(..self.last.len().saturating_sub(MEMORY));
    }

    /// The next token; the same one for the same logits until another token is read. `logits` must hold at least one
    /// value, all finite.
    pub fn sample(&self, logits: &[f32]) -> TokenId {
        let penalty = self.options.repetition_penalty;
        // Written so that a NaN penalty also leaves them unchanged.
        if !(penalty > 0.0 && penalty != 1.0) || self.last.is_empty() {
            return self.choose(logits);
        }
        let mut logits = logits.to_vec();
        let once: BTreeSet<TokenId> = self.last.iter().copied().collect();
        for token in once {
            if let Some(logit) = logits.get_mut(token.idx()) {
                *logit = if *logit > 0.0 {
                    *logit / penalty
                } else {
                    *logit * penalty
                };
            }
        }
        self.choose(&logits)
    }

    fn choose(&self, logits: &[f32]) -> TokenId {
        let SampleOptions {
            temperature,
            top_k,
            top_p,
            min_p,
            ..
        } = self.options;
        // Written so that NaN options are greedy too.
        if !(temperature > 0.0 && top_p > 0.0) || top_k == 1 {
            return argmax(logits);
        }
        let ids = 0..u32::try_from(logits.len()).unwrap_or(u32::MAX);
        let mut candidates: Vec<(TokenId, f32)> =
            ids.map(TokenId).zip(logits.iter().copied()).collect();
        let likelier =
            |a: &(TokenId, f32), b: &(TokenId, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if (1..candidates.len()).contains(&top_k) {
            candidates.select_nth_unstable_by(top_k - 1, likelier);
            candidates.truncate(top_k);
        }
        candidates.sort_unstable_by(likelier);

        let mut shares: Vec<f32> = candidates
            .iter()
            .map(|(_, logit)| logit / temperature)
            .collect();
        // A tiny temperature overflows; then only the likeliest token remains.
        if !shares.iter().all(|share| share.is_finite()) {
            return argmax(logits);
        }
        softmax(&mut shares);
        let mut total = 0.0;
        let mut n_kept = 0;
        for share in &shares {
            total += share;
            n_kept += 1;
            if total >= top_p {
                break;
            }
        }
        // The likeliest token always stays.
        let n_likely = shares
            .iter()
            .take_while(|share| **share >= min_p * shares[0])
            .count();
        n_kept = n_kept.min(n_likely.max(1));
        // The argmax of logit plus Gumbel noise is a draw from the softmax, and needs no sort on a device.
        let place = hashed(self.position ^ hashed(folded(self.options.seed)));
        let noisy = |(token, logit): &(TokenId, f32)| {
            let uniform = uniform(hashed(token.0 ^ place));
            (*token, logit / temperature - (-uniform.ln()).ln())
        };
        let drawn = candidates[..n_kept].iter().map(noisy);
        drawn
            .max_by(|a, b| likelier(b, a))
            .map_or(candidates[0].0, |(token, _)| token)
    }
}

/// A seed folded to the 32 bits that draws use.
#[expect(clippy::cast_possible_truncation, reason = "both halves are mixed")]
pub(crate) fn folded(seed: u64) -> u32 {
    (seed ^ seed >> 32) as u32
}

/// O'Neill, "PCG" (2014), the RXS-M-XS permutation. WGSL: `hashed`.
fn hashed(value: u32) -> u32 {
    let state = value.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

/// In (0, 1), both ends excluded: 23 bits plus one half is exact in f32. WGSL: `uniform_of`.
#[expect(clippy::cast_precision_loss, reason = "23 bits fit exactly")]
fn uniform(bits: u32) -> f32 {
    ((bits >> 9) as f32 + 0.5) / (1u32 << 23) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(temperature: f32, top_k: usize, top_p: f32, seed: u64) -> SampleOptions {
        SampleOptions {
            temperature,
            top_k,
            top_p,
            seed,
            ..SampleOptions::default()
        }
    }

    fn draw(options: SampleOptions, logits: &[f32], n_draws: usize) -> Vec<usize> {
        let mut sampler = Sampler::new(options);
        let mut counts = vec![0; logits.len()];
        for _ in 0..n_draws {
            let token = sampler.sample(logits);
            counts[token.idx()] += 1;
            sampler.read(&[token]);
        }
        counts
    }

    #[test]
    fn takes_the_likeliest_at_temperature_zero() {
        assert_eq!(
            draw(options(0.0, 0, 1.0, 7), &[0.0, 2.0, 1.0], 10),
            [0, 10, 0],
            "greedy"
        );
        assert_eq!(
            draw(options(1.0, 1, 1.0, 7), &[0.0, 2.0, 1.0], 10),
            [0, 10, 0],
            "top 1"
        );
        assert_eq!(
            draw(options(1.0, 0, 0.0, 7), &[0.0, 2.0, 1.0], 10),
            [0, 10, 0],
            "no share"
        );
        assert_eq!(
            draw(options(1e-44, 0, 1.0, 7), &[0.0, 2.0, 1.0], 10),
            [0, 10, 0],
            "frozen"
        );
    }

    #[test]
    fn draws_as_often_as_the_model_says() {
        let logits = [0.0, 3f32.ln(), 0.0];
        let counts = draw(options(1.0, 0, 1.0, 3), &logits, 10_000);
        for (count, expected) in counts.iter().zip([2000i32, 6000, 2000]) {
            // Four standard deviations of 10,000 draws.
            assert!(
                (i32::try_from(*count).unwrap() - expected).abs() < 200,
                "seed 3: {counts:?}"
            );
        }
    }

    #[test]
    fn leaves_out_what_is_unlikely() {
        let logits = [1.0, 4.0, 2.0, 3.0];
        let counts = draw(options(2.0, 2, 1.0, 5), &logits, 1000);
        assert!(
            counts[0] == 0 && counts[2] == 0 && counts[3] > 0,
            "top 2: {counts:?}"
        );
        let counts = draw(options(1.0, 0, 0.7, 5), &logits, 1000);
        assert!(
            counts[0] == 0 && counts[2] == 0 && counts[3] > 0,
            "share 0.7: {counts:?}"
        );
    }

    #[test]
    fn leaves_out_what_is_far_from_the_likeliest() {
        let options = SampleOptions {
            min_p: 0.3,
            ..options(1.0, 0, 1.0, 5)
        };
        let counts = draw(options, &[0.0, 3f32.ln(), -2.0, 2f32.ln()], 1000);
        assert!(
            counts[2] == 0 && counts[0] > 0,
            "share 0.3 of the likeliest: {counts:?}"
        );
    }

    #[test]
    fn tires_of_what_was_said() {
        let mut sampler = Sampler::new(SampleOptions {
            repetition_penalty: 2.0,
            ..options(0.0, 0, 1.0, 5)
        });
        let logits = [1.0, 3.0, 2.0, -1.0];
        assert_eq!(sampler.sample(&logits), TokenId(1), "nothing was said yet");
        sampler.read(&[TokenId(1)]);
        assert_eq!(
            sampler.sample(&logits),
            TokenId(2),
            "half of 3 is less than 2"
        );
        sampler.read(&[TokenId(3); MEMORY]);
        assert_eq!(
            sampler.sample(&logits),
            TokenId(1),
            "forgotten after {MEMORY} tokens"
        );
    }

    #[test]
    fn repeats_itself_by_seed() {
        let logits: Vec<f32> = (0..50).map(|i| (i % 7) as f32).collect();
        let run = |seed| {
            let mut sampler = Sampler::new(options(1.0, 40, 0.95, seed));
            let mut next = || {
                let token = sampler.sample(&logits);
                sampler.read(&[token]);
                token.0
            };
            (0..20).map(|_| next()).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1), "one seed");
        assert_ne!(run(1), run(2), "another seed");
    }

    #[test]
    fn draws_by_seed_place_and_token_alone() {
        let logits = [0.0; 50];
        let options = options(1.0, 0, 1.0, 7);
        let mut at_once = Sampler::new(options);
        at_once.read(&[TokenId(3), TokenId(4)]);
        let mut in_turn = Sampler::new(options);
        in_turn.read(&[TokenId(30)]);
        in_turn.read(&[TokenId(40)]);
        assert_eq!(
            at_once.sample(&logits),
            in_turn.sample(&logits),
            "two tokens stand before it"
        );
        let first = Sampler::new(options).sample(&logits);
        let mut others = [0.0; 50];
        others[first.idx()] = -50.0;
        let second = Sampler::new(options).sample(&others);
        others[first.idx()] = 0.0;
        others[second.idx()] = -50.0;
        assert_eq!(
            Sampler::new(options).sample(&others),
            first,
            "what else may be drawn does not matter"
        );
        for bits in [0, u32::MAX] {
            let found = uniform(bits);
            assert!(found > 0.0 && found < 1.0, "{bits}: {found}");
        }
    }
}
