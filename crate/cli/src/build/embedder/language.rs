//! Tells the languages of a site: those that pages name, and those that their text is in where they name none.

use std::collections::BTreeMap;

use anchorite::index::chunk::Chunk;
use anchorite::index::document::Document;
use anchorite::index::lexical::primary;
use whatlang::{Lang, Script};

/// Most bytes of a page's text that are looked at.
const MAX_BYTES: usize = 4_000;
/// Fewest letters from which a language is told from others of its script.
const MIN_LETTERS: usize = 60;
/// A text is in another script than Latin if one letter in so many is, and there are so many.
const OTHER_SCRIPT: usize = 5;
const MIN_OTHER_LETTERS: usize = 15;
/// Detected languages that are written in several scripts.
const SEVERAL_SCRIPTS: [&str; 6] = ["az", "pa", "sr", "tk", "ur", "uz"];
/// Share of the chunks in other languages from which a site counts as not English.
const OTHER_LANGUAGES: f32 = 0.1;

/// The primary subtag (BCP 47) of each language that is detected.
const TAGS: [(Lang, &str); 70] = [
    (Lang::Epo, "eo"),
    (Lang::Eng, "en"),
    (Lang::Rus, "ru"),
    (Lang::Cmn, "zh"),
    (Lang::Spa, "es"),
    (Lang::Por, "pt"),
    (Lang::Ita, "it"),
    (Lang::Ben, "bn"),
    (Lang::Fra, "fr"),
    (Lang::Deu, "de"),
    (Lang::Ukr, "uk"),
    (Lang::Kat, "ka"),
    (Lang::Ara, "ar"),
    (Lang::Hin, "hi"),
    (Lang::Jpn, "ja"),
    (Lang::Heb, "he"),
    (Lang::Yid, "yi"),
    (Lang::Pol, "pl"),
    (Lang::Amh, "am"),
    (Lang::Jav, "jv"),
    (Lang::Kor, "ko"),
    (Lang::Nob, "nb"),
    (Lang::Dan, "da"),
    (Lang::Swe, "sv"),
    (Lang::Fin, "fi"),
    (Lang::Tur, "tr"),
    (Lang::Nld, "nl"),
    (Lang::Hun, "hu"),
    (Lang::Ces, "cs"),
    (Lang::Ell, "el"),
    (Lang::Bul, "bg"),
    (Lang::Bel, "be"),
    (Lang::Mar, "mr"),
    (Lang::Kan, "kn"),
    (Lang::Ron, "ro"),
    (Lang::Slv, "sl"),
    (Lang::Hrv, "hr"),
    (Lang::Srp, "sr"),
    (Lang::Mkd, "mk"),
    (Lang::Lit, "lt"),
    (Lang::Lav, "lv"),
    (Lang::Est, "et"),
    (Lang::Tam, "ta"),
    (Lang::Vie, "vi"),
    (Lang::Urd, "ur"),
    (Lang::Tha, "th"),
    (Lang::Guj, "gu"),
    (Lang::Uzb, "uz"),
    (Lang::Pan, "pa"),
    (Lang::Aze, "az"),
    (Lang::Ind, "id"),
    (Lang::Tel, "te"),
    (Lang::Pes, "fa"),
    (Lang::Mal, "ml"),
    (Lang::Ori, "or"),
    (Lang::Mya, "my"),
    (Lang::Nep, "ne"),
    (Lang::Sin, "si"),
    (Lang::Khm, "km"),
    (Lang::Tuk, "tk"),
    (Lang::Aka, "ak"),
    (Lang::Zul, "zu"),
    (Lang::Sna, "sn"),
    (Lang::Afr, "af"),
    (Lang::Lat, "la"),
    (Lang::Slk, "sk"),
    (Lang::Cat, "ca"),
    (Lang::Tgl, "tl"),
    (Lang::Hye, "hy"),
    (Lang::Cym, "cy"),
];

/// The language of a page: the one it names or, where it names none, that of its texts. So too where the one it names is
/// written in another script than the texts: templates often say `lang="en"` whatever a page holds.
pub(crate) fn of<'t>(
    named: Option<&str>,
    texts: impl IntoIterator<Item = &'t str>,
) -> Option<String> {
    let named_one = || named.map(str::to_owned);
    let Some((language, script)) = detected(texts) else {
        return named_one();
    };
    let is_possible = named.is_some_and(|named| {
        let named = primary(Some(named));
        let mut known = TAGS.iter().filter(|(_, tag)| *tag == named);
        // A language that is not known, or has several scripts, may be written in this one. Latin letters prove nothing:
        // names and commands in a text of any language have them.
        script == Script::Latin
            || SEVERAL_SCRIPTS.contains(&named.as_str())
            || known
                .next()
                .is_none_or(|(lang, _)| script.langs().contains(lang))
    });
    match is_possible {
        true => named_one(),
        false => Some(language.to_owned()),
    }
}

/// The language and the script of a page's prose; `None` if there is too little to tell.
fn detected<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<(&'static str, Script)> {
    let prose = prose(texts);
    let n_letters = |is_counted: fn(char) -> bool| {
        let letters = prose.chars().filter(|c| c.is_alphabetic());
        letters.filter(|c| is_counted(*c)).count()
    };
    let (n_latin, n_other) = (n_letters(is_latin), n_letters(|c| !is_latin(c)));
    // Commands and names stand in Latin letters in a text of any script.
    let is_other = n_other * OTHER_SCRIPT >= n_latin + n_other && n_other >= MIN_OTHER_LETTERS;
    if !is_other && n_latin < MIN_LETTERS {
        return None;
    }
    let text = match is_other {
        true => prose
            .chars()
            .map(|c| if is_latin(c) { ' ' } else { c })
            .collect(),
        false => prose,
    };
    let found = whatlang::detect(&text).filter(whatlang::Info::is_reliable)?;
    let (_, tag) = TAGS.iter().find(|(lang, _)| *lang == found.lang())?;
    Some((tag, found.script()))
}

/// The beginning of a page's text, without blocks of code.
fn prose<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut prose = String::new();
    let mut is_code = false;
    for line in texts.into_iter().flat_map(str::lines) {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        if !is_code && !is_fence {
            prose.push_str(line);
            prose.push('\n');
        }
        if prose.len() >= MAX_BYTES {
            break;
        }
    }
    prose
}

/// True for the letters of the Latin script.
fn is_latin(c: char) -> bool {
    c.is_alphabetic() && matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// How many chunks are in each language.
pub(crate) struct Languages {
    /// By primary subtag.
    counts: BTreeMap<String, usize>,
}

impl Languages {
    /// Counts the chunks of pages whose language is known.
    pub(crate) fn of(documents: &[Document], chunks: &[Chunk]) -> Self {
        let mut counts = BTreeMap::new();
        for chunk in chunks {
            let document = documents.get(chunk.document as usize);
            let tag = document.and_then(|document| document.language.as_deref());
            if let Some(tag) = tag.filter(|tag| !tag.trim().is_empty()) {
                *counts.entry(primary(Some(tag))).or_insert(0) += 1;
            }
        }
        Self { counts }
    }

    /// True if nearly all text is English, or of no known language.
    pub(crate) fn is_english(&self) -> bool {
        let total: usize = self.counts.values().sum();
        let english = self.counts.get("en").copied().unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let other = (total - english) as f32;
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let total = total.max(1) as f32;
        other < OTHER_LANGUAGES * total
    }

    /// The tags, most frequent first.
    pub(crate) fn tags(&self) -> Vec<&str> {
        let mut tags: Vec<(&String, &usize)> = self.counts.iter().collect();
        tags.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        tags.into_iter().map(|(tag, _)| tag.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(language: Option<&str>, text: &str) -> (Document, Vec<Chunk>) {
        use anchorite::index::chunk::{ChunkOptions, chunk_document};
        use anchorite::index::parse::{ParseOptions, parse_page};
        let options = ParseOptions::default();
        let mut document = parse_page("a.md", text.as_bytes(), &options).expect("a page");
        document.language = language.map(str::to_owned);
        let chunks = chunk_document(0, &document, &ChunkOptions::default());
        (document, chunks)
    }

    const GERMAN: &str = "# Pumpe\n\nDas Ventil wird geschlossen, bevor die Pumpe ausgeschaltet wird. \
        Danach wird der Behälter mit klarem Wasser gefüllt, bis die Anzeige auf sieben steht.\n";
    const ENGLISH: &str = "# Pump\n\nThe valve is closed before the pump is switched off. After that the tank is \
        filled with clear water until the needle stands at seven.\n";
    /// More Latin letters than Chinese ones.
    const CHINESE: &str = "# \u{90e8}\u{7f72}\n\n使用 kubectl apply -f deployment.yaml 命令创建 Deployment 对象，然后运行 kubectl get pods \
        --namespace production 查看状态，并等待所有容器启动完成。\n";
    const CROATIAN: &str = "# Pumpa\n\nVentil se zatvara prije nego \u{161}to se pumpa isklju\u{10d}i. Zatim se spremnik puni \u{10d}istom vodom dok \
        igla ne stoji na sedam.\n";
    const THAI: &str =
        "# ปั๊ม\n\nปิดวาล์วก่อนปิดปั๊ม จากนั้นเติมน้ำสะอาดลงในถังจนกว่าเข็มจะอยู่ที่เจ็ด และรอจนกว่าปั๊มจะหยุดทำงาน\n";

    #[test]
    fn a_page_that_names_no_language_gets_that_of_its_text() {
        for (said, text, expected) in [
            (None, GERMAN, Some("de")),
            (None, ENGLISH, Some("en")),
            (None, THAI, Some("th")),
            // A tag that lies about the script is corrected, one of the same script is believed.
            (Some("en"), THAI, Some("th")),
            (Some("en-GB"), GERMAN, Some("en-GB")),
            (Some("tlh"), GERMAN, Some("tlh")),
            (Some("zh"), CHINESE, Some("zh")),
            (Some("ar"), GERMAN, Some("ar")),
            (Some("sr-Latn"), CROATIAN, Some("sr-Latn")),
            (None, CHINESE, Some("zh")),
            (None, "# A\n\nToo short.\n", None),
            (
                None,
                "# A\n\n```\nDas Ventil wird geschlossen, bevor die Pumpe ausgeschaltet wird, und dann gefüllt.\n```\n",
                None,
            ),
            (None, "# \u{1f642}\n\n\u{1f642}\u{1f643}\u{1f642}\n", None),
        ] {
            let found = of(said, [text]);
            assert_eq!(found.as_deref(), expected, "{said:?} {text}");
        }
    }

    #[test]
    fn a_site_is_english_unless_a_tenth_of_it_is_not() {
        let site = |tags: &[(&str, usize)]| {
            let pages = tags
                .iter()
                .flat_map(|(tag, n)| std::iter::repeat_n(*tag, *n));
            let pages: Vec<_> = pages
                .map(|tag| page(Some(tag).filter(|tag| !tag.is_empty()), ENGLISH))
                .collect();
            let mut chunks = Vec::new();
            for (idx, (_, of_page)) in pages.iter().enumerate() {
                chunks.extend(of_page.iter().cloned().map(|mut chunk| {
                    chunk.document = u32::try_from(idx).expect("few");
                    chunk
                }));
            }
            let documents: Vec<Document> =
                pages.into_iter().map(|(document, _)| document).collect();
            Languages::of(&documents, &chunks)
        };
        assert!(site(&[("", 3)]).is_english(), "nothing is known");
        assert!(site(&[("en", 19), ("de", 1)]).is_english());
        let german = site(&[("en-US", 8), ("de", 1), ("de-AT", 1)]);
        assert!(!german.is_english());
        assert_eq!(german.tags(), ["en", "de"]);
    }
}
