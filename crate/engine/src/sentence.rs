//! Turns a passage into its sentences, each a slice of the text, so that a quotation is always word for word.

use unicode_segmentation::UnicodeSegmentation;

/// Shorter pieces (a label, a lone "Note.") answer nothing.
const MIN_WORDS: usize = 4;

/// The prose sentences of `text`, in order.
///
/// Blocks are divided at blank lines, list items at their line. Fenced code is left out: a quotation is prose.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for block in prose_blocks(text) {
        let mut start = 0;
        let mut end = 0;
        for piece in block.split_sentence_bounds() {
            end += piece.len();
            if ends_sentence(&block[start..end]) {
                push(&mut found, &block[start..end]);
                start = end;
            }
        }
        push(&mut found, &block[start..end]);
    }
    found
}

fn push<'t>(found: &mut Vec<&'t str>, piece: &'t str) {
    let piece = piece.trim();
    if piece.unicode_words().count() >= MIN_WORDS {
        found.push(piece);
    }
}

/// Unicode's rule divides after "e.g." before a capital, and inside `v1.2 Beta`; these go on.
fn ends_sentence(piece: &str) -> bool {
    let trimmed = piece.trim_end();
    const ABBREVIATIONS: [&str; 8] = ["e.g.", "i.e.", "etc.", "vs.", "cf.", "Mr.", "Dr.", "No."];
    !ABBREVIATIONS
        .iter()
        .any(|abbreviation| trimmed.ends_with(abbreviation))
}

/// Runs of lines that read as one text: paragraphs and list items, without code.
fn prose_blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut fenced = false;
    let mut open: Option<usize> = None;
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let is_fence = trimmed.starts_with("```") || trimmed.starts_with("~~~");
        let starts_item = is_list_item(trimmed);
        let ends_block = is_fence || fenced || trimmed.is_empty() || starts_item;
        if ends_block && let Some(start) = open.take() {
            blocks.push(&text[start..position]);
        }
        if is_fence {
            fenced = !fenced;
        } else if !fenced && !trimmed.is_empty() && open.is_none() {
            let lead = line.len() - line.trim_start().len();
            let marker = if starts_item {
                item_marker_len(trimmed)
            } else {
                0
            };
            open = Some(position + lead + marker);
        }
        position += line.len();
    }
    if let Some(start) = open {
        blocks.push(&text[start..]);
    }
    blocks
}

fn is_list_item(line: &str) -> bool {
    item_marker_len(line) > 0
}

/// Bytes of `- `, `* `, `+ ` or `12. ` at the start of `line`; 0 where there is none.
fn item_marker_len(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    let bullet =
        digits == 0 && (line.starts_with("- ") || line.starts_with("* ") || line.starts_with("+ "));
    let number = (1..=3).contains(&digits) && (rest.starts_with(". ") || rest.starts_with(") "));
    match (bullet, number) {
        (true, _) => 2,
        (_, true) => digits + 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }

    #[test]
    fn an_unclosed_fence_ends_with_the_text() {
        check(
            "Here is some code:\n```\nlet a = b. Never closed here.",
            &["Here is some code:"].map(|_| "Here is some code:"),
        );
    }
}
