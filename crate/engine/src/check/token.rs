//! Turns a text into atoms: words, names, pieces of code and numbers, each in the one form in which it is compared.

use std::collections::HashMap;

use anchorite_index::lexical;

use super::citation::sentences;
use super::number::{self, Number};

/// What an atom is, as far as the rules care.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Word,
    /// Capitalised where a plain word would not be.
    Name,
    /// An identifier, path, flag or version, or anything between backticks.
    Code,
    Number,
}

/// The smallest thing that is compared.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub(super) kind: Kind,
    /// Lower case, except for flags of one letter, where case tells two apart.
    pub(super) key: String,
    /// The stem; empty for words without topic.
    pub(super) stem: String,
    pub(super) number: Option<Number>,
    /// Which sentence of its text.
    pub(super) sentence: usize,
    /// Which clause of its text: commas and conjunctions part them.
    pub(super) clause: usize,
    /// Belongs to the same piece of code as the atom before it.
    pub(super) glued: bool,
    /// Opens its sentence, so that its capital says nothing.
    pub(super) first: bool,
}

impl Atom {
    /// Whether it says something of its own.
    pub(super) fn is_content(&self) -> bool {
        !self.stem.is_empty()
    }
}

/// Longer words say nothing that a shorter one would not; a page of base64 is cut.
const MAX_WORD_BYTES: usize = 400;

/// Words that open a sentence and need no counterpart in the source.
const OPENERS: &[&str] = &[
    "additionally",
    "also",
    "although",
    "another",
    "because",
    "besides",
    "both",
    "consequently",
    "developers",
    "do",
    "each",
    "either",
    "finally",
    "furthermore",
    "hence",
    "here",
    "however",
    "instead",
    "later",
    "likewise",
    "many",
    "meanwhile",
    "moreover",
    "most",
    "note",
    "once",
    "one",
    "overall",
    "people",
    "please",
    "readers",
    "similarly",
    "since",
    "several",
    "so",
    "some",
    "sometimes",
    "then",
    "therefore",
    "though",
    "thus",
    "today",
    "unlike",
    "until",
    "upon",
    "users",
    "usually",
    "various",
    "when",
    "whenever",
    "whereas",
    "while",
    "yes",
    "yet",
    "you",
    "your",
];

/// Stems of words that say how much or how surely, compared as forces (`polarity.rs`) and not as topics.
const NO_TOPIC: &[&str] = &[
    "", "everi", "everyth", "everyon", "unless", "except", "must", "may", "might", "also", "alway",
    "never", "shall", "cannot",
];

/// Behind one of these a capitalised opener is a verb (`Open the file`), not a name.
const OBJECT_OPENERS: &[&str] = &[
    "a", "all", "an", "any", "each", "every", "it", "its", "that", "the", "their", "them", "these",
    "this", "those", "to", "up", "your",
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
    /// The stems of words seen, because stemming costs more than looking up.
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
            if bare.is_empty() {
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
        let number = number::spelled(key).map(|value| Number { value, unit: "" });
        let is_capital = word.starts_with(char::is_uppercase);
        let stems = lexical_stems(&mut self.stems, key);
        // Scripts without spaces give pairs of characters, each an atom.
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

    /// The pieces of one chunk of code; they must stand side by side in the source too.
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

/// The stems of a word, separated by spaces: one for a word that has a topic, more in scripts without spaces.
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

/// A chunk without the punctuation around it, cut to a bounded length.
fn bare(chunk: &str) -> &str {
    let cut = chunk.floor_char_boundary(MAX_WORD_BYTES);
    let closing = |letter: char| ".,;:!?)]}\"'”’»>*_…|".contains(letter);
    let opening = |letter: char| "([{<\"'“‘«*_|".contains(letter);
    let inner = chunk[..cut]
        .trim_start_matches(opening)
        .trim_end_matches(closing);
    // `f()`, `a[0]` and `__init__` keep what makes them code.
    let is_call = inner.len() < chunk.len()
        && chunk[inner.as_ptr() as usize - chunk.as_ptr() as usize + inner.len()..]
            .starts_with(')')
        && inner.ends_with('(');
    if is_call || inner.contains(['(', '[', '<', '{']) {
        return chunk[..cut]
            .trim_start_matches(opening)
            .trim_end_matches(['.', ',', ';', ':', '!', '?', '"']);
    }
    inner.trim_matches('`')
}

/// Whether a chunk outside of backticks is code by its form.
fn is_code(chunk: &str) -> bool {
    let mut letters = chunk.chars().peekable();
    let mut before: Option<char> = None;
    let mut has_letters = false;
    let mut has_sign = false;
    let mut dotted = 0;
    let mut long_part = false;
    let mut part_len = 0;
    while let Some(letter) = letters.next() {
        let next_is_word = letters.peek().is_some_and(|next| next.is_alphanumeric());
        let after_word = before.is_some_and(char::is_alphanumeric);
        has_letters |= letter.is_alphanumeric();
        has_sign |= match letter {
            '_' | '@' | '=' | '\\' | '{' | '<' => after_word || next_is_word,
            '(' | '[' => after_word,
            '/' => {
                (next_is_word
                    && (before.is_none() || matches!(before, Some('.' | '~' | '/' | ':'))))
                    || is_path(chunk)
            }
            ':' => before == Some(':') && next_is_word,
            '-' => {
                before.is_none() && next_is_word
                    || before == Some('-') && next_is_word && chunk.starts_with("--")
            }
            '+' | '#' => after_word && !next_is_word,
            '$' => before.is_none() && next_is_word,
            '.' if before.is_none() => next_is_word,
            // `getItem`; a name such as `JavaScript` begins with a capital.
            _ if letter.is_uppercase() => {
                before.is_some_and(char::is_lowercase) && chunk.starts_with(char::is_lowercase)
            }
            _ => false,
        };
        if letter == '.' && after_word && next_is_word {
            dotted += 1;
        }
        if letter.is_alphanumeric() {
            part_len += 1;
            long_part |= part_len > 1;
        } else {
            part_len = 0;
        }
        before = Some(letter);
    }
    // `U.S.` and `e.g.` have parts of one letter.
    has_letters && (has_sign || (dotted > 0 && long_part))
}

/// `src/main.rs` is a path; `read/write` are two words.
fn is_path(chunk: &str) -> bool {
    chunk.contains(['.', '_', '~'])
        || chunk.matches('/').take(2).count() > 1
        || chunk.ends_with('/')
        || chunk.starts_with('/')
}

/// Gives numbers the scale and the unit that stand behind them: `1.5 million`, `5 minutes`, `20 per cent`.
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
        if number.unit.is_empty()
            && let Some(next) = rest.peek_mut()
        {
            let unit = if next.key == "per" {
                Some("%")
            } else {
                number::unit(&next.key)
            };
            let is_ordinal = number.value.ends_with(char::is_alphabetic);
            if let Some(unit) = unit.filter(|_| !is_ordinal) {
                number.measure(unit);
                next.stem.clear();
                next.kind = Kind::Word;
                atom.kind = Kind::Number;
            }
        } else if !number.unit.is_empty() {
            let unit = number.unit;
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

/// Decides which capitals at the start of a sentence are names.
fn settle_first_words(atoms: &mut [Atom]) {
    for idx in 0..atoms.len() {
        if !(atoms[idx].first && atoms[idx].kind == Kind::Name) {
            continue;
        }
        let key = atoms[idx].key.as_str();
        let next = atoms
            .get(idx + 1)
            .filter(|next| next.sentence == atoms[idx].sentence);
        let is_verb = next.is_some_and(|next| {
            matches!(next.kind, Kind::Code | Kind::Number)
                || OBJECT_OPENERS.contains(&next.key.as_str())
        });
        let before_name = next.is_some_and(|next| next.kind == Kind::Name);
        let is_inflected = key.ends_with("ing") || key.ends_with("ly") || key.ends_with("ed");
        let is_plain = OPENERS.contains(&key) || (!before_name && (is_verb || is_inflected));
        if is_plain {
            atoms[idx].kind = Kind::Word;
        }
    }
}
