//! Compiles rules that replace characters, as SentencePiece stores them: `precompiled_charsmap`.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use yada::builder::DoubleArrayBuilder;

/// The rules for single characters, and for letters whose marks are characters of their own: those are first composed, as
/// in SentencePiece's own rules, which the package has cut down to single characters.
pub(super) fn compiled(replacements: &[(char, String)]) -> Result<Vec<u8>, String> {
    let single: BTreeMap<char, &str> = replacements
        .iter()
        .map(|(replaced, by)| (*replaced, by.as_str()))
        .collect();
    let mut rules: BTreeMap<String, String> = BTreeMap::new();
    // Composed letters, but not Korean syllables: there are 11,172, and keyboards write them composed.
    for c in ('\u{80}'..='\u{abff}').chain('\u{f900}'..=char::MAX) {
        let apart: String = c.nfd().collect();
        let is_composed = apart.chars().nth(1).is_some() && apart.nfc().eq([c]);
        if is_composed {
            let by = single
                .get(&c)
                .map_or_else(|| c.to_string(), |by| (*by).to_owned());
            // A letter may come with one mark composed and the next apart.
            let mut letters = apart.chars();
            let last = letters.next_back();
            let before: String = letters.as_str().nfc().collect();
            rules.insert(before.chars().chain(last).collect(), by.clone());
            rules.insert(apart, by);
        }
    }
    for (replaced, by) in single {
        rules.insert(replaced.to_string(), by.to_owned());
    }
    // A zero byte would end its replacement, and can't be in a key.
    rules.retain(|key, by| !key.contains('\0') && !by.contains('\0'));
    let mut texts = String::new();
    let mut keys: Vec<(&str, u32)> = Vec::with_capacity(rules.len());
    let mut places: BTreeMap<&str, u32> = BTreeMap::new();
    for (key, by) in &rules {
        let place = match places.get(by.as_str()) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(texts.len()).map_err(|_| "too many rules")?;
                texts.push_str(by);
                texts.push('\0');
                places.insert(by, place);
                place
            }
        };
        keys.push((key, place));
    }
    let trie = DoubleArrayBuilder::build(&keys).map_err(|error| error.to_string())?;
    let length = u32::try_from(trie.len()).map_err(|_| "too many rules")?;
    let mut compiled = length.to_le_bytes().to_vec();
    compiled.extend(trie);
    compiled.extend(texts.into_bytes());
    Ok(compiled)
}
