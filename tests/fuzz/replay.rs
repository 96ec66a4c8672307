//! Replays each committed corpus file, freshly made valid input, and a bounded number of seeded mutations of both
//! through the fuzz targets: every run checks what libFuzzer once found, and may find something new.

#![expect(
    unreachable_pub,
    reason = "libFuzzer's programs include the targets too"
)]

mod targets;

use std::fs;
use std::path::Path;

use harness::tiny;
use targets::TARGETS;

/// Mutations of each input, unless `ANCHORITE_FUZZ_ROUNDS` is set.
const ROUNDS: u64 = 60;
/// Larger inputs are mutated less often, so that all take about the same time.
const BYTES_PER_ROUND: usize = 4096;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        let n = n.max(1) as u64;
        usize::try_from(self.next() % n).unwrap_or(0)
    }

    /// Makes a few mutations as libFuzzer would: bits, bytes, cuts, repeats, numbers at their limits, pieces of another
    /// input.
    fn change(&mut self, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(32)).min(bytes.len());
            match self.below(8) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = self.next().to_le_bytes()[0],
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..end)),
                4 => {
                    let piece = bytes[at.min(end)..end].to_vec();
                    let times = 1 + self.below(64);
                    bytes.splice(at..at, piece.repeat(times));
                }
                5 => {
                    let limits = [
                        0,
                        1,
                        0x7f,
                        0x80,
                        0xff,
                        u64::from(u32::MAX),
                        u64::MAX,
                        1 << 40,
                    ];
                    let number = limits[self.below(limits.len())].to_le_bytes();
                    let n_bytes = [1, 2, 4, 8][self.below(4)];
                    let end = (at + n_bytes).min(bytes.len());
                    bytes.splice(at..end, number[..n_bytes].iter().copied());
                }
                6 if !others.is_empty() => {
                    let other = &others[self.below(others.len())];
                    let from = self.below(other.len());
                    let to = (from + 1 + self.below(64)).min(other.len());
                    bytes.splice(at..at, other[from.min(to)..to].iter().copied());
                }
                _ => bytes.insert(at.min(bytes.len()), self.next().to_le_bytes()[0]),
            }
        }
        bytes
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let mut paths: Vec<_> = fs::read_dir(&dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a corpus file"))
        .collect()
}

fn replay(name: &str) {
    let target = TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("a target");
    let rounds = std::env::var("ANCHORITE_FUZZ_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(ROUNDS);
    let mut inputs = corpus(name);
    inputs.extend((target.seeds)());
    assert!(!inputs.is_empty(), "`{name}` has no corpus");
    (target.run)(&[]);
    for (number, input) in (0_u64..).zip(&inputs) {
        (target.run)(input);
        let n_rounds = rounds / (1 + (input.len() / BYTES_PER_ROUND) as u64);
        for round in 0..n_rounds.max(4) {
            let mut random = Random((number << 32) | round);
            let changed = random.change(input, &inputs);
            let result = std::panic::catch_unwind(|| (target.run)(&changed));
            assert!(
                result.is_ok(),
                "`{name}`, input {number}, round {round}: {changed:?}"
            );
        }
    }
}

macro_rules! replays {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            replay(stringify!($name));
        }
    )*};
}

replays!(
    html, markdown, text, config, judged, manifest, index_file, shards, vectors, gguf, tokenizer,
    template, lora, peft, registry, parquet, selector
);

#[test]
fn every_target_has_a_binary_for_libfuzzer() {
    let manifest = include_str!("Cargo.toml");
    for target in &TARGETS {
        let path = format!("fuzz_targets/{}.rs", target.name);
        assert!(
            manifest.contains(&path),
            "`{path}` is missing in tests/fuzz/Cargo.toml"
        );
    }
}

/// Writes valid input of the binary formats into the corpus; run it when a format has changed.
#[test]
#[ignore = "writes into the checkout"]
fn write_seeds() {
    for target in &TARGETS {
        for (number, seed) in (0..).zip((target.seeds)()) {
            let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("fuzz/corpus")
                .join(target.name);
            fs::create_dir_all(&dir).expect("the corpus");
            if seed.len() <= 16 << 10 {
                fs::write(dir.join(format!("seed-{number}")), seed).expect("written");
            }
        }
    }
}
