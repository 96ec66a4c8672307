//! Defines the document that parsing turns a page into and chunking cuts up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One page: its source, its address for visitors, and its text by section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The path it was read from, separated by `/`, as the caller named it.
    pub source: String,
    /// The address that visitors open, without an anchor.
    pub url: String,
    /// Title: from front matter, else the first `h1`, else the first heading, else the title in the head, else the
    /// file's name.
    pub title: String,
    /// Its text in reading order. At least one section has text.
    pub sections: Vec<Section>,
    /// The values of each filter that can narrow a search, such as `tag` -> `["guide", "api"]`.
    pub filters: BTreeMap<String, Vec<String>>,
    /// Metadata shown next to a hit, such as `image` and `image_alt`: one value for each name. An image's address is
    /// relative in the same way as `url`.
    pub meta: BTreeMap<String, String>,
    /// Values that hits may be sorted by, such as `date` -> `2026-03-01`.
    pub sort: BTreeMap<String, String>,
    /// Factor on the document's scores: 1 leaves them as they are, 2 doubles them; anything negative, infinite or NaN
    /// counts as 0.
    pub weight: f32,
    /// Language of the text as a BCP 47 tag (`de`, `pt-BR`), as in `<html lang>`; `None` if the page names none.
    pub language: Option<String>,
}

/// The text between one heading and the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The id that `url#anchor` opens; `None` before the first heading, or where a heading has no id.
    pub anchor: Option<String>,
    /// The path of headings that leads here, its own last; empty before the first heading.
    pub headings: Vec<String>,
    /// Blocks joined by an empty line. Paragraphs, lists and tables are plain text; code stays whole, between fences of backticks.
    pub text: String,
}
