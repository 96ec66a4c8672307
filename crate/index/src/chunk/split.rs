//! Splits a section's text into pieces of about equal size, none larger than a chunk may be.

use super::blocks::units;
use super::options::ChunkOptions;

/// The text of each chunk, in reading order; none is empty.
pub(super) fn pieces(text: &str, options: &ChunkOptions) -> Vec<String> {
    let units = units(text, options);
    let n_words: usize = units.iter().map(|unit| unit.n_words).sum();
    // Equal sizes, so that no single sentence is left over.
    let n_pieces = n_words.div_ceil(options.target_words.max(1)).max(1);
    let aim = if n_words <= options.max_words {
        options.max_words
    } else {
        n_words.div_ceil(n_pieces)
    };
    let mut pieces: Vec<String> = Vec::new();
    let mut open = String::new();
    let mut open_words = 0;
    for unit in units {
        let with_unit = open_words + unit.n_words;
        let overshoots = with_unit > aim && with_unit - aim > aim.saturating_sub(open_words);
        if open_words > 0 && (with_unit > options.max_words || overshoots) {
            pieces.push(std::mem::take(&mut open));
            open_words = 0;
        }
        if !open.is_empty() {
            open.push_str(unit.separator);
        }
        open.push_str(&unit.text);
        open_words += unit.n_words;
    }
    if !open.is_empty() {
        pieces.push(open);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::options::options;
    use crate::chunk::words::count_words;

    fn words(n_words: usize) -> String {
        vec!["word"; n_words].join(" ")
    }

    fn sizes(text: &str) -> Vec<usize> {
        pieces(text, &options())
            .iter()
            .map(|piece| count_words(piece))
            .collect()
    }

    #[test]
    fn a_section_that_fits_stays_whole() {
        let text = format!("{}\n\n{}", words(9), words(5));
        assert_eq!(pieces(&text, &options()), [text]);
    }

    #[test]
    fn what_has_no_spaces_is_cut_too() {
        let text = "x".repeat(100_000);
        let found = pieces(&text, &options());
        assert_eq!(found.concat(), text, "nothing is lost");
        assert!(
            found.iter().all(|piece| count_words(piece) <= 14),
            "{:?}",
            sizes(&text)
        );
        let chinese = "\u{6c34}\u{6cf5}\u{3002}".repeat(100);
        let found = pieces(&chinese, &options());
        assert!(
            found.len() >= 10 && found.iter().all(|piece| count_words(piece) <= 14),
            "{found:?}"
        );
        let code = format!("```\n{}\n```", "y".repeat(10_000));
        let longest = pieces(&code, &options()).iter().map(String::len).max();
        assert!(longest < Some(900), "{longest:?}");
    }

    #[test]
    fn pieces_are_about_equal() {
        let text = [words(5), words(5), words(5), words(5)].join("\n\n");
        assert_eq!(sizes(&text), [10, 10]);
        let text = [words(8), words(8), words(3)].join("\n\n");
        assert_eq!(sizes(&text), [8, 11]);
    }

    #[test]
    fn a_long_paragraph_is_cut_at_sentences() {
        let text = "One two three four five six. Seven eight nine ten. Eleven twelve thirteen fourteen fifteen sixteen.";
        let found = pieces(text, &options());
        assert_eq!(
            found,
            [
                "One two three four five six. Seven eight nine ten.",
                "Eleven twelve thirteen fourteen fifteen sixteen."
            ]
        );
    }

    #[test]
    fn no_piece_of_prose_passes_the_limit() {
        for n_words in [1, 13, 14, 15, 29, 63, 1757] {
            for piece in sizes(&words(n_words)) {
                assert!(piece <= 14, "piece of {piece} words, of {n_words}");
            }
            assert_eq!(
                sizes(&words(n_words)).iter().sum::<usize>(),
                n_words,
                "no word is lost"
            );
        }
    }

    #[test]
    fn code_is_kept_whole_with_what_announces_it() {
        let code = "```rust\nlet a = 1;\n\nlet b = 2;\n```";
        let text = format!("{}\n\nFor example:\n\n{code}\n\n{}", words(9), words(9));
        let found = pieces(&text, &options());
        assert_eq!(
            found,
            [words(9), format!("For example:\n\n{code}"), words(9)]
        );
    }

    #[test]
    fn code_too_long_is_cut_at_empty_lines_into_fenced_pieces() {
        let function = "fn f() {\n    a b c d\n}";
        let text = format!("```rust\n{function}\n\n{function}\n\n{function}\n```");
        let found = pieces(&text, &options());
        assert_eq!(found.len(), 3, "one per function: {found:?}");
        for piece in found {
            assert!(
                piece.starts_with("```rust\n") && piece.ends_with("\n```"),
                "fenced: {piece}"
            );
            assert_eq!(piece.matches("fn f").count(), 1, "whole: {piece}");
        }
    }

    #[test]
    fn lists_are_cut_at_their_lines() {
        let list: Vec<String> = (0..6).map(|_| format!("- {}", words(4))).collect();
        let found = pieces(&list.join("\n"), &options());
        assert!(
            found.iter().all(|piece| piece.starts_with("- ")),
            "cut at items: {found:?}"
        );
    }
}
