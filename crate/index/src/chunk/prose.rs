//! Splits a block of prose that is too long into lines and sentences, and a sentence that is too long into words.

use super::options::ChunkOptions;
use super::unit::Unit;
use super::words::{count_words, word_parts, word_size};
use crate::sentence;

/// Cuts lists and tables at lines, paragraphs at sentences, and a sentence that is too long between words.
pub(super) fn split_prose(block: &str, options: &ChunkOptions, units: &mut Vec<Unit>) {
    let mut separator = "\n\n";
    for line in block.lines() {
        for with_space in sentence::split(line) {
            let sentence = with_space.trim_end();
            if sentence.is_empty() {
                continue;
            }
            for text in cut(sentence, options.max_words.max(1)) {
                units.push(Unit {
                    n_words: count_words(&text),
                    text,
                    separator,
                });
                separator = " ";
            }
            // Chinese and Japanese put no space between sentences.
            if with_space.len() == sentence.len() {
                separator = "";
            }
        }
        separator = "\n";
    }
}

/// Splits a text into pieces of at most `max_words`, between words if it has any.
fn cut(text: &str, max_words: usize) -> Vec<String> {
    if count_words(text) <= max_words {
        // Returned as is, to keep its spaces.
        return vec![text.to_owned()];
    }
    let mut pieces = vec![String::new()];
    let mut n_words = 0;
    let parts = text.split_whitespace().flat_map(|word| {
        let parts = word_parts(word, max_words);
        (0..).zip(parts)
    });
    for (place, part) in parts {
        let part_words = word_size(part);
        if n_words > 0 && n_words + part_words > max_words {
            pieces.push(String::new());
            n_words = 0;
        }
        if let Some(open) = pieces.last_mut() {
            if n_words > 0 && place == 0 {
                open.push(' ');
            }
            open.push_str(part);
        }
        n_words += part_words;
    }
    pieces
}
