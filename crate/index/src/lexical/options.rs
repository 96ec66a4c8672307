//! Defines the weights of a keyword search: of fields, of inexact matches, and of words that a chunk lacks.

/// Weights of fields and of inexact matches.
#[derive(Debug, Clone, PartialEq)]
pub struct LexicalOptions {
    /// Length normalisation: 0 not at all, 1 in full proportion. Default 0.75.
    pub b: f32,
    /// Weight of the chunk's own heading, in occurrences in the text. Default 2.5.
    pub own_heading: f32,
    /// The same for the headings above its own. Default 1.
    pub heading_above: f32,
    /// The same for the page's title. Default 1.5.
    pub title: f32,
    /// Scoring of a query of at most three content words: people expect these words in the text, as typed.
    pub short_query: TermMatching,
    /// Scoring of a longer query: a question inflects its words as its own sentence requires.
    pub long_query: TermMatching,
    /// Weight of an occurrence in a form other than the query's, "pumps" for "pump": 1 counts in full, 0 not at all.
    /// Default 0.5.
    pub other_form: f32,
    /// True if the query's last word may be unfinished, as while typing. A trailing space finishes it. Default `false`.
    pub prefix: bool,
    /// How words between quotation marks count.
    pub phrases: Phrases,
}

/// How words between quotation marks count. Two words or more are a phrase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phrases {
    /// A hit must contain each phrase, its words in sequence; meaning doesn't count. The default, as in a search box.
    #[default]
    Required,
    /// Hits that have all phrases come first, and none is excluded: in a question, people quote a text that they read, or a term.
    Preferred,
}

/// How much it matters that a chunk has all words of the query, as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermMatching {
    /// Saturation: how soon repetition stops counting. 0 means at once, large means never. Default 0.9 for a short
    /// query, 1.2 for a long one.
    pub k1: f32,
    /// Share of its score that a chunk with none of the query's words would lose, which sets chunks with all words
    /// apart. Words are weighted by idf. Default 0.8 for a short query, 0.7 for a long one.
    pub coordination: f32,
    /// How much a word that a chunk has only in another form counts towards `coordination`. Default 0.6 for a short
    /// query, 0.75 for a long one.
    pub other_form: f32,
    /// True if, in chunks with the query's form of a word, idf counts only the chunks with that form instead of all
    /// with its stem. Default `true` for a short query, `false` for a long one.
    pub form_idf: bool,
}

impl Default for LexicalOptions {
    fn default() -> Self {
        Self {
            b: 0.75,
            own_heading: 2.5,
            heading_above: 1.0,
            title: 1.5,
            short_query: TermMatching {
                k1: 0.9,
                coordination: 0.8,
                other_form: 0.6,
                form_idf: true,
            },
            long_query: TermMatching {
                k1: 1.2,
                coordination: 0.7,
                other_form: 0.75,
                form_idf: false,
            },
            other_form: 0.5,
            prefix: false,
            phrases: Phrases::default(),
        }
    }
}
