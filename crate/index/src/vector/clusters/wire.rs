//! Turns the resident part of vector shards into bytes, and checked bytes back into it.
//!
//! Numbers are little-endian, and `f32` unless another type is given:
//!
//! | field | entries |
//! |-------|----|
//! | number of shards, number of axes | `u32` each |
//! | members | each shard, `u32` |
//! | length of the mean | each shard |
//! | directions of the means | rows |
//! | bits | each axis, `u8` |
//! | step | each axis |
//! | directions of the axes | rows |
//! | noise, largest factor | one each |
//! | factor | each member, `u8` |
//! | code | each member, as many bytes as all bits take |
//! | chunk | each member: the first of a shard as it is, then the gaps, as varints |

use super::codes::{Codes, MAX_AXES, MAX_BITS, n_bytes};
use super::{Clusters, MAX_MEMBERS};
use crate::error::Contradiction;
use crate::lexical::postings::Varints;
use crate::vector::int8_vectors::Int8Vectors;

/// Larger steps, lengths, factors and errors make no sense for vectors of length 1.
const MAX_MAGNITUDE: f32 = 1000.0;

impl Clusters {
    #[cfg(feature = "build")]
    pub(in crate::vector) fn to_bytes(&self) -> Vec<u8> {
        let Codes {
            axes,
            bits,
            steps,
            noise,
            largest_factor,
            factors,
            codes,
        } = &self.codes;
        let mut bytes = Vec::new();
        for count in [self.n_shards(), axes.len()] {
            // There are fewer shards than chunks, whose number fits a u32.
            bytes.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
        }
        let sizes = self.starts.windows(2).map(|pair| pair[1] - pair[0]);
        bytes.extend(sizes.flat_map(u32::to_le_bytes));
        push_numbers(&mut bytes, &self.lengths);
        self.means.push_bytes(&mut bytes);
        bytes.extend(bits);
        push_numbers(&mut bytes, steps);
        axes.push_bytes(&mut bytes);
        push_numbers(&mut bytes, &[*noise, *largest_factor]);
        bytes.extend(factors);
        bytes.extend(codes);
        for shard in 0..self.n_shards() {
            let mut before = 0;
            for &chunk in &self.chunks[self.members(shard)] {
                crate::lexical::postings::push_varint(&mut bytes, chunk - before);
                before = chunk;
            }
        }
        bytes
    }

    /// Reads the output of `to_bytes`; no shard is loaded yet.
    pub(in crate::vector) fn from_bytes(
        bytes: &[u8],
        dimension: usize,
        n_vectors: usize,
    ) -> Result<Self, Contradiction> {
        let mut fields = Fields(bytes);
        let [n_shards, n_axes] = [
            // Every shard has at least one member.
            fields.count("number of vector shards", n_vectors)?,
            fields.count("axes of vector codes", dimension.min(MAX_AXES))?,
        ];
        let sizes = fields.take("sizes of vector shards", n_shards, 4)?;
        let starts = starts(sizes, n_vectors)?;
        let lengths = fields.numbers("length of a mean", n_shards)?;
        let means = fields.rows(dimension, n_shards)?;
        let bits = fields.take("bits of vector codes", n_axes, 1)?.to_vec();
        if let Some(n_bits) = bits.iter().find(|bits| !(1..=MAX_BITS).contains(bits)) {
            let expected = format!("1 to {MAX_BITS}");
            return Err(wrong("bits of vector codes", expected, n_bits));
        }
        let steps = fields.numbers("step of an axis", n_axes)?;
        let axes = fields.rows(dimension, n_axes)?;
        let noise = fields.number("noise of vector codes")?;
        let largest_factor = fields.number("factor of vector codes")?;
        let factors = fields.take("factors of vector codes", n_vectors, 1)?;
        let codes = fields.take("vector codes", n_vectors, n_bytes(&bits))?;
        let codes = Codes {
            axes,
            bits,
            steps,
            noise,
            largest_factor,
            factors: factors.to_vec(),
            codes: codes.to_vec(),
        };
        Ok(Self {
            means,
            lengths,
            chunks: chunks(fields.0, &starts)?,
            starts,
            codes,
            shards: vec![None; n_shards],
        })
    }

    /// Reads one shard: its members as rows.
    pub(in crate::vector) fn read_shard(
        &self,
        shard: usize,
        bytes: &[u8],
    ) -> Result<Int8Vectors, Contradiction> {
        if shard >= self.n_shards() {
            let expected = format!("below {}", self.n_shards());
            return Err(wrong("number of a vector shard", expected, shard));
        }
        Int8Vectors::from_bytes(bytes, self.dimension(), self.members(shard).len())
    }
}

#[cfg(feature = "build")]
fn push_numbers(bytes: &mut Vec<u8>, numbers: &[f32]) {
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn wrong(place: &'static str, expected: impl ToString, found: impl ToString) -> Contradiction {
    Contradiction {
        place,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

/// Offset of each shard's first member, and the end of the last shard, from the sizes of all shards.
fn starts(sizes: &[u8], n_vectors: usize) -> Result<Vec<u32>, Contradiction> {
    let mut starts = vec![0_u32];
    let mut sum = 0_u32;
    for &size in sizes.as_chunks::<4>().0 {
        let size = u32::from_le_bytes(size);
        if !(1..=MAX_MEMBERS).contains(&(size as usize)) {
            let expected = format!("1 to {MAX_MEMBERS}");
            return Err(wrong("size of a vector shard", expected, size));
        }
        sum = sum.saturating_add(size);
        starts.push(sum);
    }
    if sum as usize == n_vectors {
        Ok(starts)
    } else {
        Err(wrong("vectors in all shards", n_vectors, sum))
    }
}

/// The chunk of each member: each chunk once, ascending in each shard.
fn chunks(bytes: &[u8], starts: &[u32]) -> Result<Vec<u32>, Contradiction> {
    let n_vectors = starts.last().map_or(0, |&end| end as usize);
    let place = "chunks of vector shards";
    let wrong = |found: &str| wrong(place, format!("each of {n_vectors}, once"), found);
    let mut varints = Varints::new(bytes);
    let mut is_known = vec![false; n_vectors];
    let mut chunks = Vec::with_capacity(n_vectors);
    for bounds in starts.windows(2) {
        let mut before = 0_u32;
        for member in bounds[0]..bounds[1] {
            let gap = varints.next().ok_or_else(|| wrong("fewer"))?;
            let chunk = before.checked_add(gap).ok_or_else(|| wrong("more"))?;
            let is_twice = match is_known.get_mut(chunk as usize) {
                Some(is_known) => std::mem::replace(is_known, true),
                None => return Err(wrong(&chunk.to_string())),
            };
            if is_twice || (member > bounds[0] && gap == 0) {
                return Err(wrong("one twice"));
            }
            chunks.push(chunk);
            before = chunk;
        }
    }
    if varints.is_empty() {
        Ok(chunks)
    } else {
        Err(wrong("more bytes"))
    }
}

/// Consecutive fields.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    /// The next `n` entries of `size` bytes each.
    fn take(
        &mut self,
        place: &'static str,
        n: usize,
        size: usize,
    ) -> Result<&'b [u8], Contradiction> {
        let n_bytes = n.checked_mul(size);
        let split = n_bytes.and_then(|n_bytes| self.0.split_at_checked(n_bytes));
        let Some((taken, rest)) = split else {
            let expected = format!("{n} of {size} bytes");
            return Err(wrong(place, expected, self.0.len()));
        };
        self.0 = rest;
        Ok(taken)
    }

    fn count(&mut self, place: &'static str, most: usize) -> Result<usize, Contradiction> {
        let bytes = self.take(place, 1, 4)?.first_chunk::<4>();
        let count = bytes.map_or(0, |&count| u32::from_le_bytes(count) as usize);
        if count <= most {
            Ok(count)
        } else {
            Err(wrong(place, format!("at most {most}"), count))
        }
    }

    fn numbers(&mut self, place: &'static str, n: usize) -> Result<Vec<f32>, Contradiction> {
        let bytes = self.take(place, n, 4)?;
        let numbers = bytes.as_chunks::<4>().0.iter();
        numbers
            .map(|&number| {
                let number = f32::from_le_bytes(number);
                if (0.0..=MAX_MAGNITUDE).contains(&number) {
                    Ok(number)
                } else {
                    let expected = format!("0 to {MAX_MAGNITUDE}");
                    Err(wrong(place, expected, number))
                }
            })
            .collect()
    }

    fn number(&mut self, place: &'static str) -> Result<f32, Contradiction> {
        let numbers = self.numbers(place, 1)?;
        Ok(numbers.first().copied().unwrap_or(0.0))
    }

    fn rows(&mut self, dimension: usize, n_rows: usize) -> Result<Int8Vectors, Contradiction> {
        let bytes = self.take("bytes of vectors", n_rows, dimension + 4)?;
        Int8Vectors::from_bytes(bytes, dimension, n_rows)
    }
}
