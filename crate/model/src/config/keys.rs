//! Reads metadata keys under an architecture's prefix as checked numbers.

use crate::error::LoadError;
use crate::gguf::{Gguf, Value};

/// Metadata under the architecture's prefix.
pub(super) struct Keys<'g> {
    pub(super) gguf: &'g Gguf,
    pub(super) prefix: &'static str,
}

impl Keys<'_> {
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    /// A count from 1 to `limit` that must be there.
    pub(super) fn count(&self, key: &str, limit: usize) -> Result<usize, LoadError> {
        let missing = || LoadError::MissingMetadata {
            key: self.name(key),
        };
        self.opt_count(key, limit)?.ok_or_else(missing)
    }

    pub(super) fn opt_count(&self, key: &str, limit: usize) -> Result<Option<usize>, LoadError> {
        let name = self.name(key);
        let found = match self.gguf.metadata.get(&name) {
            Some(Value::Array(layers)) => self.shared(key, layers)?,
            _ => self.gguf.opt_u32(&name)?.map(i128::from),
        };
        let Some(found) = found else {
            return Ok(None);
        };
        match usize::try_from(found) {
            Ok(count) if (1..=limit).contains(&count) => Ok(Some(count)),
            _ => Err(self.refuse(key, &format!("1 to {limit}"))),
        }
    }

    /// The one number that an array gives for every layer; layers that differ are not supported.
    fn shared(&self, key: &str, layers: &[Value]) -> Result<Option<i128>, LoadError> {
        let first = layers.first().and_then(Value::as_integer);
        let is_shared = layers.iter().all(|layer| layer.as_integer() == first);
        let n_layers = self.gguf.opt_u32(&self.name("block_count"))?;
        let is_complete = n_layers.is_none_or(|n| usize::try_from(n) == Ok(layers.len()));
        match first {
            Some(_) if is_shared && is_complete => Ok(first),
            _ => Err(self.refuse(key, "one number for all layers")),
        }
    }

    pub(super) fn positive(&self, key: &str) -> Result<f32, LoadError> {
        let found = self.gguf.f32(&self.name(key))?;
        if found.is_finite() && found > 0.0 {
            return Ok(found);
        }
        Err(self.refuse(key, "a positive number"))
    }

    pub(super) fn opt_positive(&self, key: &str) -> Result<Option<f32>, LoadError> {
        match self.gguf.opt_f32(&self.name(key))? {
            Some(_) => self.positive(key).map(Some),
            None => Ok(None),
        }
    }

    /// An optional number; 0 counts as absent, since some converters write that.
    pub(super) fn opt_limit(&self, key: &str) -> Result<Option<f32>, LoadError> {
        match self.gguf.opt_f32(&self.name(key))? {
            Some(0.0) => Ok(None),
            _ => self.opt_positive(key),
        }
    }

    /// The factor by which the context was stretched; 0 counts as absent.
    pub(super) fn stretch_factor(&self) -> Result<f32, LoadError> {
        let factor = match self.opt_limit("rope.scaling.factor")? {
            // The key's name from before there were several kinds of scaling.
            None if !self.has("rope.scaling.factor") => self.opt_limit("rope.scale_linear")?,
            factor => factor,
        };
        Ok(factor.unwrap_or(1.0))
    }

    fn has(&self, key: &str) -> bool {
        self.gguf.metadata.contains_key(&self.name(key))
    }

    /// The error for a value that was read but is not acceptable.
    pub(super) fn refuse(&self, key: &str, expected: &str) -> LoadError {
        let name = self.name(key);
        let found = match self.gguf.metadata.get(&name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(values)) => format!("array of {}", values.len()),
            Some(value) => match (value.as_integer(), value.as_float()) {
                (Some(number), _) => number.to_string(),
                (_, Some(number)) => number.to_string(),
                _ => value.kind().into(),
            },
            None => "nothing".into(),
        };
        LoadError::MetadataValue {
            key: name,
            expected: expected.into(),
            found,
        }
    }
}
