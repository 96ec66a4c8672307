//! Turns the front matter of a Markdown file, in YAML or TOML, into what HTML pages say about themselves by attributes.
//!
//! Only the names that site generators agree on are read: what else stands there may not be meant for readers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::parse::outline::collapse;

/// What is longer is no front matter.
const MAX_BYTES: usize = 64 << 10;
/// Most values of a block, those that aliases repeat included.
const MAX_NODES: usize = 10_000;
/// Most values that are kept of one name.
const MAX_VALUES: usize = 100;
/// Longest value that is kept, in characters.
const MAX_CHARS: usize = 500;

/// By which of a page's values results can be narrowed.
const FILTERS: [&str; 4] = ["author", "authors", "categories", "tags"];
/// What is shown with results.
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
/// By what results can be sorted.
const SORT: [&str; 3] = ["date", "lastmod", "updated"];

/// What a page says about itself.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FrontMatter {
    pub(super) title: Option<String>,
    pub(super) language: Option<String>,
    /// Whether the page is not published yet.
    pub(super) is_draft: bool,
    pub(super) filters: BTreeMap<String, Vec<String>>,
    pub(super) meta: BTreeMap<String, String>,
    pub(super) sort: BTreeMap<String, String>,
}

/// The block between `---` (YAML) or `+++` (TOML) lines at the very start, read, and the rest of the page. Without a closing line
/// there is none. Of a block that is neither language, as of templates, only the title is read.
pub(super) fn split(text: &str) -> (FrontMatter, &str) {
    let first = text.lines().next().unwrap_or("").trim_end();
    if first != "---" && first != "+++" {
        return (FrontMatter::default(), text);
    }
    let mut offset = 0;
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if number == 1 {
            start = offset;
        }
        if number > 0 && line.trim_end() == first {
            let block = &text[start..offset];
            return (read(block, first == "+++"), &text[offset + line.len()..]);
        }
        offset += line.len();
    }
    (FrontMatter::default(), text)
}

fn read(block: &str, is_toml: bool) -> FrontMatter {
    let read = match block.len() {
        ..=MAX_BYTES if is_toml => block.parse().ok().map(from_toml),
        ..=MAX_BYTES => serde_saphyr::from_str_with_options(block, limits()).ok(),
        _ => None,
    };
    let Some(Value::Object(fields)) = read else {
        return FrontMatter {
            title: title_line(block),
            ..FrontMatter::default()
        };
    };
    let first = |name: &str| values(fields.get(name)?).into_iter().next();
    let is =
        |name: &str, expected: bool| fields.get(name).and_then(Value::as_bool) == Some(expected);
    let mut front_matter = FrontMatter {
        title: first("title"),
        language: first("lang").or_else(|| first("language")),
        is_draft: is("draft", true) || is("published", false),
        ..FrontMatter::default()
    };
    for (name, value) in &fields {
        let values = values(value);
        let Some(one) = values.first() else { continue };
        let name = name.as_str();
        // One author or several are the same filter.
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

/// Aliases may stand for so much that a short block takes minutes.
fn limits() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: MAX_NODES, max_depth: 64 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES },
        with_snippet: false,
    }
}

/// The texts of a value or of a list of values. Of an object that names something only its name is read.
fn values(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(fields) => fields.get("name")?.as_str().map(str::to_owned),
        _ => None,
    };
    let all = match value {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts = all.iter().take(MAX_VALUES).filter_map(text);
    let texts = texts.map(|text| collapse(&text).chars().take(MAX_CHARS).collect());
    texts.filter(|text: &String| !text.is_empty()).collect()
}

fn from_toml(table: toml::Table) -> Value {
    fn value(found: toml::Value) -> Value {
        match found {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(is) => is.into(),
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(all) => all.into_iter().map(value).collect(),
            toml::Value::Table(table) => from_toml(table),
        }
    }
    let fields = table.into_iter();
    fields.map(|(name, found)| (name, value(found))).collect()
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
mod tests {
    use super::*;

    fn json(front_matter: &FrontMatter) -> Value {
        serde_json::json!({
            "title": front_matter.title, "language": front_matter.language, "draft": front_matter.is_draft,
            "filters": front_matter.filters, "meta": front_matter.meta, "sort": front_matter.sort,
        })
    }

    #[test]
    fn yaml_and_toml_say_the_same() {
        let (yaml, rest) = split(
            "---\ntitle: \"A: b\" # c\ndate: 2026-03-01\ntags: [one,  two words]\nauthors:\n  - name: Ann\n    email: a@x.org\n  - \
             Bob\nlang: de\ndraft: true\nsecret: x\nversion: 2\n---\nbody",
        );
        assert_eq!(rest, "body");
        assert_eq!(
            json(&yaml),
            serde_json::json!({
                "title": "A: b", "language": "de", "draft": true,
                "filters": { "tags": ["one", "two words"], "author": ["Ann", "Bob"] },
                "meta": { "author": "Ann, Bob", "date": "2026-03-01", "version": "2" },
                "sort": { "date": "2026-03-01" },
            })
        );
        let (toml, rest) = split(
            "+++\ntitle = 'A: b'\ndate = 2026-03-01\ntags = ['one', 'two words']\nauthors = [{ name = 'Ann' }, 'Bob']\nlang = 'de'\n\
             draft = true\nversion = 2\n+++\nbody",
        );
        assert_eq!((&toml, rest), (&yaml, "body"));
    }

    #[test]
    fn of_what_is_neither_the_title_is_read() {
        let (found, rest) = split("---\nlayout: {{ x }} {\ntitle: 'T'\n---\nbody");
        assert_eq!((found.title.as_deref(), rest), (Some("T"), "body"));
        let (found, rest) = split("---\n\nnever closed");
        assert_eq!(
            (found, rest),
            (FrontMatter::default(), "---\n\nnever closed")
        );
        let (found, rest) = split("---\r\ntitle: T\r\n---\r\nbody");
        assert_eq!((found.title.as_deref(), rest), (Some("T"), "body"));
        assert_eq!(split("---\n---\nbody").1, "body");
    }
}
