//! Maps a shard's number to the file that holds it and the hash that the file must have.
//!
//! A small family has its whole table in the resident file. A large one has only the hashes of the table's pages there;
//! a page is a shard of its own, fetched when one of the shards that it names is needed.

use sha2::{Digest, Sha256};

use super::manifest::{MAX_PART_BYTES, shard_path};
use crate::error::BundleError;
use crate::hex;
use crate::lexical::postings::Varints;
use crate::shard::{Family, Shard, ShardId};

/// Families of at most this many shards have their whole table in the resident file.
#[cfg(feature = "build")]
const MAX_RESIDENT: usize = 256;
/// Number of shards that one page of a table names.
const PAGE: u32 = 32;
/// Stored bytes of a file's SHA-256: as hard to forge as any 128 bits.
const HASH_BYTES: usize = 16;

/// Length and hash of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    bytes: u32,
    hash: [u8; HASH_BYTES],
}

/// The shards of one family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct FamilyTable {
    /// Length and hash of each shard; `None` until the page that names it is loaded.
    entries: Vec<Option<Entry>>,
    /// The pages that name the shards; empty if all are known from the start.
    pages: Vec<Entry>,
    /// Total bytes of the shards, without pages.
    n_bytes: u64,
}

/// All shards of a bundle; empty for an index that was not read from one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ShardTable {
    families: [FamilyTable; Family::ALL.len()],
}

/// One family's table as the resident file holds it.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct TableWire<'b> {
    n_shards: u32,
    n_bytes: u64,
    is_paged: bool,
    /// For each shard, or each page: its length as a varint, then 16 bytes of its SHA-256.
    entries: &'b [u8],
}

fn read_entries(family: Family, bytes: &[u8], n_entries: usize) -> Result<Vec<Entry>, BundleError> {
    let wrong = |found: &str| {
        let expected = format!("{n_entries} lengths and hashes");
        super::malformed(family.as_str(), "its table", expected, found)
    };
    let mut varints = Varints::new(bytes);
    let mut entries = Vec::new();
    for _ in 0..n_entries {
        let n_bytes = varints.next().ok_or_else(|| wrong("fewer"))?;
        let hash = varints.take_bytes(HASH_BYTES).and_then(<[u8]>::first_chunk);
        if n_bytes == 0 || n_bytes as usize > MAX_PART_BYTES {
            return Err(wrong("a length out of range"));
        }
        entries.push(Entry {
            bytes: n_bytes,
            hash: *hash.ok_or_else(|| wrong("fewer"))?,
        });
    }
    if varints.is_empty() {
        Ok(entries)
    } else {
        Err(wrong("more"))
    }
}

impl ShardTable {
    /// Reads the tables of all families; each must have `expected` shards.
    pub(super) fn read(
        tables: &[TableWire<'_>],
        expected: [usize; Family::ALL.len()],
    ) -> Result<Self, BundleError> {
        let mut table = Self::default();
        if tables.len() != Family::ALL.len() {
            let (expected, found) = (Family::ALL.len(), tables.len());
            return Err(super::malformed(
                "index",
                "number of tables",
                expected,
                found,
            ));
        }
        for ((family, wire), expected) in Family::ALL.into_iter().zip(tables).zip(expected) {
            table.read_family(family, wire, expected)?;
        }
        Ok(table)
    }

    /// Reads one family's table of `expected` shards, and replaces the table known so far.
    pub(super) fn read_family(
        &mut self,
        family: Family,
        wire: &TableWire<'_>,
        expected: usize,
    ) -> Result<(), BundleError> {
        let n_shards = wire.n_shards as usize;
        if n_shards != expected {
            let place = "number of shards";
            return Err(super::malformed(family.as_str(), place, expected, n_shards));
        }
        let mut held = FamilyTable {
            n_bytes: wire.n_bytes,
            ..FamilyTable::default()
        };
        if wire.is_paged {
            held.pages = read_entries(family, wire.entries, n_shards.div_ceil(PAGE as usize))?;
            held.entries = vec![None; n_shards];
        } else {
            let entries = read_entries(family, wire.entries, n_shards)?;
            held.entries = entries.into_iter().map(Some).collect();
        }
        self.families[family.position()] = held;
        Ok(())
    }

    fn entry(&self, id: ShardId) -> Option<Entry> {
        let family = &self.families[id.family().position()];
        let number = id.number() as usize;
        if id.is_table() {
            family.pages.get(number).copied()
        } else {
            family.entries.get(number).copied().flatten()
        }
    }

    /// The file to fetch for a shard: the shard, or the page that will name it; `None` if the shard does not exist.
    pub(crate) fn locate(&self, family: Family, number: u32) -> Option<Shard> {
        let shard = ShardId::shard(family, number);
        let page = || ShardId::table(family, number / PAGE);
        self.shard(shard).or_else(|| {
            let exists = (number as usize) < self.families[family.position()].entries.len();
            self.shard(page()).filter(|_| exists)
        })
    }

    fn shard(&self, id: ShardId) -> Option<Shard> {
        self.entry(id).map(|entry| Shard {
            id,
            path: shard_path(&hex(&entry.hash)),
            bytes: entry.bytes,
        })
    }

    /// Checks the length and hash of the fetched bytes.
    pub(crate) fn verify(&self, id: ShardId, bytes: &[u8]) -> Result<(), BundleError> {
        let entry = self
            .entry(id)
            .ok_or(BundleError::UnknownShard { id: id.bits() })?;
        let path = || shard_path(&hex(&entry.hash));
        if bytes.len() != entry.bytes as usize {
            return Err(BundleError::Length {
                path: path(),
                expected: u64::from(entry.bytes),
                found: bytes.len() as u64,
            });
        }
        let found = Sha256::digest(bytes);
        if found[..HASH_BYTES] != entry.hash {
            return Err(BundleError::Hash {
                path: path(),
                expected: hex(&entry.hash),
                found: hex(&found[..HASH_BYTES]),
            });
        }
        Ok(())
    }

    /// Records the shards that a verified page names.
    pub(crate) fn add_page(&mut self, id: ShardId, bytes: &[u8]) -> Result<(), BundleError> {
        let family = id.family();
        let entries = &mut self.families[family.position()].entries;
        let first = id.number() as usize * PAGE as usize;
        let end = entries.len().min(first + PAGE as usize);
        let named = entries.get_mut(first..end).unwrap_or_default();
        let read = read_entries(family, bytes, named.len())?;
        named
            .iter_mut()
            .zip(read)
            .for_each(|(place, entry)| *place = Some(entry));
        Ok(())
    }

    /// True if a page is loaded, so that all shards it names are known.
    pub(crate) fn has_page(&self, id: ShardId) -> bool {
        let entries = &self.families[id.family().position()].entries;
        let first = entries.get(id.number() as usize * PAGE as usize);
        first.is_some_and(Option::is_some)
    }

    /// Every shard and page whose name is known so far, and the number of those that are not.
    pub(crate) fn known(&self) -> (Vec<Shard>, usize) {
        let (mut known, mut n_unknown) = (Vec::new(), 0);
        for family in Family::ALL {
            let table = &self.families[family.position()];
            let numbers = |len: usize| 0..u32::try_from(len).unwrap_or(0);
            let pages = numbers(table.pages.len()).map(|page| ShardId::table(family, page));
            let shards = numbers(table.entries.len()).map(|shard| ShardId::shard(family, shard));
            known.extend(pages.chain(shards).filter_map(|id| self.shard(id)));
            n_unknown += table.entries.iter().filter(|entry| entry.is_none()).count();
        }
        (known, n_unknown)
    }

    /// The number of shards in one family, and their total bytes.
    pub(crate) fn totals(&self, family: Family) -> (usize, u64) {
        let table = &self.families[family.position()];
        (table.entries.len(), table.n_bytes)
    }
}

#[cfg(feature = "build")]
pub(super) mod write {
    use super::*;
    use crate::lexical::postings::push_varint;

    /// One family's table: its part of the resident file, and its separate pages.
    pub(in crate::bundle) struct Written {
        n_shards: u32,
        n_bytes: u64,
        is_paged: bool,
        entries: Vec<u8>,
        pub(in crate::bundle) pages: Vec<Vec<u8>>,
    }

    /// Lays out the table of one family's shards, which must be complete and in order.
    pub(in crate::bundle) fn table(shards: &[Vec<u8>]) -> Written {
        lay_out(shards, shards.len() > MAX_RESIDENT)
    }

    /// Like `table`, but never splits the table into pages.
    pub(in crate::bundle) fn whole(shards: &[Vec<u8>]) -> Written {
        lay_out(shards, false)
    }

    fn lay_out(shards: &[Vec<u8>], is_paged: bool) -> Written {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let entry = |bytes: &mut Vec<u8>, file: &[u8]| {
            push_varint(bytes, count(file.len()));
            bytes.extend_from_slice(&Sha256::digest(file)[..HASH_BYTES]);
        };
        let list = |files: &[Vec<u8>]| {
            let mut bytes = Vec::new();
            files.iter().for_each(|file| entry(&mut bytes, file));
            bytes
        };
        let pages: Vec<Vec<u8>> = match is_paged {
            true => shards.chunks(PAGE as usize).map(list).collect(),
            false => Vec::new(),
        };
        Written {
            n_shards: count(shards.len()),
            n_bytes: shards.iter().map(|shard| shard.len() as u64).sum(),
            is_paged,
            entries: list(if is_paged { &pages } else { shards }),
            pages,
        }
    }

    impl Written {
        pub(in crate::bundle) fn wire(&self) -> TableWire<'_> {
            TableWire {
                n_shards: self.n_shards,
                n_bytes: self.n_bytes,
                is_paged: self.is_paged,
                entries: &self.entries,
            }
        }
    }
}
