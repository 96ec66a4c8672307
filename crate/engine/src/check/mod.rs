//! Turns generated text into sentences, each checked against the passages it cites.
//!
//! A sentence is supported if one sentence of a cited passage, or two in a row, hold most of its content words and all
//! of its hard facts (numbers with their units, versions, flags, paths, identifiers and names, as whole tokens) without
//! saying the opposite or less. This is a floor, not a proof: it reads words, not meaning.

mod asked;
mod atom;
mod binding;
mod citation;
pub(crate) mod claim;
mod contrast;
mod facts;
mod fault;
mod number;
mod opening;
mod polarity;
mod quantity;
mod shape;
pub(crate) mod source;
mod support;
mod token;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use anchorite_index::lexical;

use crate::answer::Sentence;
use crate::phrases::{self, Phrases};
use crate::prompt::form::ABSTENTION;

pub(crate) use asked::{Asked, Held};
use atom::{Atom, Kind};
use citation::{Cited, MAX_TEXT_BYTES};
use claim::{Text, claims};
pub(crate) use quantity::Quantity;
pub use source::Source;
use support::Read;

/// Splits `text` into sentences, reads their citations and checks each against `sources`.
///
/// A citation is dropped if it names no source, or one that does not support the sentence; a sentence left without any
/// is unsupported. A sentence without citations gets the first source that supports it, and is unsupported if there is
/// none. Abstentions are left out: see [`is_abstention`].
pub fn check(text: &str, sources: &[Source]) -> Vec<Sentence> {
    check_voice(text, sources, &Phrases::default())
}

/// As [`check`], for text written by a voice: its set phrases claim nothing, and a sentence is judged without the
/// phrase it begins with.
pub fn check_voice(text: &str, sources: &[Source], phrases: &Phrases) -> Vec<Sentence> {
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    let read: Vec<(usize, Read)> = sources
        .iter()
        .map(|source| (source.number, Read::new(&source.heading_path, &source.text)))
        .collect();
    citation::cited_sentences(text)
        .into_iter()
        .filter(|cited| {
            cited.text.chars().any(char::is_alphanumeric) && !is_abstention(&cited.text)
        })
        .map(|cited| check_one(cited, sources, &read, phrases))
        .collect()
}

/// The numbers that `text` cites, in order and once each, whether or not they name a source that supports it.
pub fn citations(text: &str) -> Vec<usize> {
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    let sentences = citation::cited_sentences(text).into_iter();
    let numbers: BTreeSet<usize> = sentences.flat_map(|cited| cited.numbers).collect();
    numbers.into_iter().collect()
}

/// How well `source` supports `claim`, from 0 to 1: the share of its words that one or two sentences of the source
/// hold, lowered for every fact that they lack or contradict. A claim of several sentences scores as its weakest one.
pub fn support(claim: &str, source: &str) -> f32 {
    let source = Read::new("", source);
    let scores = claims(claim).map(|claim| source.judge(&claim).score);
    scores.reduce(f32::min).unwrap_or(0.0)
}

/// True if `source` supports each sentence of `claim` by the rules of [`check`]; false if `claim` has no sentence.
pub fn supports(claim: &str, source: &str) -> bool {
    let source = Read::new("", source);
    let mut claims = claims(claim).peekable();
    claims.peek().is_some() && claims.all(|claim| source.judge(&claim).is_supported())
}

/// Share of `claim`'s content terms that occur anywhere in `source`: the baseline for [`support()`].
pub fn term_share(claim: &str, source: &str) -> f32 {
    let held = lexical::terms(source);
    let said = lexical::terms(claim);
    let present = said.iter().filter(|term| held.contains(*term)).count();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^24 terms")]
    let share = present as f32 / said.len().max(1) as f32;
    share
}

/// True if the text says that the passages don't answer.
pub fn is_abstention(text: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars()
            .filter(|letter| letter.is_alphabetic())
            .flat_map(char::to_lowercase)
            .collect()
    };
    letters(text) == letters(ABSTENTION)
}

/// True if any sentence of the text says that the passages don't answer.
pub fn abstains(text: &str) -> bool {
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    citation::cited_sentences(text)
        .iter()
        .any(|cited| is_abstention(&cited.text))
}

/// How many hard facts (numbers with their units, names, code) two texts have, counted in each of them, and how many of
/// these the other text has too. A name is shared if the other text has its word in any case: at the start of a
/// sentence a capital says nothing.
pub fn shared_facts(one: &str, other: &str) -> (usize, usize) {
    let read = |text: &str| Text::claim(&text[..text.floor_char_boundary(MAX_TEXT_BYTES)]);
    let (one, other) = (read(one), read(other));
    let count = |of: &Text, beside: &Text| {
        let is_fact =
            |atom: &&Atom| atom.number.is_some() || matches!(atom.kind, Kind::Code | Kind::Name);
        let facts: BTreeMap<&str, &Atom> = of
            .atoms
            .iter()
            .filter(is_fact)
            .map(|atom| (atom.key.as_str(), atom))
            .collect();
        let is_shared = |atom: &&&Atom| match &atom.number {
            Some(number) => beside
                .atoms
                .iter()
                .any(|found| found.number.as_ref() == Some(number)),
            None => beside.has(atom),
        };
        (facts.values().filter(is_shared).count(), facts.len())
    };
    let ((shared, all), (shared_back, all_back)) = (count(&one, &other), count(&other, &one));
    (shared + shared_back, all + all_back)
}

/// `text` up to the end of its last whole sentence; a citation may follow the full stop.
pub fn whole_sentences(text: &str) -> &str {
    /// Longer brackets, or longer runs of them, are not citations; the bound keeps a text of brackets from taking
    /// quadratic time.
    const MAX_BYTES: usize = 100;
    const MAX_MARKERS: usize = 10;
    let ends_here = |end: usize| {
        let rest = &text[end..];
        rest.is_empty() || rest.starts_with(char::is_whitespace)
    };
    // Where the brackets before `end` begin.
    let without_markers = |mut end: usize| {
        for _ in 0..MAX_MARKERS {
            if !text[..end].ends_with(']') {
                break;
            }
            let mut bytes = text.as_bytes()[..end].iter().rev().take(MAX_BYTES);
            end -= bytes.position(|byte| *byte == b'[')? + 1;
            end = text[..end].trim_end().len();
        }
        Some(end)
    };
    let end = text
        .char_indices()
        .filter(|(_, letter)| matches!(letter, '.' | '!' | '?' | ']'))
        .map(|(start, letter)| start + letter.len_utf8())
        .filter(|end| ends_here(*end))
        // A bracket ends a sentence only after the full stop.
        .rfind(|end| {
            without_markers(*end).is_some_and(|end| text[..end].ends_with(['.', '!', '?']))
        });
    &text[..end.unwrap_or(0)]
}

fn check_one(
    cited: Cited,
    sources: &[Source],
    read: &[(usize, Read)],
    phrases: &Phrases,
) -> Sentence {
    let is_cited = |source: &&Source| cited.numbers.contains(&source.number);
    let titles: Vec<&str> = sources.iter().filter(is_cited).map(Source::title).collect();
    let body = phrases.body(&cited.text, &titles);
    if !body.contains(char::is_alphanumeric) {
        return Sentence {
            text: cited.text,
            passages: Vec::new(),
            supported: true,
            is_phrase: true,
        };
    }
    let claim = Text::claim(body);
    let supports = |read: &Read| read.judge(&claim).is_supported();
    let passages: Vec<usize> = if cited.numbers.is_empty() {
        let found = read.iter().find(|(_, read)| supports(read));
        found.map(|(number, _)| *number).into_iter().collect()
    } else {
        let named = read
            .iter()
            .filter(|(number, _)| cited.numbers.contains(number));
        named
            .filter(|(_, read)| supports(read))
            .map(|(number, _)| *number)
            .collect()
    };
    let text = phrases::with_colon(&cited.text, body);
    Sentence {
        text: text.unwrap_or(cited.text),
        supported: !passages.is_empty(),
        passages,
        is_phrase: false,
    }
}

#[cfg(test)]
mod tests;
