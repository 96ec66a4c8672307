//! Measures, on files of labelled pairs, how well the check tells supported claims from others, compared with the share
//! of terms.
//!
//! `measure_check FILE.jsonl..`: each line holds `premise`, `claim` and `label`; `supported` is one class, all other
//! labels the other. AUROC is the chance that of two claims the supported one scores higher, 0.5 for a coin toss. The
//! second half of a line is about the verdict itself: the share of supported claims that it keeps, and of the others
//! that it strikes.

use std::io::BufRead as _;

use anchorite::check;

#[derive(serde::Deserialize)]
struct Pair {
    premise: String,
    claim: String,
    label: String,
}

#[expect(clippy::print_stdout, reason = "results go to standard output")]
fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    assert!(
        !files.is_empty(),
        "usage: measure_check FILE.jsonl.., got no file"
    );
    for file in files {
        let pairs = pairs(&file);
        let scored = |score: fn(&str, &str) -> f32| -> Vec<(f32, bool)> {
            pairs
                .iter()
                .map(|pair| (score(&pair.claim, &pair.premise), pair.label == "supported"))
                .collect()
        };
        let kept = |supported: bool| {
            let class = pairs
                .iter()
                .filter(|pair| (pair.label == "supported") == supported);
            let (mut n, mut n_kept) = (0, 0);
            for pair in class {
                n += 1;
                n_kept += usize::from(check::supports(&pair.claim, &pair.premise));
            }
            n_kept as f64 / f64::from(n).max(1.0)
        };
        println!(
            "{file}: n {}, AUROC rules {:.3}, term share {:.3}; verdict keeps {:.3} of the supported, strikes {:.3} of the others",
            pairs.len(),
            auroc(scored(check::support)),
            auroc(scored(check::term_share)),
            kept(true),
            1.0 - kept(false),
        );
    }
}

fn pairs(file: &str) -> Vec<Pair> {
    let opened = std::fs::File::open(file)
        .unwrap_or_else(|error| panic!("could not open `{file}`: {error}"));
    std::io::BufReader::new(opened)
        .lines()
        .map(|line| line.unwrap_or_else(|error| panic!("could not read `{file}`: {error}")))
        .map(|line| {
            serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("no pair in `{file}`: {error}"))
        })
        .collect()
}

/// Area under the ROC curve by ranks (Mann-Whitney); equal scores share their ranks.
fn auroc(mut scored: Vec<(f32, bool)>) -> f64 {
    scored.sort_by(|one, other| one.0.total_cmp(&other.0));
    let n_positive = scored.iter().filter(|(_, positive)| *positive).count() as f64;
    let n_negative = scored.len() as f64 - n_positive;
    let mut ranks = 0.0;
    let mut start = 0;
    while start < scored.len() {
        let same = scored[start..]
            .iter()
            .take_while(|(score, _)| *score == scored[start].0)
            .count();
        let rank = start as f64 + (same as f64 + 1.0) / 2.0;
        ranks += rank
            * scored[start..start + same]
                .iter()
                .filter(|(_, positive)| *positive)
                .count() as f64;
        start += same;
    }
    (ranks - n_positive * (n_positive + 1.0) / 2.0) / (n_positive * n_negative)
}
