//! Turns a text and its accepted answers into exact match and F1, as SQuAD's evaluation defines them.
//!
//! Rajpurkar and others, 2016 and 2018: both sides are normalised, F1 is computed over the shared words, and the best
//! of several answers counts.

use std::collections::HashMap;

/// `text` in lower case, without ASCII punctuation and articles, with single spaces.
pub(super) fn normalise(text: &str) -> String {
    let bare: String = text
        .to_lowercase()
        .chars()
        .filter(|letter| !letter.is_ascii_punctuation())
        .collect();
    let mut kept = String::with_capacity(bare.len());
    let mut rest = bare.as_str();
    while let Some(letter) = rest.chars().next() {
        let is_word = is_word_letter(letter);
        let end = rest
            .find(|other| is_word_letter(other) != is_word)
            .unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        // An article is a word between any two non-word characters: `a–b` has one, `a's` had one.
        kept.push_str(match piece {
            "a" | "an" | "the" => " ",
            _ => piece,
        });
        rest = behind;
    }
    let words: Vec<&str> = kept
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

fn is_word_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Python's white space: Unicode's, and four separators of ASCII.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}

/// A text and the answers it is compared with. If there are none, the right text is empty.
pub(super) struct Compared {
    text: String,
    answers: Vec<String>,
}

impl Compared {
    pub(super) fn new(text: &str, answers: &[String]) -> Self {
        let mut answers: Vec<String> = answers
            .iter()
            .map(|answer| normalise(answer))
            .filter(|answer| !answer.is_empty())
            .collect();
        if answers.is_empty() {
            answers.push(String::new());
        }
        Self {
            text: normalise(text),
            answers,
        }
    }

    /// 1 where the text is one of the answers, else 0.
    pub(super) fn exact(&self) -> f64 {
        f64::from(self.answers.contains(&self.text))
    }

    /// The harmonic mean of the words' precision and recall, for the best of all answers; 0 to 1.
    pub(super) fn f1(&self) -> f64 {
        let answers = self.answers.iter();
        answers
            .map(|answer| f1(&self.text, answer))
            .fold(0.0, f64::max)
    }

    /// True if the text contains an answer, as whole words.
    fn is_held(&self) -> bool {
        let text = format!(" {} ", self.text);
        let mut answers = self.answers.iter().filter(|answer| !answer.is_empty());
        answers.any(|answer| text.contains(&format!(" {answer} ")))
    }
}

fn f1(text: &str, answer: &str) -> f64 {
    let count = |text: &str| text.split(' ').filter(|word| !word.is_empty()).count();
    let (n_text, n_answer) = (count(text), count(answer));
    if n_text == 0 || n_answer == 0 {
        return f64::from(n_text == n_answer);
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in answer.split(' ') {
        *left.entry(word).or_default() += 1;
    }
    let mut n_shared = 0.0;
    for word in text.split(' ') {
        if let Some(left) = left.get_mut(word).filter(|left| **left > 0) {
            *left -= 1;
            n_shared += 1.0;
        }
    }
    2.0 * n_shared / (n_text + n_answer) as f64
}

/// True if `text` contains one of `answers`: as written except for case, and not inside a longer word or number; or
/// with both normalised.
///
/// The first finds `1973` in `1973–1974`, which normalises to one word; the second finds `US` if the text has `U.S.`
pub(super) fn holds(text: &str, answers: &[String]) -> bool {
    let lower = text.to_lowercase();
    let as_written = answers.iter().any(|answer| {
        let answer = answer.trim().to_lowercase();
        !answer.is_empty() && stands_alone(&lower, &answer)
    });
    as_written || Compared::new(text, answers).is_held()
}

fn stands_alone(text: &str, part: &str) -> bool {
    let joins = |inner: Option<char>, outer: Option<char>| {
        inner.is_some_and(char::is_alphanumeric) && outer.is_some_and(char::is_alphanumeric)
    };
    text.match_indices(part).any(|(start, _)| {
        let (before, behind) = (&text[..start], &text[start + part.len()..]);
        // `2` is not in `2.5`, nor `5` in it.
        let is_decimal = |dot: Option<char>, digit: Option<char>, edge: Option<char>| {
            matches!(dot, Some('.' | ','))
                && digit.is_some_and(|digit| digit.is_ascii_digit())
                && edge.is_some_and(|edge| edge.is_ascii_digit())
        };
        let mut left = before.chars().rev();
        let mut right = behind.chars();
        let (first, last) = (part.chars().next(), part.chars().next_back());
        let (left, left_next) = (left.next(), left.next());
        let (right, right_next) = (right.next(), right.next());
        !joins(first, left)
            && !joins(last, right)
            && !is_decimal(left, left_next, first)
            && !is_decimal(right, right_next, last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(answers: &[&str]) -> Vec<String> {
        answers.iter().map(|&answer| answer.to_owned()).collect()
    }

    #[test]
    fn normalises_as_the_official_evaluation_does() {
        let cases = [
            ("The  Normans,\tof a\nkind!", "normans of kind"),
            ("U.S. $3-5", "us 35"),
            ("An Apple's an apple", "apples apple"),
            // An en dash is not ASCII punctuation, but separates words.
            ("a–b the—c", "–b —c"),
            ("THEATRE anthem _a_", "theatre anthem"),
            ("Σίσυφος İ", "σίσυφος i\u{307}"),
            ("a\u{1c}b", "b"),
            ("1973–1974", "1973–1974"),
            ("the", ""),
            ("?!", ""),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(normalise(text), expected, "for {text:?}");
        }
    }

    #[test]
    fn exact_and_f1_are_those_worked_by_hand() {
        let cases: [(&str, &[&str], f64, f64); 9] = [
            ("the Normans", &["Normans", "France"], 1.0, 1.0),
            // Two of three words, both of the answer's: 2 * 2 / (3 + 2).
            ("in old France", &["old France"], 0.0, 0.8),
            // One shared word of two and one: 2 / 3; of two and three: 0.4. The better counts.
            ("north sea", &["sea", "baltic sea coast"], 0.0, 2.0 / 3.0),
            // A word counts as often as both have it: 2 * 2 / (3 + 2).
            ("no no no", &["no no"], 0.0, 0.8),
            ("north", &["south"], 0.0, 0.0),
            ("", &["south"], 0.0, 0.0),
            // Unanswerable: only an empty text is right. An article counts as empty.
            ("", &[], 1.0, 1.0),
            ("the", &[], 1.0, 1.0),
            ("south", &[], 0.0, 0.0),
        ];
        for (text, answers, exact, f1) in cases {
            let compared = Compared::new(text, &owned(answers));
            let found = (compared.exact(), compared.f1());
            assert!(
                found.0 == exact && (found.1 - f1).abs() < 1e-12,
                "{text:?} and {answers:?}: expected {exact} and {f1}, found {found:?}"
            );
        }
    }

    #[test]
    fn holds_whole_words_and_numbers_only() {
        let cases: [(&str, &[&str], bool); 14] = [
            (
                "It began in October 1973, they say.",
                &["october 1973"],
                true,
            ),
            ("From 1973–1974 it lasted.", &["1973"], true),
            ("The U.S. sent aid.", &["US"], true),
            ("Nearly $12 globally.", &["$12"], true),
            ("It costs $125.", &["$12"], false),
            ("The cattle came.", &["cat"], false),
            ("It waits 50 seconds.", &["5"], false),
            ("It waits 2.5 seconds.", &["5"], false),
            ("It waits 2.5 seconds.", &["2"], false),
            ("It waits 2.5 seconds.", &["2.5"], true),
            ("It waits 2.", &["2"], true),
            ("The end.", &["the"], true),
            ("An end.", &["the"], false),
            ("", &["x", ""], false),
        ];
        for (text, answers, expected) in cases {
            assert_eq!(
                holds(text, &owned(answers)),
                expected,
                "{answers:?} in {text:?}"
            );
        }
    }
}
