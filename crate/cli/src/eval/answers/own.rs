//! Turns a site's own questions into cases.

use std::path::Path;

use anchorite::index::Index;

use super::case::{Case, Scope};
use super::site::page;
use crate::eval::questions::{self, Question};

/// Reads the questions about the site in `index`.
///
/// # Errors
/// If the file can't be read or has another form, or if it expects an address that the index does not have.
pub(super) fn read(file: &Path, index: &Index) -> anyhow::Result<Vec<Case>> {
    let questions = questions::read(file)?;
    questions::check(&questions, index, file)?;
    Ok(questions.into_iter().map(case).collect())
}

fn case(question: Question) -> Case {
    // A question that no page answers counts as on a page of its own.
    let page = question.expected.first().map(|url| page(url).to_owned());
    Case {
        page: page.unwrap_or_else(|| question.question.clone()),
        question: question.question,
        answers: question.answers,
        is_answerable: question.answerable,
        expected: question.expected,
        scope: Scope::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_of_a_page_belong_together() {
        let question = |expected: &[&str], answerable: bool| {
            case(Question {
                question: "Why?".to_owned(),
                expected: expected.iter().map(|&url| url.to_owned()).collect(),
                answers: Vec::new(),
                answerable,
            })
        };
        assert_eq!(
            question(&["a#one", "b"], true).page,
            "a",
            "the first address"
        );
        let unanswerable = question(&[], false);
        assert_eq!(
            (unanswerable.page.as_str(), unanswerable.is_answerable),
            ("Why?", false),
            "no address"
        );
    }
}
