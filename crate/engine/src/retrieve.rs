//! Turns a query into hits for the search box, or a question into numbered passages with the evidence that they answer
//! it.

use std::collections::BTreeMap;
use std::ops::Range;

use anchorite_index::{
    ChunkIdx, Hit, Index, SearchOptions, SearchOutcome, Shard, Sort, closeness, lexical, snippet,
};
use serde::Serialize;

use crate::answer::Passage;
use crate::check::Source;
use crate::gate::Evidence;

/// A section of up to this many words is read whole; the shipped generator's window has room for three of them.
const SECTION_WORDS: usize = 300;

/// A text of this many words means the same under any heading.
const COPY_WORDS: usize = 16;

/// A result in the search box.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// The chunk's stable id.
    pub id: String,
    /// Address of the section, with its anchor.
    pub url: String,
    /// The document's title.
    pub title: String,
    /// Headings from the outermost to the chunk's own.
    pub headings: Vec<String>,
    /// The text around the best match.
    pub snippet: String,
    /// The language tag of the document; `None` if it names none.
    pub language: Option<String>,
    /// The fused score; comparable within one query only.
    pub score: f32,
    /// The document's metadata other than its title, such as `image` or `date`, by name.
    #[cfg_attr(feature = "typescript", ts(type = "Readonly<Record<string, string>>"))]
    pub meta: BTreeMap<String, String>,
}

/// Limit, filters and order of a search: everything but its words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchRequest {
    /// The most results to return.
    pub limit: usize,
    /// The filters that results must pass: for each filter named, one of its values.
    pub filters: BTreeMap<String, Vec<String>>,
    /// The order of documents, with one result for each; `None` for the best sections first.
    pub sort: Option<Sort>,
}

/// The results so far, and the shards missing to complete them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Best first, at most one per section.
    pub results: Vec<SearchResult>,
    /// Words to mark: the query's content words, and the terms that they matched.
    pub terms: Vec<String>,
    /// Shards of the index to supply before the search is run again; if empty, the results are complete.
    pub missing: Vec<Shard>,
}

/// The filters of an index, once the shard that holds them is loaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FilterValues<'i> {
    /// The shard to supply before the filters are asked for again; if empty, they are complete.
    pub missing: Vec<Shard>,
    /// Number of documents with each value of each filter.
    #[cfg_attr(
        feature = "typescript",
        ts(type = "Readonly<Record<string, Readonly<Record<string, number>>>>")
    )]
    pub filters: BTreeMap<&'i str, BTreeMap<&'i str, usize>>,
}

impl<'i> FilterValues<'i> {
    /// Those of `index`.
    pub fn of(index: &'i Index) -> Self {
        let counts = index.filters().map(|filters| filters.counts());
        Self {
            missing: index.needs_filter_values(),
            filters: counts.unwrap_or_default(),
        }
    }
}

/// The best sections for a query that may still be being typed, from the shards loaded so far: one result per section.
pub fn search(
    index: &Index,
    query: &str,
    embedding: Option<&[f32]>,
    request: &SearchRequest,
) -> Found {
    // Chunks of one section share an address: ask for more than are shown, so that enough are left after folding.
    let mut options = SearchOptions {
        filters: request.filters.clone(),
        sort: request.sort.clone(),
        ..SearchOptions::while_typing(request.limit.saturating_mul(3))
    };
    if options.sort.is_some() {
        // A sorted list, say by date, lists documents.
        options.per_document = Some(1);
    }
    let SearchOutcome {
        hits,
        matched_terms: terms,
        missing,
    } = index.search_loaded(query, embedding, &options);
    let mut results: Vec<SearchResult> = Vec::new();
    let mut shown = Vec::new();
    let mut without_text = Vec::new();
    let mut n_folded = 0;
    for hit in hits {
        // If many texts were copies, more will be: request texts beyond the limit at once, not one after the other.
        let n_expected = results.len() + without_text.len();
        if results.len() == request.limit || n_expected >= request.limit + n_folded / 2 {
            break;
        }
        let Some((chunk, document)) = index.chunk(hit.chunk).zip(index.document(hit.chunk)) else {
            without_text.push(hit.chunk);
            continue;
        };
        let url = index.url(hit.chunk);
        let is_new = !results.iter().any(|result| result.url == url);
        let said = said(&chunk.headings, &chunk.text);
        if !is_new || shown.contains(&said) {
            n_folded += 1;
        } else {
            shown.push(said);
            results.push(SearchResult {
                id: chunk.id.clone(),
                url,
                title: document.title.clone(),
                headings: chunk.headings.clone(),
                snippet: snippet(query, &terms, &chunk.text),
                language: index.language(hit.chunk).map(str::to_owned),
                score: hit.score,
                meta: document.meta.clone(),
            });
        }
    }
    if request.sort.is_none() {
        lead_with_named(query, &mut results);
    }
    // Until all words have been looked up, other chunks may still rank first, so the texts can wait.
    let missing = match missing.is_empty() {
        true => index.needs_texts(without_text),
        false => missing,
    };
    Found {
        results,
        terms,
        missing,
    }
}

/// Puts the sections whose heading is the query before all others or, if there are none, the best section of a page
/// whose title it is.
fn lead_with_named(query: &str, results: &mut [SearchResult]) {
    let is_query = lexical::same_as(query);
    let has_heading = |result: &SearchResult| {
        let own = result.headings.last();
        own.is_some_and(|heading| is_query(heading))
    };
    results.sort_by_cached_key(|result| !has_heading(result));
    if results.first().is_some_and(has_heading) {
        return;
    }
    let of_page = results.iter().position(|result| is_query(&result.title));
    if let Some(idx) = of_page {
        results[..=idx].rotate_right(1);
    }
}

/// The part of a chunk that identifies copies at other addresses. A text of a few words (`Returns self.`, a link to a
/// source) is compared together with its heading.
fn said<'c>(headings: &'c [String], text: &'c str) -> (Option<&'c str>, &'c str) {
    let says_enough = text.split_whitespace().nth(COPY_WORDS - 1).is_some();
    let heading = headings.last().map(String::as_str);
    (heading.filter(|_| !says_enough), text)
}

/// The shards to supply before [`passages`] finds everything; call again until there are none.
pub fn needs(index: &Index, question: &str, embedding: Option<&[f32]>, limit: usize) -> Vec<Shard> {
    let options = passage_options(limit);
    let SearchOutcome { hits, missing, .. } = index.search_loaded(question, embedding, &options);
    if !missing.is_empty() {
        return missing;
    }
    index.needs_texts(hits.into_iter().map(|hit| hit.chunk))
}

fn passage_options(limit: usize) -> SearchOptions {
    // Some may be copies, or from the same section.
    SearchOptions::question(limit.saturating_mul(2))
}

/// The best passages for a question, best first, and the evidence that the best of them answers.
///
/// A text found at several addresses is read once, at the best of them, as is a section with several retrieved chunks.
pub fn passages(
    index: &Index,
    question: &str,
    embedding: Option<&[f32]>,
    limit: usize,
) -> (Vec<Passage>, Evidence) {
    passages_without(index, question, embedding, limit, |_| false)
}

/// As [`passages`], without the chunks in `left_out`, as if the site had no page on the question.
pub fn passages_without(
    index: &Index,
    question: &str,
    embedding: Option<&[f32]>,
    limit: usize,
    left_out: impl Fn(ChunkIdx) -> bool,
) -> (Vec<Passage>, Evidence) {
    let mut hits = index.search(question, embedding, &passage_options(limit));
    hits.retain(|hit| !left_out(hit.chunk));
    let mut passages: Vec<Passage> = Vec::new();
    let mut read: Vec<Range<u32>> = Vec::new();
    for hit in &hits {
        let is_read = read.iter().any(|range| range.contains(&hit.chunk.0));
        if passages.len() == limit || is_read {
            continue;
        }
        let Some((passage, range)) = passage(index, hit, passages.len() + 1) else {
            continue;
        };
        let said_now = said(&passage.headings, &passage.text);
        let mut before = passages.iter();
        if !before.any(|earlier| said(&earlier.headings, &earlier.text) == said_now) {
            passages.push(passage);
            read.push(range);
        }
    }
    (passages, evidence(index, &hits))
}

/// The passage of a hit, and the range of chunks of its section that it covers.
fn passage(index: &Index, hit: &Hit, number: usize) -> Option<(Passage, Range<u32>)> {
    let (chunk, document) = index.chunk(hit.chunk).zip(index.document(hit.chunk))?;
    let (section, range) = around(index, hit.chunk);
    let passage = Passage {
        number,
        id: chunk.id.clone(),
        url: index.url(hit.chunk),
        title: document.title.clone(),
        headings: chunk.headings.clone(),
        text: chunk.text.clone(),
        language: index.language(hit.chunk).map(str::to_owned),
        section,
        chunk: hit.chunk.0,
        score: hit.score,
    };
    Some((passage, range))
}

/// The whole pages of the passages, each under the number of its best passage, with every heading path on a line of its
/// own above its text.
pub fn pages(index: &Index, passages: &[Passage]) -> Vec<Source> {
    let mut pages: Vec<(Range<u32>, Source)> = Vec::new();
    for passage in passages {
        let range = index.page(ChunkIdx(passage.chunk));
        if pages.iter().any(|(before, _)| *before == range) {
            continue;
        }
        let mut text = String::new();
        let mut above: Option<&[String]> = None;
        for chunk in range.clone().filter_map(|idx| index.chunk(ChunkIdx(idx))) {
            let headings = chunk.headings.as_slice();
            if above != Some(headings) && !headings.is_empty() {
                text.push_str(&headings.join(" > "));
                text.push('\n');
            }
            above = Some(headings);
            text.push_str(&chunk.text);
            text.push_str("\n\n");
        }
        let source = Source {
            number: passage.number,
            heading_path: passage.title.clone(),
            text: text.trim_end().to_owned(),
        };
        pages.push((range, source));
    }
    pages.into_iter().map(|(_, source)| source).collect()
}

/// As much of a chunk's section as fits in [`SECTION_WORDS`]: text after a chunk explains more than text before it.
fn around(index: &Index, chunk: ChunkIdx) -> (String, Range<u32>) {
    let text = |chunk: u32| {
        index
            .chunk(ChunkIdx(chunk))
            .map_or("", |one| one.text.as_str())
    };
    let n_words = |chunk: u32| text(chunk).split_whitespace().count();
    let section = index.section(chunk);
    let mut range = chunk.0..chunk.0 + 1;
    let mut free = SECTION_WORDS.saturating_sub(n_words(chunk.0));
    let mut take = |n_words: usize| {
        let fits = n_words <= free;
        free -= if fits { n_words } else { 0 };
        fits
    };
    while range.end < section.end && take(n_words(range.end)) {
        range.end += 1;
    }
    while range.start > section.start && take(n_words(range.start - 1)) {
        range.start -= 1;
    }
    let texts: Vec<&str> = range.clone().map(text).collect();
    (texts.join("\n\n"), range)
}

/// The highest similarity and coverage among the first three: fusion may rank the nearest passage second. If none of
/// them was found by its vector, there is no similarity.
fn evidence(index: &Index, hits: &[Hit]) -> Evidence {
    let first = first(hits);
    let found = first.iter().filter_map(|hit| hit.vector.as_ref());
    let near = index.similarity.map(|similarity| similarity.near);
    Evidence {
        similarity: found.map(|ranked| ranked.score).reduce(f32::max),
        coverage: first.iter().map(|hit| hit.coverage).fold(0.0, f32::max),
        beyond_unrelated: near
            .zip(closest(hits))
            .map(|(near, closest)| closest - near),
        reading: None,
    }
}

/// The hits that may be the best.
fn first(hits: &[Hit]) -> &[Hit] {
    &hits[..hits.len().min(3)]
}

/// The closeness of the closest hit that was found by its vector.
fn closest(hits: &[Hit]) -> Option<f32> {
    let closeness = |hit: &Hit| Some(closeness(hit.vector?.score, hit.coverage));
    first(hits).iter().filter_map(closeness).reduce(f32::max)
}

/// How close the passages for a question come, without those in `left_out`: see [`closeness`]. `None` if none is found.
pub fn closest_without(
    index: &Index,
    question: &str,
    embedding: &[f32],
    limit: usize,
    left_out: impl Fn(ChunkIdx) -> bool,
) -> Option<f32> {
    let mut hits = index.search(question, Some(embedding), &passage_options(limit));
    hits.retain(|hit| !left_out(hit.chunk));
    closest(&hits)
}

#[cfg(test)]
mod tests {
    use anchorite_index::bundle::{self, MANIFEST_PATH, Manifest, Role};
    use anchorite_index::chunk::{ChunkOptions, chunk_documents};
    use anchorite_index::parse::{ParseOptions, parse_page};
    use anchorite_index::{Index, IndexOptions};

    use super::*;

    fn index(pages: &[(&str, &str)]) -> Index {
        let parse = |(name, text): &(&str, &str)| {
            parse_page(name, text.as_bytes(), &ParseOptions::default()).expect("a good page")
        };
        let documents: Vec<_> = pages.iter().map(parse).collect();
        let options = ChunkOptions {
            target_words: 8,
            max_words: 10,
            ..ChunkOptions::default()
        };
        let chunks = chunk_documents(&documents, &options);
        Index::build(&documents, chunks, None, &IndexOptions::default()).expect("a good index")
    }

    const PUMPS: &str = "# Pumps\n\n## Starting\n\nFirst fill the tank with cold clean water.\n\n\
Then turn the scarlet wheel slowly to the left.\n\nWait until the needle stands at seven bar.\n\n\
## Stopping\n\nClose the valve before you turn the wheel back.\n";

    #[test]
    fn a_chunk_is_found_and_its_section_is_read() {
        let index = index(&[("pumps.md", PUMPS)]);
        let (passages, _) = passages(&index, "scarlet wheel", None, 5);
        let first = &passages[0];
        assert_eq!(
            first.text,
            "Then turn the scarlet wheel slowly to the left."
        );
        assert!(
            first.section.starts_with("First fill") && first.section.ends_with("seven bar."),
            "the whole section: {}",
            first.section
        );
        assert!(
            !first.section.contains("valve"),
            "no other section: {}",
            first.section
        );
        let starting = passages.iter().filter(|one| one.url.ends_with("#starting"));
        assert_eq!(starting.count(), 1, "a section is read once: {passages:?}");
    }

    #[test]
    fn a_text_at_two_addresses_is_found_once() {
        let text = "# Valves\n\nBall valves turn by a quarter.\n";
        let index = index(&[("a.md", text), ("b.md", text)]);
        let (passages, _) = passages(&index, "ball valves", None, 5);
        assert_eq!(passages.len(), 1, "{passages:?}");
        let request = SearchRequest {
            limit: 5,
            ..SearchRequest::default()
        };
        let found = search(&index, "ball valves", None, &request);
        assert_eq!(found.results.len(), 1, "{found:?}");
    }

    #[test]
    fn a_few_words_under_two_headings_are_two_texts() {
        let page = "# Valves\n\n## Ball valves\n\nSee above.\n\n## Gate valves\n\nSee above.\n";
        let index = index(&[("a.md", page), ("b.md", page)]);
        let request = SearchRequest {
            limit: 5,
            ..SearchRequest::default()
        };
        let found = search(&index, "valves", None, &request).results;
        let urls: Vec<&str> = found.iter().map(|result| result.url.as_str()).collect();
        assert_eq!(urls, ["a.html#ball-valves", "a.html#gate-valves"]);
    }

    /// Incompressible words, so that texts fill shards of their own.
    fn noise(seed: u64) -> String {
        let mut state = seed;
        let mut word = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            format!("w{:x} ", state >> 40)
        };
        (0..250).map(|_| word()).collect()
    }

    #[test]
    fn many_copies_take_few_rounds() {
        // Copies are spread out, like a text that many pages quote.
        let pages: Vec<_> = (0..300)
            .map(|i| match i % 10 {
                0 if i < 90 => format!("# Page\n\nBall valves, {i} ball valves.\n\n{}\n", noise(i)),
                0 => format!("# Page\n\nBall valves turn by a quarter.\n\n{}\n", noise(i)),
                _ => format!("# Page\n\n{}\n", noise(i)),
            })
            .enumerate()
            .map(|(i, text)| (format!("{i}.md"), text))
            .collect();
        let pages: Vec<_> = pages
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let bundle = bundle::write(&index(&pages), &[], "test").expect("a bundle");
        let files: BTreeMap<_, _> = bundle.files.into_iter().collect();
        let manifest = Manifest::parse(&files[MANIFEST_PATH]).expect("a manifest");
        let resident: Vec<u8> = manifest
            .file(Role::Index)
            .expect("an index")
            .parts
            .iter()
            .flat_map(|part| files[&part.path].clone())
            .collect();
        let mut read = bundle::read_index(&manifest, &resident).expect("an index");
        let request = SearchRequest {
            limit: 11,
            ..SearchRequest::default()
        };
        for round in 0.. {
            let missing = search(&read, "ball valves", None, &request).missing;
            if missing.is_empty() {
                break;
            }
            assert!(round < 10, "a page gives up after twenty rounds");
            for shard in missing {
                read.insert_shard(shard.id, &files[&shard.path])
                    .expect("a shard");
            }
        }
    }
}
