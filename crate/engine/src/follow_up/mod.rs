//! Turns a follow-up and the turns before it into a self-contained question, by rules, without a model.

mod antecedent;
mod clause;
mod ellipsis;
mod more;
mod parser;
mod phrase;
mod reference;
mod subject;
mod substitute;
mod words;

#[cfg(test)]
mod tests;

use serde::Deserialize;

use antecedent::Known;
use clause::{Clause, capitalised};
use ellipsis::{Completed, complete};
use more::append_topic;
use reference::references;
use substitute::{Substituted, substitute};

/// Most turns considered, counted back from the question.
pub const MAX_TURNS: usize = 6;
/// Longest question to rewrite, in bytes: a longer one says what it is about. Also the longest result.
const MAX_QUESTION: usize = 600;
/// Bytes read of an answer: its topic is at the beginning.
const MAX_ANSWER: usize = 300;
/// Bytes read of a heading, and headings read of a passage.
const MAX_HEADING: usize = 120;
const MAX_HEADINGS: usize = 4;
/// A question of at most this many tokens may have no word that reveals its language.
const MAX_SHORT: usize = 5;

/// An earlier question, answered.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Turn {
    /// The question as put to the index: the rewritten one, if it was itself a follow-up.
    pub question: String,
    /// The quotation or text shown; may be empty.
    pub answer: String,
    /// Title and headings of the quoted passage, outermost first; may be empty.
    pub headings: Vec<String>,
}

/// How a question depends on the turns before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowUp {
    /// It doesn't depend on them: ask it as it stands.
    StandsAlone,
    /// Ask `question` instead.
    Rewritten {
        /// The self-contained question.
        question: String,
        /// Index in the history of the turn it was completed from.
        from: usize,
    },
    /// It refers to something earlier, but it isn't clear to what: ask it as it stands, and say so in the answer.
    Unclear,
}

/// Completes `question` from the turns before it, the oldest first.
///
/// Pronouns are replaced by the noun phrases they refer to, fragments (`And on Windows?`) are put into the previous
/// question, and the topic is appended to `Are there more examples?`. If several phrases could be meant and none
/// clearly leads, the result is [`FollowUp::Unclear`]. Only English is supported: questions in other languages stand
/// alone. Time is linear in the length of the question; of the history, only the last [`MAX_TURNS`] turns and the
/// beginning of each are read.
///
/// The rules choose an antecedent by its role and by how recently and how often it was mentioned, after Lappin and
/// Leass, "An Algorithm for Pronominal Anaphora Resolution" (Computational Linguistics 20(4), 1994), without their
/// parser.
pub fn rewrite(question: &str, history: &[Turn]) -> FollowUp {
    let skipped = history.len().saturating_sub(MAX_TURNS);
    let turns = &history[skipped..];
    // A turn not rewritten when it was asked may still say `it`.
    let mut asked: Vec<String> = Vec::with_capacity(turns.len());
    for turn in turns {
        let text = beginning(&turn.question, MAX_QUESTION);
        let whole = match rewrite_after(text, turns, &asked) {
            FollowUp::Rewritten { question, .. } => question,
            FollowUp::StandsAlone | FollowUp::Unclear => text.to_owned(),
        };
        asked.push(whole);
    }
    match rewrite_after(question, turns, &asked) {
        FollowUp::Rewritten { question, from } => FollowUp::Rewritten {
            question,
            from: from + skipped,
        },
        other => other,
    }
}

/// Rewrites `question`, given `turns` and their completed questions `asked`.
fn rewrite_after(question: &str, turns: &[Turn], asked: &[String]) -> FollowUp {
    if question.len() > MAX_QUESTION {
        return FollowUp::StandsAlone;
    }
    let known: Vec<Known<'_>> = asked
        .iter()
        .zip(turns)
        .map(|(question, turn)| read(question, turn))
        .collect();
    let Some(last) = known.last() else {
        return FollowUp::StandsAlone;
    };
    let clause = Clause::parse(question);
    if !is_english(&clause, &last.question) {
        return FollowUp::StandsAlone;
    }
    let latest = known.len() - 1;
    match complete(&clause, &last.question) {
        Completed::Lost => FollowUp::Unclear,
        // The fragment may have a pronoun of its own.
        Completed::Question(whole) if !references(&clause).is_empty() => {
            match substitute(&Clause::parse(&whole), &known) {
                Substituted::Text { question, .. } => written(&question, latest),
                Substituted::Nothing => written(&whole, latest),
                Substituted::Unclear => FollowUp::Unclear,
            }
        }
        Completed::Question(whole) => written(&whole, latest),
        Completed::Whole => match substitute(&clause, &known) {
            Substituted::Text { question, from } => written(&question, from),
            Substituted::Unclear => FollowUp::Unclear,
            Substituted::Nothing => match append_topic(&clause, &known) {
                Some((question, from)) => written(&question, from),
                None => FollowUp::StandsAlone,
            },
        },
    }
}

fn written(question: &str, from: usize) -> FollowUp {
    if question.len() > MAX_QUESTION {
        return FollowUp::Unclear;
    }
    FollowUp::Rewritten {
        question: capitalised(question),
        from,
    }
}

fn read<'t>(question: &'t str, turn: &'t Turn) -> Known<'t> {
    let answer = first_sentence(beginning(&turn.answer, MAX_ANSWER));
    let headings = turn.headings.iter().take(MAX_HEADINGS);
    Known {
        question: Clause::parse(question),
        answer: Clause::parse(answer),
        headings: headings
            .map(|heading| Clause::parse(beginning(heading, MAX_HEADING)))
            .collect(),
    }
}

/// At most `limit` bytes of `text`, cut between two characters.
fn beginning(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

fn first_sentence(text: &str) -> &str {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let end = line
        .match_indices(['.', '!', '?', ';'])
        .find(|(at, _)| line[at + 1..].starts_with(' ') && *at > 12);
    end.map_or(line, |(at, _)| &line[..at + 1])
}

/// True if `question` is English; for one of a few words (`As CSV?`) the previous question decides.
fn is_english(question: &Clause<'_>, last: &Clause<'_>) -> bool {
    let letters = question.text.chars().filter(|c| c.is_alphabetic());
    let foreign = letters.clone().filter(|c| !c.is_ascii()).count();
    let is_short = question.tokens.len() <= MAX_SHORT;
    foreign * 5 <= letters.count()
        && (has_english_word(question) || is_short && has_english_word(last))
}

/// True if the question has a word that few other languages share.
fn has_english_word(clause: &Clause<'_>) -> bool {
    const TELLING: [&str; 33] = [
        "the", "what", "how", "why", "when", "where", "which", "who", "does", "did", "is", "are",
        "can", "should", "will", "would", "could", "and", "about", "it", "its", "this", "that",
        "they", "them", "their", "with", "any", "more", "of", "has", "have", "there",
    ];
    clause.tokens.iter().any(|token| token.is(&TELLING))
}
