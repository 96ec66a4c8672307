//! Splits a line of prose into sentences, each a slice of it.
//!
//! Unicode's rules (UAX 29) find the boundaries; [`ends`] drops those after initials and abbreviations, and adds those
//! that the rules miss. The language is not an input: many pages name none, and many hold several.

mod abbreviations;
mod next;

use abbreviations::{Stop, labels, names_time, opens_sentence, precedes_ordinal, stop};
use next::{Next, closes_apart, stops_again};
use unicode_segmentation::UnicodeSegmentation;

/// Longer words before a full stop, in bytes, are not abbreviations.
const MAX_WORD_BYTES: usize = 40;

/// Limit, in bytes, on how far any rule looks back or ahead, so that a page of brackets takes no more time than any
/// other.
const MAX_BYTES_AROUND: usize = 160;

/// The sentences of `text`, each with its trailing white space: joined they are `text`.
///
/// A line end always ends a sentence. Takes time proportional to the text.
pub fn split(text: &str) -> Vec<&str> {
    let mut places: Vec<(usize, bool)> = text
        .split_sentence_bound_indices()
        .map(|(start, _)| (start, true))
        .chain(gaps(text).map(|at| (at, false)))
        .collect();
    // Both runs are in order, so a stable sort merges them; of equal offsets, the one from UAX 29 comes first.
    places.sort_by_key(|(at, _)| *at);
    places.dedup_by_key(|(at, _)| *at);
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, is_by_rules) in places {
        if at > start && ends(&text[start..at], &text[at..], is_by_rules) {
            sentences.push(&text[start..at]);
            start = at;
        }
    }
    if start < text.len() {
        sentences.push(&text[start..]);
    }
    sentences
}

/// The offsets of words that follow white space and a character that may end a sentence.
fn gaps(text: &str) -> impl Iterator<Item = usize> {
    let mut last = ' ';
    let mut in_gap = false;
    text.char_indices().filter_map(move |(at, character)| {
        if character.is_whitespace() {
            in_gap = true;
            return None;
        }
        let may_end = in_gap
            && (matches!(last, '.' | '\u{2026}' | ';' | ':' | '\u{37e}' | '!' | '?')
                || is_closer(last)
                || is_superscript(last));
        last = character;
        in_gap = false;
        may_end.then_some(at)
    })
}

/// True if the sentence `before` ends where `after` begins; `is_by_rules` if UAX 29 says so.
fn ends(before: &str, after: &str, is_by_rules: bool) -> bool {
    let trimmed = before.trim_end();
    let gap = &before[trimmed.len()..];
    if gap.contains(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}']) {
        return is_by_rules;
    }
    if closes_apart(after) || stops_again(after) {
        return false;
    }
    let trimmed =
        &trimmed[trimmed.ceil_char_boundary(trimmed.len().saturating_sub(MAX_BYTES_AROUND))..];
    let whole = without_note(trimmed);
    let core = whole.trim_end_matches(|c: char| is_closer(c) || c.is_whitespace());
    let Some(last) = core.chars().next_back() else {
        return false;
    };
    let next = Next::of(after);
    let is_apart = !gap.is_empty() || next.is_unspaced;
    match last {
        '.' => is_apart && ends_at_stop(core, whole, &next, is_by_rules),
        // A lower-case word continues after a quotation: "Really?" he asked.
        '!' | '?' => is_apart && !next.is_lower,
        '\u{2026}' => is_apart && next.is_upper && !is_bracketed(core, '\u{2026}'),
        ';' | '\u{37e}' => {
            is_apart
                && next.is_upper
                && is_greek(core[..core.len() - last.len_utf8()].chars().next_back())
        }
        // Armenian text often uses a colon for its own full stop, which looks the same.
        ':' => is_apart && next.is_upper && is_armenian(core[..core.len() - 1].chars().next_back()),
        // Japanese: a particle continues after a quotation, as in "..?" to itta.
        '\u{3002}' | '\u{ff01}' | '\u{ff1f}' if whole.len() > core.len() => {
            !after.starts_with(['\u{3068}', '\u{3063}', '\u{306e}', '\u{3001}', '\u{ff0c}'])
        }
        // Unicode counts opening brackets among the possible closers.
        _ => is_by_rules && !last.is_ascii(),
    }
}

/// The same for a full stop at the end of `core`; `whole` includes the quotes and brackets after it.
fn ends_at_stop(core: &str, whole: &str, next: &Next, is_by_rules: bool) -> bool {
    let stem = core.trim_end_matches('.');
    let n_stops = core.len() - stem.len();
    if n_stops > 1 || stem.ends_with(char::is_whitespace) {
        return next.is_upper && !is_bracketed(core, '.');
    }
    let word = last_word(stem);
    let rest = stem[..stem.len() - word.len()].trim_end();
    let is_number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    // "1. Intro" and "b) c. Open": a sentence's number is part of it.
    let is_first = rest.len() < 16 && rest.chars().all(|c| !c.is_alphanumeric());
    if is_first && (is_number || word.chars().nth(1).is_none() || is_roman(word)) {
        return false;
    }
    let previous = last_word(rest.trim_end_matches([',', ';'])).to_lowercase();
    if is_number
        && word.len() <= 2
        && (rest.ends_with([':', ';']) || (precedes_ordinal(&previous) && next.is_upper))
    {
        return false;
    }
    if whole.len() > core.len() && !word.contains('.') && word.chars().nth(1).is_some() {
        // A closing quote or bracket also ends an abbreviation.
        return next.is_upper || (is_by_rules && !next.is_lower);
    }
    let lower = word.to_lowercase();
    let is_capitalised = word.starts_with(char::is_uppercase);
    // "A." in "J. A. Smith" is not an article.
    let opens = next.is_upper && !next.is_initial && opens_sentence(&next.word);
    let mut letters = word.chars();
    if let (Some(letter), None) = (letters.next(), letters.next())
        && letter.is_alphabetic()
        && !next.is_unspaced
    {
        return ends_at_letter(letter, &lower, rest, &previous, next, opens);
    }
    let is_shouted = word.len() > 1 && word.chars().all(|c| c.is_uppercase() || c == '-');
    let known = match stop(&lower, is_capitalised) {
        // CA. is a place and NO. an answer.
        _ if is_shouted && !next.is_number => Stop::Ends,
        Stop::Ends if is_dotted_letters(&lower) => {
            if is_capitalised {
                Stop::Either
            } else {
                Stop::GoesOn
            }
        }
        known => known,
    };
    match known {
        Stop::GoesOn => false,
        Stop::Either => opens,
        Stop::BeforeTime => next.is_upper && !names_time(&next.word) && !next.is_initial,
        Stop::BeforeNumber if next.is_number => false,
        _ if next.is_lower => {
            next.is_code && lower.chars().count() > 2 && lower.chars().all(char::is_alphabetic)
        }
        _ if next.is_number => lower.chars().count() > 2,
        _ => next.is_upper || is_by_rules,
    }
}

/// The same for a stop after one letter: an initial continues ("J. Smith"), a label ends ("plan B.").
fn ends_at_letter(
    letter: char,
    lower: &str,
    rest: &str,
    previous: &str,
    next: &Next,
    opens: bool,
) -> bool {
    if next.is_lower || (next.is_number && stop(lower, false) == Stop::BeforeNumber) {
        return false;
    }
    if labels(previous) {
        return true;
    }
    if let Some(before) = rest.strip_suffix('.') {
        // "z. B." is one abbreviation.
        let first = last_word(before).to_lowercase();
        let joined = format!("{first}.{lower}");
        if stop(&joined, false) == Stop::GoesOn {
            return false;
        }
    }
    let follows_lower = last_word(rest).starts_with(char::is_lowercase);
    opens || (letter == 'I' && follows_lower && next.word.chars().nth(1).is_some())
}

/// The last word of `text`, without the brackets and quotes before it.
fn last_word(text: &str) -> &str {
    let tail = &text[text.ceil_char_boundary(text.len().saturating_sub(MAX_WORD_BYTES))..];
    let start = tail
        .rfind(|c: char| {
            c.is_whitespace()
                || is_closer(c)
                || matches!(c, '(' | '[' | '{' | '\u{ab}' | '\u{201e}' | '\u{201c}')
        })
        .map_or(0, |at| {
            at + tail[at..].chars().next().map_or(0, char::len_utf8)
        });
    &tail[start..]
}

/// `text` without the footnote and citation numbers after its stop.
fn without_note(text: &str) -> &str {
    let is_stop = |text: &str| text.ends_with(['.', '!', '?', '"', '\u{201d}']);
    let plain = text.trim_end_matches(is_superscript);
    if plain.len() < text.len() && is_stop(plain) {
        return plain;
    }
    let mut rest = text;
    for _ in 0..8 {
        let Some(open) = rest.strip_suffix(']') else {
            break;
        };
        let plain = open.trim_end_matches(|c: char| c.is_ascii_digit());
        let Some(before) = plain.strip_suffix('[').filter(|_| plain.len() < open.len()) else {
            break;
        };
        rest = before.trim_end();
    }
    if rest.len() < text.len() && is_stop(rest) {
        rest
    } else {
        text
    }
}

/// True if `core` ends in dots that are alone in brackets, which mark an omission.
fn is_bracketed(core: &str, dot: char) -> bool {
    core.trim_end_matches(dot).ends_with(['[', '('])
}

/// Letters with stops between them, without the last stop: "u.s".
fn is_dotted_letters(word: &str) -> bool {
    word.contains('.')
        && word
            .split('.')
            .all(|part| part.chars().count() == 1 && part.chars().all(char::is_alphabetic))
}

/// A small Roman numeral, as in chapter numbers.
fn is_roman(word: &str) -> bool {
    word.len() <= 5
        && (word.bytes().all(|byte| b"IVX".contains(&byte))
            || word.bytes().all(|byte| b"ivx".contains(&byte)))
}

fn is_greek(character: Option<char>) -> bool {
    character.is_some_and(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}'))
}

fn is_armenian(character: Option<char>) -> bool {
    character.is_some_and(|c| matches!(c, '\u{531}'..='\u{58f}'))
}

fn is_superscript(c: char) -> bool {
    matches!(c, '\u{b9}' | '\u{b2}' | '\u{b3}' | '\u{2070}'..='\u{2079}')
}

/// Quotes that open in one language close in another; the side of the word they touch tells which.
fn is_closer(c: char) -> bool {
    matches!(
        c,
        '\u{ab}'
            | '\u{2018}'
            | '\u{201c}'
            | '"'
            | '\''
            | ')'
            | ']'
            | '}'
            | '\u{bb}'
            | '\u{2019}'
            | '\u{201d}'
            | '\u{203a}'
            | '\u{300d}'
            | '\u{300f}'
            | '\u{ff09}'
            | '\u{3011}'
            | '\u{300b}'
            | '\u{3009}'
            | '`'
            | '*'
    )
}

#[cfg(test)]
mod tests;
