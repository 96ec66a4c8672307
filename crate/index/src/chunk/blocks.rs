//! Turns a section's text into units: its paragraphs and blocks of code, or parts of those that are too long.

use super::code::split_code;
use super::options::ChunkOptions;
use super::prose::split_prose;
use super::unit::Unit;
use super::words::count_words;

/// The units of a section's text, in reading order; words that introduce code or a list stay with it.
pub(super) fn units(text: &str, options: &ChunkOptions) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for block in blocks(text) {
        let n_words = count_words(&block);
        let is_code = block.starts_with("```");
        // "For example:" belongs to what it introduces.
        if let Some(lead) = units.last_mut()
            && (is_code || block.starts_with("- ") || block.starts_with("1. "))
            && lead.text.ends_with(':')
            && lead.n_words + n_words <= options.max_words
        {
            lead.text.push_str("\n\n");
            lead.text.push_str(&block);
            lead.n_words += n_words;
            continue;
        }
        let limit = if is_code {
            options.max_code_words
        } else {
            options.max_words
        };
        if n_words <= limit {
            units.push(Unit {
                text: block,
                n_words,
                separator: "\n\n",
            });
        } else if is_code {
            split_code(&block, options, &mut units);
        } else {
            split_prose(&block, options, &mut units);
        }
    }
    units
}

/// The blocks of a section's text; an empty line inside a fence does not end one.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open = String::new();
    let mut fence: Option<&str> = None;
    for line in text.split('\n') {
        match fence {
            None if line.is_empty() => {
                if !open.is_empty() {
                    blocks.push(std::mem::take(&mut open));
                }
                continue;
            }
            None if line.starts_with("```") && open.is_empty() => {
                fence = Some(&line[..line.len() - line.trim_start_matches('`').len()]);
            }
            Some(mark) if line == mark => fence = None,
            _ => {}
        }
        if !open.is_empty() {
            open.push('\n');
        }
        open.push_str(line);
    }
    if !open.is_empty() {
        blocks.push(open);
    }
    blocks
}
