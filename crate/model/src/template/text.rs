//! The longer of Python's methods on texts: splitting, lines, padding, titles.

use minijinja::{Error, State};

use super::filters::{MAX_BYTES, invalid, too_large};

/// `str.split` and, from the end, `str.rsplit`.
pub(super) fn split<'t>(
    text: &'t str,
    separator: Option<&str>,
    limit: Option<usize>,
    is_last: bool,
) -> Result<Vec<&'t str>, Error> {
    let limit = limit.unwrap_or(usize::MAX);
    if let Some(separator) = separator {
        demand_separator(separator)?;
        let n_pieces = limit.saturating_add(1);
        if !is_last {
            return Ok(text.splitn(n_pieces, separator).collect());
        }
        let mut pieces: Vec<&str> = text.rsplitn(n_pieces, separator).collect();
        pieces.reverse();
        return Ok(pieces);
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        rest = match is_last {
            true => rest.trim_end(),
            false => rest.trim_start(),
        };
        if rest.is_empty() {
            break;
        }
        let gap = match is_last {
            _ if pieces.len() == limit => None,
            true => rest.rfind(char::is_whitespace),
            false => rest.find(char::is_whitespace),
        };
        let Some(gap) = gap else {
            pieces.push(rest);
            break;
        };
        let width = rest[gap..].chars().next().map_or(0, char::len_utf8);
        let (before, after) = (&rest[..gap], &rest[gap + width..]);
        let (piece, left) = if is_last {
            (after, before)
        } else {
            (before, after)
        };
        pieces.push(piece);
        rest = left;
    }
    if is_last {
        pieces.reverse();
    }
    Ok(pieces)
}

/// The keys in a format's fields, such as `name` in `{0[name]:>4}`; an unclosed key runs to the end. Doubled braces are
/// text.
pub(super) fn keys(format: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    let (mut depth, mut key) = (0_usize, None);
    let mut chars = format.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (key, c) {
            (Some(start), ']') => {
                keys.push(&format[start..at]);
                key = None;
            }
            (Some(_), _) => {}
            (None, '{') if depth == 0 && chars.next_if(|(_, next)| *next == '{').is_some() => {}
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, '[') if depth > 0 => key = Some(at + 1),
            (None, _) => {}
        }
    }
    keys.extend(key.map(|start| &format[start..]));
    keys
}

pub(super) fn demand_separator(separator: &str) -> Result<(), Error> {
    match separator {
        "" => Err(invalid("empty separator")),
        _ => Ok(()),
    }
}

/// `text[start:end]`, and how many characters precede it; `None` if `start` is past `end`, where nothing can be found.
pub(super) fn part(text: &str, start: Option<i64>, end: Option<i64>) -> Option<(usize, &str)> {
    if start.is_none() && end.is_none() {
        return Some((0, text));
    }
    let n_chars = text.chars().count();
    let place = |at: i64| match usize::try_from(at) {
        Ok(at) => at,
        Err(_) => n_chars.saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (start, end) = (
        start.map_or(0, place),
        end.map_or(n_chars, place).min(n_chars),
    );
    let byte = |at: usize| {
        text.char_indices()
            .nth(at)
            .map_or(text.len(), |(byte, _)| byte)
    };
    (start <= end).then(|| (start, &text[byte(start)..byte(end)]))
}

/// The lines of a text, with their line breaks if `keeps_ends`. Source: the table at `str.splitlines`.
pub(super) fn lines(text: &str, keeps_ends: bool) -> impl Iterator<Item = &str> {
    const ENDS: [char; 10] = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}',
        '\u{2029}',
    ];
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let line = rest.find(ENDS).unwrap_or(rest.len());
        let end = match rest[line..].starts_with("\r\n") {
            true => 2,
            false => rest[line..].chars().next().map_or(0, char::len_utf8),
        };
        let (found, left) = rest.split_at(line + end);
        rest = left;
        Some(if keeps_ends { found } else { &found[..line] })
    })
}

/// `zfill`, `ljust`, `rjust` and `center`.
pub(super) fn padded(
    state: &State,
    text: &str,
    method: &str,
    width: i64,
    fill: Option<&str>,
) -> Result<String, Error> {
    let mut fills = fill
        .unwrap_or(if method == "zfill" { "0" } else { " " })
        .chars();
    let (Some(fill), None) = (fills.next(), fills.next()) else {
        return Err(invalid(
            "the fill character must be exactly one character long",
        ));
    };
    let width = usize::try_from(width).unwrap_or(0);
    let n_missing = width.saturating_sub(text.chars().count());
    if n_missing > MAX_BYTES / fill.len_utf8() {
        return Err(too_large("padded text"));
    }
    state.consume_fuel((n_missing / 64) as u64)?;
    // Python's `center` puts the odd one on the left if the width is odd.
    let n_left = match method {
        "ljust" => 0,
        "center" => n_missing / 2 + (n_missing & width & 1),
        _ => n_missing,
    };
    let filled = |n: usize| std::iter::repeat_n(fill, n).collect::<String>();
    let (left, right) = (filled(n_left), filled(n_missing - n_left));
    Ok(match text.strip_prefix(['+', '-']) {
        Some(digits) if method == "zfill" => format!("{}{left}{digits}", &text[..1]),
        _ => format!("{left}{text}{right}"),
    })
}

/// Capitalises each word: a letter after a character without case.
pub(super) fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut is_inside = false;
    for c in text.chars() {
        match is_inside {
            true => titled.extend(c.to_lowercase()),
            false => titled.extend(c.to_uppercase()),
        }
        is_inside = c.is_lowercase() || c.is_uppercase();
    }
    titled
}
