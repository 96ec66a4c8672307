//! Measures search engines, ours and others, on the toolchain's documentation, by words and by meaning: bytes, times
//! and hits.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;

use super::samples::{Row, RowFilter, find, median};
use super::verdicts::{Bar, Verdict};
use super::{Output, all_unless_named, measure, names, prepare};
use crate::wasm::Instructions;
use crate::{page, run, setup};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only this way of searching.
    #[arg(long, value_enum)]
    only: Vec<Kind>,
    /// Only these engines, if they search that way.
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// Number of chunks to search; may be repeated. Default 2000 and 20000, and by meaning also 10000.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1000..))]
    n: Vec<u32>,
    /// The folder of HTML to search; default: the documentation that `rustup` installed with the toolchain.
    #[arg(long)]
    html: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Queries are words.
    Words,
    /// Queries are vectors, the same for all engines.
    Meaning,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Anchorite,
    Pagefind,
    Minisearch,
    Orama,
    Hnswlib,
    Voy,
}

impl Kind {
    fn engines(self) -> &'static [Engine] {
        use Engine::{Anchorite, Hnswlib, Minisearch, Orama, Pagefind, Voy};
        match self {
            Self::Words => &[Anchorite, Pagefind, Minisearch, Orama],
            Self::Meaning => &[Anchorite, Hnswlib, Voy, Orama],
        }
    }

    fn sizes(self) -> &'static [u32] {
        match self {
            Self::Words => &[2000, 20_000],
            Self::Meaning => &[2000, JUDGED_VECTORS, 20_000],
        }
    }

    /// Makes the files that these engines search, from the folder `html`, in `corpus`.
    fn prepare(
        self,
        engines: &[Engine],
        html: &Path,
        corpus: &Path,
        sizes: &[String],
    ) -> anyhow::Result<()> {
        let is_ours = engines.contains(&Engine::Anchorite);
        let mut program = run::command(prepare::program("bench_search")?);
        program.args(names(&[self])).arg(html).arg(corpus);
        match self {
            Self::Words if is_ours => page::build()?,
            Self::Words => {}
            Self::Meaning => {
                if is_ours {
                    prepare::modules(&Instructions::ALL)?;
                }
                program.arg(run::root().join("models/default/embedder.gguf"));
            }
        }
        eprintln!("cutting the documentation into chunks");
        run::run(program.args(sizes).stdout(std::io::stderr()))
    }
}

/// Maximum bytes that a visitor of a site of 10,000 pages may download until the first results, code included.
const FIRST_RESULT_LIMIT: f64 = 300_000.0;
/// Number of vectors at which the times of a query are judged.
const JUDGED_VECTORS: u32 = 10_000;
/// Maximum milliseconds of the median query, and of the 95th percentile, at that number.
const MEDIAN_LIMIT: f64 = 1.0;
const P95_LIMIT: f64 = 3.0;
/// Maximum size of our index, as a share of hnswlib's.
const BYTES_SHARE: f64 = 0.25;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kinds = all_unless_named(&arguments.only);
    let wanted = all_unless_named(&arguments.engine);
    setup::npm_packages("tests/bench", &["--ignore-scripts"])?;
    let corpus = prepare::folder().join("search");
    let mut driver = run::command("node");
    driver
        .arg("tests/bench/search.mjs")
        .args(["--reps", &arguments.output.reps.to_string()])
        .arg("--corpus")
        .arg(&corpus)
        .arg("--ours")
        .arg(run::root().join("www/dist"))
        .arg("--wasm")
        .arg(prepare::folder().join("wasm"))
        .arg("--brotli")
        .arg(prepare::folder().join("brotli"))
        .env("ANCHORITE_CHROMIUM", setup::chromium()?);
    for kind in kinds {
        let engines = kind.engines().iter().copied();
        let engines: Vec<Engine> = engines.filter(|engine| wanted.contains(engine)).collect();
        if engines.is_empty() {
            continue;
        }
        let sizes = match arguments.n.as_slice() {
            [] => kind.sizes(),
            sizes => sizes,
        };
        let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
        kind.prepare(&engines, &html(arguments)?, &corpus, &sizes)?;
        let kind = names(&[kind]).concat();
        let engines = names(&engines);
        driver.args(engines.iter().map(|name| format!("--{kind}={name}")));
        driver.args(sizes.iter().map(|size| format!("--{kind}-n={size}")));
    }
    measure(driver, &arguments.output, verdicts)
}

fn html(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &arguments.html {
        return Ok(folder.clone());
    }
    let root = run::output(run::command("rustc").args(["--print", "sysroot"]))?;
    let folder = PathBuf::from(root.trim()).join("share/doc/rust/html");
    folder
        .is_dir()
        .then_some(folder)
        .context("the toolchain has no documentation: `rustup component add rust-docs`, or give a folder with --html")
}

fn verdicts(rows: &[Row]) -> Vec<Verdict> {
    let mut verdicts = by_words(rows);
    verdicts.extend(by_meaning(rows));
    verdicts
}

/// The models of a group, each once, in the order of the run, with their rows.
fn by_model<'r>(rows: &'r [Row], group: &str) -> impl Iterator<Item = (&'r str, Vec<Row>)> {
    let of_group = rows.iter().filter(|row| row.group == group);
    let mut models: Vec<&str> = of_group.map(|row| row.model.as_str()).collect();
    models.dedup();
    models.into_iter().map(|model| {
        let of_model = rows.iter().filter(|row| row.model == model);
        (model, of_model.cloned().collect())
    })
}

/// The verdicts on search by words.
fn by_words(rows: &[Row]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (model, of_model) in by_model(rows, "search") {
        let of = |engine| RowFilter {
            group: "search",
            engine,
            kind: None,
        };
        let value = |engine, metric| median(&of_model, of(engine), None, metric);
        let mut push = |name: String, unit, value: Option<f64>, bar: Option<Bar>| {
            verdicts.extend(value.map(|value| Verdict::new(name, value, unit, bar)));
        };
        push(
            format!("{model}: hit@10"),
            "share",
            value("anchorite", "hit10"),
            value("minisearch", "hit10").map(Bar::AtLeast),
        );
        push(
            format!("{model}: bytes of the first query's index"),
            "bytes",
            value("anchorite", "first_bytes"),
            value("pagefind", "first_bytes").map(Bar::AtMost),
        );
        let first = value("anchorite", "first_bytes").zip(value("anchorite", "code_brotli"));
        let is_site = model.ends_with("pages");
        push(
            format!("{model}: bytes until the first results"),
            "bytes",
            first.map(|(index, code)| index + code),
            is_site.then_some(Bar::AtMost(FIRST_RESULT_LIMIT)),
        );
    }
    verdicts
}

/// The verdicts on search by meaning: bytes against hnswlib's for each number of vectors, and times where they are judged.
fn by_meaning(rows: &[Row]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (model, of_model) in by_model(rows, "meaning") {
        let value = |engine, metric| {
            let of = RowFilter {
                group: "meaning",
                engine,
                kind: None,
            };
            find(&of_model, of, metric).first()?.median
        };
        let is_judged = model
            .split(' ')
            .any(|word| word == JUDGED_VECTORS.to_string());
        let at_most = |limit| is_judged.then_some(Bar::AtMost(limit));
        let bytes = value("anchorite", "index_bytes").zip(value("hnswlib", "index_bytes"));
        let share = bytes.map(|(ours, theirs)| ours / theirs);
        let numbers = [
            (
                "query",
                "ms",
                value("anchorite", "query"),
                at_most(MEDIAN_LIMIT),
            ),
            (
                "query_p95",
                "ms",
                value("anchorite", "query_p95"),
                at_most(P95_LIMIT),
            ),
            (
                "index beside hnswlib's",
                "",
                share,
                Some(Bar::AtMost(BYTES_SHARE)),
            ),
            ("recall@10", "share", value("anchorite", "recall10"), None),
        ];
        for (name, unit, number, bar) in numbers {
            let name = format!("{model}: {name}");
            verdicts.extend(number.map(|number| Verdict::new(name, number, unit, bar)));
        }
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(engine: &str, n: u32, metric: &str, median: f64) -> Row {
        Row {
            group: "meaning".into(),
            engine: engine.into(),
            kernel: (engine == "anchorite").then(|| "simd128".into()),
            model: format!("rust-docs {n} x 384"),
            r#type: "vectors".into(),
            metric: metric.into(),
            unit: String::new(),
            median: Some(median),
            other_cores: None,
            reason: None,
        }
    }

    #[test]
    fn times_are_judged_for_one_number_of_vectors_and_bytes_for_all() {
        let rows = [
            row("anchorite", 2000, "query", 2.0),
            row("anchorite", 2000, "index_bytes", 30.0),
            row("hnswlib", 2000, "index_bytes", 100.0),
            row("anchorite", 10_000, "query", 2.0),
            row("anchorite", 10_000, "query_p95", 3.0),
        ];
        let found: Vec<_> = verdicts(&rows)
            .into_iter()
            .map(|verdict| (verdict.value, verdict.holds))
            .collect();
        let expected = [
            (2.0, None),
            (0.3, Some(false)),
            (2.0, Some(false)),
            (3.0, Some(true)),
        ];
        assert_eq!(found, expected, "1 ms, 3 ms, a quarter of the bytes");
    }
}
