//! Turns a file's parts into metadata and a tensor directory, without trusting any number in them.
//!
//! Every length is capped, and checked against the bytes left, before anything is allocated for it, as in candle's
//! `gguf_file.rs`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::LoadError;
use crate::gguf::stand_in::{START_BYTES, stand_in};
use crate::gguf::{TensorEntry, TensorType, Value};
use crate::parts::Parts;

/// Most bytes in a string: far above the longest chat template.
const GGUF_MAX_STRING_LENGTH: u64 = 1 << 24;
/// Most values in an array: far above the merges of the largest vocabulary.
const GGUF_MAX_ARRAY_ELEMENTS: u64 = 1 << 22;
/// Deepest nesting of arrays: bounds the recursion.
const GGUF_MAX_VALUE_DEPTH: usize = 4;
/// Most metadata keys in a file.
const GGUF_MAX_KEYS: u64 = 1 << 16;
/// Most tensors in a file.
const GGUF_MAX_TENSORS: u64 = 1 << 16;
/// Most dimensions of a tensor, `GGML_MAX_DIMS`.
const GGUF_MAX_DIMS: u64 = 4;
/// Most values along one dimension.
const GGUF_MAX_DIM: u64 = 1 << 31;
/// Alignment of tensors if the file names none, in bytes.
const GGUF_DEFAULT_ALIGNMENT: u32 = 32;
/// The largest alignment accepted, in bytes: a 64 KiB page.
const GGUF_MAX_ALIGNMENT: u32 = 1 << 16;

/// The head of a GGUF file: its metadata and where its tensors are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gguf {
    /// Keys and values, as in the file.
    pub metadata: BTreeMap<String, Value>,
    /// Tensors by name; their ranges are known to be inside the file.
    pub tensors: BTreeMap<String, TensorEntry>,
}

impl Gguf {
    /// Reads the head of a file.
    ///
    /// # Errors
    /// Any of the file, metadata and tensor variants of [`LoadError`], naming what was being read and where.
    pub fn parse(parts: &Parts) -> Result<Self, LoadError> {
        Self::parse_head(parts, parts.len())
    }

    /// As [`Gguf::parse`], for a file of `len` bytes of which only the start has arrived: at least the metadata and the
    /// directory.
    ///
    /// # Errors
    /// As [`Gguf::parse`]; also [`LoadError::Truncated`] if the start is too short.
    pub fn parse_head(parts: &Parts, len: u64) -> Result<Self, LoadError> {
        let mut reader = Reader { parts, offset: 0 };
        let start = parts.len().min(START_BYTES as u64);
        let start = parts.read(0, usize::try_from(start).unwrap_or(START_BYTES))?;
        if let Some(found) = stand_in(&start) {
            return Err(LoadError::StandIn { found });
        }
        let magic = reader.array::<4>("magic")?;
        if &magic != b"GGUF" {
            return Err(LoadError::NotGguf {
                found: magic.escape_ascii().to_string(),
            });
        }
        let version = u32::from_le_bytes(reader.array("version")?);
        if !(2..=3).contains(&version) {
            return Err(LoadError::UnknownVersion { found: version });
        }
        // The fewest bytes a tensor takes: an empty name, no dimensions, type and offset. A key: an empty name, a type,
        // a byte.
        let n_tensors = reader.count("tensor count", GGUF_MAX_TENSORS, 24)?;
        let n_keys = reader.count("metadata count", GGUF_MAX_KEYS, 13)?;

        let mut metadata = BTreeMap::new();
        for _ in 0..n_keys {
            let key = reader.string("metadata key")?;
            let number = u32::from_le_bytes(reader.array(&key)?);
            let value = reader.value(&key, number, 0)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(LoadError::Duplicate { name: key });
            }
        }
        let mut gguf = Self {
            metadata,
            tensors: BTreeMap::new(),
        };

        let key = "general.alignment";
        let alignment = gguf.opt_u32(key)?.unwrap_or(GGUF_DEFAULT_ALIGNMENT);
        if !alignment.is_power_of_two() || alignment > GGUF_MAX_ALIGNMENT {
            return Err(LoadError::MetadataValue {
                key: key.into(),
                expected: format!("a power of two up to {GGUF_MAX_ALIGNMENT}"),
                found: alignment.to_string(),
            });
        }
        let alignment = u64::from(alignment);

        for _ in 0..n_tensors {
            let name = reader.string("tensor name")?;
            let entry = reader.tensor(&name, alignment)?;
            if gguf.tensors.insert(name.clone(), entry).is_some() {
                return Err(LoadError::Duplicate { name });
            }
        }

        // Offsets in the file count from the end of the directory; ours count from the start of the file.
        let start = reader.offset.next_multiple_of(alignment);
        for (name, entry) in &mut gguf.tensors {
            entry.offset = entry.offset.saturating_add(start);
            let left = len.saturating_sub(entry.offset);
            if entry.bytes > left {
                return Err(LoadError::Truncated {
                    what: format!("tensor `{name}`"),
                    offset: entry.offset,
                    expected: entry.bytes,
                    found: left,
                });
            }
        }
        Ok(gguf)
    }

    /// The stored bytes of a tensor.
    ///
    /// # Errors
    /// [`LoadError::MissingTensor`]; [`LoadError::Truncated`] or [`LoadError::Dropped`] if `parts` is another file.
    pub fn tensor<'p>(&self, parts: &'p Parts, name: &str) -> Result<Cow<'p, [u8]>, LoadError> {
        let entry = self.entry(name)?;
        let too_large = |_| LoadError::Truncated {
            what: format!("tensor `{name}`"),
            offset: entry.offset,
            expected: entry.bytes,
            found: usize::MAX as u64,
        };
        parts.read(
            entry.offset,
            usize::try_from(entry.bytes).map_err(too_large)?,
        )
    }

    /// A tensor's position in the file and its type.
    ///
    /// # Errors
    /// [`LoadError::MissingTensor`].
    pub fn entry(&self, name: &str) -> Result<&TensorEntry, LoadError> {
        self.tensors
            .get(name)
            .ok_or_else(|| LoadError::MissingTensor { name: name.into() })
    }

    /// A required string.
    ///
    /// # Errors
    /// [`LoadError::MissingMetadata`], [`LoadError::MetadataType`].
    pub fn string(&self, key: &str) -> Result<&str, LoadError> {
        self.opt_string(key)?.ok_or_else(|| missing(key))
    }

    /// A required number, of any integer type.
    ///
    /// # Errors
    /// [`LoadError::MissingMetadata`], [`LoadError::MetadataType`], [`LoadError::MetadataValue`].
    pub fn u32(&self, key: &str) -> Result<u32, LoadError> {
        self.opt_u32(key)?.ok_or_else(|| missing(key))
    }

    /// A required float.
    ///
    /// # Errors
    /// [`LoadError::MissingMetadata`], [`LoadError::MetadataType`].
    pub fn f32(&self, key: &str) -> Result<f32, LoadError> {
        self.opt_f32(key)?.ok_or_else(|| missing(key))
    }

    /// A required boolean.
    ///
    /// # Errors
    /// [`LoadError::MissingMetadata`], [`LoadError::MetadataType`].
    pub fn bool(&self, key: &str) -> Result<bool, LoadError> {
        self.opt_bool(key)?.ok_or_else(|| missing(key))
    }

    /// An optional string.
    ///
    /// # Errors
    /// [`LoadError::MetadataType`].
    pub fn opt_string(&self, key: &str) -> Result<Option<&str>, LoadError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(key, "string", other)),
        }
    }

    /// An optional number, of any integer type.
    ///
    /// # Errors
    /// [`LoadError::MetadataType`]; [`LoadError::MetadataValue`] outside `u32`.
    pub fn opt_u32(&self, key: &str) -> Result<Option<u32>, LoadError> {
        let Some(value) = self.metadata.get(key) else {
            return Ok(None);
        };
        let number = value
            .as_integer()
            .ok_or_else(|| wrong_type(key, "whole number", value))?;
        u32::try_from(number)
            .map(Some)
            .map_err(|_| LoadError::MetadataValue {
                key: key.into(),
                expected: format!("0 to {}", u32::MAX),
                found: number.to_string(),
            })
    }

    /// An optional float.
    ///
    /// # Errors
    /// [`LoadError::MetadataType`].
    pub fn opt_f32(&self, key: &str) -> Result<Option<f32>, LoadError> {
        let Some(value) = self.metadata.get(key) else {
            return Ok(None);
        };
        value
            .as_float()
            .map(Some)
            .ok_or_else(|| wrong_type(key, "float", value))
    }

    /// An optional boolean.
    ///
    /// # Errors
    /// [`LoadError::MetadataType`].
    pub fn opt_bool(&self, key: &str) -> Result<Option<bool>, LoadError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(wrong_type(key, "bool", other)),
        }
    }

    /// A required array of strings.
    ///
    /// # Errors
    /// [`LoadError::MissingMetadata`], [`LoadError::MetadataType`].
    pub fn strings(&self, key: &str) -> Result<Vec<&str>, LoadError> {
        self.array(key)?
            .iter()
            .map(|value| match value {
                Value::String(text) => Ok(text.as_str()),
                other => Err(wrong_type(key, "array of strings", other)),
            })
            .collect()
    }

    /// A required array of floats.
    ///
    /// # Errors
    /// [`LoadError::MissingMetadata`], [`LoadError::MetadataType`].
    pub fn floats(&self, key: &str) -> Result<Vec<f32>, LoadError> {
        self.array(key)?
            .iter()
            .map(|value| {
                value
                    .as_float()
                    .ok_or_else(|| wrong_type(key, "array of floats", value))
            })
            .collect()
    }

    /// A required array of integers.
    ///
    /// # Errors
    /// [`LoadError::MissingMetadata`], [`LoadError::MetadataType`].
    pub fn ints(&self, key: &str) -> Result<Vec<i32>, LoadError> {
        self.array(key)?
            .iter()
            .map(|value| {
                let number = value
                    .as_integer()
                    .and_then(|number| i32::try_from(number).ok());
                number.ok_or_else(|| wrong_type(key, "array of whole numbers", value))
            })
            .collect()
    }

    fn array(&self, key: &str) -> Result<&[Value], LoadError> {
        match self.metadata.get(key) {
            None => Err(missing(key)),
            Some(Value::Array(values)) => Ok(values),
            Some(other) => Err(wrong_type(key, "array", other)),
        }
    }
}

fn missing(key: &str) -> LoadError {
    LoadError::MissingMetadata { key: key.into() }
}

fn wrong_type(key: &str, expected: &'static str, found: &Value) -> LoadError {
    LoadError::MetadataType {
        key: key.into(),
        expected,
        found: found.kind(),
    }
}

/// A forward-only cursor into the file.
struct Reader<'p> {
    parts: &'p Parts,
    offset: u64,
}

impl Reader<'_> {
    fn left(&self) -> u64 {
        self.parts.len().saturating_sub(self.offset)
    }

    /// Fails unless `expected` bytes are left; called before every allocation.
    fn check_left(&self, what: &str, expected: u64) -> Result<(), LoadError> {
        let found = self.left();
        if expected <= found {
            return Ok(());
        }
        Err(LoadError::Truncated {
            what: what.into(),
            offset: self.offset,
            expected,
            found,
        })
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], LoadError> {
        self.check_left(what, N as u64)?;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.parts.read(self.offset, N)?);
        self.offset += N as u64;
        Ok(bytes)
    }

    /// A count of items that take at least `least_bytes` each.
    fn count(&mut self, what: &str, limit: u64, least_bytes: u64) -> Result<u64, LoadError> {
        let offset = self.offset;
        let found = u64::from_le_bytes(self.array(what)?);
        if found > limit {
            return Err(LoadError::LimitExceeded {
                what: what.into(),
                offset,
                limit,
                found,
            });
        }
        self.check_left(what, found.saturating_mul(least_bytes))?;
        Ok(found)
    }

    fn string(&mut self, what: &str) -> Result<String, LoadError> {
        let len = self.count(what, GGUF_MAX_STRING_LENGTH, 1)?;
        let offset = self.offset;
        let not_utf8 = |_| LoadError::NotUtf8 {
            what: what.into(),
            offset,
        };
        // The cap keeps the length far below the 32-bit address space.
        let bytes = self
            .parts
            .read(offset, usize::try_from(len).unwrap_or(usize::MAX))?;
        self.offset += len;
        String::from_utf8(bytes.into_owned()).map_err(not_utf8)
    }

    fn value(&mut self, key: &str, number: u32, depth: usize) -> Result<Value, LoadError> {
        let offset = self.offset;
        Ok(match number {
            0 => Value::U8(u8::from_le_bytes(self.array(key)?)),
            1 => Value::I8(i8::from_le_bytes(self.array(key)?)),
            2 => Value::U16(u16::from_le_bytes(self.array(key)?)),
            3 => Value::I16(i16::from_le_bytes(self.array(key)?)),
            4 => Value::U32(u32::from_le_bytes(self.array(key)?)),
            5 => Value::I32(i32::from_le_bytes(self.array(key)?)),
            6 => Value::F32(f32::from_le_bytes(self.array(key)?)),
            7 => Value::Bool(u8::from_le_bytes(self.array(key)?) != 0),
            8 => Value::String(self.string(key)?),
            9 => {
                if depth == GGUF_MAX_VALUE_DEPTH {
                    return Err(LoadError::LimitExceeded {
                        what: format!("nesting of arrays in `{key}`"),
                        offset,
                        limit: GGUF_MAX_VALUE_DEPTH as u64,
                        found: depth as u64 + 1,
                    });
                }
                let number = u32::from_le_bytes(self.array(key)?);
                let least_bytes = match number {
                    0 | 1 | 7 => 1,
                    2 | 3 => 2,
                    4..=6 => 4,
                    9 => 12,
                    _ => 8,
                };
                let what = format!("length of array `{key}`");
                let n_values = self.count(&what, GGUF_MAX_ARRAY_ELEMENTS, least_bytes)?;
                let mut values = Vec::new();
                for _ in 0..n_values {
                    values.push(self.value(key, number, depth + 1)?);
                }
                Value::Array(values)
            }
            10 => Value::U64(u64::from_le_bytes(self.array(key)?)),
            11 => Value::I64(i64::from_le_bytes(self.array(key)?)),
            12 => Value::F64(f64::from_le_bytes(self.array(key)?)),
            found => {
                return Err(LoadError::UnknownValueType {
                    key: key.into(),
                    found,
                });
            }
        })
    }

    /// One entry of the directory; its offset is still relative to the end of the directory.
    fn tensor(&mut self, name: &str, alignment: u64) -> Result<TensorEntry, LoadError> {
        let at = self.offset;
        let n_dims = u64::from(u32::from_le_bytes(self.array(name)?));
        let absurd = |what: &str, limit, found| LoadError::LimitExceeded {
            what: format!("{what} of tensor `{name}`"),
            offset: at,
            limit,
            found,
        };
        if n_dims > GGUF_MAX_DIMS {
            return Err(absurd("dimension count", GGUF_MAX_DIMS, n_dims));
        }
        let mut shape = Vec::new();
        let mut n_values = 1usize;
        for _ in 0..n_dims {
            let dim = u64::from_le_bytes(self.array(name)?);
            let sized = usize::try_from(dim).ok().filter(|_| dim <= GGUF_MAX_DIM);
            let sized = sized.ok_or_else(|| absurd("dimension", GGUF_MAX_DIM, dim))?;
            n_values = n_values
                .checked_mul(sized)
                .ok_or_else(|| absurd("value count", usize::MAX as u64, u64::MAX))?;
            shape.push(sized);
        }
        let number = u32::from_le_bytes(self.array(name)?);
        let kind = TensorType::from_number(number).ok_or_else(|| LoadError::UnknownTensorType {
            name: name.into(),
            found: number,
        })?;
        let row = shape.first().copied().unwrap_or(1);
        if !row.is_multiple_of(kind.block_len()) {
            return Err(LoadError::TensorBlocks {
                name: name.into(),
                expected: kind.block_len(),
                found: row,
            });
        }
        let bytes = kind.n_bytes(n_values);
        let bytes = bytes.ok_or_else(|| absurd("value count", usize::MAX as u64, u64::MAX))? as u64;
        let offset = u64::from_le_bytes(self.array(name)?);
        if !offset.is_multiple_of(alignment) {
            return Err(LoadError::TensorUnaligned {
                name: name.into(),
                expected: alignment,
                found: offset,
            });
        }
        Ok(TensorEntry {
            kind,
            shape,
            offset,
            bytes,
        })
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
