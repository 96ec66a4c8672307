//! Separates the lines of a page that stay as they are (code, comments, scripts) from those that may hold marks.

/// Elements whose content HTML or Markdown takes as is, and comments: how they start and end.
const RAW: [(&str, &str); 5] = [
    ("<pre", "</pre"),
    ("<script", "</script"),
    ("<style", "</style"),
    ("<textarea", "</textarea"),
    ("<!--", "-->"),
];
/// The fence written around code from a shortcode.
const TILDES: &str = "~~~~~~~~";

/// State carried from the lines read so far to the next one.
pub(super) struct Verbatim {
    open: Option<Open>,
    after_blank: bool,
    /// True if an indent may belong to a list.
    in_list: bool,
    /// True if the last line was code because of its indent.
    in_code: bool,
}

/// A region whose lines stay as they are until its end.
enum Open {
    /// A fence: its character, its length, and true if it is in a quotation.
    Fence(char, usize, bool),
    /// Raw HTML, until this text.
    Raw(&'static str),
    /// Code in a shortcode.
    Highlight,
}

impl Default for Verbatim {
    fn default() -> Self {
        Self {
            open: None,
            after_blank: true,
            in_list: false,
            in_code: false,
        }
    }
}

impl Verbatim {
    /// The line to keep if it is code or raw text; `None` if it may hold marks.
    pub(super) fn take<'t>(&mut self, line: &'t str) -> Option<&'t str> {
        let words = line.trim_start();
        match self.open {
            Some(Open::Fence(_, _, true)) if !words.starts_with('>') => self.open = None,
            Some(Open::Fence(mark, n, _)) => {
                if is_closing(unquoted(words), mark, n) {
                    self.open = None;
                }
                return Some(line);
            }
            Some(Open::Raw(end)) => {
                if find_ignoring_case(line, end).is_some() {
                    self.open = None;
                }
                return Some(line);
            }
            Some(Open::Highlight) => {
                let is_end = shortcode(words).is_some_and(|words| {
                    matches!(words.trim_start(), "endhighlight" | "/highlight")
                });
                if !is_end {
                    return Some(line);
                }
                self.open = None;
                return Some(TILDES);
            }
            None => {}
        }
        if words.is_empty() {
            self.after_blank = true;
            return None;
        }
        let after_blank = std::mem::replace(&mut self.after_blank, false);
        let indent = width(line);
        let in_code = std::mem::take(&mut self.in_code);
        if indent >= 4 && !self.in_list && (after_blank || in_code) {
            self.in_code = true;
            return Some(line);
        }
        let content = unquoted(words);
        let is_quoted = content.len() < words.len();
        let item = without_marker(content);
        if item.len() < content.len() {
            self.in_list = true;
        } else if indent == 0 && after_blank {
            self.in_list = false;
        }
        if let Some((mark, n)) = opening(item) {
            self.open = Some(Open::Fence(mark, n, is_quoted));
            return Some(line);
        }
        let (start, end) = RAW.iter().find(|(start, _)| starts_element(item, start))?;
        if find_ignoring_case(&item[start.len()..], end).is_none() {
            self.open = Some(Open::Raw(end));
        }
        Some(line)
    }

    /// The start of a block of code, for a line that opens a code shortcode: `{% highlight rust %}`.
    pub(super) fn highlighted(&mut self, line: &str) -> Option<&'static str> {
        let mut names = shortcode(line.trim())?.split_whitespace();
        (names.next()? == "highlight").then(|| {
            self.open = Some(Open::Highlight);
            TILDES
        })
    }
}

/// The content of a shortcode that is alone on its line.
fn shortcode(words: &str) -> Option<&str> {
    let words = words.trim();
    [("{{<", ">}}"), ("{{%", "%}}"), ("{%", "%}")]
        .iter()
        .find_map(|(open, close)| words.strip_prefix(open)?.strip_suffix(close))
        .map(|words| words.trim_matches([' ', '-']))
}

/// The columns before the first word.
fn width(line: &str) -> usize {
    line.chars()
        .take_while(|c| matches!(c, ' ' | '\t'))
        .fold(0, |width, c| {
            if c == '\t' {
                width + 4 - width % 4
            } else {
                width + 1
            }
        })
}

fn unquoted(words: &str) -> &str {
    words.trim_start_matches(['>', ' '])
}

/// A line without the list and footnote markers that it starts with.
fn without_marker(words: &str) -> &str {
    let digits = words.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = if digits.len() < words.len() {
        digits.strip_prefix(['.', ')'])
    } else if words.starts_with("[^") {
        words.split_once("]:").map(|(_, rest)| rest)
    } else {
        words.strip_prefix(['-', '*', '+'])
    };
    match rest {
        Some(rest) if rest.is_empty() || rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => words,
    }
}

/// The character and the length of a fence that opens here.
fn opening(words: &str) -> Option<(char, usize)> {
    let mark = words.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = words.trim_start_matches(mark);
    let n = words.len() - rest.len();
    let is_inline = mark == '`' && rest.contains('`');
    (n >= 3 && !is_inline).then_some((mark, n))
}

fn is_closing(words: &str, mark: char, n: usize) -> bool {
    let end = words.trim_end();
    end.len() >= n && end.chars().all(|c| c == mark)
}

fn starts_element(words: &str, start: &str) -> bool {
    words
        .get(..start.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(start))
        && (start == "<!--" || !words[start.len()..].starts_with(|c: char| c.is_alphanumeric()))
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes()
        .windows(wanted.len())
        .position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}
