//! Names the pieces of an index, so that a page fetches only those that a query reads.
//!
//! A large index is cut into shards. [`Index::search_loaded`](crate::Index::search_loaded) tells the caller which are
//! missing; the caller fetches them, passes them to [`Index::insert_shard`](crate::Index::insert_shard) and searches
//! again until none is missing: the first may be a table that names the next ones. Nothing here does I/O or waits.

use serde::Serialize;

/// The kind of data in a shard. Each family numbers its shards from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Words in a range of the sorted dictionary, and where they occur.
    Terms,
    /// Words by first letter and length, for correcting typos.
    Spelling,
    /// URLs, titles, headings and texts of consecutive chunks.
    Texts,
    /// The values that can narrow a search.
    Filters,
    /// The ranks of all documents by one of the values that they can be sorted by.
    Orders,
    /// Embeddings that are near each other, in 8 bits.
    Vectors,
}

impl Family {
    /// All families, in the order in which they are numbered and stored.
    pub const ALL: [Self; 6] = [
        Self::Terms,
        Self::Spelling,
        Self::Texts,
        Self::Filters,
        Self::Orders,
        Self::Vectors,
    ];

    /// Its name in errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Spelling => "spelling",
            Self::Texts => "texts",
            Self::Filters => "filters",
            Self::Orders => "orders",
            Self::Vectors => "vectors",
        }
    }

    pub(crate) fn position(self) -> usize {
        self as usize
    }
}

/// Names one shard, or one page of a family's table of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct ShardId(u32);

/// Bits for the number within a family.
const NUMBER_BITS: u32 = 24;
const TABLE: u32 = 1 << 31;

impl ShardId {
    pub(crate) fn shard(family: Family, number: u32) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "there are few families")]
        let family = family.position() as u32;
        Self(family << NUMBER_BITS | number & ((1 << NUMBER_BITS) - 1))
    }

    pub(crate) fn table(family: Family, page: u32) -> Self {
        Self(Self::shard(family, page).0 | TABLE)
    }

    /// The inverse of [`bits`](Self::bits); `None` for numbers that it never returns.
    pub fn from_bits(bits: u32) -> Option<Self> {
        let family = (bits & !TABLE) >> NUMBER_BITS;
        Family::ALL.get(family as usize).map(|_| Self(bits))
    }

    /// The name as a number, for callers in other languages.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The family of the shard, or of the shards that a table's page names.
    pub fn family(self) -> Family {
        let family = (self.0 & !TABLE) >> NUMBER_BITS;
        Family::ALL
            .get(family as usize)
            .copied()
            .unwrap_or(Family::Terms)
    }

    /// True if it names a page of a table instead of a shard.
    pub fn is_table(self) -> bool {
        self.0 & TABLE != 0
    }

    pub(crate) fn number(self) -> u32 {
        self.0 & ((1 << NUMBER_BITS) - 1)
    }
}

/// A shard to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Shard {
    /// The id to pass to [`Index::insert_shard`](crate::Index::insert_shard).
    pub id: ShardId,
    /// Its path in the bundle.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cross_a_boundary_as_numbers() {
        for family in Family::ALL {
            for id in [ShardId::shard(family, 77), ShardId::table(family, 3)] {
                let same = ShardId::from_bits(id.bits()).expect("a name");
                assert_eq!((same, same.family()), (id, family));
                assert_eq!(
                    (same.is_table(), same.number()),
                    (id.is_table(), id.number())
                );
            }
        }
        assert_eq!(ShardId::from_bits(99 << NUMBER_BITS), None);
    }
}
