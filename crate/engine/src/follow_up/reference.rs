//! Finds the words of a question that refer to an earlier turn.

use super::clause::{Clause, Phrase, lead};
use super::words::{Class, is_plural, is_predicate};

/// The kind of thing that a word can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One thing: `it`.
    Thing,
    /// Several: `they`, `these`.
    Several,
    /// Someone: `he`, `she`.
    Someone,
    /// One thing, or everything said: `this`, `that`.
    This,
}

/// A word that refers to an earlier turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) token: usize,
    pub(super) kind: Kind,
    /// True for `its size`, false for `it`.
    pub(super) possessive: bool,
    /// True if it is in subject position.
    pub(super) subject: bool,
}

/// Adjectives that make the `it` of `it is ADJECTIVE to` an expletive.
const EXPECTANT: [&str; 24] = [
    "possible",
    "impossible",
    "necessary",
    "safe",
    "ok",
    "okay",
    "fine",
    "good",
    "bad",
    "better",
    "best",
    "worth",
    "common",
    "normal",
    "important",
    "easy",
    "hard",
    "difficult",
    "recommended",
    "required",
    "advisable",
    "allowed",
    "true",
    "enough",
];
/// Those of [`EXPECTANT`] with which `it` does refer to something if the verb has no object: `is it easy to clean`.
const OF_THINGS: [&str; 8] = [
    "safe",
    "fine",
    "good",
    "bad",
    "easy",
    "hard",
    "difficult",
    "worth",
];
/// `this page` is the one the visitor is on.
const HERE: [&str; 23] = [
    "period",
    "page",
    "site",
    "website",
    "documentation",
    "docs",
    "document",
    "guide",
    "manual",
    "article",
    "section",
    "project",
    "product",
    "time",
    "year",
    "month",
    "week",
    "day",
    "way",
    "moment",
    "chat",
    "kind",
    "sort",
];

/// The words of `clause` that refer to what was said before it, in order.
///
/// An expletive `it` (`is it possible to`) is left out, as is a word with its antecedent in the question itself.
pub(super) fn references(clause: &Clause<'_>) -> Vec<Reference> {
    (0..clause.tokens.len())
        .filter_map(|at| reference(clause, at))
        .filter(|reference| !has_antecedent(clause, reference))
        .collect()
}

/// The nouns that `this` and its like point at: `this option`.
pub(super) fn pointed(clause: &Clause<'_>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for phrase in &clause.phrases {
        let start = phrase.tokens.start;
        if clause.class(start) == Some(Class::Demonstrative)
            && phrase.head > start
            && !HERE.contains(&clause.lower(phrase.head))
            && !is_joining(clause, start)
            && !is_pronoun(clause, start)
        {
            found.push((start, phrase.head));
        }
    }
    found.dedup();
    found
}

fn reference(clause: &Clause<'_>, at: usize) -> Option<Reference> {
    let token = &clause.tokens[at];
    if token.is_capitalised() && at > lead(&clause.tokens) {
        // Part of a title: `Catch It`.
        return None;
    }
    let next_is_content = clause
        .tokens
        .get(at + 1)
        .is_some_and(|token| token.is_content());
    let (kind, possessive) = match token.lower.as_str() {
        "it" if is_expletive(clause, at) => return None,
        "it" => (Kind::Thing, false),
        "its" => (Kind::Thing, true),
        "they" | "them" | "theirs" => (Kind::Several, false),
        "their" => (Kind::Several, true),
        "he" | "him" | "she" | "hers" => (Kind::Someone, false),
        "his" => (Kind::Someone, next_is_content),
        "her" => (Kind::Someone, next_is_content),
        "this" | "that" | "these" | "those" => {
            if !is_pronoun(clause, at) {
                return None;
            }
            let several = token.is(&["these", "those"]);
            (if several { Kind::Several } else { Kind::This }, false)
        }
        _ => return None,
    };
    let is_subject = clause
        .subject
        .as_ref()
        .is_some_and(|subject| subject.start == at);
    let before_verb = matches!(clause.class(at + 1), Some(Class::Be | Class::Auxiliary));
    Some(Reference {
        token: at,
        kind,
        possessive,
        subject: is_subject || before_verb,
    })
}

/// True if `that` follows a noun or a verb and joins clauses: `a tool that can`, `make sure that`.
fn is_joining(clause: &Clause<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else {
        return false;
    };
    clause.lower(at) == "that"
        && (clause.tokens[before].is_content()
            || clause.tokens[before].is(&[
                "so",
                "now",
                "only",
                "all",
                "everything",
                "something",
                "anything",
                "one",
                "ones",
            ]))
        && clause
            .class(at + 1)
            .is_some_and(|next| next != Class::Mark && next != Class::Preposition)
}

/// True if a demonstrative is a pronoun, rather than before its noun or between two clauses.
fn is_pronoun(clause: &Clause<'_>, at: usize) -> bool {
    if is_joining(clause, at)
        || clause
            .tokens
            .get(at + 1)
            .is_some_and(|next| next.is(&["who", "which", "that"]))
    {
        return false;
    }
    if !clause
        .tokens
        .get(at + 1)
        .is_some_and(|token| token.is_content())
    {
        return !matches!(
            clause.class(at + 1),
            Some(Class::Determiner | Class::Person)
        );
    }
    // `does that affect the speed`: `affect` is a verb, since it has an object. `does that option affect`: `option` is
    // a noun.
    let after_auxiliary = clause
        .auxiliary
        .is_some_and(|auxiliary| auxiliary + 1 == at);
    let is_do = clause
        .auxiliary
        .and_then(|auxiliary| clause.class(auxiliary))
        == Some(Class::Auxiliary);
    let verb = clause.class(at + 1) == Some(Class::Verb);
    let object = matches!(
        clause.class(at + 2),
        Some(Class::Determiner | Class::Demonstrative | Class::Pronoun | Class::Person)
    );
    let repeats = at > 0 && clause.lower(at - 1) == "do" && clause.auxiliary != Some(at - 1);
    let open = !clause
        .tokens
        .get(at + 2)
        .is_some_and(|token| token.is_content());
    let adjective = after_auxiliary && !is_do && open && is_predicate(clause.lower(at + 1));
    repeats
        || after_auxiliary && is_do && (verb || object || (open && at + 2 < clause.tokens.len()))
        || adjective
}

/// True for an `it` that refers to nothing: `is it possible to`, `how long does it take to`, `does it make sense`.
fn is_expletive(clause: &Clause<'_>, at: usize) -> bool {
    let tokens = &clause.tokens;
    let end = clause.end();
    let mut next = at + 1;
    while matches!(
        clause.class(next),
        Some(Class::Be | Class::Auxiliary | Class::Adverb)
    ) {
        next += 1;
    }
    let begins_clause = |at: usize| {
        tokens.get(at).is_some_and(|token| {
            token.is(&[
                "to", "that", "if", "when", "whether", "for", "what", "which", "how",
            ])
        })
    };
    let word = clause.lower(next);
    if EXPECTANT.contains(&word) && begins_clause(next + 1) {
        let verb_ends = clause.lower(next + 1) == "to" && next + 3 >= end;
        return !(OF_THINGS.contains(&word) && verb_ends);
    }
    match word {
        "take" | "takes" | "cost" | "costs" | "mean" | "help" | "hurt" | "matter" | "matters" => {
            let before = at.checked_sub(1).map(|before| clause.lower(before));
            before != Some("of") && (next + 1..end.min(next + 6)).any(begins_clause)
        }
        "make" | "makes" => {
            clause.lower(next + 1) == "sense"
                || clause.lower(next + 1) == "any" && clause.lower(next + 2) == "sense"
        }
        "turns" | "seems" | "appears" | "seem" | "appear" => {
            begins_clause(next + 1) || clause.lower(next + 1) == "out"
        }
        "time" | "raining" | "late" => true,
        _ => {
            // `make it possible to`, `find it hard to`, `what time is it`, `is that it`.
            let asked_time = clause
                .wh
                .as_ref()
                .is_some_and(|wh| clause.lower(wh.end - 1) == "time")
                && at + 1 == end
                && clause
                    .auxiliary
                    .and_then(|auxiliary| clause.class(auxiliary))
                    == Some(Class::Be);
            asked_time || at > 0 && at + 1 == end && clause.lower(at - 1) == "that"
        }
    }
}

/// True if the word refers to a phrase before it in the question itself.
fn has_antecedent(clause: &Clause<'_>, reference: &Reference) -> bool {
    let at = reference.token;
    clause.phrases.iter().any(|phrase| {
        phrase.tokens.end <= at
            && agrees(phrase, reference.kind)
            && !clause.tokens[phrase.tokens.start].is(&["this", "that", "these", "those"])
            && (reference.possessive || is_parted(clause, phrase.tokens.end, at))
    }) && reference.kind != Kind::This
}

fn agrees(phrase: &Phrase, kind: Kind) -> bool {
    match kind {
        Kind::Thing => !phrase.plural && !phrase.joined,
        Kind::Several => phrase.plural || phrase.joined,
        Kind::Someone => phrase.person,
        Kind::This => false,
    }
}

/// True if another clause begins between two tokens: a pronoun never refers to another phrase of its own clause.
fn is_parted(clause: &Clause<'_>, start: usize, end: usize) -> bool {
    (start..end).any(|at| {
        let token = &clause.tokens[at];
        let next_is_gerund = clause.lower(at + 1).ends_with("ing");
        match token.class {
            Class::Conjunction | Class::Wh => true,
            Class::Mark => token.text == "," || token.text == ";",
            Class::Demonstrative => token.lower == "that",
            Class::Preposition => {
                token.is(&["before", "after", "until", "since"]) && !next_is_gerund && end - at <= 2
            }
            _ => false,
        }
    })
}

/// True if `word` and `head` are the same noun, singular or plural.
pub(super) fn same_noun(word: &str, head: &str) -> bool {
    let singular = |noun: &str| {
        let noun = noun.trim_end_matches("'s").trim_end_matches('\'');
        if is_plural(noun) {
            noun.trim_end_matches('s').to_owned()
        } else {
            noun.to_owned()
        }
    };
    singular(word) == singular(head)
}
