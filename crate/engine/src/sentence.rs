//! Turns a passage into its sentences, each a slice of the text.

use anchorite_index::sentence;
use unicode_segmentation::UnicodeSegmentation;

use crate::unit;

/// Fewest words of a sentence: shorter pieces (a label, a lone "Note.") answer nothing.
const MIN_WORDS: usize = 4;

/// The prose sentences of `text`, in order.
///
/// Line breaks end sentences, list items begin after their marker, and fenced code is left out. Quotations consist of
/// [`unit`](mod@crate::unit)s instead.
pub fn sentences(text: &str) -> Vec<&str> {
    let lines = unit::prose(text).into_iter();
    lines
        .flat_map(|line| sentence::split(&text[line]))
        .map(str::trim)
        .filter(|sentence| sentence.unicode_words().nth(MIN_WORDS - 1).is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::sentences;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(sentences(text), expected, "sentences of {text:?}");
    }

    #[test]
    fn divides_prose_and_keeps_every_character() {
        check(
            "Cargo is the package manager. It downloads your dependencies!\nDoes it build them too? Yes.",
            &[
                "Cargo is the package manager.",
                "It downloads your dependencies!",
                "Does it build them too?",
            ],
        );
    }

    #[test]
    fn leaves_code_out() {
        check(
            "Write the following program:\n\n```rust\nfn main() { let a = 1; }\n```\n\nThen run it with cargo.",
            &["Write the following program:", "Then run it with cargo."],
        );
    }

    #[test]
    fn takes_list_items_one_by_one_without_their_marker() {
        check(
            "- The first of the items\n- The second of the items\n3. A third with a number",
            &[
                "The first of the items",
                "The second of the items",
                "A third with a number",
            ],
        );
    }

    #[test]
    fn goes_on_after_an_abbreviation() {
        check(
            "Some types, e.g. Vectors and strings, own their data.",
            &["Some types, e.g. Vectors and strings, own their data."],
        );
        check(
            "The tool reads J. P. Smith's files. They are old ones.",
            &["The tool reads J. P. Smith's files.", "They are old ones."],
        );
    }

    #[test]
    fn an_unclosed_fence_ends_with_the_text() {
        check(
            "Here is some code:\n```\nlet a = b. Never closed here.",
            &["Here is some code:"].map(|_| "Here is some code:"),
        );
    }
}
