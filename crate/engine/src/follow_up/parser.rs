//! Turns the tokens of a sentence into noun phrases with roles, using only closed word lists and word order.

use super::clause::{Clause, Role, lead};
use super::words::{Class, Token, is_participle, tokens};

/// Most tokens of a noun phrase: a longer one is a list or a mistake.
pub(super) const MAX_PHRASE_TOKENS: usize = 8;

impl<'t> Clause<'t> {
    /// Parses a question, or any sentence.
    pub(super) fn parse(text: &'t str) -> Clause<'t> {
        let clause = Clause {
            text,
            tokens: tokens(text),
            phrases: Vec::new(),
            wh: None,
            auxiliary: None,
            subject: None,
            verb: None,
        };
        Parser::new(clause).run()
    }
}

/// Parses the tokens of a sentence in one pass.
pub(super) struct Parser<'t> {
    pub(super) clause: Clause<'t>,
    /// Index of the next token.
    pub(super) at: usize,
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

    /// Where the question begins after `when a job fails,` or `besides the cache,`.
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

    pub(super) fn class(&self, at: usize) -> Option<Class> {
        self.clause.class(at)
    }

    pub(super) fn is_auxiliary(&self, at: usize) -> bool {
        matches!(self.class(at), Some(Class::Be | Class::Auxiliary))
    }

    pub(super) fn is_content(&self, at: usize) -> bool {
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
        // The question word, alone or with its noun, is the subject: `who wrote`, `which flag enables`.
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

    /// `how many users`: the users are asked for.
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

    /// Any other sentence: the words before its first verb are the subject; a sentence that begins with a verb is a
    /// request.
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

    /// The phrases in the rest of the sentence, up to `end`.
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
            (after_preposition, after_verb) = match class {
                // `to` followed by a verb.
                Class::Preposition
                    if self.clause.lower(at) == "to" && self.is_infinitive(at + 1) =>
                {
                    self.at += 1;
                    (false, true)
                }
                Class::Person | Class::Pronoun => {
                    (after_preposition, after_verb | self.after_pronoun(at))
                }
                // `when the battery is low`: the adjective names nothing.
                Class::Be
                    if self.class(self.at) == Some(Class::Noun)
                        && !self.is_content(self.at + 1) =>
                {
                    self.at += 1;
                    (after_preposition, after_verb)
                }
                _ => (after_preposition, after_verb),
            };
        }
    }

    /// Skips the verb of the pronoun at `at`, or the phrase it owns; true if it was a verb.
    fn after_pronoun(&mut self, at: usize) -> bool {
        if self
            .clause
            .subject
            .as_ref()
            .is_some_and(|own| own.start == at)
        {
            return false;
        }
        if self.clause.tokens[at].is(&["its", "their", "his", "her"]) {
            let start = self.at;
            self.at = self.phrase_end(start, false);
            self.add(start..self.at, Role::Object);
            return false;
        }
        while self.is_auxiliary(self.at) || self.class(self.at) == Some(Class::Adverb) {
            self.at += 1;
        }
        let verb = self.is_content(self.at) && !self.clause.tokens[self.at].is_capitalised();
        self.at += usize::from(verb);
        verb
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
}
