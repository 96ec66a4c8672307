//! Turns logits into the next token: the likeliest, or a draw that a seed makes repeatable.

use std::collections::{BTreeSet, VecDeque};

use crate::reference::argmax::argmax;
use crate::reference::softmax::softmax;
use crate::token::TokenId;

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleOptions {
    /// Divides the logits: 0 always takes the likeliest token, 1 draws as the model says, more draws more evenly.
    pub temperature: f32,
    /// Draws among this many likeliest tokens; 0 among all.
    pub top_k: usize,
    /// Draws among the likeliest tokens that together have this share: 1 among all, 0 takes the likeliest.
    pub top_p: f32,
    /// Leaves out tokens less likely than this share of the likeliest one; 0 leaves out none.
    pub min_p: f32,
    /// Divides the positive logits, and multiplies the negative ones, of tokens among the last 64; 1 lets them be.
    /// Source: Keskar et al., "CTRL" (2019).
    pub repetition_penalty: f32,
    /// The same seed, prompt and model give the same text.
    pub seed: u64,
}

impl Default for SampleOptions {
    /// Greedy; with a temperature, among the 40 likeliest and 95 % of the share.
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

/// Tokens that a penalty remembers.
const MEMORY: usize = 64;

/// Chooses tokens for one sequence.
#[derive(Debug, Clone)]
pub struct Sampler {
    options: SampleOptions,
    random: Random,
    /// The last tokens, at most [`MEMORY`].
    last: VecDeque<TokenId>,
}

impl Sampler {
    /// A sampler at the start of its seed's sequence.
    pub fn new(options: SampleOptions) -> Self {
        Self {
            options,
            random: Random::new(options.seed),
            last: VecDeque::new(),
        }
    }

    /// Takes note of tokens that stand before the next one.
    pub fn read(&mut self, tokens: &[TokenId]) {
        self.last
            .extend(&tokens[tokens.len().saturating_sub(MEMORY)..]);
        self.last.drain(..self.last.len().saturating_sub(MEMORY));
    }

    /// The next token. `logits` must hold at least one value, all finite.
    pub fn sample(&mut self, logits: &[f32]) -> TokenId {
        let penalty = self.options.repetition_penalty;
        // Written so that NaN lets them be too.
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

    fn choose(&mut self, logits: &[f32]) -> TokenId {
        let SampleOptions {
            temperature,
            top_k,
            top_p,
            min_p,
            ..
        } = self.options;
        // Written so that NaN is greedy too.
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
        // A tiny temperature overflows; what remains is the likeliest.
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
        // The likeliest stays, whatever was asked for.
        let n_likely = shares
            .iter()
            .take_while(|share| **share >= min_p * shares[0])
            .count();
        n_kept = n_kept.min(n_likely.max(1));
        let total: f32 = shares[..n_kept].iter().sum();
        let mut left = self.random.next_f32() * total;
        for ((token, _), share) in candidates[..n_kept].iter().zip(&shares) {
            left -= share;
            if left < 0.0 {
                return *token;
            }
        }
        // Rounding may leave a rest behind the last one.
        candidates[n_kept - 1].0
    }
}

/// PCG-XSH-RR 64/32, after O'Neill (2014), with the increment of its reference implementation.
#[derive(Debug, Clone)]
struct Random {
    state: u64,
}

impl Random {
    const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
    const INCREMENT: u64 = 1_442_695_040_888_963_407;

    fn new(seed: u64) -> Self {
        let mut random = Self {
            state: seed.wrapping_add(Self::INCREMENT),
        };
        random.next_u32();
        random
    }

    fn next_u32(&mut self) -> u32 {
        let state = self.state;
        self.state = state
            .wrapping_mul(Self::MULTIPLIER)
            .wrapping_add(Self::INCREMENT);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the generator keeps the low 32 bits"
        )]
        let mixed = (((state >> 18) ^ state) >> 27) as u32;
        mixed.rotate_right((state >> 59) as u32)
    }

    /// From 0 to below 1, in steps of 2^-24.
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit exactly")]
    fn next_f32(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 / (1u32 << 24) as f32
    }
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
            counts[sampler.sample(logits).idx()] += 1;
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
            (0..20)
                .map(|_| sampler.sample(&logits).0)
                .collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1), "one seed");
        assert_ne!(run(1), run(2), "another seed");
    }
}
