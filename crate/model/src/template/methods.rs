//! Python's methods on texts, lists and dicts, where `pycompat` lacks them or takes fewer arguments.
//!
//! Source: the "Built-in Types" chapter of Python's library reference. Positions in texts are counted in characters.

use minijinja::value::{Kwargs, Tuple, Value, ValueKind, from_args};
use minijinja::{Error, State};
use minijinja_contrib::pycompat;

use super::filters::{MAX_BYTES, demand_ascii, invalid, too_large};
use super::text::{self, keys, lines, padded, part, split, title};

/// Calls a method that `minijinja` itself does not know.
pub(super) fn call(
    state: &mut State,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let found = match (value.kind(), value.as_str()) {
        (_, Some(text)) => of_text(state, value, text, method, args)?,
        (ValueKind::Seq, _) => of_list(value, method, args)?,
        (ValueKind::Map, _) => of_dict(value, method, args)?,
        _ => None,
    };
    match found {
        Some(found) => Ok(found),
        None => pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// `None` if `pycompat` gives the same result.
fn of_text(
    state: &mut State,
    value: &Value,
    text: &str,
    method: &str,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    let found = match method {
        "split" | "rsplit" => {
            let (separator, limit, named): (Option<&str>, Option<i64>, Kwargs) = from_args(args)?;
            let separator = match separator {
                None => named.get::<Option<&str>>("sep")?,
                given => given,
            };
            let limit = match limit {
                None => named.get::<Option<i64>>("maxsplit")?,
                given => given,
            };
            named.assert_all_used()?;
            // A negative limit means no limit.
            let limit = limit.and_then(|limit| usize::try_from(limit).ok());
            let pieces = split(text, separator, limit, method == "rsplit")?;
            pieces.into_iter().map(Value::from).collect()
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            text::demand_separator(separator)?;
            let is_last = method == "rpartition";
            let cut = match is_last {
                true => text.rsplit_once(separator),
                false => text.split_once(separator),
            };
            let parts = match cut {
                Some((before, after)) => [before, separator, after],
                None if is_last => ["", "", text],
                None => [text, "", ""],
            };
            Value::from(Tuple::from(parts.map(Value::from)))
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "find" | "rfind" | "index" | "rindex" => {
            let (wanted, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
            let place = part(text, start, end).and_then(|(n_before, part)| {
                let at = match method.starts_with('r') {
                    true => part.rfind(wanted),
                    false => part.find(wanted),
                };
                at.map(|at| n_before + part[..at].chars().count())
            });
            match place {
                Some(place) => Value::from(place),
                None if method.ends_with("find") => Value::from(-1),
                None => return Err(invalid("substring not found")),
            }
        }
        "count" => {
            let (wanted, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
            let n_found = part(text, start, end).map(|(_, part)| part.matches(wanted).count());
            Value::from(n_found.unwrap_or(0))
        }
        "startswith" | "endswith" if args.len() > 1 => {
            let (wanted, start, end): (Value, Option<i64>, Option<i64>) = from_args(args)?;
            let Some((_, part)) = part(text, start, end) else {
                return Ok(Some(Value::from(false)));
            };
            return is_end(part, method, &wanted).map(|found| Some(Value::from(found)));
        }
        "replace" => {
            // `count` can be passed by name since Python 3.13.
            let (old, new, count, named): (Value, Value, Option<i32>, Kwargs) = from_args(args)?;
            let named_count = named.get::<Option<i32>>("count")?;
            named.assert_all_used()?;
            let count = Value::from(count.or(named_count).unwrap_or(-1));
            let args = [old, new, count];
            return pycompat::unknown_method_callback(state, value, method, &args).map(Some);
        }
        "splitlines" => {
            let (keeps, named): (Option<bool>, Kwargs) = from_args(args)?;
            let keeps = keeps.or(named.get("keepends")?).unwrap_or(false);
            named.assert_all_used()?;
            lines(text, keeps).map(Value::from).collect()
        }
        "zfill" | "ljust" | "rjust" | "center" => {
            let (width, fill): (i64, Option<&str>) = from_args(args)?;
            Value::from(padded(state, text, method, width, fill)?)
        }
        "title" => {
            let () = from_args(args)?;
            Value::from(title(text))
        }
        "swapcase" => {
            let () = from_args(args)?;
            let swapped = text.chars().flat_map(|c| match c.is_uppercase() {
                true => c.to_lowercase().collect::<Vec<_>>(),
                false => c.to_uppercase().collect(),
            });
            Value::from(swapped.collect::<String>())
        }
        "casefold" => {
            let () = from_args(args)?;
            Value::from(text.to_lowercase().replace('ß', "ss"))
        }
        "isdecimal" => {
            let () = from_args(args)?;
            Value::from(!text.is_empty() && text.chars().all(|c| c.is_numeric()))
        }
        "format" => {
            for key in keys(text) {
                demand_ascii(key)?;
            }
            // `minijinja` pads a field to its width before anything checks how wide it is, so check here.
            let mut numbers = text.split(|c: char| !c.is_ascii_digit());
            let is_wide = |digits: &str| digits.parse::<usize>().is_ok_and(|n| n > MAX_BYTES / 64);
            if numbers.any(|digits| digits.len() > 18 || is_wide(digits)) {
                return Err(too_large("fields of `format`"));
            }
            return Ok(None);
        }
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// Python's list methods; those that mutate are refused, as in `transformers`.
fn of_list(list: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    match method {
        "index" => {
            let (wanted,): (Value,) = from_args(args)?;
            let place = list.try_iter()?.position(|item| item == wanted);
            let place = place.ok_or_else(|| invalid(&format!("`{wanted}` is not in the list")))?;
            Ok(Some(Value::from(place)))
        }
        "copy" => {
            let () = from_args(args)?;
            Ok(Some(list.clone()))
        }
        "append" | "extend" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" => {
            Err(invalid(&format!(
                "`{method}` changes a list, which templates can't do: write `list + [item]`, `|sort` or `|reverse`"
            )))
        }
        _ => Ok(None),
    }
}

/// Python's dict methods; those that mutate are refused, as in `transformers`.
fn of_dict(dict: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    // A key may have the name of a method.
    if dict.get_attr(method).is_ok_and(|item| !item.is_undefined()) {
        return Ok(None);
    }
    match method {
        "copy" => {
            let () = from_args(args)?;
            Ok(Some(dict.clone()))
        }
        "update" | "pop" | "popitem" | "setdefault" | "clear" => Err(invalid(&format!(
            "`{method}` changes a dict, which templates can't do: write `dict(a, key=value)`"
        ))),
        _ => Ok(None),
    }
}

/// `startswith` and `endswith` of one text or a tuple of texts.
fn is_end(text: &str, method: &str, wanted: &Value) -> Result<bool, Error> {
    let holds = |wanted: &str| match method {
        "startswith" => text.starts_with(wanted),
        _ => text.ends_with(wanted),
    };
    let no_text = || invalid(&format!("`{method}` takes a text, or a tuple of texts"));
    if let Some(wanted) = wanted.as_str() {
        return Ok(holds(wanted));
    }
    for one in wanted.try_iter().map_err(|_| no_text())? {
        if holds(one.as_str().ok_or_else(no_text)?) {
            return Ok(true);
        }
    }
    Ok(false)
}
