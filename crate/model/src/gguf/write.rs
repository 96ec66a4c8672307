//! Turns metadata and tensors into a GGUF file; the same input gives the same bytes.
//!
//! Used by conversions and tests.

use crate::gguf::{TensorType, Value};
use crate::quant;

/// Tensors start on multiples of this.
const ALIGNMENT: usize = 32;

/// A tensor to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorOut {
    /// llama.cpp's name for it.
    pub name: String,
    /// How `bytes` are stored.
    pub kind: TensorType,
    /// Its shape, fastest dimension first.
    pub shape: Vec<usize>,
    /// Its stored bytes.
    pub bytes: Vec<u8>,
}

impl TensorOut {
    /// Packs `values` as `kind`.
    ///
    /// # Panics
    /// If the number of values differs from the shape's, or they are not whole blocks of a supported type.
    pub fn pack(name: &str, kind: TensorType, shape: &[usize], values: &[f32]) -> Self {
        let n_values: usize = shape.iter().product();
        assert_eq!(
            values.len(),
            n_values,
            "values of `{name}` for shape {shape:?}"
        );
        Self {
            name: name.into(),
            kind,
            shape: shape.into(),
            bytes: quant::quantize(kind, values),
        }
    }
}

/// A file being assembled; keys and tensors keep their order of insertion.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    pub(crate) metadata: Vec<(String, Value)>,
    /// The tensors, in the order of the file.
    pub tensors: Vec<TensorOut>,
}

impl Writer {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a metadata value.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.metadata.push((key.into(), value.into()));
        self
    }

    /// Removes a metadata value.
    pub fn unset(&mut self, key: &str) -> &mut Self {
        self.metadata.retain(|(found, _)| found != key);
        self
    }

    /// Adds a tensor.
    pub fn add(&mut self, tensor: TensorOut) -> &mut Self {
        self.tensors.push(tensor);
        self
    }

    /// The finished file, GGUF version 3.
    ///
    /// # Panics
    /// If an array mixes types, or a tensor's bytes don't match its shape.
    pub fn finish(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            push_string(&mut out, key);
            out.extend(value.type_number().to_le_bytes());
            push_value(&mut out, value);
        }
        let mut offset = 0usize;
        for tensor in &self.tensors {
            let expected = tensor.kind.n_bytes(tensor.shape.iter().product());
            assert_eq!(
                Some(tensor.bytes.len()),
                expected,
                "bytes of `{}`",
                tensor.name
            );
            push_string(&mut out, &tensor.name);
            let n_dims = u32::try_from(tensor.shape.len()).unwrap_or(u32::MAX);
            out.extend(n_dims.to_le_bytes());
            for &dim in &tensor.shape {
                out.extend((dim as u64).to_le_bytes());
            }
            out.extend(tensor.kind.number().to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
            offset = (offset + tensor.bytes.len()).next_multiple_of(ALIGNMENT);
        }
        for tensor in &self.tensors {
            out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
            out.extend(&tensor.bytes);
        }
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
        out
    }
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::U8(v) => out.extend(v.to_le_bytes()),
        Value::I8(v) => out.extend(v.to_le_bytes()),
        Value::U16(v) => out.extend(v.to_le_bytes()),
        Value::I16(v) => out.extend(v.to_le_bytes()),
        Value::U32(v) => out.extend(v.to_le_bytes()),
        Value::I32(v) => out.extend(v.to_le_bytes()),
        Value::F32(v) => out.extend(v.to_le_bytes()),
        Value::Bool(v) => out.push(u8::from(*v)),
        Value::String(v) => push_string(out, v),
        Value::Array(values) => {
            // An empty array has no type of its own; u32 reads back as empty under any type.
            let number = values.first().map_or(4, Value::type_number);
            out.extend(number.to_le_bytes());
            out.extend((values.len() as u64).to_le_bytes());
            for value in values {
                assert_eq!(
                    value.type_number(),
                    number,
                    "an array holds values of one type"
                );
                push_value(out, value);
            }
        }
        Value::U64(v) => out.extend(v.to_le_bytes()),
        Value::I64(v) => out.extend(v.to_le_bytes()),
        Value::F64(v) => out.extend(v.to_le_bytes()),
    }
}
