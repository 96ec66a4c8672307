//! Reads the evidence for or against a sentence end from the text after it.

use super::MAX_BYTES_AROUND;

/// The next word and its first letter, after a possible sentence end.
pub(super) struct Next {
    pub(super) is_upper: bool,
    pub(super) is_lower: bool,
    pub(super) is_number: bool,
    /// True for scripts without spaces, where a sentence end needs none.
    pub(super) is_unspaced: bool,
    /// One letter and a stop.
    pub(super) is_initial: bool,
    /// A name in code, which may open a sentence in lower case.
    pub(super) is_code: bool,
    /// The first word, in lower case.
    pub(super) word: String,
}

impl Next {
    /// Reads the text after the offset.
    pub(super) fn of(after: &str) -> Self {
        let is_opener = |c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '"' | '\''
                        | '`'
                        | '('
                        | '['
                        | '{'
                        | '\u{ab}'
                        | '\u{bb}'
                        | '\u{bf}'
                        | '\u{a1}'
                        | '-'
                        | '*'
                )
                || ('\u{2010}'..='\u{201f}').contains(&c)
        };
        let text = &after[..after.floor_char_boundary(MAX_BYTES_AROUND)];
        let text = text.trim_start_matches(is_opener);
        let first = text.chars().next().unwrap_or(' ');
        let token = text.split_whitespace().next().unwrap_or("");
        let name = token.trim_end_matches(|c: char| !c.is_alphanumeric() && c != ')');
        Self {
            is_upper: first.is_uppercase() || (first.is_alphabetic() && !first.is_lowercase()),
            is_lower: first.is_lowercase(),
            is_number: first.is_numeric(),
            is_unspaced: matches!(first, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
                | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
                | '\u{20000}'..='\u{3ffff}'),
            is_initial: token.ends_with('.') && token.chars().count() == 2,
            is_code: after.starts_with('`')
                || name.contains(['_', '(', '/', '<', '='])
                || name.contains("::")
                || name.contains('.')
                || name
                    .chars()
                    .skip(1)
                    .any(|c| c.is_uppercase() || c.is_ascii_digit()),
            word: text
                .chars()
                .take(20)
                .take_while(|c| c.is_alphabetic())
                .flat_map(char::to_lowercase)
                .collect(),
        }
    }
}

/// True if `after` begins with a mark that closes the text before it, set apart by a space as in French.
pub(super) fn closes_apart(after: &str) -> bool {
    let mut characters = after.chars();
    characters
        .next()
        .is_some_and(|c| matches!(c, '\u{bb}' | '\u{201d}' | ')' | ']' | '}'))
        && characters
            .next()
            .is_none_or(|c| c.is_whitespace() || c.is_ascii_punctuation())
}

/// True if `after` begins with more stops ("? ? ?"), or with a citation (`[1]`) that belongs to the text before it.
pub(super) fn stops_again(after: &str) -> bool {
    if let Some(number) = after.strip_prefix('[') {
        let behind = number.trim_start_matches(|c: char| c.is_ascii_digit());
        return behind.len() < number.len() && behind.starts_with(']');
    }
    let behind = after.trim_start_matches(['.', '!', '?']);
    behind.len() < after.len() && behind.chars().next().is_none_or(char::is_whitespace)
}
