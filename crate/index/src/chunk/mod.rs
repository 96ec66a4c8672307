//! Turns documents into chunks: pieces of one section each, small enough to be embedded whole and cited exactly.
//!
//! A chunk never crosses a section, so its anchor is always that of the heading right above its text. Tiny sections are
//! not merged either: a short chunk costs little, but a citation that opens the wrong heading costs trust.
//!
//! A section's text is split into blocks, and a block that is too long into lines, sentences or pieces of code; these
//! are then joined into pieces of about equal size.

#[cfg(feature = "build")]
mod options;
#[cfg(feature = "build")]
mod build;
#[cfg(feature = "build")]
mod split;
#[cfg(feature = "build")]
mod blocks;
#[cfg(feature = "build")]
mod code;
#[cfg(feature = "build")]
mod prose;
#[cfg(feature = "build")]
mod unit;
#[cfg(feature = "build")]
mod words;

#[cfg(feature = "build")]
pub use build::{chunk_document, chunk_documents};
#[cfg(feature = "build")]
pub use options::ChunkOptions;

/// One indexed piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// 16 hexadecimal digits, from `url#anchor` and the chunk's ordinal there: editing one section's text does not
    /// change the ids of the others.
    pub id: String,
    /// Position of its document in the index.
    pub document: u32,
    /// Anchor of its section, without `#`.
    pub anchor: Option<String>,
    /// Path of headings to its section, the section's own last.
    pub headings: Vec<String>,
    /// Blocks joined by an empty line; code between fences.
    pub text: String,
}

impl Chunk {
    /// The text that is embedded for this chunk: title and headings in one line, then the text without fences.
    ///
    /// The heading line supplies the topic to a paragraph that says "it".
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

#[cfg(test)]
mod tests {
    use super::*;

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
