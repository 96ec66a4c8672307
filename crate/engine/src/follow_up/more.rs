//! Turns a question that is whole, but says nothing of what it is about, into one that names the topic.

use super::antecedent::{Known, topic};
use super::clause::Clause;
use super::ellipsis::uncapitalised;

/// Words that ask for more of something.
const MORE: [&str; 14] = [
    "more",
    "other",
    "another",
    "else",
    "anything",
    "something",
    "also",
    "too",
    "instead",
    "then",
    "there",
    "example",
    "examples",
    "same",
];
/// Nouns that don't say of what.
const OPEN: [&str; 20] = [
    "example",
    "examples",
    "detail",
    "details",
    "information",
    "info",
    "options",
    "option",
    "ways",
    "way",
    "alternatives",
    "alternative",
    "limits",
    "things",
    "aspects",
    "ones",
    "exceptions",
    "explanation",
    "tell",
    "interesting",
];
/// Longest question that is put into another as its topic, in bytes.
const MAX_TOPIC: usize = 150;

/// `Are there more examples?` with what they are of, and the index of the turn that says so.
pub(super) fn append_topic(clause: &Clause<'_>, known: &[Known<'_>]) -> Option<(String, usize)> {
    let end = clause.end();
    let last_token = clause.tokens.get(end.checked_sub(1)?)?;
    let asks_more = (0..end).any(|at| {
        let existential = clause.lower(at) == "there"
            && clause
                .auxiliary
                .is_some_and(|auxiliary| auxiliary + 1 == at);
        clause.tokens[at].is(&MORE) && !existential && clause.lower(at + 1) != "than"
    });
    let says_what = |at: usize| {
        let token = &clause.tokens[at];
        token.is_content() && clause.verb != Some(at) && !token.is(&OPEN) && !token.is(&MORE)
    };
    let is_vague = (0..end).filter(|at| says_what(*at)).count() <= 1;
    let what_if = clause.tokens.len() > 2 && clause.lower(0) == "what" && clause.lower(1) == "if";
    if !(asks_more && is_vague || what_if) {
        return None;
    }
    let latest = known.len() - 1;
    let (what, from) = match topic(known) {
        Some(found) => (found.text, found.turn),
        None => (
            uncapitalised(&known[latest].question, 0..known[latest].question.end()),
            latest,
        ),
    };
    if what.is_empty() || what.len() > MAX_TOPIC {
        return None;
    }
    let (before, after) = clause.text.split_at(last_token.place.end);
    let question = if last_token.is(&["example", "examples"]) {
        format!("{before} of {what}{after}")
    } else {
        format!("{before} ({what}){after}")
    };
    Some((question, from))
}
