//! Turns the front matter of a Markdown file, in YAML, TOML or JSON, into the facts that HTML pages state by
//! attributes.
//!
//! Only the names that site generators agree on are read: other fields may not be meant for readers.

use std::collections::BTreeMap;

use super::fields::{self, Fields, Value};
use super::yaml;
use crate::parse::outline::collapse;

/// Longest front matter, in bytes.
const MAX_BYTES: usize = 64 << 10;
/// Maximum values kept for one name.
const MAX_VALUES: usize = 100;
/// Maximum length of a value that is kept, in characters.
const MAX_CHARS: usize = 500;

/// Fields that results can be filtered by.
const FILTERS: [&str; 4] = ["author", "authors", "categories", "tags"];
/// Fields that are shown with results.
const META: [&str; 8] = [
    "author",
    "authors",
    "date",
    "description",
    "image",
    "lastmod",
    "updated",
    "version",
];
/// Fields that results can be sorted by.
const SORT: [&str; 3] = ["date", "lastmod", "updated"];

/// Facts that a page's front matter states.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FrontMatter {
    pub(super) title: Option<String>,
    pub(super) language: Option<String>,
    /// True if the page is not published yet.
    pub(super) is_draft: bool,
    pub(super) filters: BTreeMap<String, Vec<String>>,
    pub(super) meta: BTreeMap<String, String>,
    pub(super) sort: BTreeMap<String, String>,
}

/// Names that show that a block is front matter, not prose.
const KNOWN: [&str; 26] = [
    "aliases",
    "author",
    "authors",
    "categories",
    "date",
    "description",
    "draft",
    "id",
    "image",
    "keywords",
    "lang",
    "language",
    "lastmod",
    "layout",
    "linktitle",
    "permalink",
    "published",
    "slug",
    "summary",
    "tags",
    "taxonomies",
    "template",
    "title",
    "updated",
    "version",
    "weight",
];

/// Parses the block at the very start, and returns it with the rest of the page: a block between `---` (YAML) or `+++`
/// (TOML) lines, or a JSON object. A YAML block may also end with `...`, and `---json`, `---toml` and `---yaml` name
/// the language. There is no front matter if the end is missing, or if the lines are rules around prose. If a block
/// can't be parsed, as with templates, only the title is read.
pub(super) fn split(text: &str) -> (FrontMatter, &str) {
    let found = match text.lines().next().unwrap_or("").trim_end() {
        "---" | "---yaml" | "---yml" => block(text, &["---", "..."]).and_then(|(block, rest)| {
            let found = yaml(block)?;
            Some((found, rest))
        }),
        "+++" => toml(text, "+++"),
        "---toml" => toml(text, "---"),
        "---json" => block(text, &["---"]).and_then(|(block, rest)| {
            let (fields, _) = fields::of_json(block)?;
            Some((take(&fields), rest))
        }),
        _ if text.starts_with('{') => json(text),
        _ => None,
    };
    found.unwrap_or_else(|| (FrontMatter::default(), text))
}

/// The text between the first line and one of these marks, and the text after it.
fn block<'t>(text: &'t str, ends: &[&str]) -> Option<(&'t str, &'t str)> {
    let mut lines = text.split_inclusive('\n');
    let start = lines.next()?.len();
    let mut offset = start;
    for line in lines {
        if ends.contains(&line.trim_end()) {
            return Some((&text[start..offset], &text[offset + line.len()..]));
        }
        offset += line.len();
    }
    None
}

fn toml<'t>(text: &'t str, end: &str) -> Option<(FrontMatter, &'t str)> {
    let (block, rest) = block(text, &[end])?;
    let fields = (block.len() <= MAX_BYTES).then(|| fields::of_toml(block));
    let found = match fields.flatten() {
        Some(fields) => take(&fields),
        None => title_alone(block)?,
    };
    Some((found, rest))
}

/// A JSON object at the start of a page, if it has a front matter field.
fn json(text: &str) -> Option<(FrontMatter, &str)> {
    let (fields, end) = fields::of_json(text)?;
    let rest = text.get(end..)?;
    let is_line = rest.is_empty()
        || rest
            .trim_start_matches([' ', '\t'])
            .starts_with(['\n', '\r']);
    (is_line && end <= MAX_BYTES && is_known(&fields)).then(|| (take(&fields), rest))
}

/// The front matter in a block of YAML; `None` if it is prose between two rules.
fn yaml(block: &str) -> Option<FrontMatter> {
    if block.trim().is_empty() {
        return Some(FrontMatter::default());
    }
    let fields = (block.len() <= MAX_BYTES).then(|| yaml::fields(block));
    match fields.flatten() {
        Some(fields) => (!is_prose(block, &fields)).then(|| take(&fields)),
        None => title_alone(block),
    }
}

/// The title in a block that can't be parsed; `None` if no line sets a front matter field.
fn title_alone(block: &str) -> Option<FrontMatter> {
    let is_name = |line: &str| {
        let end = line.find([':', '=']).unwrap_or(0);
        KNOWN.contains(&line[..end].trim_end())
    };
    block.lines().any(is_name).then(|| FrontMatter {
        title: title_line(block),
        ..FrontMatter::default()
    })
}

fn is_known(fields: &Fields) -> bool {
    fields
        .keys()
        .any(|name| KNOWN.contains(&name.to_lowercase().as_str()))
}

/// `Note: this page moved.` between two rules is a sentence, although YAML can read it; YAML takes a heading there for a comment.
fn is_prose(block: &str, fields: &Fields) -> bool {
    let is_name = |name: &String| {
        !name.contains(char::is_whitespace) && !name.starts_with(char::is_uppercase)
    };
    fields.is_empty()
        || (!is_known(fields) && (block.starts_with(['\n', '\r']) || !fields.keys().any(is_name)))
}

/// Takes the known fields. If names differ only in case, the lower-case one counts.
fn take(fields: &Fields) -> FrontMatter {
    let get = |name: &str| {
        fields.get(name).or_else(|| {
            let mut fields = fields.iter();
            let found = fields.find(|(own, _)| own.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value)
        })
    };
    let first = |name: &str| values(get(name)?).into_iter().next();
    let is = |name: &str, words: [&str; 3]| match get(name) {
        Some(Value::Text(text)) => words.iter().any(|word| text.eq_ignore_ascii_case(word)),
        _ => false,
    };
    let mut front_matter = FrontMatter {
        title: first("title"),
        language: first("lang").or_else(|| first("language")),
        is_draft: is("draft", ["true", "yes", "on"]) || is("published", ["false", "no", "off"]),
        ..FrontMatter::default()
    };
    // Some generators keep tags in a separate table.
    let apart = match get("taxonomies") {
        Some(Value::Fields(apart)) => Some(apart),
        _ => None,
    };
    let names = KNOWN.into_iter().filter(|name| {
        [&SORT[..], &META, &FILTERS]
            .iter()
            .any(|names| names.contains(name))
    });
    for name in names {
        let value = get(name).or_else(|| apart?.get(name));
        let values = value.map(values).unwrap_or_default();
        let Some(one) = values.first() else { continue };
        // One author or several become the same filter.
        let kept = if name == "authors" { "author" } else { name }.to_owned();
        if SORT.contains(&name) {
            front_matter.sort.insert(kept.clone(), one.clone());
        }
        if META.contains(&name) {
            front_matter.meta.insert(kept.clone(), values.join(", "));
        }
        if FILTERS.contains(&name) {
            front_matter.filters.insert(kept, values);
        }
    }
    front_matter
}

/// The texts of a value or of a list of values. An object counts as its `name`.
fn values(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Fields(fields) => match fields.get("name")? {
            Value::Text(name) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    };
    let all = match value {
        Value::List(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts = all.iter().take(MAX_VALUES).filter_map(text);
    let texts = texts.map(|text| collapse(&text).chars().take(MAX_CHARS).collect());
    texts.filter(|text: &String| !text.is_empty()).collect()
}

/// The value of the first line that gives a `title`, in YAML or TOML.
fn title_line(block: &str) -> Option<String> {
    let value = block.lines().find_map(|line| {
        let rest = line.strip_prefix("title")?.trim_start();
        rest.strip_prefix(':').or_else(|| rest.strip_prefix('='))
    })?;
    let value = value.trim();
    let unquoted = ['"', '\''].iter().find_map(|&quote| {
        let inner = value.strip_prefix(quote)?;
        Some(&inner[..inner.find(quote)?])
    });
    let title = collapse(unquoted.unwrap_or_else(|| value.split(" #").next().unwrap_or(value)));
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
#[path = "front_matter_tests.rs"]
mod tests;
