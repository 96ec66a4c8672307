//! Turns a site's own questions, and the addresses that answer them, into figures of its bundle.

use std::path::Path;
use std::process::ExitCode;

use anchorite::index::SearchOptions;
use anchorite::model::embed::Side;
use serde::{Deserialize, Serialize};

use super::metrics::{Figures, Judgements};
use super::table;
use crate::bundle;
use crate::report::Hint;

/// Number of sections scored per question.
const N_SECTIONS: usize = 100;

/// A line of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    pub(super) question: String,
    /// Addresses that answer, as in the bundle; without an anchor, any section of the page.
    #[serde(default)]
    pub(super) expected: Vec<String>,
    /// Texts that count as right; empty if only the addresses are known.
    #[serde(default)]
    pub(super) answers: Vec<String>,
    /// True if the site answers it.
    #[serde(default = "yes")]
    pub(super) answerable: bool,
}

fn yes() -> bool {
    true
}

const FORM: &str = "write a line {\"question\": \"..\", \"expected\": [\"page.html#anchor\"]} for each question, with \
                    \"answers\": [\"..\"] where the words are known, or {\"question\": \"..\", \"answerable\": false}";

#[derive(Serialize)]
struct Report {
    questions: usize,
    keyword: Scores,
    /// `None` if the bundle has no embedder.
    meaning: Option<Scores>,
    fused: Option<Scores>,
    /// Questions with no expected address among the first ten hits of the best available search.
    missed: Vec<String>,
}

#[derive(Serialize)]
struct Scores {
    #[serde(flatten)]
    figures: Figures,
    /// Share of questions with an expected address among the first 3.
    hit_3: f64,
}

/// Asks the questions of `file` of the bundle in `dir`.
pub(super) fn run(file: &Path, dir: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let mut questions = read(file)?;
    let dir = &bundle::folder(dir);
    let manifest = bundle::manifest(dir)?;
    let session = bundle::open(dir, &manifest)?;
    let index = session.index();
    check(&questions, index, file)?;
    // Search has nothing to find for the rest; `eval answers` asks them.
    questions.retain(|question| question.answerable);
    if questions.is_empty() {
        return Err(Hint::error(
            format!("no question in `{}` is answerable", file.display()),
            "score refusals with `anchorite eval answers`",
        ));
    }
    let embedder = bundle::embedder(dir, &manifest)?;
    let score = |lexical_weight: f32, vector_weight: f32| -> anyhow::Result<Vec<Scored>> {
        let mut options = SearchOptions {
            limit: N_SECTIONS,
            per_document: None,
            ..SearchOptions::default()
        };
        options.fusion.lexical_weight *= lexical_weight;
        options.fusion.vector_weight *= vector_weight;
        questions
            .iter()
            .map(|question| {
                let embedding = match &embedder {
                    Some(embedder) if vector_weight > 0.0 => {
                        embedder.embed(Side::Query, &[&question.question])?.pop()
                    }
                    _ => None,
                };
                let hits = index.search(&question.question, embedding.as_deref(), &options);
                let urls = hits.iter().map(|hit| index.url(hit.chunk)).collect();
                Ok(scored(question, urls))
            })
            .collect()
    };
    let has_meaning = embedder.is_some() && index.vectors.is_some();
    let keyword = score(1.0, 0.0)?;
    let meaning = has_meaning.then(|| score(0.0, 1.0)).transpose()?;
    let fused = has_meaning.then(|| score(1.0, 1.0)).transpose()?;
    let best = fused.as_ref().unwrap_or(&keyword);
    let missed = questions.iter().zip(best);
    let report = Report {
        questions: questions.len(),
        missed: missed
            .filter(|(_, scored)| scored.figures.mrr_10 == 0.0)
            .map(|(question, _)| question.question.clone())
            .collect(),
        keyword: scores(&keyword),
        meaning: meaning.as_deref().map(scores),
        fused: fused.as_deref().map(scores),
    };
    if json {
        table::print_json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

struct Scored {
    figures: Figures,
    hit_3: bool,
}

fn scores(of: &[Scored]) -> Scores {
    let n_hits = of.iter().filter(|one| one.hit_3).count();
    Scores {
        figures: Figures::mean(of.iter().map(|one| one.figures)),
        hit_3: n_hits as f64 / of.len().max(1) as f64,
    }
}

/// Scores the sections at `urls`; chunks of one section share an address and count once.
fn scored(question: &Question, urls: Vec<String>) -> Scored {
    let mut ranking: Vec<&str> = Vec::new();
    for url in &urls {
        let page = url.split_once('#').map_or(url.as_str(), |(page, _)| page);
        let name = if question.expected.iter().any(|one| one == page) {
            page
        } else {
            url
        };
        if !ranking.contains(&name) {
            ranking.push(name);
        }
    }
    let judgements: Judgements = question
        .expected
        .iter()
        .map(|url| (url.clone(), 1))
        .collect();
    let hit_3 = ranking
        .iter()
        .take(3)
        .any(|url| judgements.contains_key(*url));
    Scored {
        figures: Figures::of(&ranking, &judgements).unwrap_or_default(),
        hit_3,
    }
}

/// Reads the lines of a file.
///
/// # Errors
/// If it can't be read or is too large, or has a line of another form, or no lines.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Question>> {
    parse(&super::read_questions(file)?, &file.display().to_string())
}

pub(super) fn parse(text: &str, file: &str) -> anyhow::Result<Vec<Question>> {
    let mut questions = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |why: String| Hint::error(format!("`{file}`, line {number}: {why}"), FORM);
        let question: Question =
            serde_json::from_str(line).map_err(|cause| wrong(super::mistake(&cause)))?;
        let gives = !question.expected.is_empty() || !question.answers.is_empty();
        if !question.answerable && gives {
            return Err(wrong(format!(
                "expected neither addresses nor answers for a question that is not answerable, found some for `{}`",
                question.question
            )));
        }
        if question
            .answers
            .iter()
            .any(|answer| answer.trim().is_empty())
        {
            return Err(wrong(
                "expected a text in each answer, found an empty one".to_owned(),
            ));
        }
        questions.push(question);
    }
    if questions.is_empty() {
        return Err(Hint::error(
            format!("there is no question in `{file}`"),
            FORM,
        ));
    }
    Ok(questions)
}

/// An address that the bundle lacks can't be found: it is a mistake in the questions.
pub(super) fn check(
    questions: &[Question],
    index: &anchorite::index::Index,
    file: &Path,
) -> anyhow::Result<()> {
    let n_chunks = u32::try_from(index.n_chunks()).unwrap_or(u32::MAX);
    let mut known: std::collections::HashSet<String> = (0..n_chunks)
        .map(|chunk| index.url(anchorite::index::ChunkIdx(chunk)))
        .collect();
    let pages: Vec<String> = known
        .iter()
        .filter_map(|url| Some(url.split_once('#')?.0.to_owned()))
        .collect();
    known.extend(pages);
    let unknown = |question: &&Question| {
        let is_missing = question.answerable && question.expected.is_empty();
        is_missing || question.expected.iter().any(|url| !known.contains(url))
    };
    if let Some(question) = questions.iter().find(unknown) {
        let expected = question.expected.iter().find(|url| !known.contains(*url));
        return Err(Hint::error(
            match expected {
                Some(url) => format!(
                    "`{}`: the bundle has no `{url}`, which should answer `{}`",
                    file.display(),
                    question.question
                ),
                None => format!(
                    "`{}`: nothing is expected for `{}`",
                    file.display(),
                    question.question
                ),
            },
            "name addresses as `anchorite search` prints them",
        ));
    }
    Ok(())
}

fn print(report: &Report) {
    println!(
        "{} questions\n{:<8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        report.questions, "tier", "hit@3", "nDCG@10", "MRR@10", "R@10", "R@100"
    );
    let rows = [
        ("keyword", Some(&report.keyword)),
        ("meaning", report.meaning.as_ref()),
        ("fused", report.fused.as_ref()),
    ];
    for (tier, scores) in rows {
        let Some(Scores { figures, hit_3 }) = scores else {
            continue;
        };
        println!(
            "{tier:<8} {hit_3:>8.4} {:>8.4} {:>8.4} {:>8.4} {:>8.4}",
            figures.ndcg_10, figures.mrr_10, figures.recall_10, figures.recall_100
        );
    }
    for question in &report.missed {
        println!("not among the first 10: {question}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_counts_once_and_an_anchor_only_as_itself() {
        let urls = || {
            ["b#x", "a#one", "a#two", "c#three"]
                .map(str::to_owned)
                .to_vec()
        };
        let question = |expected: &[&str]| Question {
            question: String::new(),
            expected: expected.iter().map(|&url| url.to_owned()).collect(),
            answers: Vec::new(),
            answerable: true,
        };
        let page = scored(&question(&["a"]), urls());
        assert_eq!(page.figures.mrr_10, 0.5, "`a#one` is on the page");
        let anchor = scored(&question(&["a#two"]), urls());
        assert_eq!(
            anchor.figures.mrr_10,
            1.0 / 3.0,
            "`a#one` is another section"
        );
        assert!(
            !scored(&question(&["c#three"]), urls()).hit_3,
            "the fourth place"
        );
    }

    #[test]
    fn lines_are_read_strictly() {
        let text = "{\"question\": \"Who?\", \"expected\": [\"a\"], \"answers\": [\"Ann\"]}\n\n{\"question\": \"Why?\", \"answerable\": false}";
        let questions = parse(text, "file").expect("two questions");
        assert_eq!(questions[0].answers, ["Ann"], "the first line's answers");
        let answerable: Vec<bool> = questions.iter().map(|one| one.answerable).collect();
        assert_eq!(
            answerable,
            [true, false],
            "answerable unless it is said not to be"
        );
        let cases = [
            ("", "no question"),
            (
                "{\"question\": \"Who?\", \"exepcted\": []}",
                "line 1: unknown field",
            ),
            (
                "\n{\"expected\": []}",
                "line 2: missing field `question`, at column 16",
            ),
            (
                "{\"question\": \"Who?\", \"expected\": [\"a\"], \"answerable\": false}",
                "line 1: expected neither addresses",
            ),
            (
                "{\"question\": \"Who?\", \"expected\": [\"a\"], \"answers\": [\" \"]}",
                "line 1: expected a text",
            ),
        ];
        for (text, expected) in cases {
            let error = parse(text, "file").expect_err(text).to_string();
            assert!(
                error.contains(expected),
                "{text:?}: expected {expected:?}, found {error:?}"
            );
        }
    }
}
