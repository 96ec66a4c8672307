//! Turns a file of judged questions, in SQuAD's form or as lines of JSON, into pages and the questions about them.
//!
//! Each article becomes a page, and each of its paragraphs the section `p-N`. A line of JSON is `{"question",
//! "context", "answers": [{"text", "start"}], "impossible", "title"}`; lines of one title make a page, and equal
//! contexts one section.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use anchorite::index::document::{Document, Section};
use anchorite::searcher::MAX_QUESTION_CHARS;
use anyhow::Context;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::case::{Case, Scope};
use crate::report::Hint;

/// SQuAD's annotators gave up to six.
const MAX_ANSWERS: usize = 1_000;

/// Judged questions with the pages they are about.
#[derive(Debug)]
pub(in crate::eval) struct Set {
    /// The file's name without its extension.
    pub(in crate::eval) name: String,
    /// One for each article.
    pub(in crate::eval) documents: Vec<Document>,
    /// In the order of the file.
    pub(in crate::eval) cases: Vec<Case>,
    /// Answers with a wrong position in the file.
    pub(super) misplaced: Misplaced,
}

/// Answers that are not at their stated position. They still count as answers, because only their text is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Misplaced {
    /// Total number of answers.
    pub(super) answers: usize,
    /// Answers found elsewhere in their paragraph.
    pub(super) elsewhere: usize,
    /// Answers not found in their paragraph.
    pub(super) absent: usize,
}

#[derive(Deserialize)]
struct Squad {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    #[serde(default)]
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    question: String,
    #[serde(default)]
    answers: Vec<Answer>,
    #[serde(default)]
    is_impossible: Option<bool>,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
    /// In characters.
    #[serde(alias = "answer_start")]
    start: usize,
}

#[derive(Deserialize)]
struct Row {
    question: String,
    context: String,
    #[serde(default)]
    answers: Vec<Answer>,
    #[serde(default)]
    impossible: Option<bool>,
    #[serde(default)]
    title: String,
}

/// Tells the two forms apart by the first line: in SQuAD's form it is not a question.
#[derive(Deserialize)]
struct Probe {
    question: Option<IgnoredAny>,
}

const FORMS: &str = "give SQuAD's form, {\"data\": [{\"title\", \"paragraphs\": [{\"context\", \"qas\": [{\"question\", \
                     \"answers\": [{\"text\", \"answer_start\"}], \"is_impossible\"}]}]}]}, or a line {\"question\", \
                     \"context\", \"answers\": [{\"text\", \"start\"}], \"impossible\", \"title\"} for each question";

/// Reads one file.
///
/// # Errors
/// If it can't be read, is too large, has neither form, or contains a question that is empty, too long or self-contradictory.
pub(in crate::eval) fn read(path: &Path) -> anyhow::Result<Set> {
    let text = crate::eval::read_questions(path)?;
    let name = path
        .file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    parse(&text, name).with_context(|| format!("`{}`", path.display()))
}

pub(super) fn parse(text: &str, name: String) -> anyhow::Result<Set> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().find(|line| !line.trim().is_empty());
    let Some(first) = first else {
        return Err(Hint::error("there is no question in it", FORMS));
    };
    let mut pages = Pages::new(name);
    let is_lines = serde_json::from_str::<Probe>(first).is_ok_and(|probe| probe.question.is_some());
    if is_lines {
        for (number, line) in (1..).zip(text.lines()) {
            if !line.trim().is_empty() {
                pages.add_line(number, line)?;
            }
        }
    } else {
        let squad: Squad =
            serde_json::from_str(text).map_err(|cause| Hint::error(cause.to_string(), FORMS))?;
        for (number, article) in (1..).zip(squad.data) {
            pages.add_article(number, article)?;
        }
    }
    if pages.set.cases.is_empty() {
        return Err(Hint::error("there is no question in it", FORMS));
    }
    Ok(pages.set)
}

/// The part of the set that has been read.
struct Pages {
    set: Set,
    /// Addresses already in use.
    urls: HashSet<String>,
    /// The position of a page by its title, and of a section by page and text; for JSON lines.
    by_title: HashMap<String, usize>,
    by_context: HashMap<(usize, String), usize>,
}

impl Pages {
    fn new(name: String) -> Self {
        Self {
            set: Set {
                name,
                documents: Vec::new(),
                cases: Vec::new(),
                misplaced: Misplaced::default(),
            },
            urls: HashSet::new(),
            by_title: HashMap::new(),
            by_context: HashMap::new(),
        }
    }

    fn add_article(&mut self, number: usize, article: Article) -> anyhow::Result<()> {
        if article.paragraphs.is_empty() {
            return Ok(());
        }
        let page = self.page(&article.title);
        for (paragraph_number, paragraph) in (1..).zip(article.paragraphs) {
            let place = format!("article {number}, paragraph {paragraph_number}");
            let section = self.section(page, &paragraph.context, &place)?;
            let starts = starts(&paragraph.context);
            for (asked_number, asked) in (1..).zip(paragraph.qas) {
                let place = format!("{place}, question {asked_number}");
                let context = (paragraph.context.as_str(), &starts[..]);
                self.ask(page, section, asked, context, &place)?;
            }
        }
        Ok(())
    }

    fn add_line(&mut self, number: usize, line: &str) -> anyhow::Result<()> {
        let place = format!("line {number}");
        let row: Row = serde_json::from_str(line).map_err(|cause| {
            Hint::error(format!("{place}: {}", crate::eval::mistake(&cause)), FORMS)
        })?;
        // Without a title nothing tells which paragraphs belong together, so each becomes a page.
        let title = match row.title.trim() {
            "" => row.context.clone(),
            title => title.to_owned(),
        };
        let page = match self.by_title.get(&title) {
            Some(&page) => page,
            None => {
                let page = self.page(&row.title);
                self.by_title.insert(title, page);
                page
            }
        };
        let key = (page, row.context);
        let section = match self.by_context.get(&key) {
            Some(&section) => section,
            None => self.section(page, &key.1, &place)?,
        };
        let asked = Asked {
            question: row.question,
            answers: row.answers,
            is_impossible: row.impossible,
        };
        self.ask(page, section, asked, (&key.1, &starts(&key.1)), &place)?;
        self.by_context.insert(key, section);
        Ok(())
    }

    /// A new page, with an address of its own.
    fn page(&mut self, title: &str) -> usize {
        let number = self.set.documents.len() + 1;
        let title = title.trim();
        // Characters that would end a path, or split its words.
        let reserved = |letter: char| letter.is_whitespace() || "#?/\\%".contains(letter);
        let mut url = match title {
            "" => format!("page-{number}"),
            title => title.replace(reserved, "_"),
        };
        if self.urls.contains(&url) {
            url = format!("{url}-{number}");
        }
        // A title may look like another page's numbered address.
        while !self.urls.insert(url.clone()) {
            url.push('-');
        }
        self.set.documents.push(Document {
            source: url.clone(),
            url,
            title: title.replace('_', " "),
            sections: Vec::new(),
            filters: BTreeMap::new(),
            meta: BTreeMap::new(),
            sort: BTreeMap::new(),
            weight: 1.0,
            language: None,
        });
        number - 1
    }

    /// A new section of a page; its number from 1.
    fn section(&mut self, page: usize, text: &str, place: &str) -> anyhow::Result<usize> {
        if text.trim().is_empty() {
            return Err(Hint::error(
                format!("{place}: expected a text, found an empty `context`"),
                "leave the paragraph out",
            ));
        }
        let sections = &mut self.set.documents[page].sections;
        let number = sections.len() + 1;
        sections.push(Section {
            anchor: Some(format!("p-{number}")),
            headings: Vec::new(),
            text: text.to_owned(),
        });
        Ok(number)
    }

    /// `context` is the paragraph, and the offset of each of its characters.
    fn ask(
        &mut self,
        page: usize,
        section: usize,
        asked: Asked,
        context: (&str, &[usize]),
        place: &str,
    ) -> anyhow::Result<()> {
        check(&asked, place)?;
        let url = &self.set.documents[page].url;
        let is_answerable = !asked.answers.is_empty();
        let paragraph = format!("{url}#p-{section}");
        let misplaced = &mut self.set.misplaced;
        misplaced.answers += asked.answers.len();
        for answer in &asked.answers {
            if !stands_at(answer, context) {
                match context.0.contains(&answer.text) {
                    true => misplaced.elsewhere += 1,
                    false => misplaced.absent += 1,
                }
            }
        }
        self.set.cases.push(Case {
            question: asked.question,
            page: url.clone(),
            answers: asked.answers.into_iter().map(|one| one.text).collect(),
            is_answerable,
            expected: if is_answerable {
                vec![paragraph.clone()]
            } else {
                Vec::new()
            },
            scope: Scope::Only(vec![paragraph]),
        });
        Ok(())
    }
}

/// Checks that a question can be asked, and that its answers agree with its `impossible` flag.
fn check(asked: &Asked, place: &str) -> anyhow::Result<()> {
    let wrong = |expected: &str, found: String, hint: &str| {
        let message = format!("{place}: expected {expected}, found {found}");
        Err(Hint::error(message, hint))
    };
    let n_chars = asked.question.chars().count();
    if !asked.question.chars().any(char::is_alphanumeric) {
        return wrong(
            "a question",
            format!("`{}`", asked.question),
            "leave it out",
        );
    }
    if n_chars > MAX_QUESTION_CHARS {
        return wrong(
            &format!("at most {MAX_QUESTION_CHARS} characters in `question`"),
            n_chars.to_string(),
            "leave it out: the engine refuses it",
        );
    }
    if asked.answers.len() > MAX_ANSWERS {
        return wrong(
            &format!("at most {MAX_ANSWERS} answers"),
            asked.answers.len().to_string(),
            "leave out those that differ in case or articles only",
        );
    }
    if asked.answers.iter().any(|one| one.text.trim().is_empty()) {
        return wrong(
            "a text in each answer",
            "an empty one".to_owned(),
            "leave it out; a question without any answer is impossible",
        );
    }
    match (asked.is_impossible, asked.answers.is_empty()) {
        (Some(true), false) => wrong(
            "no answers to a question that is said to be impossible",
            format!("{} to `{}`", asked.answers.len(), asked.question),
            "take the answers away, or say that it is possible",
        ),
        (Some(false) | None, true) => wrong(
            "answers, or a question that is said to be impossible",
            format!("neither for `{}`", asked.question),
            "give answers, or set `is_impossible` (`impossible` in lines) to true",
        ),
        _ => Ok(()),
    }
}

/// The byte offset of each character of a text.
fn starts(text: &str) -> Vec<usize> {
    text.char_indices().map(|(start, _)| start).collect()
}

fn stands_at(answer: &Answer, (text, starts): (&str, &[usize])) -> bool {
    let start = starts.get(answer.start);
    start.is_some_and(|&start| text[start..].starts_with(&answer.text))
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
