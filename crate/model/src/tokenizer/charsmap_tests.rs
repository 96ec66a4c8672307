//! Compares rules for characters with those of `tokenizers`, and shows that damaged ones do no harm.

use tokenizers::normalizers::Precompiled;
use yada::builder::DoubleArrayBuilder;

use super::*;

/// Rules as SentencePiece stores them; `rules` are in the order of their keys' bytes.
fn compiled(rules: &[(&str, &str)]) -> Vec<u8> {
    let mut texts = String::new();
    let mut keys = Vec::new();
    for (key, by) in rules {
        keys.push((*key, u32::try_from(texts.len()).expect("few")));
        texts.push_str(by);
        texts.push('\0');
    }
    let trie = DoubleArrayBuilder::build(&keys).expect("a trie");
    let mut bytes = u32::try_from(trie.len())
        .expect("few")
        .to_le_bytes()
        .to_vec();
    bytes.extend(trie);
    bytes.extend(texts.into_bytes());
    bytes
}

const RULES: [(&str, &str); 7] = [
    ("\t", " "),
    ("e\u{301}", "\u{e9}"),
    ("\u{7f}", ""),
    ("\u{bd}", "1\u{2044}2"),
    ("\u{fb01}", "fi"),
    ("\u{ff21}", "A"),
    ("\u{ff21}\u{30a}", "\u{c5}"),
];

fn replaced(charsmap: &Charsmap, text: &str) -> String {
    let mut replaced = String::new();
    charsmap.replace(text, &mut replaced, &mut Vec::new());
    replaced
}

#[test]
fn each_byte_knows_what_it_stands_for() {
    let charsmap = Charsmap::parse(&compiled(&RULES)).expect("rules");
    let (mut replaced, mut origins) = (String::new(), Vec::new());
    charsmap.replace("a\u{7f}\u{fb01}e\u{301}", &mut replaced, &mut origins);
    assert_eq!(replaced, "afi\u{e9}");
    // `a`, the two letters of the ligature, and the two bytes of one letter.
    assert_eq!(origins, [0..1, 2..5, 2..5, 5..8, 5..8]);
}

#[test]
fn the_longest_rule_applies() {
    let charsmap = Charsmap::parse(&compiled(&RULES)).expect("rules");
    for (text, expected) in [
        ("cafe\u{301}", "caf\u{e9}"),
        ("e", "e"),
        ("\u{fb01}n \u{bd}", "fin 1\u{2044}2"),
        ("a\u{7f}\tb", "a b"),
        ("\u{ff21}\u{ff21}\u{30a}", "A\u{c5}"),
        ("", ""),
        ("\0", "\0"),
        ("\u{1f642}", "\u{1f642}"),
    ] {
        assert_eq!(replaced(&charsmap, text), expected, "{text:?}");
    }
    assert_eq!(
        replaced(&Charsmap::default(), "\u{ff21}"),
        "\u{ff21}",
        "no rules"
    );
}

/// Every character is replaced as by `tokenizers`.
#[test]
fn characters_are_replaced_as_by_the_library() {
    let bytes = compiled(&RULES);
    let charsmap = Charsmap::parse(&bytes).expect("rules");
    let library = Precompiled::from(&bytes).expect("rules");
    // The library reads a zero byte as the end of its own keys too.
    for c in '\u{1}'..=char::MAX {
        let text = c.to_string();
        let expected = library.normalize_string(&text);
        assert_eq!(replaced(&charsmap, &text), expected, "{c:?}");
    }
}

#[test]
fn damaged_rules_are_refused_or_harmless() {
    let bytes = compiled(&RULES);
    assert!(Charsmap::parse(&[]).is_none() && Charsmap::parse(&bytes[..3]).is_none());
    assert!(
        Charsmap::parse(&bytes[..bytes.len() / 2]).is_none(),
        "cut short"
    );
    let mut longer = bytes.clone();
    longer[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(
        Charsmap::parse(&longer).is_none(),
        "a trie longer than the file"
    );
    assert!(
        Charsmap::parse(&vec![0; MAX_BYTES + 1]).is_none(),
        "too long"
    );
    // Any units at all: nothing may panic.
    let mut state = 1u32;
    for _ in 0..200 {
        let mut wrong = bytes.clone();
        for byte in wrong.iter_mut().skip(4).step_by(7) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8 & 0x7f;
        }
        if let Some(charsmap) = Charsmap::parse(&wrong) {
            replaced(&charsmap, "cafe\u{301} \u{ff21}\u{fb01}\t");
        }
    }
}
