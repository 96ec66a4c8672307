//! Reads a file in SQuAD's form as documents to be found: each paragraph is one, and each question asks for its own.

use std::path::Path;

use anchorite::index::document::{Document, Section};

use super::answers::data;
use super::beir::{Query, TestSet};
use crate::build::embedder::language;

/// Reads one file. A paragraph that the file doesn't name the language of gets that of its text.
pub(super) fn read(path: &Path) -> anyhow::Result<TestSet> {
    let set = data::read(path)?;
    let mut documents = Vec::new();
    for mut page in set.documents {
        for section in std::mem::take(&mut page.sections) {
            let anchor = section.anchor.as_deref().unwrap_or_default();
            let url = format!("{}#{anchor}", page.url);
            let language = language::of(page.language.as_deref(), [section.text.as_str()]);
            documents.push(Document {
                source: url.clone(),
                url,
                title: String::new(),
                sections: vec![Section {
                    text: section.text,
                    ..Section::default()
                }],
                language,
                ..page.clone()
            });
        }
    }
    let queries = set.cases.into_iter().enumerate().map(|(idx, case)| Query {
        id: idx.to_string(),
        text: case.question,
        judgements: case.expected.into_iter().map(|url| (url, 1)).collect(),
    });
    Ok(TestSet {
        name: set.name,
        documents,
        queries: queries
            .filter(|query| !query.judgements.is_empty())
            .collect(),
    })
}
