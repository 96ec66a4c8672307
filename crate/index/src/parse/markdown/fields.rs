//! Turns a block of YAML, TOML or JSON into its values as written: `1.10` stays `1.10`, and `No` may be a title.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

/// Maximum nesting of lists and objects.
pub(super) const MAX_DEPTH: usize = 64;

/// The fields of a block, as written.
pub(super) type Fields = BTreeMap<String, Value>;

/// A value of a block. Numbers, dates and booleans are text as written: `1.10` is a version, and `No` may be a title.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing, or `null`.
    Nothing,
    /// A single value.
    Text(String),
    /// Several values.
    List(Vec<Value>),
    /// Values with names.
    Fields(Fields),
}

/// The fields of a TOML table; `None` if the block is not TOML.
pub(super) fn of_toml(block: &str) -> Option<Fields> {
    fn fields(block: &str, table: &DeTable<'_>) -> Fields {
        let value = |found: &toml::Spanned<DeValue<'_>>| {
            let written = block.get(found.span()).unwrap_or("");
            value(block, found.get_ref(), written)
        };
        table
            .iter()
            .map(|(name, found)| (name.get_ref().to_string(), value(found)))
            .collect()
    }
    fn value(block: &str, found: &DeValue<'_>, written: &str) -> Value {
        match found {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Array(all) => Value::List(
                all.iter()
                    .map(|one| value(block, one.get_ref(), block.get(one.span()).unwrap_or("")))
                    .collect(),
            ),
            DeValue::Table(table) => Value::Fields(fields(block, table)),
            _ => Value::Text(written.to_owned()),
        }
    }
    let table = DeTable::parse(block).ok()?;
    Some(fields(block, table.get_ref()))
}

/// The fields of the object that a text starts with, and its length; `None` if it starts with none.
pub(super) fn of_json(text: &str) -> Option<(Fields, usize)> {
    let mut objects =
        serde_json::Deserializer::from_str(text).into_iter::<BTreeMap<String, &RawValue>>();
    let object = objects.next()?.ok()?;
    Some((json_fields(object, 0)?, objects.byte_offset()))
}

fn json_fields(object: BTreeMap<String, &RawValue>, depth: usize) -> Option<Fields> {
    let fields = object.into_iter();
    fields
        .map(|(name, raw)| Some((name, json_value(raw.get(), depth)?)))
        .collect()
}

fn json_value(raw: &str, depth: usize) -> Option<Value> {
    // Each level parses the levels below it again.
    if depth > MAX_DEPTH {
        return None;
    }
    Some(match raw.bytes().next()? {
        b'"' => Value::Text(serde_json::from_str(raw).ok()?),
        b'n' => Value::Nothing,
        b'[' => {
            let all: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            let values = all.into_iter();
            Value::List(
                values
                    .map(|one| json_value(one.get(), depth + 1))
                    .collect::<Option<_>>()?,
            )
        }
        b'{' => Value::Fields(json_fields(serde_json::from_str(raw).ok()?, depth + 1)?),
        _ => Value::Text(raw.to_owned()),
    })
}
