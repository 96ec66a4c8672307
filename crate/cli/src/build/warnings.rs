//! Collects remarks on pages into a short report: each kind once, with its count and some examples.

use std::collections::BTreeMap;

use anchorite::index::error::PageError;
use serde::Serialize;

/// Maximum examples kept of one kind.
const MAX_EXAMPLES: usize = 10;
/// Maximum examples printed of one kind.
const MAX_PRINTED: usize = 3;

/// All warnings, by kind.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    groups: BTreeMap<&'static str, Group>,
}

/// One kind of warning.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    /// Its stable name.
    kind: &'static str,
    /// Number of cases.
    count: usize,
    /// Advice to the owner of the pages.
    hint: &'static str,
    /// The first ones, in the order of the pages.
    examples: Vec<Example>,
}

/// One page that a warning is about.
#[derive(Debug, Serialize)]
struct Example {
    path: String,
    message: String,
}

impl Warnings {
    /// Adds one case. `message` says what is wrong with which page.
    pub(crate) fn add(
        &mut self,
        kind: &'static str,
        hint: &'static str,
        path: &str,
        message: String,
    ) {
        let group = self.groups.entry(kind).or_insert_with(|| Group {
            kind,
            count: 0,
            hint,
            examples: Vec::new(),
        });
        group.count += 1;
        if group.examples.len() < MAX_EXAMPLES {
            group.examples.push(Example {
                path: path.to_owned(),
                message,
            });
        }
    }

    /// Adds a page that was skipped.
    pub(crate) fn add_error(&mut self, path: &str, error: &PageError) {
        self.add(error.code(), error.hint(), path, error.to_string());
    }

    /// Number of warnings.
    pub(crate) fn count(&self) -> usize {
        self.groups.values().map(|group| group.count).sum()
    }

    /// Prints them on standard error.
    pub(crate) fn print(&self) {
        for group in self.groups.values() {
            for example in group.examples.iter().take(MAX_PRINTED) {
                eprintln!("warning: {}", example.message);
            }
            if group.count > MAX_PRINTED {
                eprintln!(
                    "warning: and {} more of `{}`",
                    group.count - MAX_PRINTED,
                    group.kind
                );
            }
            eprintln!("hint: {}", group.hint);
        }
    }

    /// All kinds, by name.
    pub(crate) fn into_groups(self) -> Vec<Group> {
        self.groups.into_values().collect()
    }
}
