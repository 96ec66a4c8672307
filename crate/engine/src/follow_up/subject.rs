//! Finds where the subject of a question ends and its verb begins, without knowing all verbs.

use super::clause::Role;
use super::parser::Parser;
use super::words::{Class, Token, is_participle, is_plural, is_predicate};

impl Parser<'_> {
    /// Parses the subject after an auxiliary; with `names`, nothing else has to follow, as in `what is X`.
    pub(super) fn subject(&mut self, names: bool) {
        while self.class(self.at) == Some(Class::Adverb) {
            self.at += 1;
        }
        let start = self.at;
        let is_be = self.clause.auxiliary.and_then(|at| self.class(at)) == Some(Class::Be);
        match self.class(start) {
            Some(Class::Pronoun | Class::Person) => self.at += 1,
            Some(Class::Demonstrative)
                if self.class(start + 1) == Some(Class::Verb)
                    || !self.is_content(start + 1)
                    || is_be
                        && is_predicate(self.clause.lower(start + 1))
                        && !self.is_content(start + 2) =>
            {
                self.at += 1;
            }
            // `what is special about the cache`: the adjective is not the subject.
            Some(Class::Noun)
                if names && ["about", "with"].contains(&self.clause.lower(start + 1)) =>
            {
                self.at += 1;
                return;
            }
            Some(_) => {
                let run = self.phrase_end(start, true);
                if let Some(verb) = self.verb_after_place(run).filter(|_| !is_be && run > start) {
                    self.add(start..verb, Role::Subject);
                    if let Some(phrase) = self.clause.phrases.last_mut() {
                        phrase.head = run - 1;
                        phrase.plural = is_plural(&self.clause.tokens[run - 1].lower);
                    }
                    self.add(run + 1..verb, Role::Within);
                    self.at = verb;
                } else {
                    let end = self.without_predicate(start, run, is_be, names);
                    if end == start {
                        return;
                    }
                    self.at = end;
                    self.complement(Role::Subject, start);
                }
            }
            None => return,
        }
        self.clause.subject = Some(start..self.at);
        while self.class(self.at) == Some(Class::Adverb) {
            self.at += 1;
        }
        // After an auxiliary, the main verb follows the subject; after a form of `be`, at most a participle does.
        let participle = self.class(self.at) == Some(Class::Verb);
        if self.is_content(self.at) && (!is_be || participle) {
            self.clause.verb = Some(self.at);
            self.at += 1;
        } else if is_be && !names && self.class(self.at) == Some(Class::Noun) {
            self.at += 1;
        }
    }

    /// The verb of `does the red light | on the router | mean`, given the end of the first phrase, `end`.
    fn verb_after_place(&self, end: usize) -> Option<usize> {
        let places = [
            "of", "on", "in", "for", "with", "from", "at", "under", "between",
        ];
        let named = end.checked_sub(2).is_some_and(|at| {
            self.clause.tokens[at].is_capitalised() && !self.clause.tokens[at + 1].is_capitalised()
        });
        if !places.contains(&self.clause.lower(end)) || named {
            return None;
        }
        let inner = self.phrase_end(end + 1, true);
        let first = end + 1 + usize::from(!self.is_content(end + 1));
        (first + 1..inner).find(|at| self.class(*at) == Some(Class::Verb))
    }

    /// Removes from a run of words what must be the predicate: `the server | restart`, `the server | ready`.
    pub(super) fn without_predicate(
        &self,
        start: usize,
        end: usize,
        is_be: bool,
        names: bool,
    ) -> usize {
        let first = start + usize::from(!self.is_content(start));
        let tokens = &self.clause.tokens;
        let verb = (first + 1..end).find(|at| {
            let lower = &tokens[*at].lower;
            // `what is borrow checking` asks about a name, `what is the port called` does not.
            let gerund = names && lower.ends_with("ing");
            let participle = is_participle(lower) && !gerund && !tokens[*at].is_capitalised();
            (tokens[*at].class == Class::Verb && !(is_be && names))
                || (participle && !self.is_content(at + 1))
        });
        if let Some(verb) = verb {
            return verb;
        }
        // A lower-case word after a name is the verb: `the Spice Girls | promote girl power`.
        let named = (first + 1..end).find(|at| {
            !is_be
                && tokens[at - 1].is_capitalised()
                && !tokens[*at].is_capitalised()
                && tokens[*at].class == Class::Noun
        });
        if let Some(verb) = named {
            return verb;
        }
        let last = end.saturating_sub(1);
        let goes_on =
            matches!(self.class(end), Some(Class::Preposition)) && self.clause.lower(end) == "of";
        let is_name = tokens
            .get(last)
            .is_some_and(|token| token.is_capitalised() || token.class == Class::Name);
        let alone = end < first + 2 || self.class(end) == Some(Class::Auxiliary);
        let attached = tokens
            .get(last.wrapping_sub(1))
            .is_some_and(Token::is_genitive);
        if alone || names || goes_on || is_name || (attached && is_be) {
            end
        } else {
            last
        }
    }
}
