//! Tells the format of a page from its path.

use crate::error::PageError;

/// The formats of pages, and the extensions of their files, in lower case.
const EXTENSIONS: [(Format, &[&str]); 3] = [
    (Format::Markdown, &["md", "markdown", "mdx"]),
    (Format::Html, &["html", "htm"]),
    (Format::Text, &["txt", "text"]),
];

/// The format of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CommonMark, plus the extensions of site generators.
    Markdown,
    /// A page as a browser reads it.
    Html,
    /// Paragraphs separated by empty lines.
    Text,
}

impl Format {
    /// The format of the page at a path, by its extension in any case.
    ///
    /// # Errors
    /// [`PageError::UnknownExtension`].
    pub fn of(path: &str) -> Result<Self, PageError> {
        let name = file_name(path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        EXTENSIONS
            .iter()
            .find(|(_, known)| {
                known
                    .iter()
                    .any(|known| extension.eq_ignore_ascii_case(known))
            })
            .map(|(format, _)| *format)
            .ok_or_else(|| PageError::UnknownExtension {
                page: path.to_owned(),
                extension: extension.to_owned(),
            })
    }
}

/// True if a path names a Markdown file.
pub fn is_markdown(path: &str) -> bool {
    Format::of(path).is_ok_and(|format| format == Format::Markdown)
}

/// True if a path names a Markdown `README`, which is the page of its folder.
pub fn is_readme(path: &str) -> bool {
    is_markdown(path) && stem(file_name(path)).eq_ignore_ascii_case("readme")
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A file's name without its extension.
pub fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_extensions() {
        for (path, expected) in [
            ("a/b.MD", Some(Format::Markdown)),
            ("a.b/c.mdx", Some(Format::Markdown)),
            ("c.HtM", Some(Format::Html)),
            (".txt", Some(Format::Text)),
            ("md", None),
            ("a.md/b", None),
            ("a.md.bak", None),
            ("", None),
        ] {
            assert_eq!(Format::of(path).ok(), expected, "{path}");
        }
    }

    #[test]
    fn a_readme_is_told_by_its_name() {
        for (path, expected) in [
            ("ReadMe.md", true),
            ("d/README.markdown", true),
            ("README.html", false),
            ("d/readme.x.md", false),
            ("README.md/a.md", false),
        ] {
            assert_eq!(is_readme(path), expected, "{path}");
        }
    }
}
