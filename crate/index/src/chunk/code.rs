//! Turns a block of code that is too long into fenced pieces.

use super::options::ChunkOptions;
use super::unit::Unit;
use super::words::count_words;

/// Cuts code at line ends, preferably at an empty line; each piece gets its own fences.
pub(super) fn split_code(block: &str, options: &ChunkOptions, units: &mut Vec<Unit>) {
    let mut lines = block.lines();
    let opening = lines.next().unwrap_or("```");
    let closing = &opening[..opening.len() - opening.trim_start_matches('`').len()];
    let mut open: Vec<&str> = Vec::new();
    let mut n_words = 0;
    let mut push = |open: &mut Vec<&str>, n_words: &mut usize| {
        let code = open.join("\n");
        open.clear();
        if !code.trim().is_empty() {
            let text = format!("{opening}\n{}\n{closing}", code.trim_end());
            units.push(Unit {
                text,
                n_words: *n_words,
                separator: "\n\n",
            });
        }
        *n_words = 0;
    };
    let lines = lines.filter(|line| *line != closing).flat_map(|line| {
        if count_words(line) <= options.max_code_words {
            vec![line]
        } else {
            line_parts(line, options.max_words)
        }
    });
    for line in lines {
        let line_words = count_words(line);
        let at_gap = line.trim().is_empty() && n_words >= options.target_words / 2;
        if at_gap || (n_words > 0 && n_words + line_words > options.max_words) {
            push(&mut open, &mut n_words);
        }
        open.push(line);
        n_words += line_words;
    }
    push(&mut open, &mut n_words);
}

/// A line of code longer than a chunk, in pieces of at most `8 * max_words` bytes, cut between any two characters.
fn line_parts(line: &str, max_words: usize) -> Vec<&str> {
    let max_bytes = max_words.max(1) * 8;
    let mut parts = Vec::new();
    let mut rest = line;
    while rest.len() > max_bytes {
        let (part, more) = rest.split_at(rest.floor_char_boundary(max_bytes));
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}
