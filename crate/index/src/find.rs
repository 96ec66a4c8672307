//! Turns a query into hits: fuses both rankings, applies filters and phrases, and sorts by score or by a document value.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};

use crate::chunk_store::ChunkIdx;
use crate::filters::Filters;
use crate::fuse::{self, Fused, FusionOptions, Ranked};
use crate::index::Index;
use crate::lexical::{self, LexicalOptions, LexicalScores, Phrases};
use crate::order::Sort;
use crate::shard::{Family, Shard};

/// How hits are chosen.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// Maximum number of hits. Default 10.
    pub limit: usize,
    /// Depth to which each ranking is read before fusion. Default 300.
    pub depth: usize,
    /// Maximum hits per document, so that one long page does not fill the list; `None` for no limit. Default 3.
    pub per_document: Option<usize>,
    /// Filters that hits must pass: for each filter named here, one of the values listed. Empty by default.
    pub filters: BTreeMap<String, Vec<String>>,
    /// Order of hits; `None`, the default, sorts by score. A sorted search is lexical only: it finds all chunks with as
    /// many of the query's words as the best chunk has.
    pub sort: Option<Sort>,
    /// How words are weighed.
    pub lexical: LexicalOptions,
    /// How the two rankings are joined.
    pub fusion: FusionOptions,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            limit: 10,
            depth: 300,
            per_document: Some(3),
            filters: BTreeMap::new(),
            sort: None,
            lexical: LexicalOptions::default(),
            fusion: FusionOptions::default(),
        }
    }
}

impl SearchOptions {
    /// For a question: passages with the quoted words rank higher, and none is excluded.
    pub fn question(limit: usize) -> Self {
        Self {
            limit,
            lexical: LexicalOptions {
                phrases: Phrases::Preferred,
                ..LexicalOptions::default()
            },
            // Other code decides whether the question is answered, so the nearest passages are always shown.
            fusion: FusionOptions {
                chance_spread: 0.0,
                ..FusionOptions::default()
            },
            ..Self::default()
        }
    }

    /// For search as you type: the last word may be unfinished.
    pub fn while_typing(limit: usize) -> Self {
        Self {
            limit,
            lexical: LexicalOptions {
                prefix: true,
                ..LexicalOptions::default()
            },
            fusion: FusionOptions {
                judges_each: true,
                ..FusionOptions::default()
            },
            ..Self::default()
        }
    }
}

/// The sort key of a sorted search: the rank of the chunk's document, the bits of its score (they sort like the score,
/// which is above 0), and the chunk.
type Place = (Reverse<u32>, u32, Reverse<u32>);

/// A chunk found for a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The chunk that was found.
    pub chunk: ChunkIdx,
    /// 1 for the best chunk by words that also means the same as the query, falling towards 0. Comparable within one
    /// query only.
    pub score: f32,
    /// Lexical rank, with the BM25 score; `None` if it shares no word with the query, or ranks too low.
    pub lexical: Option<Ranked>,
    /// Vector rank, with the cosine on the scale of [`Index::similarity_of`]; `None` without embeddings, or if it ranks too low.
    pub vector: Option<Ranked>,
    /// Share of the query's words that the chunk has, weighted by idf: 1 for all, 0 for none.
    pub coverage: f32,
}

/// The hits of a search, and the shards that it still needs.
#[derive(Debug, Clone, Default)]
pub struct SearchOutcome {
    /// The best chunks of the loaded shards, best first.
    pub hits: Vec<Hit>,
    /// See [`LexicalScores::matched_terms`].
    pub matched_terms: Vec<String>,
    /// Shards that are not loaded; if there are none, the hits are final. Insert them and search again: some only name
    /// further shards.
    pub missing: Vec<Shard>,
}

impl Index {
    /// The hits of [`search_loaded`](Self::search_loaded), which are final if the whole index is loaded.
    pub fn search(
        &self,
        query: &str,
        embedding: Option<&[f32]>,
        options: &SearchOptions,
    ) -> Vec<Hit> {
        self.search_loaded(query, embedding, options).hits
    }

    /// The best chunks for a query, by its words and, if given, by its embedding. Shards that are not loaded are
    /// skipped and reported; the cosines of their vectors are estimated.
    ///
    /// Hits contain the query's phrases in their text, heading or title, or those that contain them come first, as
    /// [`Phrases`] in the options says. An embedding whose dimension differs from [`dimension`](Self::dimension) finds
    /// nothing: compare the two once, when the embedder is loaded.
    pub fn search_loaded(
        &self,
        query: &str,
        embedding: Option<&[f32]>,
        options: &SearchOptions,
    ) -> SearchOutcome {
        if let Some(sort) = &options.sort {
            return self.search_sorted(query, sort, options);
        }
        let depth = options.depth.max(options.limit);
        let lexical = self.lexical.search(query, depth, &options.lexical);
        let vectors = self.vectors.as_ref().zip(embedding);
        let demanded = demanded(&lexical, options);
        // A demanded phrase is an exact-match request, so skip vector search.
        let vectors = vectors.filter(|_| demanded.is_empty());
        let (mut near, far) = vectors
            .map(|(vectors, embedding)| vectors.find(embedding, depth))
            .unzip();
        for (_, cosine) in near.iter_mut().flatten() {
            *cosine = self.similarity_of(*cosine);
        }
        let is_judged = options.fusion.judges_each || lexical.ranked.is_empty();
        if let Some(near) = near.as_mut().filter(|_| is_judged) {
            // If no text is related to the query, even the nearest one is not a hit.
            let chance = options.fusion.chance(self.n_chunks());
            let with_words: HashSet<u32> = lexical.ranked.iter().map(|&(chunk, _)| chunk).collect();
            near.retain(|&(chunk, cosine)| cosine > chance || with_words.contains(&chunk));
        }
        let mut chosen = self.fused(&lexical, near.as_deref(), options);
        if demanded.is_empty() && !lexical.phrases.is_empty() {
            let has = |hit: &Hit| self.has_phrases(hit.chunk, &lexical.phrases);
            let (hits, unread) = &mut chosen;
            // A hit's position depends on its text, so request any text that is not loaded.
            unread.extend(
                hits.iter()
                    .filter(|hit| has(hit).is_none())
                    .map(|hit| hit.chunk),
            );
            hits.sort_by_key(|hit| !has(hit).unwrap_or(false));
        }
        let far = far.unwrap_or_default().into_iter();
        let far = far.map(|number| (Family::Vectors, number));
        self.findings(chosen, lexical, far, options)
    }

    /// The chunks with as many of the query's words as the best chunk has, in the requested order. Empty until that
    /// order is loaded, because the hits would only change positions.
    fn search_sorted(&self, query: &str, sort: &Sort, options: &SearchOptions) -> SearchOutcome {
        let lexical = self.lexical.score(query, &options.lexical);
        let idx = self.orders.position(&sort.by);
        let order = idx.and_then(|idx| self.orders.get(idx));
        let far = idx.filter(|_| order.is_none());
        let mut chosen = (Vec::new(), Vec::new());
        if far.is_none() {
            let allowed = self.allowed(options);
            let rank = |document| order.map_or(0, |order| order.rank(document, sort.descending));
            let mut places = self.most_covered(&lexical, rank, allowed.as_deref());
            let best = places.iter().map(|place| place.1).max().unwrap_or(0);
            let candidates = std::iter::from_fn(|| {
                let (_, score, Reverse(chunk)) = places.pop()?;
                let share = f32::from_bits(score) / f32::from_bits(best);
                Some(Fused::unranked(chunk, share))
            });
            chosen = self.chosen(candidates, &lexical, allowed.as_deref(), options);
        }
        let far = far.and_then(|idx| u32::try_from(idx).ok()).into_iter();
        let far = far.map(|number| (Family::Orders, number));
        self.findings(chosen, lexical, far, options)
    }

    /// The chunks that pass the filters and have as many of the query's words as the best chunk, keyed by the `rank` of
    /// their document; the greatest comes first. A heap, because only a few of many are taken and a general sort would
    /// enlarge the page's module.
    fn most_covered(
        &self,
        lexical: &LexicalScores,
        rank: impl Fn(u32) -> u32,
        allowed: Option<&[bool]>,
    ) -> BinaryHeap<Place> {
        let scored = lexical.ranked.iter().filter_map(|&(chunk, score)| {
            let document = self.lexical.collection.document(chunk)?;
            let place = (Reverse(rank(document)), score.to_bits(), Reverse(chunk));
            is_allowed(allowed, document).then_some((lexical.coverage(chunk), place))
        });
        let scored: Vec<(f32, Place)> = scored.collect();
        let most = scored
            .iter()
            .map(|&(coverage, _)| coverage)
            .fold(0.0, f32::max);
        // Summing the same numbers in different orders gives slightly different results.
        let covered = scored
            .into_iter()
            .filter(|&(coverage, _)| coverage >= 0.999 * most);
        covered.map(|(_, place)| place).collect()
    }

    /// The chosen hits, and the shards that the search still needs: term shards, the `far` ones and filters; once these
    /// are loaded, the texts of chunks that cannot be judged without them.
    fn findings(
        &self,
        (hits, unread): (Vec<Hit>, Vec<ChunkIdx>),
        lexical: LexicalScores,
        far: impl Iterator<Item = (Family, u32)>,
        options: &SearchOptions,
    ) -> SearchOutcome {
        let filters = !options.filters.is_empty() && self.needs_filters();
        let filters = filters.then_some((Family::Filters, 0));
        let words = lexical.missing.into_iter();
        let shards: Vec<(Family, u32)> = words.chain(far).chain(filters).collect();
        let missing = match shards.is_empty() {
            // Phrases are checked against texts, which are only worth fetching once all words are known.
            true => self.needs_texts(unread),
            false => self.located(shards),
        };
        SearchOutcome {
            hits,
            matched_terms: lexical.matched_terms,
            missing,
        }
    }

    /// Fuses a lexical ranking with a vector ranking from any source: `(chunk, cosine)`, nearest first, on the scale of
    /// [`Index::similarity_of`].
    pub fn fuse(
        &self,
        lexical: &LexicalScores,
        vector: Option<&[(u32, f32)]>,
        options: &SearchOptions,
    ) -> Vec<Hit> {
        self.fused(lexical, vector, options).0
    }

    /// The hits, and the chunks that cannot be judged because their texts are not loaded.
    fn fused(
        &self,
        lexical: &LexicalScores,
        vector: Option<&[(u32, f32)]>,
        options: &SearchOptions,
    ) -> (Vec<Hit>, Vec<ChunkIdx>) {
        let candidates = fuse::fuse(&lexical.ranked, vector, &options.fusion);
        let allowed = self.allowed(options);
        self.chosen(candidates, lexical, allowed.as_deref(), options)
    }

    /// The first of `candidates` that pass the filters and the options, and those that cannot be judged without their texts.
    fn chosen(
        &self,
        candidates: impl IntoIterator<Item = Fused>,
        lexical: &LexicalScores,
        allowed: Option<&[bool]>,
        options: &SearchOptions,
    ) -> (Vec<Hit>, Vec<ChunkIdx>) {
        let mut n_of_document: HashMap<u32, usize> = HashMap::new();
        let (mut hits, mut unread) = (Vec::new(), Vec::new());
        for fused in candidates {
            if hits.len() + unread.len() >= options.limit {
                break;
            }
            let Some(document) = self.lexical.collection.document(fused.chunk) else {
                continue;
            };
            if !is_allowed(allowed, document) {
                continue;
            }
            let chunk = ChunkIdx(fused.chunk);
            match self.has_phrases(chunk, demanded(lexical, options)) {
                Some(true) => {}
                Some(false) => continue,
                None => {
                    unread.push(chunk);
                    continue;
                }
            }
            let n_hits = n_of_document.entry(document).or_insert(0);
            *n_hits += 1;
            if options.per_document.is_none_or(|limit| *n_hits <= limit) {
                hits.push(Hit {
                    chunk,
                    score: fused.score,
                    lexical: fused.lexical,
                    vector: fused.vector,
                    coverage: lexical.coverage(fused.chunk),
                });
            }
        }
        (hits, unread)
    }

    /// The documents that pass the filters; `None` if the options set none.
    fn allowed(&self, options: &SearchOptions) -> Option<Vec<bool>> {
        if options.filters.is_empty() {
            return None;
        }
        let none = Filters::default();
        let filters = self.filters.as_ref().unwrap_or(&none);
        Some(filters.allowed(&options.filters, self.n_documents()))
    }

    /// True if a chunk has all phrases in its text, a heading or its title; `None` if there are phrases and the chunk is not loaded.
    fn has_phrases(&self, chunk: ChunkIdx, phrases: &[Vec<String>]) -> Option<bool> {
        if phrases.is_empty() {
            return Some(true);
        }
        let (held, document) = self.chunk(chunk).zip(self.document(chunk))?;
        let fields = || {
            let headings = held.headings.iter().map(String::as_str);
            [held.text.as_str(), document.title.as_str()]
                .into_iter()
                .chain(headings)
        };
        let has = |phrase: &Vec<String>| fields().any(|field| lexical::contains(field, phrase));
        Some(phrases.iter().all(has))
    }
}

/// The phrases that every hit must contain.
fn demanded<'s>(lexical: &'s LexicalScores, options: &SearchOptions) -> &'s [Vec<String>] {
    match options.lexical.phrases {
        Phrases::Required => &lexical.phrases,
        Phrases::Preferred => &[],
    }
}

/// True if a document passes the filters, or if there are none.
fn is_allowed(allowed: Option<&[bool]>, document: u32) -> bool {
    allowed.is_none_or(|allowed| allowed.get(document as usize).copied().unwrap_or(false))
}
