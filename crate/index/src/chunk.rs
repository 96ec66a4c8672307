//! Turns documents into chunks: pieces of one section each, small enough to be embedded whole and cited exactly.
//!
//! A chunk never crosses a section, so its anchor is always that of the heading right above its text. Tiny sections
//! are not merged either: a short chunk costs little, a citation that opens the wrong heading costs trust.

/// One indexed piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// 16 hexadecimal digits, from `url#anchor` and the chunk's ordinal there: editing one section's text leaves
    /// the ids of all others alone.
    pub id: String,
    /// Position of its document among those indexed.
    pub document: u32,
    /// Anchor of its section, without `#`.
    pub anchor: Option<String>,
    /// Path of headings to its section, the section's own last.
    pub headings: Vec<String>,
    /// Blocks joined by an empty line; code between fences.
    pub text: String,
}

impl Chunk {
    /// What is embedded for this chunk: title and headings in one line, then the text without fences.
    ///
    /// The heading line gives a paragraph that says "it" the name of what it is about.
    pub fn embedding_text(&self, title: &str) -> String {
        let mut path: Vec<&str> = vec![title];
        path.extend(
            self.headings
                .iter()
                .map(String::as_str)
                .filter(|heading| *heading != title),
        );
        let mut text = path.join(" > ");
        for line in self
            .text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("```"))
        {
            text.push('\n');
            text.push_str(line);
        }
        text
    }
}

#[cfg(feature = "build")]
pub use build::{ChunkOptions, chunk_document, chunk_documents};

#[cfg(feature = "build")]
mod build {
    use std::collections::HashMap;

    use sha2::{Digest, Sha256};
    use unicode_segmentation::UnicodeSegmentation;

    use super::Chunk;
    use crate::document::Document;

    /// How large chunks become, in words separated by white space.
    #[derive(Debug, Clone)]
    pub struct ChunkOptions {
        /// The size that pieces of a long section come near to. Default 150: with its headings, about the 256 tokens that
        /// a small sentence encoder reads.
        pub target_words: usize,
        /// No chunk of prose is longer. Default 200.
        pub max_words: usize,
        /// A block of code up to this size is never cut. Default 260.
        pub max_code_words: usize,
    }

    impl Default for ChunkOptions {
        fn default() -> Self {
            Self {
                target_words: 150,
                max_words: 200,
                max_code_words: 260,
            }
        }
    }

    /// Cuts the documents' sections; see [`chunk_document`].
    ///
    /// Chunks come in the order of the documents, and in reading order within each.
    pub fn chunk_documents(documents: &[Document], options: &ChunkOptions) -> Vec<Chunk> {
        (0..u32::MAX)
            .zip(documents)
            .flat_map(|(idx, document)| chunk_document(idx, document, options))
            .collect()
    }

    /// Cuts every section of the document at position `idx` at the ends of its paragraphs, or of sentences and lines where a
    /// paragraph alone is too long, or inside of words where a hostile page or a script without spaces leaves no choice.
    pub fn chunk_document(idx: u32, document: &Document, options: &ChunkOptions) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        let mut ordinals: HashMap<Option<&str>, u32> = HashMap::new();
        for section in &document.sections {
            let anchor = section.anchor.as_deref();
            for text in pieces(&section.text, options) {
                let ordinal = ordinals.entry(anchor).or_insert(0);
                let id = chunk_id(&document.url, anchor, *ordinal);
                *ordinal += 1;
                chunks.push(Chunk {
                    id,
                    document: idx,
                    anchor: section.anchor.clone(),
                    headings: section.headings.clone(),
                    text,
                });
            }
        }
        chunks
    }

    fn chunk_id(url: &str, anchor: Option<&str>, ordinal: u32) -> String {
        let name = format!("{url}#{}\n{ordinal}", anchor.unwrap_or(""));
        crate::hex(&Sha256::digest(name.as_bytes())[..8])
    }

    /// What is kept together: a paragraph, a sentence, a line, or a block of code.
    struct Unit {
        text: String,
        n_words: usize,
        /// What stands between the unit before and this one.
        separator: &'static str,
    }

    fn pieces(text: &str, options: &ChunkOptions) -> Vec<String> {
        let units = units(text, options);
        let n_words: usize = units.iter().map(|unit| unit.n_words).sum();
        // Pieces of about equal size: no tail of one sentence.
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

    fn units(text: &str, options: &ChunkOptions) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        for block in blocks(text) {
            let n_words = count_words(&block);
            let is_code = block.starts_with("```");
            // "For example:" belongs to what it announces.
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

    /// Cuts code at line ends, if possible where a line is empty; each piece gets its own fences.
    fn split_code(block: &str, options: &ChunkOptions, units: &mut Vec<Unit>) {
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

    /// A line of code that is longer than a chunk, in parts of about `max_words` that only ends between characters.
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

    /// Cuts lists and tables at lines, and paragraphs at sentences; a sentence beyond all measure at its words.
    fn split_prose(block: &str, options: &ChunkOptions, units: &mut Vec<Unit>) {
        let mut separator = "\n\n";
        for line in block.lines() {
            for with_space in line.split_sentence_bounds() {
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
                // Chinese and Japanese set none.
                if with_space.len() == sentence.len() {
                    separator = "";
                }
            }
            separator = "\n";
        }
    }

    /// A text in pieces of at most `max_words`, between words where there are any.
    fn cut(text: &str, max_words: usize) -> Vec<String> {
        if count_words(text) <= max_words {
            // Left alone, so that its spaces stay as they are.
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

    /// A word whole, or in parts of at most `max_words` where it is longer than that.
    fn word_parts(word: &str, max_words: usize) -> Vec<&str> {
        if word_size(word) <= max_words {
            return vec![word];
        }
        let max_size = (max_words / 2).max(1);
        let mut parts = Vec::new();
        let (mut start, mut n_unspaced) = (0, 0);
        for (at, character) in word.char_indices() {
            let is_full = size(at - start, n_unspaced) >= max_size;
            if is_full {
                parts.push(&word[start..at]);
                (start, n_unspaced) = (at, 0);
            }
            n_unspaced += usize::from(is_unspaced(character));
        }
        parts.push(&word[start..]);
        parts
    }

    /// Letters that one word has at most; what is longer counts as several.
    const WORD_BYTES: usize = 60;

    /// How many words stand between two spaces: one, more where they are very long, and about one for each two letters of
    /// scripts that set no spaces.
    fn word_size(word: &str) -> usize {
        if word.is_ascii() {
            return word.len().div_ceil(WORD_BYTES);
        }
        size(word.len(), word.chars().filter(|c| is_unspaced(*c)).count())
    }

    fn size(n_bytes: usize, n_unspaced: usize) -> usize {
        n_bytes
            .saturating_sub(n_unspaced * 3)
            .div_ceil(WORD_BYTES)
            .max(n_unspaced.div_ceil(2))
    }

    /// Letters of Chinese, Japanese, Thai, Lao, Khmer, Burmese and Tibetan.
    fn is_unspaced(c: char) -> bool {
        matches!(c,
            '\u{0e00}'..='\u{0eff}'
            | '\u{0f00}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}')
    }

    fn count_words(text: &str) -> usize {
        text.split_whitespace().map(word_size).sum()
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::document::Section;

        fn options() -> ChunkOptions {
            ChunkOptions {
                target_words: 10,
                max_words: 14,
                max_code_words: 20,
            }
        }

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

        fn document(sections: &[(&str, &str)]) -> Document {
            let section = |(anchor, text): &(&str, &str)| Section {
                anchor: Some((*anchor).to_owned()),
                headings: vec![(*anchor).to_owned()],
                text: (*text).to_owned(),
            };
            Document {
                source: "a.md".to_owned(),
                url: "a.html".to_owned(),
                title: "A".to_owned(),
                sections: sections.iter().map(section).collect(),
                filters: std::collections::BTreeMap::new(),
                meta: Default::default(),
                sort: Default::default(),
                weight: 1.0,
                language: None,
            }
        }

        #[test]
        fn ids_are_stable_and_distinct() {
            let ids = |sections: &[(&str, &str)]| -> Vec<String> {
                chunk_documents(&[document(sections)], &options())
                    .into_iter()
                    .map(|chunk| chunk.id)
                    .collect()
            };
            let long = words(30);
            let before = ids(&[("x", &long), ("y", "text"), ("x", "again")]);
            let after = ids(&[
                ("new", "section"),
                ("x", &long),
                ("y", "other text"),
                ("x", "again"),
            ]);
            assert_eq!(
                before,
                after[1..],
                "a section's ids do not depend on the others"
            );
            let distinct: std::collections::HashSet<_> = after.iter().collect();
            assert_eq!(distinct.len(), after.len(), "no id twice: {after:?}");
            assert!(
                after
                    .iter()
                    .all(|id| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit())),
                "{after:?}"
            );
        }

        #[test]
        fn chunks_never_cross_sections_and_empty_sections_give_none() {
            let chunks = chunk_documents(
                &[document(&[("x", "one"), ("y", ""), ("z", "two")])],
                &options(),
            );
            let found: Vec<_> = chunks
                .iter()
                .map(|c| (c.anchor.as_deref(), c.text.as_str()))
                .collect();
            assert_eq!(found, [(Some("x"), "one"), (Some("z"), "two")]);
        }

        #[test]
        fn embedding_text_names_the_place_once() {
            let chunk = Chunk {
                id: String::new(),
                document: 0,
                anchor: None,
                headings: vec!["T".to_owned(), "H".to_owned()],
                text: "a\n\n```rust\nlet x;\n```".to_owned(),
            };
            assert_eq!(chunk.embedding_text("T"), "T > H\na\nlet x;");
        }
    }
}
