//! Reads the attributes that a Pagefind site already carries: filters, metadata, sort keys and a weight.
//!
//! They mean the same as in Pagefind: `key` takes the element's text, `key[attribute]` the value of an attribute, and
//! `key:value` the rest of the attribute as is. They count anywhere on the page, even in parts left out of the text
//! only.

use std::collections::BTreeMap;

use scraper::ElementRef;

use crate::parse::clean;
use crate::parse::outline::collapse;

/// Maximum length of a name or value, in characters: longer text was tagged by mistake.
const MAX_CHARS: usize = 500;
/// Maximum values kept from one page.
const MAX_VALUES: usize = 1000;
/// Maximum pieces of text read from one tagged element.
const MAX_PIECES: usize = 1000;

/// Values collected from the attributes of a page.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) filters: BTreeMap<String, Vec<String>>,
    pub(super) meta: BTreeMap<String, String>,
    pub(super) sort: BTreeMap<String, String>,
    defaults: BTreeMap<String, String>,
    n_values: usize,
}

impl Attributes {
    /// Adds the values that one element sets.
    pub(super) fn read(&mut self, element: ElementRef<'_>) {
        if let Some(rule) = element.attr("data-pagefind-filter") {
            for (name, value) in captures(rule, element) {
                if self.has_room() {
                    let values = self.filters.entry(name).or_default();
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
            }
        }
        for (attribute, is_default) in [
            ("data-pagefind-meta", false),
            ("data-pagefind-default-meta", true),
        ] {
            if let Some(rule) = element.attr(attribute) {
                for (name, value) in captures(rule, element) {
                    if self.has_room() {
                        let kept = if is_default {
                            &mut self.defaults
                        } else {
                            &mut self.meta
                        };
                        kept.entry(name).or_insert(value);
                    }
                }
            }
        }
        if let Some(rule) = element.attr("data-pagefind-sort") {
            for (name, value) in captures(rule, element) {
                if self.has_room() {
                    self.sort.entry(name).or_insert(value);
                }
            }
        }
    }

    /// Sets a value that a page has by default, unless an attribute set it.
    pub(super) fn automatic(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(tidy).filter(|value| !value.is_empty());
        if let Some(value) = value {
            self.meta.entry(name.to_owned()).or_insert(value);
        }
    }

    /// Fills in the defaults, once everything is read.
    pub(super) fn finish(mut self) -> Self {
        for (name, value) in std::mem::take(&mut self.defaults) {
            self.meta.entry(name).or_insert(value);
        }
        self
    }

    fn has_room(&mut self) -> bool {
        self.n_values += 1;
        self.n_values <= MAX_VALUES
    }
}

/// The names and values that one attribute captures; those without a value are dropped.
fn captures(rule: &str, element: ElementRef<'_>) -> Vec<(String, String)> {
    let mut captures = Vec::new();
    let mut rest = rule;
    while !rest.is_empty() && captures.len() < MAX_VALUES {
        let end = rest.find(',').unwrap_or(rest.len());
        let item = &rest[..end];
        let (name, value) = match (item.find(':'), item.find('[')) {
            (Some(colon), bracket) if bracket.is_none_or(|bracket| colon < bracket) => {
                // Free text runs to the end, commas included.
                let text = &rest[colon + 1..];
                rest = "";
                (&item[..colon], tidy(text))
            }
            (_, Some(bracket)) => {
                rest = rest.get(end + 1..).unwrap_or("");
                let attribute = item[bracket + 1..].trim_end().trim_end_matches(']').trim();
                (
                    &item[..bracket],
                    tidy(element.attr(attribute).unwrap_or("")),
                )
            }
            _ => {
                rest = rest.get(end + 1..).unwrap_or("");
                (item, text(element))
            }
        };
        let name = tidy(name);
        if !name.is_empty() && !value.is_empty() {
            captures.push((name, value));
        }
    }
    captures
}

fn text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    for piece in element.text().take(MAX_PIECES) {
        text.push_str(piece);
        if text.len() > 4 * MAX_CHARS {
            break;
        }
    }
    tidy(&text)
}

fn tidy(text: &str) -> String {
    let start: String = text.chars().take(4 * MAX_CHARS).collect();
    clean(&collapse(&start)).chars().take(MAX_CHARS).collect()
}

/// `data-pagefind-weight` of the element itself: 0 to 10, as in Pagefind; `None` if it is missing or not a number.
pub(super) fn weight(element: ElementRef<'_>) -> Option<f32> {
    let weight: f32 = element.attr("data-pagefind-weight")?.trim().parse().ok()?;
    weight.is_finite().then(|| weight.clamp(0.0, 10.0))
}

/// The extent of a `data-pagefind-ignore`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignore {
    /// The text inside is not read; filters and metadata count.
    Text,
    /// Nothing inside counts.
    All,
}

/// The element's `data-pagefind-ignore`; any value other than `all` leaves out only the text.
pub(super) fn ignore(element: ElementRef<'_>) -> Option<Ignore> {
    let value = element.attr("data-pagefind-ignore")?;
    Some(if value.trim().eq_ignore_ascii_case("all") {
        Ignore::All
    } else {
        Ignore::Text
    })
}
