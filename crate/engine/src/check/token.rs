//! Turns a text into atoms: words, names, pieces of code and numbers, each in the one form in which it is compared.

use std::collections::HashMap;

use anchorite_index::lexical;

use super::atom::{Atom, Kind};
use super::citation::sentences;
use super::number::{self, Number};
use super::opening::settle_first_words;
use super::shape::{bare, is_code};

/// Stems of words that say how much or how certainly, compared as forces (`polarity.rs`), not as topics.
const NO_TOPIC: &[&str] = &[
    "", "everi", "everyth", "everyon", "unless", "except", "must", "may", "might", "also", "alway",
    "never", "shall", "cannot",
];

/// The atoms of `text`, sentence by sentence.
pub(super) fn atoms(text: &str) -> Vec<Atom> {
    let mut reader = Reader::default();
    for sentence in sentences(text) {
        reader.read(sentence);
        reader.sentence += 1;
        reader.clause += 1;
    }
    let mut atoms = reader.atoms;
    join_numbers(&mut atoms);
    settle_first_words(&mut atoms);
    atoms
}

#[derive(Default)]
struct Reader {
    atoms: Vec<Atom>,
    sentence: usize,
    clause: usize,
    /// The stems of words seen so far, since stemming is slower than a lookup.
    stems: HashMap<String, String>,
}

impl Reader {
    fn read(&mut self, sentence: &str) {
        let mut in_code = false;
        let mut first = true;
        let mut continues_code = false;
        for chunk in sentence.split_whitespace() {
            let was_code = in_code;
            let n_ticks = chunk.bytes().filter(|byte| *byte == b'`').count();
            in_code ^= n_ticks % 2 == 1;
            let is_code = was_code || n_ticks > 0;
            let opens = chunk.starts_with(['"', '“', '(']) || first;
            let bare = bare(chunk);
            if is_code && !bare.contains(char::is_alphanumeric) {
                // An operator: `&&` is not `||`.
                let sign = chunk.trim_matches(['`', '.', ',', ';', ':']);
                if !sign.is_empty() {
                    self.code_piece(sign, was_code && continues_code);
                }
                continues_code = in_code;
                continue;
            }
            if !bare.contains(char::is_alphanumeric)
                && !bare.contains(['°', '%', '$', '€', '£', '¥'])
            {
                if chunk.contains(['—', '–', '-', '|', ';', ',', ':']) {
                    self.clause += 1;
                }
                continue;
            }
            let n_before = self.atoms.len();
            if is_code {
                self.code(bare, was_code && continues_code);
            } else {
                self.plain(bare, opens);
            }
            continues_code = is_code && in_code;
            if self.atoms.len() > n_before && !is_code {
                let key = &self.atoms[n_before].key;
                if matches!(
                    key.as_str(),
                    "and" | "but" | "or" | "while" | "whereas" | "although" | "because" | "nor"
                ) {
                    self.clause += 1;
                    self.atoms[n_before].clause = self.clause;
                }
            }
            first = first && self.atoms.len() == n_before;
            if chunk.ends_with([',', ';', ':', '—']) {
                self.clause += 1;
            }
            if chunk.ends_with(':') {
                first = true;
            }
        }
    }

    /// A chunk outside of backticks.
    fn plain(&mut self, bare: &str, opens: bool) {
        if let Some((number, rest)) = number::leading(bare) {
            let followed = rest
                .strip_prefix(['-', '–', '—', '/', '+', '°', '%'])
                .unwrap_or(rest);
            let is_range = rest.starts_with(['-', '–', '—'])
                && number::leading(followed).is_some_and(|(_, rest)| rest.is_empty());
            let is_compound = rest.starts_with('-') && followed.starts_with(char::is_alphabetic);
            if rest.is_empty() || is_range || is_compound {
                self.number(number, false);
                if is_range {
                    self.plain(followed, false);
                } else if is_compound {
                    for part in followed.split('-').filter(|part| !part.is_empty()) {
                        self.word(part, false);
                    }
                }
                return;
            }
        }
        if bare.starts_with(['°', '%', '$', '€']) && number::unit(bare).is_some() {
            return self.push(
                Kind::Word,
                bare.to_lowercase(),
                String::new(),
                None,
                false,
                false,
            );
        }
        if is_code(bare) {
            return self.code(bare, false);
        }
        let has_digits = bare.bytes().any(|byte| byte.is_ascii_digit());
        if has_digits {
            return self.code(bare, false);
        }
        for part in bare
            .split(['-', '–', '—', '/', '\u{2011}'])
            .filter(|part| !part.is_empty())
        {
            self.word(part, opens);
        }
    }

    fn word(&mut self, word: &str, first: bool) {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        if word.is_empty() {
            return;
        }
        let lower = word.to_lowercase().replace('\u{2019}', "'");
        let key = lower
            .strip_suffix("'s")
            .or_else(|| lower.strip_suffix('\''))
            .unwrap_or(&lower);
        let number = number::spelled(key).map(|value| Number {
            value,
            unit: "",
            is_spelled: true,
        });
        let is_capital = word.starts_with(char::is_uppercase);
        let stems = lexical_stems(&mut self.stems, key);
        // Scripts without spaces yield pairs of characters, each an atom.
        let mut stems = stems.split(' ').filter(|stem| !NO_TOPIC.contains(stem));
        let stem = stems.next().unwrap_or_default().to_owned();
        let kind = match &number {
            // `one` is a pronoun as often as a number.
            Some(number) if number.value != "1" => Kind::Number,
            _ if is_capital && !stem.is_empty() => Kind::Name,
            _ => Kind::Word,
        };
        self.push(kind, key.to_owned(), stem, number, false, first);
        for stem in stems {
            self.push(
                Kind::Word,
                stem.to_owned(),
                stem.to_owned(),
                None,
                false,
                false,
            );
        }
    }

    fn number(&mut self, number: Number, glued: bool) {
        let stem = number.value.clone();
        self.push(
            Kind::Number,
            number.value.clone(),
            stem,
            Some(number),
            glued,
            false,
        );
    }

    /// The pieces of one chunk of code, which must be adjacent in the source too.
    fn code(&mut self, chunk: &str, continues: bool) {
        let mut glued = continues;
        let is_address = chunk.contains("://");
        let is_clock = chunk
            .split(':')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        let divides = |letter: char| match letter {
            ' ' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | '"' | '\'' | '|'
            | '`' | '*' => true,
            '=' => !is_address,
            _ => false,
        };
        for piece in chunk.split(divides) {
            let parts = if is_address || is_clock || piece.contains("::") {
                vec![piece]
            } else {
                piece.split(':').collect()
            };
            for part in parts {
                let part = part.trim_end_matches(['.', ':', '!', '?', '/']);
                if part.is_empty() {
                    continue;
                }
                match number::leading(part) {
                    Some((number, "")) if !part.starts_with('-') => self.number(number, glued),
                    _ => self.code_piece(part, glued),
                }
                glued = true;
            }
        }
    }

    fn code_piece(&mut self, part: &str, glued: bool) {
        let is_flag = part.starts_with('-') && !part.starts_with("--");
        let key = if is_flag {
            part.to_owned()
        } else {
            part.to_lowercase()
        };
        // `v1.2` and `1.2` are one version.
        let digits = key
            .strip_prefix('v')
            .filter(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()));
        let key = digits.map_or(key.clone(), str::to_owned);
        let stems = lexical_stems(&mut self.stems, &key);
        let stem = if stems.is_empty() || stems.contains(' ') {
            key.clone()
        } else {
            stems
        };
        self.push(Kind::Code, key, stem, None, glued, false);
    }

    fn push(
        &mut self,
        kind: Kind,
        key: String,
        stem: String,
        number: Option<Number>,
        glued: bool,
        first: bool,
    ) {
        self.atoms.push(Atom {
            kind,
            key,
            stem,
            number,
            sentence: self.sentence,
            clause: self.clause,
            glued,
            first,
        });
    }
}

/// The stems of a word, separated by spaces: one if the word has a topic, several in scripts without spaces.
fn lexical_stems(known: &mut HashMap<String, String>, word: &str) -> String {
    if let Some(stems) = known.get(word) {
        return stems.clone();
    }
    let stems = lexical::terms(word)
        .into_iter()
        .collect::<Vec<_>>()
        .join(" ");
    known.insert(word.to_owned(), stems.clone());
    stems
}

/// Merges numbers with the scale and unit that follow them: `1.5 million`, `5 minutes`, `20 per cent`.
fn join_numbers(atoms: &mut [Atom]) {
    for idx in 0..atoms.len() {
        let (head, tail) = atoms.split_at_mut(idx + 1);
        let atom = &mut head[idx];
        let Some(number) = &mut atom.number else {
            continue;
        };
        let mut rest = tail
            .iter_mut()
            .take_while(|next| next.sentence == atom.sentence && next.clause <= atom.clause)
            .peekable();
        if let Some(places) = rest.peek().and_then(|next| number::scale(&next.key)) {
            number.shift(places);
            let unit = number.unit;
            number.measure(unit);
            if let Some(scale) = rest.next() {
                scale.stem.clear();
            }
            atom.kind = Kind::Number;
        }
        let is_ordinal = number.value.ends_with(char::is_alphabetic);
        let mut unit = number.unit;
        while let Some(next) = rest.peek_mut().filter(|_| !is_ordinal) {
            let behind = match next.key.as_str() {
                "per" => {
                    // `5 per cent` is a share, `5 per user` is not.
                    let per = rest.next();
                    let is_share = rest.peek().is_some_and(|next| next.key.starts_with("cent"));
                    if is_share && let Some(per) = per {
                        per.stem.clear();
                    }
                    is_share.then_some("%")
                }
                key => number::unit(key),
            };
            // `20 degrees Celsius` has a unit of two words.
            let Some(behind) = behind.filter(|_| unit.is_empty() || unit == "°") else {
                break;
            };
            unit = behind;
            if let Some(next) = rest.next() {
                next.stem.clear();
                next.kind = Kind::Word;
            }
            atom.kind = Kind::Number;
        }
        if !unit.is_empty() {
            number.measure(unit);
        }
        atom.stem = number.value.clone();
        atom.key = if atom.kind == Kind::Number {
            number.value.clone()
        } else {
            atom.key.clone()
        };
        if atom.kind != Kind::Number {
            atom.stem.clear();
        }
    }
}
