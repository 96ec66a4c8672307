//! A sentence as its tokens, noun phrases and their roles.

use std::ops::Range;

use super::words::{Class, Token};

/// The role of a noun phrase in its clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `which flag`: asked for, so not yet known.
    Asked,
    Subject,
    Object,
    /// After a preposition.
    Oblique,
    /// The part after `of`, or before `'s`, of another phrase.
    Within,
}

/// A noun phrase.
#[derive(Clone, Debug)]
pub(super) struct Phrase {
    pub(super) role: Role,
    /// Its tokens, determiner included.
    pub(super) tokens: Range<usize>,
    /// The token of its main noun.
    pub(super) head: usize,
    pub(super) plural: bool,
    /// True if it names something: a capital, code or quotation marks.
    pub(super) proper: bool,
    /// True if it may name a person: one to four capitalised words.
    pub(super) person: bool,
    /// True if it is joined with its neighbour by `and` or `or`.
    pub(super) joined: bool,
}

/// A parsed sentence.
#[derive(Clone, Debug)]
pub(super) struct Clause<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: Vec<Token<'t>>,
    pub(super) phrases: Vec<Phrase>,
    /// The question word with its complement: `how often`, `which flag`.
    pub(super) wh: Option<Range<usize>>,
    /// The first auxiliary of a question.
    pub(super) auxiliary: Option<usize>,
    /// The subject: a pronoun or a noun phrase.
    pub(super) subject: Option<Range<usize>>,
    /// The main verb, if word order reveals it.
    pub(super) verb: Option<usize>,
}

impl<'t> Clause<'t> {
    /// The text of some tokens.
    pub(super) fn slice(&self, tokens: Range<usize>) -> &'t str {
        let Some(last) = tokens
            .end
            .checked_sub(1)
            .filter(|last| *last >= tokens.start)
        else {
            return "";
        };
        match (self.tokens.get(tokens.start), self.tokens.get(last)) {
            (Some(first), Some(last)) => &self.text[first.place.start..last.place.end],
            _ => "",
        }
    }

    pub(super) fn class(&self, at: usize) -> Option<Class> {
        self.tokens.get(at).map(|token| token.class)
    }

    pub(super) fn lower(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.lower.as_str())
    }

    /// The end of the tokens before the sentence's closing marks.
    pub(super) fn end(&self) -> usize {
        let marks = self
            .tokens
            .iter()
            .rev()
            .take_while(|token| token.class == Class::Mark);
        self.tokens.len() - marks.count()
    }

    /// True if the subject is `I`, `you` or `we`.
    pub(super) fn is_asked_for_oneself(&self) -> bool {
        self.subject.as_ref().is_some_and(|subject| {
            subject.len() == 1 && self.tokens[subject.start].is(&["i", "you", "we", "one"])
        })
    }

    /// The act that is asked about: the verb with its object, after `I`, `you` or `we`.
    pub(super) fn act(&self) -> Option<&'t str> {
        let verb = self
            .verb
            .filter(|verb| self.is_asked_for_oneself() && verb + 1 < self.end())?;
        Some(self.slice(verb..self.end()))
    }

    /// True if the question is about an event rather than a thing: `why does the build fail`.
    pub(super) fn tells(&self) -> bool {
        let things = ["what", "which", "who", "whom"];
        self.verb.is_some()
            && self.wh.as_ref().is_none_or(|wh| {
                !self.tokens[wh.clone()]
                    .iter()
                    .any(|token| token.is(&things))
            })
    }
}

/// Words before the sentence proper: `and`, `but`, `so`, `then`, `ok`, `please`.
pub(super) fn lead(tokens: &[Token<'_>]) -> usize {
    let mut at = 0;
    while tokens.get(at).is_some_and(|token| {
        token.is(&[
            "and", "but", "so", "or", "also", "then", "ok", "okay", "thanks", "well", "please",
            "yes", "no", "great",
        ]) || (at > 0 && token.class == Class::Mark)
    }) {
        at += 1;
    }
    if at < tokens.len() { at } else { 0 }
}

/// `text` trimmed, with its first letter capitalised.
pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.trim().chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// The text of some tokens, as written in the middle of a sentence.
pub(super) fn uncapitalised(clause: &Clause<'_>, tokens: Range<usize>) -> String {
    let text = clause.slice(tokens.clone());
    let plain = clause.tokens.get(tokens.start).is_some_and(|token| {
        !matches!(token.class, Class::Name | Class::Noun) && token.text != "I"
    });
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if plain => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
