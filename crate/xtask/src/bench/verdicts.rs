//! Turns rows into ratios, each with the bar that it is held against.

use serde::Serialize;

use super::samples::{Row, RowFilter, best_kernel, find, median};

/// How a number must compare with its bar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bar {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Bar {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bar) => value >= bar,
            Self::AtMost(bar) => value <= bar,
            Self::Below(bar) => value < bar,
        }
    }
}

/// A number and its bar, which is `None` if the number is only reported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Verdict {
    pub(super) name: String,
    pub(super) value: f64,
    /// `x` for how many times faster ours is.
    pub(super) unit: &'static str,
    pub(super) bar: Option<Bar>,
    pub(super) holds: Option<bool>,
    /// Which build of ours.
    pub(super) kernel: Option<String>,
}

impl Verdict {
    /// Compares a number with its bar.
    pub(super) fn new(name: String, value: f64, unit: &'static str, bar: Option<Bar>) -> Self {
        Self {
            name,
            value,
            unit,
            bar,
            holds: bar.map(|bar| bar.holds(value)),
            kernel: None,
        }
    }
}

/// The type for the comparison with transformers.js: its 8 bits against ours.
const SAME_BITS: &str = "Q8_0";

/// The verdicts on `bench cpu`. Numbers whose rows were not requested are left out.
pub(super) fn cpu(rows: &[Row]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (metric, bar) in [("decode64", 2.5), ("prefill128", 1.3), ("prefill512", 3.0)] {
        let peer = peer("lm", "transformers", None);
        let bar = Some(Bar::AtLeast(bar));
        verdicts.extend(faster(rows, "lm", SAME_BITS, "decode64", peer, metric, bar));
    }
    for kind in ["Q8_0", "Q4_0", "Q4_K_M"] {
        for (metric, bar) in [("prefill128", 6.0), ("prefill512", 6.0), ("decode64", 5.0)] {
            let peer = peer("lm", "wllama", Some(kind));
            let bar = Some(Bar::AtLeast(bar));
            verdicts.extend(faster(rows, "lm", kind, "decode64", peer, metric, bar));
        }
    }
    verdicts.extend(qwen3(rows));
    verdicts.extend(adapter(rows));
    for (engine, bars) in [
        (
            "transformers",
            [Some(Bar::AtLeast(1.8)), Some(Bar::AtLeast(2.0))],
        ),
        ("wllama", [None, None]),
    ] {
        for (metric, bar) in ["query", "passages16"].into_iter().zip(bars) {
            let peer = peer("embed", engine, None);
            verdicts.extend(faster(
                rows,
                "embed",
                "Q8_0",
                "passages16",
                peer,
                metric,
                bar,
            ));
        }
    }
    verdicts.extend(grounded(rows));
    verdicts.extend(reader(rows));
    verdicts
}

/// The time to the first word, and decoding, with real weights: against the peer with the same file, ours with and
/// without an adapter.
fn grounded(rows: &[Row]) -> Vec<Verdict> {
    const KINDS: [&str; 2] = ["Q4_1", "Q4_1 and adapter"];
    let mut verdicts = Vec::new();
    for kind in KINDS {
        for (metric, bar) in [
            ("grounded150", 5.0),
            ("grounded900", 5.0),
            ("decode64", 4.0),
        ] {
            let peer = peer("grounded", "wllama", None);
            let bar = Some(Bar::AtLeast(bar));
            let found = faster(rows, "grounded", kind, "grounded150", peer, metric, bar);
            verdicts.extend(found);
        }
        let ours = peer("grounded", "anchorite", Some(kind));
        let kernel = best_kernel(rows, ours, "grounded150");
        let first = median(rows, ours, kernel.as_deref(), "grounded150");
        verdicts.extend(first.map(|ms| {
            let name = format!("grounded: first word after 150 tokens, {kind}");
            verdict(name, ms, "ms", Some(Bar::AtMost(500.0)), kernel)
        }));
    }
    verdicts
}

/// The time to read a question's windows, per build.
fn reader(rows: &[Row]) -> Vec<Verdict> {
    let found = find(rows, peer("read", "anchorite", None), "windows8");
    let verdicts = found.into_iter().filter_map(|row| {
        let bar = match row.kernel.as_deref() {
            Some("relaxed-simd") => 250.0,
            _ => 450.0,
        };
        let name = "read: 8 windows of 192 tokens".to_owned();
        let bar = Some(Bar::AtMost(bar));
        Some(verdict(name, row.median?, "ms", bar, row.kernel.clone()))
    });
    verdicts.collect()
}

/// The verdict on `bench embed`: ours against the better of the peer's ways of batching.
pub(super) fn embed(rows: &[Row]) -> Vec<Verdict> {
    let metric = "passages200";
    let peer = peer("native", "onnxruntime", None);
    let bar = Some(Bar::AtLeast(1.0));
    faster(rows, "native", "Q8_0", metric, peer, metric, bar)
        .into_iter()
        .collect()
}

/// The verdicts on `bench gpu` in the browser: each of our types against the peer's 4 bits.
pub(super) fn gpu(rows: &[Row]) -> Vec<Verdict> {
    let peer = peer("gpu", "transformers", None);
    let kinds = ["Q8_0", "Q4_0", "Q4_K_M"].into_iter();
    let faster = kinds.flat_map(|kind| {
        [("prefill128", 3.0), ("decode", 30.0)].map(|(metric, bar)| {
            let bar = Some(Bar::AtLeast(bar));
            faster(rows, "gpu", kind, "decode", peer, metric, bar)
        })
    });
    faster.flatten().collect()
}

/// The verdicts on `bench gpu --trace`: the worst of the forms that graphics cards run. The form without barriers is
/// for software adapters, where a dispatch costs next to nothing, so its number of dispatches is reported, not judged.
pub(super) fn trace(rows: &[Row]) -> Vec<Verdict> {
    let is_barrier_free = |row: &Row| {
        let kernel = row.kernel.as_deref();
        kernel.is_some_and(|kernel| kernel.starts_with("barrier-free"))
    };
    let mut models: Vec<(&str, &str)> = Vec::new();
    for row in rows.iter().filter(|row| row.engine == "anchorite") {
        let model = (row.model.as_str(), row.r#type.as_str());
        if !models.contains(&model) {
            models.push(model);
        }
    }
    let mut verdicts = Vec::new();
    for (model, kind) in models {
        for (metric, what, bar) in [
            (
                "dispatches_per_layer",
                "dispatches a layer, without 4",
                Bar::AtMost(6.0),
            ),
            ("bind_groups", "new bind groups a token", Bar::AtMost(0.0)),
            ("tokens_per_submit", "tokens a submit", Bar::AtLeast(4.0)),
        ] {
            for has_barriers in [true, false] {
                let worst = rows
                    .iter()
                    .filter(|row| {
                        row.engine == "anchorite"
                            && row.model == model
                            && row.r#type == kind
                            && row.metric == metric
                            && is_barrier_free(row) != has_barriers
                    })
                    .filter_map(|row| Some((row.median?, row.kernel.clone())))
                    .max_by(|(a, _), (b, _)| match bar {
                        Bar::AtLeast(_) => b.total_cmp(a),
                        Bar::AtMost(_) | Bar::Below(_) => a.total_cmp(b),
                    });
                let is_told = metric == "dispatches_per_layer" && !has_barriers;
                verdicts.extend(worst.map(|(value, kernel)| {
                    let name = format!("{what}: {model}, {kind}");
                    verdict(name, value, "", (!is_told).then_some(bar), kernel)
                }));
            }
        }
    }
    verdicts
}

/// The verdicts on `bench gpu --native`: how much a long context slows down each token. On a graphics card this should
/// be at most 15 %; on a software adapter, the share of attention says nothing about that.
pub(super) fn far(rows: &[Row]) -> Vec<Verdict> {
    let kinds = ["Q8_0", "Q4_0", "Q4_K_M"].into_iter();
    let verdicts = kinds.flat_map(|kind| {
        let ours = peer("native", "anchorite", Some(kind));
        let kernel = best_kernel(rows, ours, "decode");
        ["decode_2000", "decode_4000"].map(|metric| {
            let near = median(rows, ours, kernel.as_deref(), "decode")?;
            let far = median(rows, ours, kernel.as_deref(), metric)?;
            let name = format!("native: {metric}, {kind}: time per token");
            let slow_down = 100.0 * (near / far - 1.0);
            Some(verdict(name, slow_down, "% more", None, kernel.clone()))
        })
    });
    verdicts.flatten().collect()
}

fn peer<'s>(group: &'s str, engine: &'s str, kind: Option<&'s str>) -> RowFilter<'s> {
    RowFilter {
        group,
        engine,
        kind,
    }
}

/// How many times faster ours is. The build reported for a model is the best by `decider`.
fn faster(
    rows: &[Row],
    group: &str,
    kind: &str,
    decider: &str,
    peer: RowFilter,
    metric: &str,
    bar: Option<Bar>,
) -> Option<Verdict> {
    let ours = RowFilter {
        group,
        engine: "anchorite",
        kind: Some(kind),
    };
    let kernel = best_kernel(rows, ours, decider);
    let found = median(rows, ours, kernel.as_deref(), metric)?;
    let is_time = rows
        .iter()
        .any(|row| row.metric == metric && row.unit == "ms");
    let peers_kernel = best_kernel(rows, peer, metric);
    let peers = median(rows, peer, peers_kernel.as_deref(), metric)?;
    let name = format!("{group}: {metric}, {kind}, beside {}", peer.engine);
    let ratio = if is_time {
        peers / found
    } else {
        found / peers
    };
    Some(verdict(name, ratio, "x", bar, kernel))
}

fn qwen3(rows: &[Row]) -> Option<Verdict> {
    let ours = peer("qwen3", "anchorite", None);
    let kernel = best_kernel(rows, ours, "decode64");
    let speed = median(rows, ours, kernel.as_deref(), "decode64")?;
    let bar = Some(Bar::AtLeast(12.0));
    let name = "qwen3: decode64, Q8_0".to_owned();
    Some(verdict(name, speed, "tok/s", bar, kernel))
}

fn adapter(rows: &[Row]) -> Vec<Verdict> {
    let ours = peer("adapter", "anchorite", None);
    let kernel = best_kernel(rows, ours, "decode64_with");
    let of = |metric| median(rows, ours, kernel.as_deref(), metric);
    let slow_down = of("decode64_with")
        .zip(of("decode64_without"))
        .map(|(with, without)| 100.0 * (without / with - 1.0));
    let numbers = [
        (
            "adapter of rank 16: time per token",
            slow_down,
            "% more",
            Bar::AtMost(10.0),
        ),
        (
            "adapter of rank 16: swap",
            of("swap"),
            "ms",
            Bar::Below(100.0),
        ),
    ];
    numbers
        .into_iter()
        .filter_map(|(name, value, unit, bar)| {
            Some(verdict(
                name.to_owned(),
                value?,
                unit,
                Some(bar),
                kernel.clone(),
            ))
        })
        .collect()
}

fn verdict(
    name: String,
    value: f64,
    unit: &'static str,
    bar: Option<Bar>,
    kernel: Option<String>,
) -> Verdict {
    Verdict {
        name,
        // Three digits are more than the noise allows.
        value: (value * 1000.0).round() / 1000.0,
        unit,
        bar,
        holds: bar.map(|bar| bar.holds(value)),
        kernel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(engine: &str, kernel: Option<&str>, kind: &str, metric: &str, median: f64) -> Row {
        Row {
            group: "lm".into(),
            engine: engine.into(),
            kernel: kernel.map(Into::into),
            model: "a model".into(),
            r#type: kind.into(),
            metric: metric.into(),
            unit: "tok/s".into(),
            median: Some(median),
            other_cores: None,
            reason: None,
        }
    }

    #[test]
    fn tells_one_build_for_all_metrics_of_a_model() {
        let (plain, relaxed) = (Some("simd128"), Some("relaxed-simd"));
        let rows = [
            row("anchorite", plain, "Q8_0", "prefill128", 300.0),
            row("anchorite", relaxed, "Q8_0", "prefill128", 200.0),
            row("transformers", None, "q8", "prefill128", 100.0),
            row("anchorite", plain, "Q8_0", "decode64", 40.0),
            row("anchorite", relaxed, "Q8_0", "decode64", 50.0),
            row("transformers", None, "q8", "decode64", 25.0),
        ];
        let found: Vec<_> = cpu(&rows)
            .into_iter()
            .map(|verdict| (verdict.value, verdict.holds, verdict.kernel))
            .collect();
        let relaxed = || Some("relaxed-simd".to_owned());
        let expected = [(2.0, Some(false), relaxed()), (2.0, Some(true), relaxed())];
        assert_eq!(found, expected, "decode decides which build is told");
    }

    #[test]
    fn judges_what_graphics_cards_run() {
        let of = |kernel, metric, median| Row {
            group: "trace".into(),
            ..row("anchorite", Some(kernel), "Q4_0", metric, median)
        };
        let rows = [
            of("workgroup, f32", "dispatches_per_layer", 5.0),
            of("subgroups, f32", "dispatches_per_layer", 6.5),
            of("barrier-free, f32", "dispatches_per_layer", 9.0),
            of("barrier-free, f32", "bind_groups", 0.0),
            row("llama.cpp", Some("WebGPU"), "Q4_0", "bind_groups", 290.0),
        ];
        let found: Vec<_> = trace(&rows)
            .into_iter()
            .map(|verdict| (verdict.value, verdict.holds))
            .collect();
        let expected = [(6.5, Some(false)), (9.0, None), (0.0, Some(true))];
        assert_eq!(found, expected, "dispatches without barriers are only told");
    }

    #[test]
    fn compares_both_types_with_the_peers_four_bits() {
        let of = |engine, kind, metric, median| Row {
            group: "gpu".into(),
            ..row(engine, None, kind, metric, median)
        };
        let rows = [
            of("anchorite", "Q8_0", "decode", 4.0),
            of("anchorite", "Q4_0", "decode", 2.0),
            of("transformers", "q4", "decode", 0.1),
        ];
        let found: Vec<_> = gpu(&rows)
            .into_iter()
            .map(|verdict| (verdict.value, verdict.holds))
            .collect();
        let expected = [(40.0, Some(true)), (20.0, Some(false))];
        assert_eq!(found, expected, "at least 30 times");
    }

    #[test]
    fn leaves_out_what_was_not_measured() {
        let rows = [row("anchorite", None, "Q8_0", "decode64", 40.0)];
        assert_eq!(cpu(&rows), [], "there is no peer to compare with");
    }
}
