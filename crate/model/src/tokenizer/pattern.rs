//! Splits a text by the regular expressions of published pre-tokenizers.
//!
//! Why not a regex crate: the patterns of [`super::split`] need only Unicode categories, greedy repetition and
//! look-ahead, while `fancy-regex` with its automata and tables would take a quarter of the page's download budget.
//! This matcher also behaves the same everywhere: natively, other crates switch `tokenizers` to another regex engine. A
//! test compares every pattern with `fancy-regex`.
//!
//! Patterns are constants of this crate, never input, so a malformed one is a bug and panics with its text.

mod compile;

use unicode_general_category::get_general_category;

/// A compiled pattern: a small program for a backtracking matcher.
#[derive(Debug)]
pub(crate) struct Pattern {
    steps: Vec<Step>,
    classes: Vec<Class>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Between `min` and `max` characters of one class, as many as possible first.
    Run {
        class: usize,
        min: usize,
        max: usize,
    },
    /// Try `first`; on failure `second`.
    Split {
        first: usize,
        second: usize,
    },
    Jump(usize),
    /// The program from the next step on must match here (or must not), without consuming; then go to `after`.
    Look {
        after: usize,
        negated: bool,
    },
    /// The end of the text.
    End,
    Accept,
}

/// A set of characters.
#[derive(Debug, Clone, Default)]
struct Class {
    ranges: Vec<(char, char)>,
    /// One bit per general category.
    categories: u32,
    whitespace: bool,
    negated: bool,
    /// The answers for ASCII, computed once.
    ascii: u128,
}

impl Class {
    fn of(ranges: &[(char, char)]) -> Class {
        Class {
            ranges: ranges.to_vec(),
            ..Class::default()
        }
    }

    fn contains(&self, c: char) -> bool {
        if c.is_ascii() {
            self.ascii >> u32::from(c) & 1 == 1
        } else {
            self.holds(c)
        }
    }

    fn holds(&self, c: char) -> bool {
        let inside = self.ranges.iter().any(|&(low, high)| low <= c && c <= high)
            || (self.whitespace && c.is_whitespace())
            || (self.categories != 0 && self.categories & category_bit(c) != 0);
        inside != self.negated
    }

    fn finished(mut self) -> Class {
        self.ascii = (0..128u8)
            .filter(|&b| self.holds(char::from(b)))
            .fold(0, |set, b| set | 1 << b);
        self
    }
}

fn category_bit(c: char) -> u32 {
    1 << (get_general_category(c) as u32)
}

/// A state to backtrack to.
enum Retry {
    At {
        step: usize,
        pos: usize,
    },
    /// A run that may still give characters back, one at a time, down to `floor`.
    Shorter {
        step: usize,
        pos: usize,
        floor: usize,
    },
}

impl Pattern {
    /// Compiles `source`. Understands literals, escapes, `[..]`, `\p{..}`, `\u{..}`, `\s`, `\S`, groups
    /// `(..)`, `(?:..)`, `(?i:..)`, look-ahead `(?=..)`, `(?!..)`, `|`, `?`, `*`, `+`, `{m}`, `{m,n}` and `$`.
    ///
    /// # Panics
    /// If `source` uses anything else: it is a constant of this crate.
    pub(crate) fn new(source: &str) -> Pattern {
        compile::compile(source)
    }

    /// Cuts `text` into every match and every gap between matches, in order; nothing is dropped.
    pub(crate) fn split<'t>(&self, text: &'t str, pieces: &mut Vec<&'t str>) {
        let mut retries = Vec::new();
        let (mut gap, mut pos) = (0, 0);
        while pos < text.len() {
            match self.match_at(text, 0, pos, &mut retries) {
                Some(end) if end > pos => {
                    if gap < pos {
                        pieces.push(&text[gap..pos]);
                    }
                    pieces.push(&text[pos..end]);
                    pos = end;
                    gap = end;
                }
                _ => pos += char_at(text, pos).map_or(1, char::len_utf8),
            }
        }
        if gap < text.len() {
            pieces.push(&text[gap..]);
        }
    }

    /// Runs the program from `step` at `pos`; returns the end of the match, if there is one.
    fn match_at(
        &self,
        text: &str,
        step: usize,
        pos: usize,
        retries: &mut Vec<Retry>,
    ) -> Option<usize> {
        let bottom = retries.len();
        let (mut step, mut pos) = (step, pos);
        loop {
            let matched = match self.steps[step] {
                Step::Accept => {
                    retries.truncate(bottom);
                    return Some(pos);
                }
                Step::Run { class, min, max } => {
                    self.run(text, class, min, max, &mut pos).map(|floor| {
                        step += 1;
                        if pos > floor {
                            retries.push(Retry::Shorter { step, pos, floor });
                        }
                    })
                }
                Step::Split { first, second } => {
                    retries.push(Retry::At { step: second, pos });
                    step = first;
                    Some(())
                }
                Step::Jump(to) => {
                    step = to;
                    Some(())
                }
                Step::Look { after, negated } => {
                    let found = self.match_at(text, step + 1, pos, retries).is_some();
                    step = after;
                    (found != negated).then_some(())
                }
                Step::End => {
                    step += 1;
                    (pos == text.len()).then_some(())
                }
            };
            if matched.is_some() {
                continue;
            }
            if retries.len() == bottom {
                return None;
            }
            match retries.pop()? {
                Retry::At { step: s, pos: p } => (step, pos) = (s, p),
                Retry::Shorter {
                    step: s,
                    pos: p,
                    floor,
                } => {
                    let shorter = text[..p]
                        .char_indices()
                        .next_back()
                        .map_or(floor, |(at, _)| at);
                    (step, pos) = (s, shorter);
                    if shorter > floor {
                        retries.push(Retry::Shorter { step, pos, floor });
                    }
                }
            }
        }
    }

    /// Moves `pos` over the longest run and returns where the shortest allowed one ends.
    fn run(
        &self,
        text: &str,
        class: usize,
        min: usize,
        max: usize,
        pos: &mut usize,
    ) -> Option<usize> {
        let class = &self.classes[class];
        let start = *pos;
        let mut floor = (min == 0).then_some(start);
        let mut n_matched = 0;
        for c in text[start..].chars() {
            if n_matched == max || !class.contains(c) {
                break;
            }
            *pos += c.len_utf8();
            n_matched += 1;
            if n_matched == min {
                floor = Some(*pos);
            }
        }
        floor
    }
}

fn char_at(text: &str, pos: usize) -> Option<char> {
    text[pos..].chars().next()
}
