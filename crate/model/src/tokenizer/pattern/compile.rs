//! Turns the text of a regular expression into the program that [`Pattern`] runs.

use unicode_general_category::GeneralCategory;

use super::{Class, Pattern, Step};

/// See [`Pattern::new`].
pub(super) fn compile(source: &str) -> Pattern {
    let mut compiler = Compiler {
        source,
        rest: source,
        ignore_case: false,
        pattern: Pattern {
            steps: Vec::new(),
            classes: Vec::new(),
        },
    };
    compiler.alternatives();
    compiler.demand(compiler.rest.is_empty(), "an end");
    compiler.pattern.steps.push(Step::Accept);
    compiler.pattern
}

struct Compiler<'s> {
    source: &'s str,
    rest: &'s str,
    ignore_case: bool,
    pattern: Pattern,
}

impl<'s> Compiler<'s> {
    fn demand(&self, holds: bool, expected: &str) {
        assert!(
            holds,
            "pattern `{}` should have {expected} before `{}`",
            self.source, self.rest
        );
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn next(&mut self) -> char {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.demand(c.is_some(), "a character");
        self.rest = chars.as_str();
        c.unwrap_or_default()
    }

    /// `a|b|c`: each alternative but the last is tried under a split, and jumps past the others if it matches.
    fn alternatives(&mut self) {
        let mut jumps = Vec::new();
        loop {
            let start = self.pattern.steps.len();
            self.sequence();
            if !self.eat("|") {
                break;
            }
            self.open_split(start);
            jumps.push(self.pattern.steps.len());
            self.pattern.steps.push(Step::Jump(0));
            let second = self.pattern.steps.len();
            self.pattern.steps[start] = Step::Split {
                first: start + 1,
                second,
            };
        }
        let end = self.pattern.steps.len();
        for jump in jumps {
            self.pattern.steps[jump] = Step::Jump(end);
        }
    }

    /// Inserts a split at `start`; every target after it moves by one.
    fn open_split(&mut self, start: usize) {
        self.pattern.steps.insert(start, Step::Accept);
        let moved = |to: usize| if to >= start { to + 1 } else { to };
        for step in &mut self.pattern.steps[start + 1..] {
            match step {
                Step::Split { first, second } => {
                    (*first, *second) = (moved(*first), moved(*second))
                }
                Step::Jump(to) | Step::Look { after: to, .. } => *to = moved(*to),
                Step::Run { .. } | Step::End | Step::Accept => {}
            }
        }
    }

    fn sequence(&mut self) {
        while !self.rest.is_empty() && !self.rest.starts_with(['|', ')']) {
            let start = self.pattern.steps.len();
            self.atom();
            self.repetition(start);
        }
    }

    fn atom(&mut self) {
        if self.eat("(?=") || self.eat("(?!") {
            let consumed = &self.source[..self.source.len() - self.rest.len()];
            let negated = consumed.ends_with('!');
            let look = self.pattern.steps.len();
            self.pattern.steps.push(Step::Accept);
            self.group_body();
            self.pattern.steps.push(Step::Accept);
            let after = self.pattern.steps.len();
            self.pattern.steps[look] = Step::Look { after, negated };
        } else if self.eat("(?i:") {
            self.ignore_case = true;
            self.group_body();
            self.ignore_case = false;
        } else if self.eat("(?:") || self.eat("(") {
            self.group_body();
        } else if self.eat("$") {
            self.pattern.steps.push(Step::End);
        } else {
            let class = self.class();
            let idx = self.pattern.classes.len();
            self.pattern.classes.push(class.finished());
            self.pattern.steps.push(Step::Run {
                class: idx,
                min: 1,
                max: 1,
            });
        }
    }

    fn group_body(&mut self) {
        self.alternatives();
        let closed = self.eat(")");
        self.demand(closed, "`)`");
    }

    fn repetition(&mut self, start: usize) {
        let (min, max) = if self.eat("?") {
            (0, 1)
        } else if self.eat("*") {
            (0, usize::MAX)
        } else if self.eat("+") {
            (1, usize::MAX)
        } else if self.eat("{") {
            let min = self.number();
            let max = if self.eat(",") { self.number() } else { min };
            let closed = self.eat("}");
            self.demand(closed, "`}`");
            (min, max)
        } else {
            return;
        };
        let n_steps = self.pattern.steps.len() - start;
        if let (1, Step::Run { class, .. }) = (n_steps, self.pattern.steps[start]) {
            self.pattern.steps[start] = Step::Run { class, min, max };
            return;
        }
        if min == 0 {
            self.open_split(start);
            if max > 1 {
                self.pattern.steps.push(Step::Jump(start));
            }
            let second = self.pattern.steps.len();
            self.pattern.steps[start] = Step::Split {
                first: start + 1,
                second,
            };
        } else {
            self.demand(
                (min, max) == (1, usize::MAX),
                "`?`, `*` or `+` after a group",
            );
            let second = self.pattern.steps.len() + 1;
            self.pattern.steps.push(Step::Split {
                first: start,
                second,
            });
        }
    }

    fn number(&mut self) -> usize {
        let n_digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest[..n_digits].parse();
        self.demand(number.is_ok(), "a number");
        self.rest = &self.rest[n_digits..];
        number.unwrap_or_default()
    }

    /// One character, one escape or one `[..]`.
    fn class(&mut self) -> Class {
        if !self.eat("[") {
            return match self.next() {
                '\\' => self.escape(),
                c if self.ignore_case => either_case(c),
                c => Class::of(&[(c, c)]),
            };
        }
        let mut class = Class {
            negated: self.eat("^"),
            ..Class::default()
        };
        while !self.eat("]") {
            let start = match self.next() {
                '\\' => self.escape(),
                c => Class::of(&[(c, c)]),
            };
            let single = if let [(low, _)] = start.ranges[..] {
                Some(low)
            } else {
                None
            };
            match single {
                Some(low) if self.rest.starts_with('-') && !self.rest.starts_with("-]") => {
                    self.next();
                    let high = match self.next() {
                        '\\' => self.escape().ranges.first().map_or(low, |range| range.0),
                        c => c,
                    };
                    self.demand(low <= high, "an ascending range");
                    class.ranges.push((low, high));
                }
                _ => {
                    self.demand(!start.negated, "no negated escape in brackets");
                    class.ranges.extend(start.ranges);
                    class.categories |= start.categories;
                    class.whitespace |= start.whitespace;
                }
            }
        }
        class
    }

    fn escape(&mut self) -> Class {
        match self.next() {
            'r' => Class::of(&[('\r', '\r')]),
            'n' => Class::of(&[('\n', '\n')]),
            't' => Class::of(&[('\t', '\t')]),
            's' => Class {
                whitespace: true,
                ..Class::default()
            },
            'S' => Class {
                whitespace: true,
                negated: true,
                ..Class::default()
            },
            'p' => {
                let name = self.braced();
                Class {
                    categories: self.category_mask(name),
                    ..Class::default()
                }
            }
            'u' => {
                let code = u32::from_str_radix(self.braced(), 16)
                    .ok()
                    .and_then(char::from_u32);
                self.demand(code.is_some(), "a character's code");
                let c = code.unwrap_or_default();
                Class::of(&[(c, c)])
            }
            c => {
                self.demand(!c.is_ascii_alphanumeric(), "an escape this matcher knows");
                Class::of(&[(c, c)])
            }
        }
    }

    fn braced(&mut self) -> &'s str {
        let opened = self.eat("{");
        let found = self.rest.split_once('}');
        self.demand(opened && found.is_some(), "`{..}` after `\\p` or `\\u`");
        let (inside, rest) = found.unwrap_or_default();
        self.rest = rest;
        inside
    }

    fn category_mask(&self, name: &str) -> u32 {
        let mask = CATEGORIES
            .iter()
            .filter(|category| category.abbreviation().starts_with(name))
            .fold(0, |mask, &category| mask | 1 << (category as u32));
        self.demand(mask != 0 && !name.is_empty(), "a general category");
        mask
    }
}

/// Both cases of an ASCII letter. `ſ` is a lower-case s to every Unicode-aware engine, so it is here too.
fn either_case(c: char) -> Class {
    let (lower, upper) = (c.to_ascii_lowercase(), c.to_ascii_uppercase());
    let mut class = Class::of(&[(lower, lower), (upper, upper)]);
    if lower == 's' {
        class.ranges.push(('ſ', 'ſ'));
    }
    class
}

/// The categories that patterns name.
const CATEGORIES: [GeneralCategory; 22] = [
    GeneralCategory::UppercaseLetter,
    GeneralCategory::LowercaseLetter,
    GeneralCategory::TitlecaseLetter,
    GeneralCategory::ModifierLetter,
    GeneralCategory::OtherLetter,
    GeneralCategory::NonspacingMark,
    GeneralCategory::SpacingMark,
    GeneralCategory::EnclosingMark,
    GeneralCategory::DecimalNumber,
    GeneralCategory::LetterNumber,
    GeneralCategory::OtherNumber,
    GeneralCategory::ConnectorPunctuation,
    GeneralCategory::DashPunctuation,
    GeneralCategory::OpenPunctuation,
    GeneralCategory::ClosePunctuation,
    GeneralCategory::InitialPunctuation,
    GeneralCategory::FinalPunctuation,
    GeneralCategory::OtherPunctuation,
    GeneralCategory::MathSymbol,
    GeneralCategory::CurrencySymbol,
    GeneralCategory::ModifierSymbol,
    GeneralCategory::OtherSymbol,
];
