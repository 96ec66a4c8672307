//! Turns separately read pages into the documents of a site, and judges what only shows when all pages are known.

use std::collections::{BTreeMap, HashMap, HashSet};

use anchorite::index::chunk::Chunk;
use anchorite::index::document::Document;
use anchorite::index::parse::{LeftOut, file_name, id_hash, is_readme, stem};

use crate::build::read::ChunkedPage;
use crate::build::warnings::Warnings;

/// The name of a folder's page in addresses.
const FOLDER_PAGE: &str = "index.html";

/// The documents of a site, in the order of their paths.
#[derive(Default)]
pub(crate) struct Selected {
    /// Their metadata and addresses; their text is in the chunks.
    pub(crate) documents: Vec<Document>,
    /// All chunks, in the order of the documents.
    pub(crate) chunks: Vec<Chunk>,
    /// Total number of sections.
    pub(crate) n_sections: usize,
    /// Number of pages left out, by reason.
    pub(crate) left_out: BTreeMap<LeftOut, usize>,
}

impl Selected {
    /// The text that is embedded of the chunk at an index.
    pub(crate) fn embedding_text(&self, at: usize) -> String {
        let chunk = &self.chunks[at];
        chunk.embedding_text(&self.documents[chunk.document as usize].title)
    }
}

/// Chooses among `pages`, in any order; one machine and many get the same result.
pub(crate) fn select(mut pages: Vec<ChunkedPage>, warnings: &mut Warnings) -> Selected {
    pages.sort_by(|a, b| a.document.source.cmp(&b.document.source));
    let mut selected = Selected::default();
    leave_out_unmarked(&mut pages, &mut selected.left_out);
    leave_out_copies(&mut pages, &mut selected.left_out);
    part_readmes(&mut pages);
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

/// If one HTML page marks its text with `data-pagefind-body`, only marked ones count, as in Pagefind.
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

/// Leaves out pages that name another page of the site as their original. If that page names an original too, both
/// stay, because nothing tells which should be found.
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
        // A site below a path of its host includes that path in the names of its pages.
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

/// Makes a `README.md` the page of its folder, except next to an `index.md` or `index.html`: there it is a page of its
/// own.
fn part_readmes(pages: &mut [ChunkedPage]) {
    let indexes: HashSet<String> = pages
        .iter()
        .filter(|page| !is_readme(&page.document.source))
        .map(|page| page.document.url.clone())
        .collect();
    let readmes = pages
        .iter_mut()
        .filter(|page| is_readme(&page.document.source));
    for page in readmes.filter(|page| indexes.contains(&page.document.url)) {
        let name = stem(file_name(&page.document.source));
        let folder = page.document.url.strip_suffix(FOLDER_PAGE).unwrap_or("");
        page.document.url = format!("{folder}{name}.html");
        let facts = &mut page.facts;
        let of_folder = facts.key.clone();
        let slash = if of_folder.is_empty() { "" } else { "/" };
        facts.key = format!("{of_folder}{slash}{name}");
        // Its links to its own anchors pointed to the folder.
        for (key, anchor) in &mut facts.links {
            if *key == of_folder && facts.ids.contains(&id_hash(anchor)) {
                key.clone_from(&facts.key);
            }
        }
        facts.links.sort_unstable();
    }
}

/// Two files may get the same address (`a.md` and `a.html`); the first one wins.
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

/// Reports oddities of the indexed pages.
fn report(pages: &[ChunkedPage], warnings: &mut Warnings) {
    let mut ids: HashMap<&str, HashSet<u64>> = HashMap::new();
    for page in pages {
        let own = page.facts.ids.iter().copied();
        ids.entry(&page.facts.key).or_default().extend(own.clone());
        // Links to a `README.md` that is a page of its own were read as links to its folder.
        let name = file_name(&page.facts.key);
        if name.eq_ignore_ascii_case("readme") {
            let folder = page.facts.key[..page.facts.key.len() - name.len()].trim_end_matches('/');
            ids.entry(folder).or_default().extend(own);
        }
    }
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
        for (called, problem) in &page.unincluded {
            warnings.add(
                "not_included",
                "correct the path, or put the file into the folder of the pages",
                source,
                format!("page `{source}` includes `{called}`, which is left out: {problem}"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use anchorite::index::chunk::{ChunkOptions, chunk_document};
    use anchorite::index::parse::{Page, ParseOptions, read_page};

    fn page(source: &str, text: &str, base_url: &str) -> ChunkedPage {
        let options = ParseOptions {
            base_url: base_url.to_owned(),
            ..ParseOptions::default()
        };
        let Page { document, facts } =
            read_page(source, text.as_bytes(), &options).expect("a good page");
        ChunkedPage {
            n_sections: document.sections.len(),
            chunks: chunk_document(0, &document, &ChunkOptions::default()),
            document,
            n_cut: 0,
            facts,
            unincluded: Vec::new(),
        }
    }

    /// Sources and addresses, and how many warnings there are.
    fn selected(pages: &[(&str, &str)], base_url: &str) -> (Vec<String>, usize) {
        let pages = pages
            .iter()
            .map(|(source, text)| page(source, text, base_url))
            .collect();
        let mut warnings = Warnings::default();
        let documents = select(pages, &mut warnings).documents.into_iter();
        let shown = documents.map(|document| format!("{} {}", document.source, document.url));
        (shown.collect(), warnings.count())
    }

    #[test]
    fn a_readme_is_the_page_of_its_folder_only_without_an_index() {
        for (pages, base_url, expected) in [
            (
                vec![("README.md", "# A\n\na"), ("index.md", "# B\n\nb")],
                "",
                vec!["README.md README.html", "index.md index.html"],
            ),
            (
                vec![
                    ("d/Readme.mdx", "# A\n\na"),
                    ("d/index.html", "<h1>B</h1>b"),
                ],
                "/docs",
                vec![
                    "d/Readme.mdx /docs/d/Readme.html",
                    "d/index.html /docs/d/index.html",
                ],
            ),
            (
                vec![("d/README.md", "# A\n\na"), ("index.md", "# B\n\nb")],
                "",
                vec!["d/README.md d/index.html", "index.md index.html"],
            ),
        ] {
            let found = selected(&pages, base_url);
            assert_eq!(found.0, expected, "{pages:?}");
            assert_eq!(found.1, 0, "warnings of {pages:?}");
        }
        let (found, n_warnings) = selected(&[("a.md", "# A\n\na"), ("a.html", "<h1>B</h1>b")], "");
        assert_eq!(
            (found.len(), n_warnings),
            (1, 1),
            "one of two is passed over: {found:?}"
        );
    }

    #[test]
    fn links_to_a_readme_and_inside_of_it_are_not_broken() {
        let readme = "# A\n\nSee [own](#a), [index](index.md#b), [none](#nothing).";
        let index = "# B\n\nSee [own](#b), [readme](README.md#a), [none](README.md#nothing).";
        let (_, n_warnings) = selected(&[("d/README.md", readme), ("d/index.md", index)], "");
        assert_eq!(n_warnings, 2, "only the two links to nothing");
    }
}
