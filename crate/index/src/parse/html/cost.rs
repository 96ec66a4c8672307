//! Estimates the cost of parsing a page from its tags, so that a page made to exhaust the parser is refused first.
//!
//! HTML parsers search all open elements at each tag, reopen formatting elements in each block, and compare each
//! attribute with the earlier ones of its tag: each cost is quadratic in what a hostile page repeats.

/// Counts taken before a page is parsed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// How deep elements are nested, not counting those that HTML closes implicitly.
    pub(super) depth: usize,
    /// Open elements, summed over all tags.
    pub(super) open_elements: usize,
    /// Open formatting elements, summed over the tags of blocks.
    pub(super) formatting: usize,
    /// Largest number of attributes in one tag.
    pub(super) attributes: usize,
}

impl Cost {
    /// Limits for parsing: far above any page that a person or a generator wrote.
    pub(super) const MAX: Cost = Cost {
        depth: 4096,
        open_elements: 100_000_000,
        formatting: 2_000_000,
        attributes: 4096,
    };

    /// The first count that exceeds its limit, as `(what, limit, found)`.
    pub(super) fn excess(&self) -> Option<(&'static str, usize, usize)> {
        let max = Self::MAX;
        [
            ("depth of nested elements", max.depth, self.depth),
            (
                "sum of open elements",
                max.open_elements,
                self.open_elements,
            ),
            (
                "sum of open formatting elements",
                max.formatting,
                self.formatting,
            ),
            (
                "number of attributes in a tag",
                max.attributes,
                self.attributes,
            ),
        ]
        .into_iter()
        .find(|(_, max, found)| found > max)
    }
}

/// Elements that close when a sibling starts or their parent ends.
const CLOSE_THEMSELVES: [&str; 26] = [
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "option", "p", "param", "rp", "rt", "source", "tbody", "td", "tfoot", "th", "thead", "tr",
    "wbr",
];

/// Elements that a parser reopens in the next block while their end tag is missing.
const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

/// Counts without parsing. Tags in scripts and comments may be counted too: the result is an upper bound.
pub(super) fn of(text: &str) -> Cost {
    let mut cost = Cost::default();
    let (mut depth, mut formatting) = (0_usize, 0_usize);
    // A tag may stay open across pieces, because a quoted value may contain a `<`.
    let mut attributes = Attributes::default();
    let mut raw: Option<&str> = None;
    for piece in text.split('<').skip(1) {
        let (is_close, tag) = piece
            .strip_prefix('/')
            .map_or((false, piece), |tag| (true, tag));
        let end = tag
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(tag.len());
        let name = tag[..end].to_ascii_lowercase();
        let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if raw.is_some_and(|raw| is_close && raw == name) {
            raw = None;
            attributes = Attributes::default();
        }
        if raw.is_none() {
            if is_tag && !attributes.is_open {
                attributes = Attributes::starting();
                attributes.read(&tag[end..]);
            } else if attributes.is_open {
                attributes.read(piece);
            }
            cost.attributes = cost.attributes.max(attributes.n);
            raw = ["script", "style"]
                .into_iter()
                .find(|raw| !is_close && *raw == name);
        }
        if !is_tag {
            continue;
        }
        cost.open_elements = cost.open_elements.saturating_add(depth);
        let is_formatting = FORMATTING.contains(&name.as_str());
        if !is_formatting {
            cost.formatting = cost.formatting.saturating_add(formatting);
        }
        if CLOSE_THEMSELVES.contains(&name.as_str()) {
            continue;
        }
        if is_close {
            depth = depth.saturating_sub(1);
            formatting = formatting.saturating_sub(usize::from(is_formatting));
        } else {
            depth += 1;
            formatting += usize::from(is_formatting);
            cost.depth = cost.depth.max(depth);
        }
    }
    cost
}

/// Counts the attributes of one tag.
#[derive(Default)]
struct Attributes {
    n: usize,
    is_open: bool,
    quote: Option<u8>,
    after_equals: bool,
    in_name: bool,
}

impl Attributes {
    fn starting() -> Self {
        Self {
            is_open: true,
            ..Self::default()
        }
    }

    fn read(&mut self, piece: &str) {
        for byte in piece.bytes() {
            if !self.is_open {
                return;
            }
            match (self.quote, byte) {
                (Some(quote), _) if byte == quote => self.quote = None,
                (Some(_), _) => {}
                (None, b'>') => self.is_open = false,
                (None, b'"' | b'\'') if self.after_equals => {
                    self.quote = Some(byte);
                    self.after_equals = false;
                    self.in_name = false;
                }
                (None, b'=') => self.after_equals = true,
                (None, b'/') => self.in_name = false,
                (None, _) if byte.is_ascii_whitespace() => self.in_name = false,
                (None, _) => {
                    if !self.in_name && !self.after_equals {
                        self.n += 1;
                    }
                    self.in_name = true;
                    self.after_equals = false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_what_stays_open() {
        assert_eq!(
            of("<ul><li>a<li>b<li><b>c</b></ul><p>x<p>y 1 < 2 <br/>").depth,
            2
        );
        assert_eq!(of(&"<DIV class=x>".repeat(50)).depth, 50);
    }

    #[test]
    fn attributes_are_counted_past_marks_in_quotes() {
        let cost = of("<a href='x<y>z' b=\"1 2 3\" c d=e>text with many words</a><p id=x>");
        assert_eq!(cost.attributes, 4);
        assert_eq!(
            of("<script>if (a<b c d e f g h) {}</script><p>").attributes,
            0
        );
    }

    #[test]
    fn open_formatting_is_summed_over_blocks() {
        assert_eq!(of("<b><i><p>x<p>y").formatting, 4);
        assert_eq!(of("<b><i></i></b><p>x<p>y").formatting, 0);
    }
}
