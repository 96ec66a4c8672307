//! Turns bytes into the printable characters that byte-level vocabularies spell them with, and back.
//!
//! Source: `bytes_to_unicode` of GPT-2. Printable Latin-1 bytes stand for themselves; the other 68 are moved to U+0100
//! and up, in order.

/// The character that spells `byte`.
pub(super) fn to_char(byte: u8) -> char {
    match byte {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte),
        0..=b' ' => moved(u32::from(byte)),
        0x7f..=0xa0 => moved(33 + u32::from(byte) - 0x7f),
        0xad => moved(67),
    }
}

fn moved(n: u32) -> char {
    char::from_u32(0x100 + n).unwrap_or_default()
}

/// The byte that `c` spells, if it spells one.
pub(super) fn to_byte(c: char) -> Option<u8> {
    let code = u32::from(c);
    let byte = match code {
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7f,
        0x143 => 0xad,
        _ => code,
    };
    u8::try_from(byte).ok().filter(|&byte| to_char(byte) == c)
}

/// `text` spelt byte by byte.
pub(super) fn spell(text: &str) -> String {
    text.bytes().map(to_char).collect()
}

/// Appends the bytes that `spelling` spells. A character that spells no byte stands for itself: vocabularies have a few
/// tokens that were added as plain text.
pub(super) fn unspell(spelling: &str, bytes: &mut Vec<u8>) {
    for c in spelling.chars() {
        match to_byte(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_every_byte_by_its_own_character() {
        let spelling: Vec<char> = (0..=255).map(to_char).collect();
        let back: Vec<Option<u8>> = spelling.iter().map(|&c| to_byte(c)).collect();
        assert_eq!(
            back,
            (0..=255).map(Some).collect::<Vec<_>>(),
            "every byte comes back"
        );
        assert_eq!(spell(" a\n"), "Ġ\u{61}Ċ", "as GPT-2 spells them");
    }

    #[test]
    fn keeps_characters_that_spell_no_byte() {
        let mut bytes = Vec::new();
        unspell("漢\u{144} ", &mut bytes);
        assert_eq!(bytes, "漢\u{144} ".as_bytes(), "plain text stays");
    }
}
