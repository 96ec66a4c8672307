//! Compresses the bytes of a shard for the network, and decompresses them again.
//!
//! Hosts compress files of text types and leave the rest alone, so shards are compressed here (DEFLATE, RFC 1951).

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::malformed;
use crate::error::BundleError;

/// Limit on the decompressed size of any file of an index.
const MAX_DECOMPRESSED_BYTES: usize = 256 << 20;
/// The slowest and smallest level of `miniz_oxide` short of trying everything.
#[cfg(feature = "build")]
const LEVEL: u8 = 9;

pub(super) fn inflate(role: &'static str, bytes: &[u8]) -> Result<Vec<u8>, BundleError> {
    decompress_to_vec_with_limit(bytes, MAX_DECOMPRESSED_BYTES).map_err(|error| {
        let found = format!("{:?}", error.status);
        malformed(
            role,
            "its compressed bytes",
            "a whole DEFLATE stream",
            found,
        )
    })
}

#[cfg(feature = "build")]
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(bytes, LEVEL)
}
