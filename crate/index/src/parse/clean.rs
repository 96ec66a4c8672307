//! Strips characters that are invisible but change what a reader sees.

use std::borrow::Cow;

/// Drops control characters other than tab and line ends, marks that override the direction of text, the tags that hide
/// text, and break opportunities inside words, which would split a copied or compared word. A page's title must not
/// control a terminal, nor reverse the rest of a list of hits.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_dropped) {
        Cow::Owned(text.chars().filter(|c| !is_dropped(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_dropped(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        // Embeddings, overrides and isolates; the marks U+200E and U+200F only place their neighbours.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{e0000}'..='\u{e007f}' | '\u{feff}' => true,
        // Soft hyphen, zero-width space, word joiner. Joiners of letters and emoji change the visible text, and stay.
        '\u{ad}' | '\u{200b}' | '\u{2060}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_unseen_is_dropped() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{2067}d\u{e0041}"), "a[31mbcd");
        assert_eq!(clean("sha\u{ad}dow\u{200b}box\u{2060}ing"), "shadowboxing");
        assert!(matches!(
            clean("tab\tline\n\u{200f}\u{1f468}\u{200d}\u{1f469}"),
            Cow::Borrowed(_)
        ));
    }
}
