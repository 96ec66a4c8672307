//! Decodes a page's bytes in whichever encoding it names, or says why they are not text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::PageError;

/// How far into a page its head may declare the encoding, per the HTML standard.
const HEAD_BYTES: usize = 1024;

/// Checks that `bytes` are a page's text, and returns it without a byte order mark.
///
/// A byte order mark decides; otherwise valid UTF-8 is UTF-8; otherwise `is_html` pages may name an encoding in their head.
///
/// # Errors
/// [`PageError::Empty`], [`PageError::TooLarge`], [`PageError::Binary`], [`PageError::NotUtf8`] or
/// [`PageError::Damaged`].
pub(super) fn decode<'b>(
    source: &str,
    bytes: &'b [u8],
    is_html: bool,
    max_bytes: usize,
) -> Result<Cow<'b, str>, PageError> {
    let page = || source.to_owned();
    if bytes.is_empty() {
        return Err(PageError::Empty { page: page() });
    }
    if bytes.len() > max_bytes {
        return Err(PageError::TooLarge {
            page: page(),
            max_bytes,
            found: bytes.len(),
        });
    }
    let (encoding, body) = match Encoding::for_bom(bytes) {
        Some((encoding, n_mark)) => (encoding, &bytes[n_mark..]),
        None => (UTF_8, bytes),
    };
    let text = if encoding == UTF_8 {
        match std::str::from_utf8(body) {
            Ok(text) => Cow::Borrowed(text),
            Err(error) => {
                let named = is_html.then(|| named_encoding(body)).flatten();
                let Some(named) = named else {
                    // If the page is binary, that error is more useful.
                    return Err(binary(source, body).unwrap_or(PageError::NotUtf8 {
                        page: page(),
                        offset: error.valid_up_to(),
                    }));
                };
                decode_as(source, named, body)?
            }
        }
    } else {
        decode_as(source, encoding, body)?
    };
    match binary(source, text.as_bytes()) {
        Some(error) => Err(error),
        None => Ok(text),
    }
}

fn decode_as<'b>(
    source: &str,
    encoding: &'static Encoding,
    bytes: &'b [u8],
) -> Result<Cow<'b, str>, PageError> {
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| PageError::Damaged {
            page: source.to_owned(),
            encoding: encoding.name(),
        })
}

fn binary(source: &str, bytes: &[u8]) -> Option<PageError> {
    let offset = bytes.iter().position(|&byte| byte == 0)?;
    Some(PageError::Binary {
        page: source.to_owned(),
        offset,
    })
}

/// The encoding that `<meta charset>` or its older form declares, except UTF-8 and UTF-16, which are already ruled out.
fn named_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head
        .split("charset")
        .nth(1)?
        .trim_start()
        .strip_prefix('=')?;
    let label = value
        .trim_start_matches([' ', '"', '\''])
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))
        .next()?;
    Encoding::for_label(label.as_bytes())
        .filter(|encoding| ![UTF_8, UTF_16BE, UTF_16LE].contains(encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Result<String, PageError> {
        decode("a.html", bytes, true, 1000).map(Cow::into_owned)
    }

    #[test]
    fn byte_order_marks_decide() {
        let utf16: Vec<u8> = "\u{feff}caf\u{e9} \u{1f600}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(text(&utf16).as_deref(), Ok("caf\u{e9} \u{1f600}"));
        let swapped: Vec<u8> = utf16
            .chunks(2)
            .flat_map(|pair| [pair[1], pair[0]])
            .collect();
        assert_eq!(text(&swapped).as_deref(), Ok("caf\u{e9} \u{1f600}"));
        assert_eq!(text(b"\xef\xbb\xbfx").as_deref(), Ok("x"));
    }

    #[test]
    fn half_a_surrogate_is_damage() {
        let found = text(b"\xff\xfe\x00\xd8x\x00");
        let encoding = "UTF-16LE";
        let page = "a.html".to_owned();
        assert_eq!(found, Err(PageError::Damaged { page, encoding }));
    }

    #[test]
    fn a_named_encoding_counts_where_the_bytes_are_not_utf8() {
        let found = text(b"<meta charset=\"iso-8859-1\"><p>caf\xe9");
        assert!(
            found
                .as_deref()
                .is_ok_and(|text| text.ends_with("caf\u{e9}")),
            "{found:?}"
        );
        let found = text("<meta charset=latin1><p>caf\u{e9}".as_bytes());
        assert!(
            found
                .as_deref()
                .is_ok_and(|text| text.ends_with("caf\u{e9}")),
            "{found:?}"
        );
        let found = text(b"<meta charset=utf-8><p>caf\xe9");
        assert!(matches!(found, Err(PageError::NotUtf8 { .. })), "{found:?}");
    }
}
