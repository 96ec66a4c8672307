//! Turns values into text as Python's Jinja does, where `minijinja` differs.

use minijinja::value::{Kwargs, Rest, Tuple, Value, ValueKind, ValueOrKwargs};
use minijinja::{Error, ErrorKind, State};

/// The longest text that one filter may produce, in bytes. A template can nest a value in itself many times over.
pub(super) const MAX_BYTES: usize = 4 << 20;
/// Deepest nesting of values.
const MAX_DEPTH: usize = 64;

/// `tojson` as in `transformers`: the output of Python's `json.dumps`, with `ensure_ascii=False` by default. The filter
/// of `minijinja` escapes four characters for HTML, which a model would see.
///
/// The first positional argument is `ensure_ascii` there, but `indent` in Jinja's own filter; its type tells which is
/// meant.
pub(super) fn to_json(
    value: &Value,
    first: Option<Value>,
    options: Kwargs,
) -> Result<Value, Error> {
    let (mut is_ascii, mut indent) = (options.get::<Option<bool>>("ensure_ascii")?, None);
    match first {
        Some(first) if first.kind() == ValueKind::Bool => is_ascii = Some(first.is_true()),
        first => indent = first,
    }
    let indent = indent
        .or(options.get("indent")?)
        .filter(|indent| !indent.is_none());
    let indent = indent.map(usize::try_from).transpose()?;
    let separators = options.get::<Option<Vec<String>>>("separators")?;
    let (comma, colon) = match separators.as_deref() {
        Some([comma, colon]) => (comma.as_str(), colon.as_str()),
        Some(_) => {
            let reason = "`separators` of `tojson` are two texts";
            return Err(Error::new(ErrorKind::InvalidOperation, reason));
        }
        None => (if indent.is_some() { "," } else { ", " }, ": "),
    };
    let is_sorted = options.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    options.assert_all_used()?;
    let mut json = Json {
        text: String::new(),
        indent,
        comma,
        colon,
        is_ascii: is_ascii.unwrap_or(false),
        is_sorted,
    };
    json.write(value, 0)?;
    Ok(Value::from(json.text))
}

struct Json<'o> {
    text: String,
    indent: Option<usize>,
    comma: &'o str,
    colon: &'o str,
    is_ascii: bool,
    is_sorted: bool,
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
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if self.is_sorted {
                    keys.sort();
                }
                for key in keys {
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
            // The depth is limited, so the margin is always wide enough.
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
                c if self.is_ascii && !c.is_ascii() => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.text.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }
}

/// `indent` as in Jinja: a trailing line break stays, and empty lines are not indented.
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

/// Formats values by a text's conversions: `"%s of %(name)s"|format(..)`.
pub(super) fn format(
    state: &mut State,
    text: &Value,
    values: Rest<ValueOrKwargs>,
) -> Result<Value, Error> {
    let plain = text.as_str().unwrap_or_default().replace("%%", "");
    for key in plain.split("%(").skip(1) {
        demand_ascii(key.split(')').next().unwrap_or_default())?;
    }
    minijinja::filters::format(state, text, values)
}

/// Refuses a format with a non-ASCII key, which `minijinja` 3.1 cuts in the middle of a character.
pub(super) fn demand_ascii(key: &str) -> Result<(), Error> {
    match key.is_ascii() {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a format takes keys in ASCII, found `{key}`"),
        )),
    }
}

/// `left % right` as in Python: a text on the left is a format, whose values are the right side or, for a tuple, its
/// items; of two numbers, the remainder has the sign of the right one.
pub(super) fn percent(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    if left.as_str().is_some() {
        let mut args = vec![left.clone()];
        match right.downcast_object_ref::<Tuple>() {
            Some(values) => args.extend(values.iter().cloned()),
            None => args.push(right.clone()),
        }
        return state.apply_filter("format", &args);
    }
    let types = || format!("`%` does not take {} and {}", left.kind(), right.kind());
    if left.is_integer() && right.is_integer() {
        let whole = |value: &Value| i128::try_from(value.clone());
        let (left, right) = (whole(left)?, whole(right)?);
        let remainder = left.checked_rem(right);
        let remainder = remainder.ok_or_else(|| invalid("`%` divides by 0"))?;
        let is_other_side = remainder != 0 && (remainder < 0) != (right < 0);
        return Ok(Value::from(
            remainder + if is_other_side { right } else { 0 },
        ));
    }
    let number = |value: &Value| match value.kind() {
        ValueKind::Number | ValueKind::Bool => f64::try_from(value.clone()).ok(),
        _ => None,
    };
    let (Some(left), Some(right)) = (number(left), number(right)) else {
        return Err(invalid(&types()));
    };
    if right == 0.0 {
        return Err(invalid("`%` divides by 0"));
    }
    Ok(Value::from(left - right * (left / right).floor()))
}

pub(super) fn too_large(what: &str) -> Error {
    invalid(&format!("{what} are too large"))
}

pub(super) fn invalid(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason.to_owned())
}
