//! Turns values into text as Python's Jinja does, where `minijinja` writes them otherwise.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind};

/// The longest text that one filter may make, in bytes. A template can nest a value in itself many times over.
const MAX_BYTES: usize = 4 << 20;
/// Values in values.
const MAX_DEPTH: usize = 64;

/// `tojson` as `transformers` has it: what Python's `json.dumps` writes with `ensure_ascii=False`. The filter of
/// `minijinja` spells four characters so that they are safe in HTML; a model would see that.
pub(super) fn to_json(
    value: &Value,
    indent: Option<Value>,
    options: Kwargs,
) -> Result<Value, Error> {
    let indent = indent
        .or(options.get("indent")?)
        .filter(|indent| !indent.is_none());
    let indent = indent.map(usize::try_from).transpose()?;
    let separators = options.get::<Option<Vec<String>>>("separators")?;
    let (comma, colon) = match separators.as_deref() {
        Some([comma, colon]) => (comma.as_str(), colon.as_str()),
        _ => (if indent.is_some() { "," } else { ", " }, ": "),
    };
    let mut json = Json {
        text: String::new(),
        indent,
        comma,
        colon,
    };
    json.write(value, 0)?;
    Ok(Value::from(json.text))
}

struct Json<'o> {
    text: String,
    indent: Option<usize>,
    comma: &'o str,
    colon: &'o str,
}

impl Json<'_> {
    fn write(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(too_large("nested values"));
        }
        match value.kind() {
            ValueKind::Undefined | ValueKind::None => self.text.push_str("null"),
            ValueKind::Bool => self
                .text
                .push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.text.push_str(&value.to_string()),
            ValueKind::Seq | ValueKind::Iterable => {
                self.text.push('[');
                let mut is_empty = true;
                for item in value.try_iter()? {
                    self.separate(is_empty, depth + 1);
                    is_empty = false;
                    self.write(&item, depth + 1)?;
                }
                self.close(is_empty, depth, ']');
            }
            ValueKind::Map => {
                self.text.push('{');
                let mut is_empty = true;
                for key in value.try_iter()? {
                    self.separate(is_empty, depth + 1);
                    is_empty = false;
                    self.write_text(&key.to_string());
                    self.text.push_str(self.colon);
                    self.write(&value.get_item(&key)?, depth + 1)?;
                }
                self.close(is_empty, depth, '}');
            }
            _ => self.write_text(&value.to_string()),
        }
        if self.text.len() > MAX_BYTES {
            Err(too_large("JSON"))
        } else {
            Ok(())
        }
    }

    fn separate(&mut self, is_first: bool, depth: usize) {
        if !is_first {
            self.text.push_str(self.comma);
        }
        self.break_line(depth);
    }

    fn close(&mut self, is_empty: bool, depth: usize, bracket: char) {
        if !is_empty {
            self.break_line(depth);
        }
        self.text.push(bracket);
    }

    fn break_line(&mut self, depth: usize) {
        if let Some(width) = self.indent {
            self.text.push('\n');
            // The depth is limited, and no text needs a wider margin.
            self.text
                .extend(std::iter::repeat_n(' ', width.min(64) * depth));
        }
    }

    fn write_text(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\0'..' ' => self.text.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }
}

/// `indent` as Jinja has it: a line break at the end stays, and empty lines are not filled.
pub(super) fn indent(
    text: &str,
    width: Option<usize>,
    first: Option<bool>,
    blank: Option<bool>,
    options: Kwargs,
) -> Result<String, Error> {
    let width = width.or(options.get("width")?).unwrap_or(4);
    let indents_first = first.or(options.get("first")?).unwrap_or(false);
    let indents_blank = blank.or(options.get("blank")?).unwrap_or(false);
    let n_lines = text.split('\n').count();
    if width
        .checked_mul(n_lines)
        .is_none_or(|n_added| n_added > MAX_BYTES)
    {
        return Err(too_large("indented text"));
    }
    let margin = " ".repeat(width);
    let mut indented = String::with_capacity(text.len() + width * n_lines);
    for (idx, line) in text.split('\n').enumerate() {
        if idx > 0 {
            indented.push('\n');
        }
        if if idx == 0 {
            indents_first
        } else {
            indents_blank || !line.is_empty()
        } {
            indented.push_str(&margin);
        }
        indented.push_str(line);
    }
    Ok(indented)
}

fn too_large(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{what} are too large"))
}
