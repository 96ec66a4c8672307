//! Turns documents into chunks, section by section, and gives each an id that edits elsewhere do not change.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::Chunk;
use super::options::ChunkOptions;
use super::split::pieces;
use crate::document::Document;

/// Cuts the documents' sections; see [`chunk_document`].
///
/// Chunks come in the order of the documents, and in reading order within each.
pub fn chunk_documents(documents: &[Document], options: &ChunkOptions) -> Vec<Chunk> {
    (0..u32::MAX)
        .zip(documents)
        .flat_map(|(idx, document)| chunk_document(idx, document, options))
        .collect()
}

/// Splits every section of the document at position `idx` between paragraphs; at sentences and lines if a paragraph is
/// too long; and inside words if a hostile page or a script without spaces leaves no choice.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::options::options;
    use crate::document::Section;

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
        let long = vec!["word"; 30].join(" ");
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
}
