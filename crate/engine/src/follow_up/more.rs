//! Adds the topic to a question that is complete but does not name it.

use super::antecedent::{Known, topic};
use super::clause::{Clause, lead, uncapitalised};

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
/// Nouns that leave their topic open: `examples`, `details`.
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
/// Longest question appended to another as its topic, in bytes.
const MAX_TOPIC: usize = 150;

/// `Are there more examples?` with its topic appended, and the index of the turn with that topic.
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
    let lower = |at: usize| clause.lower(at);
    let what_if = lower(0) == "what" && lower(1) == "if";
    // `which is better`, `more than one`.
    let bare_which = clause.wh.as_ref().is_some_and(|wh| {
        wh.len() == 1 && lower(wh.start) == "which" && clause.auxiliary == Some(wh.end)
    });
    let more_than_one = end >= 3 && lower(end - 1) == "one" && lower(end - 2) == "than";
    if !(asks_more && is_vague || what_if || bare_which || more_than_one) {
        return None;
    }
    let latest = known.len() - 1;
    let last = &known[latest].question;
    let (before, after) = clause.text.split_at(last_token.place.end);
    let found = topic(known);
    if let Some(found) = found
        .as_ref()
        .filter(|_| last_token.is(&["example", "examples"]))
    {
        return Some((format!("{before} of {}{after}", found.text), found.turn));
    }
    let act = last
        .act()
        .filter(|act| act.len() <= MAX_TOPIC && !bare_which)
        .map(|act| format!("({act})"));
    let named = found.filter(|_| !bare_which && !last.is_asked_for_oneself());
    let (what, from) = match (act, named) {
        (Some(act), _) => (act, latest),
        (None, Some(found)) => (format!("({})", found.text), found.turn),
        (None, None) => (whole(last)?, latest),
    };
    Some((format!("{before} {what}{after}"), from))
}

/// The last question in brackets, if it is short enough to be appended to another.
pub(super) fn whole(last: &Clause<'_>) -> Option<String> {
    let text = uncapitalised(last, lead(&last.tokens)..last.end());
    (!text.is_empty() && text.len() <= MAX_TOPIC).then(|| format!("({text})"))
}
