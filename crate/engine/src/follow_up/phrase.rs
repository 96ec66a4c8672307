//! Turns a run of tokens into a noun phrase: its number, its main noun and what it may name.

use std::ops::Range;

use super::clause::{Phrase, Role};
use super::parser::{MAX_PHRASE_TOKENS, Parser};
use super::words::{Class, Token, is_plural};

impl Parser<'_> {
    /// The end of the run of words that begins at `start`. A verb ends it, except right at its beginning or before a
    /// noun.
    pub(super) fn phrase_end(&self, start: usize, subject: bool) -> usize {
        let mut at = start;
        while matches!(
            self.class(at),
            Some(Class::Determiner | Class::Demonstrative)
        ) && at < start + 2
        {
            at += 1;
        }
        let first = at;
        while self.is_content(at) && at - start < MAX_PHRASE_TOKENS {
            let verb = self.class(at) == Some(Class::Verb);
            let inside =
                self.class(at + 1) == Some(Class::Noun) && self.clause.lower(at).ends_with("ing");
            if verb && at > first && !subject && !inside {
                break;
            }
            at += 1;
        }
        if at == first { start } else { at }
    }

    /// Adds the phrase from `start` to here, with its complement after `of`.
    pub(super) fn complement(&mut self, role: Role, start: usize) {
        let end = self.at;
        let of = self.clause.lower(end) == "of" || self.is_limit(role, end);
        let inner = end + 1;
        let inner_end = if of {
            self.phrase_end(inner, false)
        } else {
            inner
        };
        let first = self.clause.phrases.len();
        if of && inner_end > inner {
            let inner_end =
                if role == Role::Subject && self.leaves_verb() && !self.is_auxiliary(inner_end) {
                    self.without_predicate(inner, inner_end, false, false)
                        .max(inner + 1)
                } else {
                    inner_end
                };
            self.at = inner_end;
            self.add(start..inner_end, role);
            if let Some(phrase) = self.clause.phrases.get_mut(first) {
                phrase.head = end - 1;
                phrase.plural = is_plural(&self.clause.tokens[end - 1].lower);
            }
            self.add(inner..inner_end, Role::Within);
        } else {
            self.add(start..end, role);
        }
        let genitive = (start..end)
            .rev()
            .find(|at| self.clause.tokens[*at].is_genitive());
        if let Some(genitive) = genitive.filter(|at| at + 1 < end) {
            self.add(start..genitive + 1, Role::Within);
        }
    }

    /// `the policy for audit logs`, if nothing but the phrase is asked for.
    fn is_limit(&self, role: Role, at: usize) -> bool {
        self.clause.lower(at) == "for"
            && role != Role::Oblique
            && self.clause.verb.is_none()
            && self.clause.auxiliary.is_some()
    }

    /// True if the question's auxiliary leaves the main verb after the subject.
    fn leaves_verb(&self) -> bool {
        self.clause.auxiliary.and_then(|at| self.class(at)) == Some(Class::Auxiliary)
    }

    pub(super) fn add(&mut self, tokens: Range<usize>, role: Role) {
        let all = &self.clause.tokens;
        let Some(head) = tokens.clone().rev().find(|at| all[*at].is_content()) else {
            return;
        };
        let words = || {
            all[tokens.clone()]
                .iter()
                .filter(|token| token.is_content())
        };
        // The first word of a sentence is capitalised anyway.
        let opens =
            |token: &Token<'_>| token.place.start == all[0].place.start && tokens.len() == 1;
        let quantity =
            all[tokens.start].is(&["two", "three", "four", "many", "several", "all", "few"]);
        self.clause.phrases.push(Phrase {
            role,
            head,
            plural: quantity || is_plural(&all[head].lower),
            proper: words()
                .any(|token| token.class == Class::Name || token.is_capitalised() && !opens(token)),
            person: role != Role::Asked
                && words().all(|token| is_personal(token))
                && words().count() <= 4
                && all[tokens.start].is_content(),
            joined: false,
            tokens,
        });
    }

    /// Marks the last phrase and the one before it as joined if `and` or `or` is between them.
    pub(super) fn join(&mut self, added: usize, start: usize) {
        let Some(before) = start.checked_sub(1) else {
            return;
        };
        if !self.clause.tokens[before].is(&["and", "or"]) {
            return;
        }
        let role = (0..added)
            .rev()
            .find(|idx| self.clause.phrases[*idx].tokens.end == before);
        if let Some(other) = role {
            let role = self.clause.phrases[other].role;
            self.clause.phrases[other].joined = true;
            if let Some(phrase) = self.clause.phrases.get_mut(added) {
                phrase.joined = true;
                phrase.role = role;
            }
        }
    }
}

fn is_personal(token: &Token<'_>) -> bool {
    token.class != Class::Name
        && token.is_capitalised()
        && (token.text.chars().nth(1).is_some_and(char::is_lowercase)
            || token.text.chars().count() <= 2)
}
