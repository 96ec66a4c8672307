//! Parses a block of YAML, keeping its values as written.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};

use super::fields::{Fields, MAX_DEPTH, Value};

/// Maximum values in a block, including those that aliases repeat. A long text counts as several.
const MAX_NODES: usize = 10_000;
/// Each text counts as one more value per this many bytes.
const NODE_BYTES: usize = 64;

/// A list or a mapping being read.
struct Open {
    anchor: usize,
    value: Value,
    /// The key of a mapping that still needs its value.
    key: Option<String>,
    n_nodes: usize,
}

/// The fields of a block; `None` if it is not a mapping, or takes too much. An empty block is an empty mapping.
pub(super) fn fields(block: &str) -> Option<Fields> {
    let mut open: Vec<Open> = Vec::new();
    // The values behind aliases, each with the number of values in it.
    let mut anchors: HashMap<usize, (Value, usize)> = HashMap::new();
    let mut root = None;
    let mut n_nodes = 0_usize;
    for event in Parser::new_from_str(block) {
        let (value, anchor, size) = match event.ok()?.0 {
            Event::Scalar(text, style, anchor, _) => {
                let size = 1 + text.len() / NODE_BYTES;
                n_nodes += size;
                let is_nothing = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_nothing {
                    Value::Nothing
                } else {
                    Value::Text(text.into_owned())
                };
                (value, anchor, size)
            }
            Event::Alias(anchor) => {
                let (value, size) = anchors.get(&anchor)?;
                n_nodes += size;
                if n_nodes > MAX_NODES {
                    return None;
                }
                (value.clone(), 0, *size)
            }
            Event::SequenceStart(_, anchor, _) => {
                open.push(start(Value::List(Vec::new()), anchor));
                continue;
            }
            Event::MappingStart(_, anchor, _) => {
                open.push(start(Value::Fields(Fields::new()), anchor));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                n_nodes += 1;
                let ended = open.pop()?;
                (ended.value, ended.anchor, ended.n_nodes + 1)
            }
            _ => continue,
        };
        if n_nodes > MAX_NODES || open.len() > MAX_DEPTH {
            return None;
        }
        if anchor != 0 {
            n_nodes += size;
            anchors.insert(anchor, (value.clone(), size));
        }
        match open.last_mut() {
            Some(around) => {
                around.n_nodes += size;
                put(around, value);
            }
            None => {
                root.get_or_insert(value);
            }
        }
    }
    match root {
        Some(Value::Fields(fields)) => Some(fields),
        None | Some(Value::Nothing) => Some(Fields::new()),
        Some(_) => None,
    }
}

fn start(value: Value, anchor: usize) -> Open {
    Open {
        anchor,
        value,
        key: None,
        n_nodes: 0,
    }
}

/// Adds a value to its parent. The first of two equal keys counts, and a mapping's own key before a merged one.
fn put(around: &mut Open, value: Value) {
    match (&mut around.value, around.key.take()) {
        (Value::List(all), _) => all.push(value),
        (Value::Fields(_), None) => {
            around.key = Some(match value {
                Value::Text(text) => text,
                _ => String::new(),
            });
        }
        (Value::Fields(fields), Some(key)) if key == "<<" => {
            let merged = match value {
                Value::List(all) => all,
                one => vec![one],
            };
            for one in merged {
                if let Value::Fields(more) = one {
                    for (key, value) in more {
                        fields.entry(key).or_insert(value);
                    }
                }
            }
        }
        (Value::Fields(fields), Some(key)) => {
            fields.entry(key).or_insert(value);
        }
        _ => {}
    }
}
