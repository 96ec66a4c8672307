//! Inserts the bytes of fetched shards into an index.

use super::{deflate, filters, orders, wire_spelling, wire_terms, wire_texts};
use crate::error::BundleError;
use crate::index::Index;
use crate::shard::{Family, ShardId};

impl Index {
    /// Inserts a shard named by [`search_loaded`](Self::search_loaded) or [`shards`](Self::shards), after checking its
    /// length and hash.
    ///
    /// # Errors
    /// [`BundleError::UnknownShard`], [`BundleError::Length`], [`BundleError::Hash`] or [`BundleError::Malformed`],
    /// which leave the index unchanged.
    pub fn insert_shard(&mut self, id: ShardId, bytes: &[u8]) -> Result<(), BundleError> {
        self.shards.verify(id, bytes)?;
        if id.is_table() {
            return self.shards.add_page(id, bytes);
        }
        let content = deflate::inflate(id.family().as_str(), bytes)?;
        self.insert_content(id, &content)
    }

    /// Inserts the decompressed content of a shard without checking its length and hash, for tests that damage the
    /// content.
    ///
    /// # Errors
    /// [`BundleError::Malformed`], which leaves the index unchanged.
    #[doc(hidden)]
    pub fn insert_content(&mut self, id: ShardId, content: &[u8]) -> Result<(), BundleError> {
        let family = id.family();
        let number = id.number() as usize;
        let bytes = content;
        let collection = &self.lexical.collection;
        let (n_chunks, n_documents) = (collection.n_chunks(), collection.n_documents());
        match family {
            Family::Terms => {
                let shard = wire_terms::read(bytes)?;
                wire_terms::check(&shard, n_chunks, n_documents)?;
                self.lexical.insert(number, shard);
            }
            Family::Spelling => self
                .lexical
                .spelling
                .insert(number, wire_spelling::read(bytes)?),
            Family::Texts => {
                let range = self
                    .texts
                    .range(number, u32::try_from(n_chunks).unwrap_or(u32::MAX));
                let shard = wire_texts::read(bytes, range, collection)?;
                self.texts.insert(number, shard);
            }
            Family::Vectors => {
                let Some(vectors) = &mut self.vectors else {
                    return Err(BundleError::UnknownShard { id: id.bits() });
                };
                let rows = vectors
                    .read_shard(number, bytes)
                    .map_err(|wrong| super::contradiction(super::VECTORS, wrong))?;
                vectors.insert(number, rows);
            }
            Family::Orders => self
                .orders
                .insert(number, orders::read(bytes, n_documents)?),
            Family::Filters => self.filters = Some(filters::read(bytes, n_documents)?),
        }
        Ok(())
    }
}
