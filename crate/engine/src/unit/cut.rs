//! Cuts a text that is too long to be quoted to a window around the requested place.

use std::ops::Range;

/// A window is not cut inside a word if there is white space within this many characters.
const MAX_WORD_CHARS: usize = 40;

/// True if `text` has at most `limit` characters. Stops counting there.
pub(super) fn fits(text: &str, limit: usize) -> bool {
    text.len() <= limit || text.chars().nth(limit).is_none()
}

/// Characters of `text`, counted up to `limit`.
pub(super) fn size(text: &str, limit: usize) -> usize {
    text.chars().take(limit).count()
}

/// At most `limit` characters of the range `whole` of `text` around `mark`, cut between words if possible; and the part
/// of `mark` inside them.
pub(super) fn window(
    text: &str,
    whole: &Range<usize>,
    mark: &Range<usize>,
    limit: usize,
) -> (Range<usize>, Range<usize>) {
    if fits(&text[whole.clone()], limit) {
        return (whole.clone(), mark.clone());
    }
    let marked = &text[mark.clone()];
    if !fits(marked, limit) {
        let end = mark.start + word_end(marked, limit);
        return (mark.start..end, mark.start..end);
    }
    let free = limit - size(marked, limit);
    let (before, after) = (&text[whole.start..mark.start], &text[mark.end..whole.end]);
    let n_before = before.chars().rev().take(free).count();
    let n_after = size(after, free);
    // Room that one side doesn't need goes to the other.
    let take_before = n_before.min((free / 2).max(free - n_after));
    let take_after = n_after.min(free - take_before);
    let start = whole.start + word_start(before, take_before);
    let end = mark.end + word_end(after, take_after);
    (start..end, mark.clone())
}

/// At most `max_lines` lines and `max_chars` characters of the code `whole` of `text`, around the line where `mark`
/// begins; and the part of `mark` inside them.
pub(super) fn window_of_lines(
    text: &str,
    whole: &Range<usize>,
    mark: &Range<usize>,
    max_lines: usize,
    max_chars: usize,
) -> (Range<usize>, Range<usize>) {
    let line_start = |at: usize| {
        text[whole.start..at]
            .rfind('\n')
            .map_or(whole.start, |end| whole.start + end + 1)
    };
    let line_end = |at: usize| {
        text[at..whole.end]
            .find('\n')
            .map_or(whole.end, |end| at + end)
    };
    let mut range = line_start(mark.start)..line_end(mark.start);
    if !fits(&text[range.clone()], max_chars) {
        let on_line = mark.start..mark.end.min(range.end);
        return window(text, &range, &on_line, max_chars);
    }
    let mut n_chars = size(&text[range.clone()], max_chars);
    let mut n_lines = 1;
    // The mark's lines first, then lines below and above in turn.
    let (mut up, mut down) = (true, true);
    let mut take_up = false;
    while n_lines < max_lines && (up || down) {
        let in_mark = range.end < mark.end;
        let line = if down && (in_mark || !take_up || !up) {
            down = range.end < whole.end;
            down.then(|| range.end + 1..line_end(range.end + 1))
        } else {
            up = range.start > whole.start;
            up.then(|| line_start(range.start - 1)..range.start - 1)
        };
        take_up = !take_up && !in_mark;
        let Some(line) = line else { continue };
        let n_more = size(&text[line.clone()], max_chars) + 1;
        if n_chars + n_more > max_chars {
            let side = if line.start >= range.end {
                &mut down
            } else {
                &mut up
            };
            *side = false;
            continue;
        }
        n_chars += n_more;
        n_lines += 1;
        range = range.start.min(line.start)..range.end.max(line.end);
    }
    let mark = mark.start..mark.end.min(range.end);
    (range, mark)
}

/// The end of the first `n_chars` characters of `text`, or of the last word that ends before it.
fn word_end(text: &str, n_chars: usize) -> usize {
    let end = text
        .char_indices()
        .nth(n_chars)
        .map_or(text.len(), |(at, _)| at);
    if end == text.len() || text[end..].starts_with(char::is_whitespace) {
        return text[..end].trim_end().len();
    }
    let near = text[..end].char_indices().rev().take(MAX_WORD_CHARS);
    let mut spaces = near.filter(|(_, c)| c.is_whitespace());
    match spaces.next() {
        Some((at, _)) => text[..at].trim_end().len(),
        // Only part of a word would be left: show none of it.
        None if n_chars < MAX_WORD_CHARS && text.chars().any(char::is_whitespace) => 0,
        None => whole_character(text, end),
    }
}

/// The start of the last `n_chars` characters of `text`, or of the first word that begins after it.
fn word_start(text: &str, n_chars: usize) -> usize {
    let Some(from) = n_chars.checked_sub(1) else {
        return text.len();
    };
    let start = text.char_indices().rev().nth(from).map_or(0, |(at, _)| at);
    if start == 0 || text[..start].ends_with(char::is_whitespace) {
        return start;
    }
    let near = text[start..].char_indices().take(MAX_WORD_CHARS);
    let mut spaces = near.filter(|(_, c)| c.is_whitespace());
    match spaces.next() {
        Some((at, space)) => start + at + space.len_utf8(),
        None => whole_character(text, start),
    }
}

/// The start of the user-perceived character at `at`, with all its marks; an emoji may be several characters.
fn whole_character(text: &str, at: usize) -> usize {
    let joins = |c: char| {
        matches!(
            c,
            '\u{200d}'
                | '\u{300}'..='\u{36f}'
                | '\u{591}'..='\u{5c7}'
                | '\u{64b}'..='\u{65f}'
                | '\u{93a}'..='\u{94f}'
                | '\u{e31}'
                | '\u{e34}'..='\u{e3a}'
                | '\u{e47}'..='\u{e4e}'
                | '\u{20d0}'..='\u{20ff}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{1f3fb}'..='\u{1f3ff}'
        )
    };
    let mut at = at;
    // Bounded, since a hostile text may consist of nothing but marks.
    for _ in 0..32 {
        let before = text[..at].chars().next_back();
        let is_inside = text[at..].starts_with(joins) || before == Some('\u{200d}');
        match before {
            Some(before) if is_inside => at -= before.len_utf8(),
            _ => break,
        }
    }
    at
}
