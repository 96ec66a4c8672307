//! Turns the tokens of a sentence into noun phrases with roles, by closed word lists and word order alone.

use std::ops::Range;

use super::clause::{Clause, Phrase, Role, lead};
use super::words::{Class, Token, is_participle, is_plural, is_predicate};

/// A noun phrase longer than this is a list or a mistake.
const MAX_PHRASE_TOKENS: usize = 8;

/// Goes through the tokens of a sentence once.
pub(super) struct Parser<'t> {
    clause: Clause<'t>,
    at: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(clause: Clause<'t>) -> Parser<'t> {
        Parser { clause, at: 0 }
    }

    pub(super) fn run(mut self) -> Clause<'t> {
        self.at = lead(&self.clause.tokens);
        if let Some(main) = self.after_introduction() {
            self.rest(main);
            self.at = main;
        }
        let start = self.at;
        let wh = match self.class(start) {
            Some(Class::Wh) => Some(start),
            Some(Class::Preposition) if self.class(start + 1) == Some(Class::Wh) => Some(start + 1),
            _ => None,
        };
        if let Some(wh) = wh {
            self.fronted(start, wh);
        } else if self.is_auxiliary(start) {
            self.clause.auxiliary = Some(start);
            self.at = start + 1;
            self.subject(false);
        } else {
            self.statement();
        }
        self.rest(self.clause.tokens.len());
        self.clause
    }

    /// Where the question begins behind `when a job fails,` or `besides the cache,`.
    fn after_introduction(&self) -> Option<usize> {
        let opens = matches!(
            self.class(self.at),
            Some(Class::Preposition | Class::Conjunction | Class::Wh | Class::Adverb)
        );
        let comma =
            (self.at..self.clause.tokens.len()).find(|at| self.clause.tokens[*at].text == ",")?;
        let asks = self.is_auxiliary(comma + 1) || self.class(comma + 1) == Some(Class::Wh);
        (opens && asks).then_some(comma + 1)
    }

    fn class(&self, at: usize) -> Option<Class> {
        self.clause.class(at)
    }

    fn is_auxiliary(&self, at: usize) -> bool {
        matches!(self.class(at), Some(Class::Be | Class::Auxiliary))
    }

    fn is_content(&self, at: usize) -> bool {
        self.clause.tokens.get(at).is_some_and(Token::is_content)
    }

    /// The question word, what it asks for, the auxiliary and the subject.
    fn fronted(&mut self, start: usize, wh: usize) {
        let mut end = wh + 1;
        while matches!(
            self.class(end),
            Some(
                Class::Noun
                    | Class::Name
                    | Class::Verb
                    | Class::Adverb
                    | Class::Determiner
                    | Class::Preposition
            )
        ) {
            end += 1;
        }
        let nameable = self.clause.tokens[wh].is(&["what", "which", "how"]);
        if self.is_auxiliary(end) {
            self.clause.wh = Some(start..end);
            self.clause.auxiliary = Some(end);
            self.at = wh + 1;
            if nameable && self.is_content(end - 1) && end - wh <= MAX_PHRASE_TOKENS {
                let tokens = self.skip_quantity(wh + 1)..end;
                self.add(tokens, Role::Asked);
            }
            self.at = end + 1;
            let is_be = self.class(end) == Some(Class::Be);
            // `who can delete it`: the question word is the subject.
            let bare = end == wh + 1 && self.class(end + 1) == Some(Class::Verb);
            let passive =
                is_be && is_participle(self.clause.lower(end + 1)) && !self.is_content(end + 2);
            let asks_subject =
                self.clause.tokens[wh].is(&["who", "what", "which", "how"]) && (bare || passive);
            if asks_subject {
                self.clause.verb = Some(end + 1);
                self.at = end + 2;
                return;
            }
            let asks_quality = self.clause.tokens[wh].is(&["why", "when", "how"]) && end == wh + 1;
            self.subject(is_be && !asks_quality);
            return;
        }
        // The question word is the subject, or that of what it asks for: `who wrote`, `which flag enables`.
        let mut noun_end = wh + 1;
        if self.clause.tokens[wh].is(&["which", "what", "how"]) {
            while noun_end < end && self.class(noun_end) != Some(Class::Verb) {
                noun_end += 1;
            }
        }
        self.clause.wh = Some(start..noun_end);
        if noun_end > wh + 1 && self.is_content(noun_end - 1) {
            let tokens = self.skip_quantity(wh + 1)..noun_end;
            self.add(tokens, Role::Asked);
        }
        self.at = noun_end;
        if self.is_content(self.at) {
            self.clause.verb = Some(self.at);
            self.at += 1;
        }
    }

    /// `how many users`: the users are what is asked for.
    fn skip_quantity(&self, at: usize) -> usize {
        if self
            .clause
            .tokens
            .get(at)
            .is_some_and(|token| token.is(&["many", "much", "kind", "kinds", "sort", "type"]))
        {
            let next = at + 1;
            if self
                .clause
                .tokens
                .get(next)
                .is_some_and(|token| token.is(&["of"]))
                && self.is_content(next + 1)
            {
                return next + 1;
            }
            if self.is_content(next) {
                return next;
            }
        }
        at
    }

    /// The subject after an auxiliary; `names`: nothing but it has to follow, as in `what is X`.
    fn subject(&mut self, names: bool) {
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
            // `what is special about the cache`: the adjective is no subject.
            Some(Class::Noun)
                if names && ["about", "with"].contains(&self.clause.lower(start + 1)) =>
            {
                self.at += 1;
                return;
            }
            Some(_) => {
                let run = self.phrase_end(start, true);
                if let Some(verb) = self.verb_after_place(run).filter(|_| !is_be) {
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
        // An auxiliary leaves the verb for after the subject; forms of `be` leave a participle at most.
        let participle = self.class(self.at) == Some(Class::Verb);
        if self.is_content(self.at) && (!is_be || participle) {
            self.clause.verb = Some(self.at);
            self.at += 1;
        } else if is_be && !names && self.class(self.at) == Some(Class::Noun) {
            self.at += 1;
        }
    }

    /// The verb in `does the red light | on the router | mean`, where `end` is the end of the first phrase.
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

    /// Takes from a run of words what must be the predicate: `the server | restart`, `the server | ready`.
    fn without_predicate(&self, start: usize, end: usize, is_be: bool, names: bool) -> usize {
        let first = start + usize::from(!self.is_content(start));
        let tokens = &self.clause.tokens;
        let verb = (first + 1..end).find(|at| {
            let participle = is_participle(&tokens[*at].lower) && !tokens[*at].is_capitalised();
            (tokens[*at].class == Class::Verb && !(is_be && names))
                || (participle && !self.is_content(at + 1))
        });
        if let Some(verb) = verb {
            return verb;
        }
        // A lower-case word behind a name is the verb: `the Spice Girls | promote girl power`.
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

    /// Any other sentence: what stands before its first verb is the subject, and one that begins with a verb asks for something.
    fn statement(&mut self) {
        let start = self.at;
        match self.class(start) {
            Some(Class::Verb) => {
                self.clause.verb = Some(start);
                self.at += 1;
            }
            Some(Class::Pronoun | Class::Person) => {
                self.clause.subject = Some(start..start + 1);
                self.at += 1;
            }
            Some(Class::Determiner | Class::Noun | Class::Name | Class::Demonstrative) => {
                let end = self.phrase_end(start, true);
                let first = start + usize::from(!self.is_content(start));
                let verb = (first + 1..end).find(|at| self.class(*at) == Some(Class::Verb));
                self.at = verb.unwrap_or(end);
                if self.at > start {
                    self.complement(Role::Subject, start);
                    self.clause.subject = Some(start..self.at);
                }
            }
            _ => {}
        }
    }

    /// The phrases of all that follows, as far as `end`.
    fn rest(&mut self, end: usize) {
        let mut after_preposition = false;
        let mut after_verb = self.clause.verb.is_some_and(|verb| verb + 1 == self.at);
        while self.at < end {
            let at = self.at;
            let before = self.clause.phrases.len();
            let begins = match self.clause.tokens[at].class {
                Class::Determiner | Class::Noun | Class::Name => true,
                Class::Demonstrative => self.is_content(at + 1),
                Class::Verb => {
                    let gerund =
                        self.clause.lower(at).ends_with("ing") && !self.is_phrase_start(at + 1);
                    (after_verb || after_preposition)
                        && self.clause.lower(at.wrapping_sub(1)) != "to"
                        && (gerund || !self.clause.lower(at).ends_with("ing"))
                }
                _ => false,
            };
            if begins {
                let phrase_end = self.phrase_end(at, false);
                if phrase_end > at {
                    self.at = phrase_end;
                    let role = if after_preposition {
                        Role::Oblique
                    } else {
                        Role::Object
                    };
                    self.complement(role, at);
                    self.join(before, at);
                    (after_preposition, after_verb) = (false, false);
                    continue;
                }
            }
            let class = self.clause.tokens[at].class;
            after_verb = class == Class::Verb;
            after_preposition =
                class == Class::Preposition || (after_preposition && class == Class::Adverb);
            self.at += 1;
            match class {
                // `to` and a verb, or a pronoun and its verb.
                Class::Preposition
                    if self.clause.lower(at) == "to" && self.is_infinitive(at + 1) =>
                {
                    self.at += 1;
                    (after_preposition, after_verb) = (false, true);
                }
                Class::Person | Class::Pronoun
                    if self
                        .clause
                        .subject
                        .as_ref()
                        .is_none_or(|own| own.start != at) =>
                {
                    let possessive = self.clause.tokens[at].is(&["its", "their", "his", "her"]);
                    while self.is_auxiliary(self.at) || self.class(self.at) == Some(Class::Adverb) {
                        self.at += 1;
                    }
                    if possessive {
                        let end = self.phrase_end(self.at, false);
                        self.at = end;
                    } else if self.is_content(self.at)
                        && !self.clause.tokens[self.at].is_capitalised()
                    {
                        self.at += 1;
                        after_verb = true;
                    }
                }
                // `when the battery is low`: the adjective names nothing.
                Class::Be
                    if self.class(self.at) == Some(Class::Noun)
                        && !self.is_content(self.at + 1) =>
                {
                    self.at += 1
                }
                _ => {}
            }
        }
    }

    fn is_infinitive(&self, at: usize) -> bool {
        let Some(token) = self.clause.tokens.get(at) else {
            return false;
        };
        match token.class {
            Class::Verb => true,
            Class::Noun => !token.is_capitalised() && self.is_phrase_start(at + 1),
            _ => false,
        }
    }

    fn is_phrase_start(&self, at: usize) -> bool {
        matches!(
            self.class(at),
            Some(
                Class::Determiner
                    | Class::Demonstrative
                    | Class::Noun
                    | Class::Name
                    | Class::Pronoun
            )
        )
    }

    /// Where the run of words that begins at `start` ends. Verbs end it, but for one right at its beginning, or before a noun.
    fn phrase_end(&self, start: usize, subject: bool) -> usize {
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

    /// Adds the phrase from `start` to here, and what follows it with `of`.
    fn complement(&mut self, role: Role, start: usize) {
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

    /// `the policy for audit logs`, where nothing but the phrase is asked for.
    fn is_limit(&self, role: Role, at: usize) -> bool {
        self.clause.lower(at) == "for"
            && role != Role::Oblique
            && self.clause.verb.is_none()
            && self.clause.auxiliary.is_some()
    }

    /// Whether the question's auxiliary leaves the verb for after the subject.
    fn leaves_verb(&self) -> bool {
        self.clause.auxiliary.and_then(|at| self.class(at)) == Some(Class::Auxiliary)
    }

    fn add(&mut self, tokens: Range<usize>, role: Role) {
        let all = &self.clause.tokens;
        let Some(head) = tokens.clone().rev().find(|at| all[*at].is_content()) else {
            return;
        };
        let words = || {
            all[tokens.clone()]
                .iter()
                .filter(|token| token.is_content())
        };
        // The first word of a sentence has its capital for another reason.
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

    /// Marks the phrase added last, and the one before it, where `and` or `or` stands between them.
    fn join(&mut self, added: usize, start: usize) {
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
