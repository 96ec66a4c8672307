//! Finds the steps that a question asks for: the numbered list after the sentence that introduces them, or around one of them.

use std::ops::Range;

use super::UnitKind;
use super::layout::{Piece, pieces};

/// Most sentences between an introduction and its list: after more, the list is about something else.
const MAX_SENTENCES_BETWEEN: usize = 4;
const MIN_STEPS: usize = 2;

/// Words after `how` that ask how something is done.
const DOING: [&str; 9] = [
    "do", "does", "can", "could", "should", "would", "must", "to", "shall",
];

/// True if `question` asks, in English, how something is done.
pub(crate) fn asks_for_steps(question: &str) -> bool {
    let lower = question.to_lowercase();
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let is_how = words
        .windows(2)
        .any(|pair| pair[0] == "how" && DOING.contains(&pair[1]));
    is_how || words.contains(&"steps")
}

/// The byte range in `text` of the numbered list for `unit`, markers included: the list that follows the sentence
/// `unit` with only sentences between, or the one with `unit` as an item. `None` if there is no such list.
pub(crate) fn steps_for(text: &str, unit: &Range<usize>) -> Option<Range<usize>> {
    let pieces = pieces(text);
    let asked = pieces.iter().position(|piece| piece.range == *unit)?;
    let is_sentence = |piece: &&Piece| piece.kind == UnitKind::Sentence;
    let is_item = |piece: &&Piece| piece.kind == UnitKind::Item;
    let list = match pieces[asked].kind {
        UnitKind::Item => {
            let n_before = pieces[..asked].iter().rev().take_while(is_item).count();
            &pieces[asked - n_before..]
        }
        _ => {
            let n_sentences = pieces[asked..].iter().take_while(is_sentence).count();
            if n_sentences == 0 || n_sentences > 1 + MAX_SENTENCES_BETWEEN {
                return None;
            }
            &pieces[asked + n_sentences..]
        }
    };
    let first = list.first()?;
    let items = list
        .iter()
        .take_while(|piece| is_item(piece) && piece.indent >= first.indent);
    let mut n_steps = 0;
    let mut end = first.range.end;
    for item in items {
        n_steps += usize::from(item.indent == first.indent && is_numbered(text, item));
        end = item.range.end;
    }
    (is_numbered(text, first) && n_steps >= MIN_STEPS).then_some(first.start..end)
}

fn is_numbered(text: &str, item: &Piece) -> bool {
    let marker = text.get(item.start..item.range.start).unwrap_or_default();
    marker.starts_with(|letter: char| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_of_how_something_is_done_ask_for_steps() {
        for (question, expected) in [
            ("How do I change the blade?", true),
            ("And how can the blade be changed", true),
            ("how to change a blade", true),
            ("What are the steps to change a blade?", true),
            ("How long is the blade?", false),
            ("How many blades are there?", false),
            ("Who changes the blade?", false),
            ("", false),
        ] {
            assert_eq!(asks_for_steps(question), expected, "{question}");
        }
    }

    fn steps<'t>(text: &'t str, sentence: &str) -> Option<&'t str> {
        let start = text.find(sentence).unwrap();
        steps_for(text, &(start..start + sentence.len())).map(|range| &text[range])
    }

    #[test]
    fn the_numbered_list_behind_a_sentence_is_found() {
        let text = "Change the blade each spring. Wear gloves.\n\n1. Take the nut off.\n   - Turn it left.\n2. Lift the blade.\n\nOil it.";
        let list = "1. Take the nut off.\n   - Turn it left.\n2. Lift the blade.";
        assert_eq!(steps(text, "Change the blade each spring."), Some(list));
        assert_eq!(steps(text, "Wear gloves."), Some(list));
        assert_eq!(steps(text, "Oil it."), None);
        for step in ["Take the nut off.", "Turn it left.", "Lift the blade."] {
            assert_eq!(steps(text, step), Some(list), "around `{step}`");
        }
    }

    #[test]
    fn other_lists_and_lists_further_away_are_none() {
        for text in [
            "Change it.\n\n- gloves\n- a wrench",
            "Change it.\n\n1. Take the nut off.",
            "Change it.\n\n```\nblade --off\n```\n\n1. One.\n2. Two.",
            "Change it. A. B. Cats sleep. Dogs bark. Birds sing. Fish swim. Cows graze.\n\n1. One.\n2. Two.",
        ] {
            assert_eq!(steps(text, "Change it."), None, "{text}");
        }
        assert_eq!(steps("- gloves\n- a wrench", "gloves"), None, "no numbers");
        assert_eq!(steps_for("", &(0..0)), None);
    }
}
