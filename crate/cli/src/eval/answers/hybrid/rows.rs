//! Defines the rows of the comparison: their sources, the weights that write, and who decides whether there is an
//! answer.

use anchorite::prompt::Form;
use serde::Serialize;

/// A way to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Row {
    /// The generator alone.
    NoContext,
    /// The generator with whole pages.
    LongPrompt,
    /// The adapter alone.
    AdapterAlone,
    /// The generator with passages.
    Retrieval,
    /// An adapter that was trained without passages, with passages.
    RetrievalBareAdapter,
    /// The engine as a page runs it.
    RetrievalAdapter,
    /// The adapter with passages, without the engine's decisions.
    RetrievalAdapterPassages,
    /// The reader's quotation.
    Quotation,
}

/// The sources that the generator reads before the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    Nothing,
    Passages,
    Pages,
    /// The units that the reader chose.
    Units,
}

/// The weights that write: the generator alone, or with one of its adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// Nothing is written.
    None,
    Base,
    Adapter,
    /// The adapter that was trained without passages.
    BareAdapter,
}

impl Row {
    pub(super) const ALL: [Row; 8] = [
        Row::NoContext,
        Row::LongPrompt,
        Row::AdapterAlone,
        Row::Retrieval,
        Row::RetrievalBareAdapter,
        Row::RetrievalAdapter,
        Row::RetrievalAdapterPassages,
        Row::Quotation,
    ];

    /// Its name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Row::NoContext => "no context",
            Row::LongPrompt => "long prompt",
            Row::AdapterAlone => "adapter alone",
            Row::Retrieval => "retrieval",
            Row::RetrievalBareAdapter => "retrieval + adapter without context",
            Row::RetrievalAdapter => "retrieval + adapter",
            Row::RetrievalAdapterPassages => "retrieval + adapter, passages",
            Row::Quotation => "quotation",
        }
    }

    /// A sentence that describes the row.
    pub(super) fn says(self) -> &'static str {
        match self {
            Row::NoContext => "the generator is given the question only",
            Row::LongPrompt => {
                "the generator reads the pages of the passages, as much as its window holds"
            }
            Row::AdapterAlone => "the generator with the adapter is given the question only",
            Row::Retrieval => "the generator reads the passages",
            Row::RetrievalBareAdapter => {
                "the generator reads the passages, with an adapter that was trained without any"
            }
            Row::RetrievalAdapter => {
                "as a page runs it: the reader decides and chooses what the generator with the adapter reads, and the text is \
                 shown where the check lets it stand, else the quotation"
            }
            Row::RetrievalAdapterPassages => {
                "the generator with the adapter reads the passages, and decides alone"
            }
            Row::Quotation => "the reader decides and quotes; nothing is written",
        }
    }

    pub(super) fn reads(self) -> Reads {
        match self {
            Row::NoContext | Row::AdapterAlone => Reads::Nothing,
            Row::LongPrompt => Reads::Pages,
            Row::Retrieval | Row::RetrievalBareAdapter | Row::RetrievalAdapterPassages => {
                Reads::Passages
            }
            Row::RetrievalAdapter | Row::Quotation => Reads::Units,
        }
    }

    pub(super) fn speaker(self) -> Speaker {
        match self {
            Row::NoContext | Row::LongPrompt | Row::Retrieval => Speaker::Base,
            Row::AdapterAlone | Row::RetrievalAdapter | Row::RetrievalAdapterPassages => {
                Speaker::Adapter
            }
            Row::RetrievalBareAdapter => Speaker::BareAdapter,
            Row::Quotation => Speaker::None,
        }
    }

    /// True if the reader, not the generator, decides whether there is an answer.
    pub(super) fn is_read(self) -> bool {
        self.reads() == Reads::Units
    }

    pub(super) fn form(self) -> Form {
        match self.reads() {
            Reads::Nothing => Form::Bare,
            Reads::Passages => Form::Passages,
            Reads::Pages => Form::Long,
            Reads::Units => Form::Evidence,
        }
    }
}

/// Lengths of the weights, in bytes; 0 if absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Bytes {
    pub(super) generator: u64,
    pub(super) adapter: u64,
    pub(super) bare_adapter: u64,
    pub(super) embedder: u64,
    pub(super) reader: u64,
}

impl Bytes {
    /// Bytes of weights that a visitor downloads for this kind of answer. Rows with retrieval need the index too.
    pub(super) fn of(&self, row: Row) -> u64 {
        let weights = match row.speaker() {
            Speaker::None => 0,
            Speaker::Base => self.generator,
            Speaker::Adapter => self.generator + self.adapter,
            Speaker::BareAdapter => self.generator + self.bare_adapter,
        };
        let found = match row.reads() {
            Reads::Nothing => 0,
            _ => self.embedder,
        };
        weights + found + if row.is_read() { self.reader } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn a_row_weighs_what_it_uses() {
        let bytes = Bytes {
            generator: 10_000,
            adapter: 1_000,
            bare_adapter: 100,
            embedder: 10,
            reader: 1,
        };
        let expected = [10_000, 10_010, 11_000, 10_010, 10_110, 11_011, 11_010, 11];
        let found = Row::ALL.map(|row| bytes.of(row));
        assert_eq!(found, expected, "in the order of the rows");
    }

    #[test]
    fn every_row_can_be_asked_for() {
        assert_eq!(Row::value_variants(), Row::ALL, "in the table's order");
        let names = Row::ALL.map(Row::name);
        for (idx, name) in names.iter().enumerate() {
            assert!(!names[..idx].contains(name), "`{name}` is one row");
        }
    }
}
