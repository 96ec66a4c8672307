//! Trims a run of characters between two spaces to the part that is compared, and tells code from words by its form.

/// Longer words are cut to this many bytes: only data such as base64 has them.
const MAX_WORD_BYTES: usize = 400;

/// A chunk without the punctuation around it, cut to a bounded length.
pub(super) fn bare(chunk: &str) -> &str {
    let cut = chunk.floor_char_boundary(MAX_WORD_BYTES);
    let closing = |letter: char| ".,;:!?)]}\"'”’»>*_…|".contains(letter);
    let opening = |letter: char| "([{<\"'“‘«*_|".contains(letter);
    let inner = chunk[..cut]
        .trim_start_matches(opening)
        .trim_end_matches(closing);
    // `f()`, `a[0]` and `__init__` keep what makes them code.
    let is_call = inner.len() < chunk.len()
        && chunk[inner.as_ptr() as usize - chunk.as_ptr() as usize + inner.len()..]
            .starts_with(')')
        && inner.ends_with('(');
    if is_call || inner.contains(['(', '[', '<', '{']) {
        return chunk[..cut]
            .trim_start_matches(opening)
            .trim_end_matches(['.', ',', ';', ':', '!', '?', '"']);
    }
    inner.trim_matches('`')
}

/// True if a chunk outside of backticks is code by its form.
pub(super) fn is_code(chunk: &str) -> bool {
    let mut letters = chunk.chars().peekable();
    let mut before: Option<char> = None;
    let mut has_letters = false;
    let mut has_sign = false;
    let mut dotted = 0;
    let mut long_part = false;
    let mut part_len = 0;
    while let Some(letter) = letters.next() {
        let next_is_word = letters.peek().is_some_and(|next| next.is_alphanumeric());
        let after_word = before.is_some_and(char::is_alphanumeric);
        has_letters |= letter.is_alphanumeric();
        has_sign |= match letter {
            '_' | '@' | '=' | '\\' | '{' | '<' => after_word || next_is_word,
            '(' | '[' => after_word,
            '/' => {
                (next_is_word
                    && (before.is_none() || matches!(before, Some('.' | '~' | '/' | ':'))))
                    || is_path(chunk)
            }
            ':' => before == Some(':') && next_is_word,
            '-' => {
                before.is_none() && next_is_word
                    || before == Some('-') && next_is_word && chunk.starts_with("--")
            }
            '+' | '#' => after_word && !next_is_word,
            '$' => before.is_none() && next_is_word,
            '.' if before.is_none() => next_is_word,
            // `getItem`; a name such as `JavaScript` begins with a capital.
            _ if letter.is_uppercase() => {
                before.is_some_and(char::is_lowercase) && chunk.starts_with(char::is_lowercase)
            }
            _ => false,
        };
        if letter == '.' && after_word && next_is_word {
            dotted += 1;
        }
        if letter.is_alphanumeric() {
            part_len += 1;
            long_part |= part_len > 1;
        } else {
            part_len = 0;
        }
        before = Some(letter);
    }
    // `U.S.` and `e.g.` have parts of one letter.
    has_letters && (has_sign || (dotted > 0 && long_part))
}

/// `src/main.rs` is a path; `read/write` are two words.
fn is_path(chunk: &str) -> bool {
    chunk.contains(['.', '_', '~'])
        || chunk.matches('/').take(2).count() > 1
        || chunk.ends_with('/')
        || chunk.starts_with('/')
}
