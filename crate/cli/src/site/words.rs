//! The few words that a made page says itself, in the page's language.

/// The link that skips to the text of a page, and the name of the list of pages.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub(super) skip: &'static str,
    pub(super) pages: &'static str,
}

/// By primary subtag: the languages that `www/src/elements/messages` has.
const WORDS: [(&str, &str, &str); 15] = [
    ("ar", "انتقل إلى النص", "الصفحات"),
    ("de", "Zum Text springen", "Seiten"),
    ("el", "Μετάβαση στο κείμενο", "Σελίδες"),
    ("en", "Skip to the text", "Pages"),
    ("es", "Ir al texto", "Páginas"),
    ("fr", "Aller au texte", "Pages"),
    ("hi", "पाठ पर जाएँ", "पृष्ठ"),
    ("it", "Vai al testo", "Pagine"),
    ("ja", "本文へ移動", "ページ一覧"),
    ("pt", "Ir para o texto", "Páginas"),
    ("ru", "Перейти к тексту", "Страницы"),
    ("th", "ข้ามไปยังเนื้อหา", "หน้า"),
    ("tr", "Metne geç", "Sayfalar"),
    ("vi", "Chuyển đến nội dung", "Các trang"),
    ("zh", "跳到正文", "页面"),
];

impl Words {
    /// The words in the language with this primary subtag, or in English.
    pub(super) fn of(primary: &str) -> Self {
        let found = WORDS.iter().find(|(tag, ..)| *tag == primary);
        let (_, skip, pages) = found.copied().unwrap_or(WORDS[3]);
        Self { skip, pages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_languages_get_english() {
        assert_eq!(Words::of("de").pages, "Seiten");
        assert_eq!(Words::of("").skip, "Skip to the text");
        assert_eq!(Words::of("tlh").pages, "Pages");
    }

    #[test]
    fn the_elements_have_the_same_languages() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../www/src/elements/messages"
        );
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .expect("the catalogues")
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().trim_end_matches(".ts").to_owned())
            .collect();
        found.sort();
        assert_eq!(found, WORDS.map(|(tag, ..)| tag));
    }
}
