//! Summarises a LoRA file for people: which base it fits, which matrices it changes, and by how much.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{LoraPair, Voice, alpha, bases, load_pair, name};
use crate::error::LoadError;
use crate::gguf::Gguf;
use crate::parts::Parts;

/// The contents of a LoRA file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// `general.name`, or `adapter`.
    pub name: String,
    /// Its voice, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    /// The family of its base: `general.architecture`.
    pub architecture: String,
    /// `adapter.lora.alpha`.
    pub alpha: f32,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// How many matrices have each rank.
    pub ranks: BTreeMap<usize, usize>,
    /// The matrices it changes, by kind, such as `attn_q`.
    pub targets: BTreeMap<String, Target>,
}

/// The changes to all matrices of a kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Target {
    /// How many matrices: at most one per layer.
    pub matrices: usize,
    /// The Frobenius norm of the change `scale * B A`, over all of them together.
    pub norm: f64,
}

impl Summary {
    /// Reads a LoRA file; its base is not needed.
    ///
    /// # Errors
    /// As [`super::Adapter::load`], except for errors that only the base can reveal.
    pub fn read(parts: &Parts) -> Result<Self, LoadError> {
        let gguf = Gguf::parse(parts)?;
        let alpha = alpha(&gguf)?;
        let mut ranks = BTreeMap::new();
        let mut targets: BTreeMap<String, Target> = BTreeMap::new();
        for base in bases(&gguf, |_| false)? {
            let pair = load_pair(&gguf, parts, base, alpha, None)?;
            *ranks.entry(pair.rank).or_default() += 1;
            let target = targets.entry(kind(base).to_owned()).or_default();
            target.matrices += 1;
            target.norm += square(&pair);
        }
        for target in targets.values_mut() {
            target.norm = target.norm.sqrt();
        }
        Ok(Self {
            name: name(&gguf)?,
            voice: Voice::read(&gguf)?,
            architecture: gguf.string("general.architecture")?.to_owned(),
            alpha,
            bytes: parts.len(),
            ranks,
            targets,
        })
    }
}

/// `attn_q` of `blk.3.attn_q.weight`.
fn kind(base: &str) -> &str {
    let stem = base.strip_suffix(".weight").unwrap_or(base);
    stem.rsplit('.').next().unwrap_or(stem)
}

/// The squared norm of `scale * B A`, from inner products of rows and columns: `B A` itself would be as large as a
/// matrix of the base.
fn square(pair: &LoraPair) -> f64 {
    let n_cols = pair.a.len() / pair.rank;
    let mut sum = 0.0;
    for i in 0..pair.rank {
        for j in 0..pair.rank {
            let rows = |row: usize| &pair.a[row * n_cols..(row + 1) * n_cols];
            let inputs: f64 = products(rows(i).iter().zip(rows(j)));
            let column = |at: usize| pair.b.iter().skip(at).step_by(pair.rank);
            let outputs: f64 = products(column(i).zip(column(j)));
            sum += inputs * outputs;
        }
    }
    f64::from(pair.scale).powi(2) * sum.max(0.0)
}

fn products<'v>(pairs: impl Iterator<Item = (&'v f32, &'v f32)>) -> f64 {
    pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::write::Writer;
    use crate::tiny::Tiny;

    fn read(writer: &Writer) -> Result<Summary, LoadError> {
        Summary::read(&Parts::new(vec![writer.finish()]))
    }

    #[test]
    fn the_norm_is_that_of_the_whole_product() {
        // 2 * [1 2; 3 4] [1 0 1; 0 1 0] = 2 * [1 2 1; 3 4 3], whose squares add up to 4 * 40.
        let pair = LoraPair {
            rank: 2,
            scale: 2.0,
            a: vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0],
            b: vec![1.0, 2.0, 3.0, 4.0],
        };
        assert_eq!(square(&pair), 160.0);
    }

    #[test]
    fn says_what_a_file_holds() {
        let found = read(&Tiny::default().adapter_writer(4, 8.0)).unwrap();
        assert_eq!((found.name.as_str(), found.alpha), ("tiny adapter", 8.0));
        assert_eq!(found.architecture, "llama");
        assert_eq!(found.ranks, BTreeMap::from([(4, 15)]), "rank: matrices");
        assert_eq!(found.targets["attn_q"].matrices, 2, "one for each layer");
        assert_eq!(found.targets["output"].matrices, 1);
        assert!(found.targets["ffn_down"].norm > 0.0, "it changes something");
    }

    #[test]
    fn refuses_what_is_no_adapter() {
        let error = read(&Tiny::default().writer()).unwrap_err();
        assert_eq!(error.to_string(), "metadata `general.type` is missing");
    }
}
