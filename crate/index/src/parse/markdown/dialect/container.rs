//! Turns the lines that open and close notes, tabs and the like into their titles.

use super::super::words;

/// The title of a container that opens or ends with colons: `:::note Title`, `:::tip[Title]`, `::: {.note title="Title"}`.
pub(super) fn colons(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(':');
    if line.len() - rest.len() < 3 {
        return None;
    }
    let rest = rest.trim();
    if let Some(list) = rest.strip_prefix('{') {
        let (list, title) = list.split_once('}')?;
        return Some(words::title(list).unwrap_or(title.trim()));
    }
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'))
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    if name.is_empty() {
        return rest.is_empty().then_some("");
    }
    if let Some(label) = rest.strip_prefix('[') {
        return Some(label.rsplit_once(']').map_or(label, |(label, _)| label));
    }
    let said = words::title(rest);
    said.or_else(|| Some(rest.split('{').next().unwrap_or("").trim()))
}

/// The title of a container whose content is indented: `!!! note "Title"`, `??? note`, `=== "Title"`.
pub(super) fn indented(line: &str) -> Option<&str> {
    let (mark, rest) = line.split_at_checked(3)?;
    if !matches!(mark, "!!!" | "???" | "===") {
        return None;
    }
    let rest = rest.trim_start_matches(['+', '!']).trim();
    let title = rest
        .split_once('"')
        .and_then(|(_, rest)| rest.rsplit_once('"'))
        .map(|(title, _)| title);
    match mark {
        "===" => title.filter(|_| rest.starts_with('"')),
        _ if title.is_some() => title,
        // Names only: text with other signs is a sentence.
        _ => {
            let mut letters = rest.chars();
            let is_names = letters.all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
            (is_names && !rest.is_empty()).then_some("")
        }
    }
}

/// The lines of a container at `indent`: they are indented by four more columns, which are removed. `None` if there are
/// none, and so no container.
pub(super) fn content<'t>(lines: &[&'t str], indent: usize) -> Option<Vec<&'t str>> {
    let mut inner = Vec::new();
    let mut n_with_words = 0;
    for line in lines {
        let own = line.len() - line.trim_start_matches(' ').len();
        if line.trim().is_empty() {
            inner.push("");
            continue;
        } else if own >= indent + 4 {
            inner.push(&line[4..]);
        } else if let Some(rest) = line.strip_prefix('\t') {
            inner.push(rest);
        } else {
            break;
        }
        n_with_words = inner.len();
    }
    inner.truncate(n_with_words);
    (n_with_words > 0).then_some(inner)
}

/// The marks of a quotation that is a note, and its title: `> [!NOTE] Title`.
pub(super) fn alert(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim_start_matches(['>', ' ']);
    let quote = line[..line.len() - rest.len()].trim_end();
    let (name, title) = rest.strip_prefix("[!")?.split_once(']')?;
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '|'));
    // `+` and `-` say if it is folded.
    let title = title.strip_prefix(['+', '-']).unwrap_or(title);
    let stands_alone = title.is_empty() || title.starts_with(' ');
    (!quote.is_empty() && is_name && stands_alone).then(|| (quote, title.trim()))
}

/// Blocks between `/// note | Title` and `///`.
#[derive(Default)]
pub(super) struct Slashes {
    n_open: usize,
}

impl Slashes {
    /// The title of a line that opens or closes a block.
    pub(super) fn title<'t>(&mut self, line: &'t str) -> Option<&'t str> {
        let rest = line.strip_prefix("///")?.trim_start_matches('/');
        if rest.trim().is_empty() {
            self.n_open = self.n_open.checked_sub(1)?;
            return Some("");
        }
        let (name, title) = rest.split_once('|').unwrap_or((rest, ""));
        let is_name = name
            .trim()
            .chars()
            .all(|c| c.is_ascii_lowercase() || matches!(c, '-' | '_'));
        if !is_name || !rest.starts_with(' ') || name.trim().is_empty() {
            return None;
        }
        self.n_open += 1;
        Some(title.trim())
    }
}
