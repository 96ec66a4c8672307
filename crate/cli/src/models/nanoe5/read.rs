//! Reads the package's own format without trusting any number in it.

use std::collections::HashMap;

const MAGIC: &[u8] = b"E5S1";
/// Most pieces, layers and values along a side that are believed.
const MAX_COUNT: usize = 1 << 20;
/// Values in a block, and its bytes.
const BLOCK: (usize, usize) = (32, 18);

/// The contents of a file.
pub(super) struct Read<'f> {
    pub(super) width: usize,
    pub(super) n_layers: usize,
    pub(super) n_heads: usize,
    pub(super) hidden: usize,
    /// Rows of the vocabulary, the last of which have no piece.
    pub(super) n_rows: usize,
    pub(super) n_positions: usize,
    pub(super) n_types: usize,
    pub(super) norm_eps: f32,
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) padding: usize,
    pub(super) unknown: usize,
    pub(super) pieces: Vec<&'f str>,
    pub(super) scores: Vec<f32>,
    /// Characters, and what each is replaced by before a text is cut.
    pub(super) replacements: Vec<(char, String)>,
    pub(super) tensors: HashMap<&'f str, Tensor<'f>>,
}

/// A tensor's bytes.
#[derive(Clone, Copy)]
pub(super) struct Tensor<'f> {
    pub(super) n_values: usize,
    is_blocks: bool,
    bytes: &'f [u8],
}

impl<'f> Tensor<'f> {
    /// The bytes of a tensor of 4-bit blocks.
    pub(super) fn blocks(self) -> Result<&'f [u8], String> {
        match self.is_blocks {
            true => Ok(self.bytes),
            false => Err("a matrix has no blocks of 4 bits".to_owned()),
        }
    }

    /// The values of a tensor of single floats.
    pub(super) fn floats(self) -> Result<Vec<f32>, String> {
        if self.is_blocks {
            return Err("a vector has blocks of 4 bits".to_owned());
        }
        let values = self.bytes.as_chunks().0;
        Ok(values
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect())
    }
}

/// The file, and the place up to which it was read.
struct Cursor<'f> {
    bytes: &'f [u8],
    at: usize,
}

impl<'f> Cursor<'f> {
    fn take(&mut self, n: usize) -> Result<&'f [u8], String> {
        let end = self.at.checked_add(n);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| {
            format!(
                "it ends early: expected {n} bytes at {}, found {}",
                self.at,
                self.bytes.len()
            )
        })?;
        self.at += n;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| "it ends early".to_owned())
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    /// A count or index, below [`MAX_COUNT`].
    fn count(&mut self, what: &str) -> Result<usize, String> {
        let at = self.at;
        let found = self.u32()?;
        usize::try_from(found)
            .ok()
            .filter(|n| *n < MAX_COUNT)
            .ok_or_else(|| {
                format!("{what} at byte {at}: expected less than {MAX_COUNT}, found {found}")
            })
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Read<'_>, String> {
    let mut cursor = Cursor { bytes, at: 0 };
    let magic = cursor.take(MAGIC.len())?;
    if magic != MAGIC {
        return Err(format!(
            "expected `E5S1` at its start, found `{}`",
            magic.escape_ascii()
        ));
    }
    let _version = cursor.u32()?;
    let [
        width,
        n_layers,
        n_heads,
        hidden,
        n_rows,
        n_positions,
        n_types,
    ] = [
        "width",
        "layers",
        "heads",
        "hidden width",
        "rows",
        "positions",
        "types",
    ]
    .map(|what| cursor.count(what));
    let norm_eps = f32::from_le_bytes(cursor.array()?);
    let _block = cursor.count("block size")?;
    let n_pieces = cursor.count("pieces")?;
    let [first, last, padding, unknown] =
        ["first", "last", "padding", "unknown"].map(|what| cursor.count(what));
    let n_text = usize::try_from(u64::from_le_bytes(cursor.array()?)).unwrap_or(usize::MAX);
    let offsets: Vec<usize> = (0..=n_pieces)
        .map(|_| cursor.u32().map(|offset| offset as usize))
        .collect::<Result<_, _>>()?;
    let scores = (0..n_pieces)
        .map(|_| cursor.array().map(f32::from_le_bytes))
        .collect::<Result<_, _>>()?;
    let text = cursor.take(n_text)?;
    let pieces = offsets
        .windows(2)
        .map(|pair| {
            let piece = text.get(pair[0]..pair[1]);
            let piece = piece.and_then(|piece| str::from_utf8(piece).ok());
            piece.ok_or_else(|| format!("a piece at {} of the text is none", pair[0]))
        })
        .collect::<Result<_, _>>()?;
    let replacements = replacements(&mut cursor)?;
    let tensors = tensors(&mut cursor)?;
    let read = Read {
        width: width?,
        n_layers: n_layers?,
        n_heads: n_heads?,
        hidden: hidden?,
        n_rows: n_rows?,
        n_positions: n_positions?,
        n_types: n_types?,
        norm_eps,
        first: first?,
        last: last?,
        padding: padding?,
        unknown: unknown?,
        pieces,
        scores,
        replacements,
        tensors,
    };
    if read.n_rows < n_pieces || n_pieces == 0 {
        return Err(format!("{n_pieces} pieces have {} rows", read.n_rows));
    }
    Ok(read)
}

/// The rules: a character, and up to 255 that replace it.
fn replacements(cursor: &mut Cursor<'_>) -> Result<Vec<(char, String)>, String> {
    let n_rules = cursor.count("rules")?;
    let _bytes = cursor.u32()?;
    let character = |cursor: &mut Cursor<'_>| {
        let found = cursor.u32()?;
        char::from_u32(found).ok_or_else(|| format!("{found} is no character"))
    };
    (0..n_rules)
        .map(|_| {
            let replaced = character(cursor)?;
            let [n] = cursor.array()?;
            let by = (0..n)
                .map(|_| character(cursor))
                .collect::<Result<_, _>>()?;
            Ok((replaced, by))
        })
        .collect()
}

fn tensors<'f>(cursor: &mut Cursor<'f>) -> Result<HashMap<&'f str, Tensor<'f>>, String> {
    let n_tensors = cursor.count("tensors")?;
    (0..n_tensors)
        .map(|_| {
            let length = u16::from_le_bytes(cursor.array()?);
            let name = cursor.take(length.into())?;
            let name = str::from_utf8(name).map_err(|_| "a tensor's name is no text")?;
            let [kind] = cursor.array()?;
            let is_blocks = match kind {
                0 => false,
                1 => true,
                other => return Err(format!("tensor `{name}` is of unknown type {other}")),
            };
            let n_values = cursor.u32()? as usize;
            let offset = usize::try_from(u64::from_le_bytes(cursor.array()?));
            let _bytes: [u8; 8] = cursor.array()?;
            let n_bytes = match is_blocks {
                true if !n_values.is_multiple_of(BLOCK.0) => None,
                true => (n_values / BLOCK.0).checked_mul(BLOCK.1),
                false => n_values.checked_mul(size_of::<f32>()),
            };
            let range = offset
                .ok()
                .zip(n_bytes)
                .and_then(|(offset, n)| Some(offset..offset.checked_add(n)?));
            let bytes = range.and_then(|range| cursor.bytes.get(range));
            let bytes = bytes.ok_or_else(|| format!("tensor `{name}` lies outside the file"))?;
            Ok((
                name,
                Tensor {
                    n_values,
                    is_blocks,
                    bytes,
                },
            ))
        })
        .collect()
}
