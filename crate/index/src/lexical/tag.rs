//! Reads language tags (BCP 47).

/// The primary subtag of a language tag, in lower case: `de` of `de-AT`. Without a tag, a document counts as English.
pub fn primary(language: Option<&str>) -> String {
    let tag = language.unwrap_or_default().trim();
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    match primary.is_empty() {
        true => "en".to_owned(),
        false => primary
            .chars()
            .take(8)
            .flat_map(char::to_lowercase)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_by_their_first_part() {
        for (tag, expected) in [
            (Some("de-AT"), "de"),
            (Some("PT_br"), "pt"),
            (Some(""), "en"),
            (None, "en"),
        ] {
            assert_eq!(primary(tag), expected, "{tag:?}");
        }
    }
}
