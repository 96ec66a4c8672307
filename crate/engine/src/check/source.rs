//! Defines what a text is checked against: a passage as the generator read it.

/// A passage as in the prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The number that citations use, from 1.
    pub number: usize,
    /// The document's title and headings, as the prompt wrote them.
    pub heading_path: String,
    /// The text, cut where the prompt cut it: text that the generator has not read can't be cited.
    pub text: String,
}

impl Source {
    /// The document's title: the heading path up to its first heading.
    pub fn title(&self) -> &str {
        let path = self.heading_path.as_str();
        path.split_once(" > ").map_or(path, |(title, _)| title)
    }
}
