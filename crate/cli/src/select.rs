//! Turns pages that were read one by one into the documents of a site: what only shows when all are seen is judged here.

use std::collections::{BTreeMap, HashMap, HashSet};

use anchorite::index::chunk::Chunk;
use anchorite::index::document::Document;
use anchorite::index::parse::{LeftOut, id_hash};

use crate::read::ChunkedPage;
use crate::warnings::Warnings;

/// The documents of a site, in the order of their paths.
#[derive(Default)]
pub(crate) struct Selected {
    /// Where each is found; their text is in the chunks.
    pub(crate) documents: Vec<Document>,
    /// All chunks, in the order of the documents.
    pub(crate) chunks: Vec<Chunk>,
    /// Sections of all documents.
    pub(crate) n_sections: usize,
    /// How many pages are not to be found, by reason.
    pub(crate) left_out: BTreeMap<LeftOut, usize>,
}

/// Chooses among `pages`, whatever their order; one machine and many come to the same.
pub(crate) fn select(mut pages: Vec<ChunkedPage>, warnings: &mut Warnings) -> Selected {
    pages.sort_by(|a, b| a.document.source.cmp(&b.document.source));
    let mut selected = Selected::default();
    leave_out_unmarked(&mut pages, &mut selected.left_out);
    leave_out_copies(&mut pages, &mut selected.left_out);
    drop_duplicates(&mut pages, warnings);
    report(&pages, warnings);
    for (idx, page) in (0..u32::MAX).zip(pages) {
        selected.n_sections += page.n_sections;
        selected.documents.push(page.document);
        selected
            .chunks
            .extend(page.chunks.into_iter().map(|mut chunk| {
                chunk.document = idx;
                chunk
            }));
    }
    selected
}

/// Where one HTML page marks its text with `data-pagefind-body`, only marked ones count, as Pagefind has it.
fn leave_out_unmarked(pages: &mut Vec<ChunkedPage>, left_out: &mut BTreeMap<LeftOut, usize>) {
    if !pages.iter().any(|page| page.facts.is_marked) {
        return;
    }
    let n_before = pages.len();
    pages.retain(|page| page.facts.is_marked || !is_html(&page.document.source));
    if pages.len() < n_before {
        left_out.insert(LeftOut::Unmarked, n_before - pages.len());
    }
}

fn is_html(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    source.ends_with(".html") || source.ends_with(".htm")
}

/// Leaves out pages that name another page of the site as their original. Where that one names an original too, both stay:
/// nothing says which is to be found.
fn leave_out_copies(pages: &mut Vec<ChunkedPage>, left_out: &mut BTreeMap<LeftOut, usize>) {
    let originals: HashSet<String> = pages
        .iter()
        .filter(|page| page.facts.copy_of.is_none())
        .map(|page| page.facts.key.clone())
        .collect();
    let n_before = pages.len();
    pages.retain(|page| {
        let Some(original) = &page.facts.copy_of else {
            return true;
        };
        // A site below a path of its host names its pages with that path in front.
        let starts = original.match_indices('/').map(|(at, _)| at + 1);
        let is_there = std::iter::once(0)
            .chain(starts)
            .filter_map(|start| original.get(start..))
            .any(|key| originals.contains(key));
        !is_there
    });
    if pages.len() < n_before {
        left_out.insert(LeftOut::Copy, n_before - pages.len());
    }
}

/// Two files can make one address (`README.md` and `index.md`); the first counts.
fn drop_duplicates(pages: &mut Vec<ChunkedPage>, warnings: &mut Warnings) {
    let mut first: HashMap<String, String> = HashMap::new();
    pages.retain(|page| {
        let document = &page.document;
        if let Some(other) = first.get(&document.url) {
            warnings.add(
                "duplicate_url",
                "leave one of the pages out, with --exclude",
                &document.source,
                format!(
                    "page `{}` has the address of `{other}`, `{}`, and is passed over",
                    document.source, document.url
                ),
            );
            return false;
        }
        first.insert(document.url.clone(), document.source.clone());
        true
    });
}

/// Notes what is odd about the pages that are indexed.
fn report(pages: &[ChunkedPage], warnings: &mut Warnings) {
    let ids: HashMap<&str, HashSet<u64>> = pages
        .iter()
        .map(|page| {
            (
                page.facts.key.as_str(),
                page.facts.ids.iter().copied().collect(),
            )
        })
        .collect();
    for page in pages {
        let (source, facts) = (&page.document.source, &page.facts);
        if facts.is_untitled {
            let title = &page.document.title;
            warnings.add(
                "no_title",
                "give the page a heading of the first level, or a title",
                source,
                format!("page `{source}` has no title: `{title}` is made from its name"),
            );
        }
        if let Some(language) = &facts.bad_language {
            warnings.add(
                "unknown_language",
                "write the language as a tag such as `en` or `pt-BR`",
                source,
                format!("page `{source}` is in no known language: `{language}`"),
            );
        }
        if page.n_cut > 0 {
            warnings.add(
                "page_cut",
                "split the page, or raise --max-page-chunks",
                source,
                format!(
                    "page `{source}` is too long: its last {} chunks are left out",
                    page.n_cut
                ),
            );
        }
        if facts.weighs_parts {
            warnings.add(
                "part_weight",
                "put `data-pagefind-weight` on the element that holds the whole text, or on `html`",
                source,
                format!(
                    "page `{source}` weighs parts of itself, but only whole pages have a weight"
                ),
            );
        }
        if let Some(first) = facts.passed_over.first() {
            warnings.add(
                "passed_over",
                "show it, or mark the whole text with `data-pagefind-body`; what is no text, with `data-pagefind-ignore`",
                source,
                format!(
                    "page `{source}` has {} part(s) that are hidden or stand beside the text and are not read; the first is {first}",
                    facts.passed_over.len()
                ),
            );
        }
        for (key, anchor) in &facts.links {
            let is_broken = ids
                .get(key.as_str())
                .is_some_and(|ids| !ids.contains(&id_hash(anchor)));
            if is_broken {
                warnings.add(
                    "broken_anchor",
                    "correct the link, or give the heading that id",
                    source,
                    format!("page `{source}` links to `{key}#{anchor}`, which has no such anchor"),
                );
            }
        }
    }
}
