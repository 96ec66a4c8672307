//! Turns a voice's set phrases into openings and closings that may frame a supported sentence, since they claim
//! nothing.
//!
//! An adapter's file lists its phrases, see [`Voice`]. They must have a form that can't say anything about the
//! documents: words without numbers, names, code or denials. The check judges what remains of a sentence without them.

use anchorite_model::adapter::Voice;
use unicode_segmentation::UnicodeSegmentation;

use crate::check::claim::{denies, n_sentences};
use crate::error::EngineError;

/// In an opening, stands for the title of the document that the sentence cites.
const TITLE: &str = "{title}";
/// Verbs with which an opening may report what a document says.
const REPORTING: [&str; 8] = [
    "says", "states", "notes", "writes", "reports", "finds", "explains", "adds",
];
/// Words that answer a question or judge a statement, and so make a claim by themselves.
const VERDICTS: [&str; 22] = [
    "yes",
    "yeah",
    "yep",
    "nope",
    "correct",
    "incorrect",
    "right",
    "wrong",
    "true",
    "untrue",
    "false",
    "doubtful",
    "unlikely",
    "likely",
    "certainly",
    "definitely",
    "absolutely",
    "sure",
    "course",
    "indeed",
    "myth",
    "lie",
];
/// Most words of a phrase: a longer text makes claims.
const MAX_WORDS: usize = 12;

/// The set phrases of a voice; without any, a text is judged as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Phrases {
    phrases: Vec<String>,
}

impl Phrases {
    /// The phrases of a voice.
    ///
    /// # Errors
    /// [`EngineError::VoicePhrase`] for one that could say something about the documents, or that is not a phrase.
    pub fn new(voice: &Voice) -> Result<Self, EngineError> {
        let refuse = |phrase: &String, expected| EngineError::VoicePhrase {
            voice: voice.label.clone(),
            expected,
            found: phrase.clone(),
        };
        for phrase in &voice.openings {
            let is_lead_in = is_lead_in(phrase);
            if !is_lead_in && !is_sentence(phrase) {
                let expected = "an opening that is a sentence, ends with a colon or a comma, or reads `{title} says that`";
                return Err(refuse(phrase, expected));
            }
            if phrase.contains(TITLE) && !is_report(phrase) {
                return Err(refuse(phrase, "`{title}` only as in `{title} says that`"));
            }
        }
        if let Some(phrase) = voice
            .closings
            .iter()
            .find(|phrase| !is_sentence(phrase) || phrase.contains(TITLE))
        {
            return Err(refuse(phrase, "a closing that is a sentence"));
        }
        for phrase in voice.openings.iter().chain(&voice.closings) {
            claims_nothing(phrase).map_err(|expected| refuse(phrase, expected))?;
        }
        let phrases = voice.openings.iter().chain(&voice.closings).cloned();
        Ok(Self {
            phrases: phrases.collect(),
        })
    }

    /// True if there are no phrases.
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// True if the voice names the documents that its sentences report.
    pub fn reports(&self) -> bool {
        self.phrases.iter().any(|phrase| is_report(phrase))
    }

    /// The phrases as texts whose words may be written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.phrases.iter().map(String::as_str)
    }

    /// The part of `sentence` that is not a phrase: all of it if it has none, nothing if it is one. `titles` are those
    /// of the documents it cites.
    pub fn body<'s>(&self, sentence: &'s str, titles: &[&str]) -> &'s str {
        let rest_after = |phrase: &String| match phrase.strip_prefix(TITLE) {
            None => after(sentence, phrase),
            Some(behind) => titles.iter().find_map(|title| {
                let rest = after(sentence, title)?;
                let verb = behind.trim_start();
                // As the model writes it, or as `with_colon` puts it.
                after(rest, verb).or_else(|| after(rest, &verb.replace(" that", ":")))
            }),
        };
        let rests = self.phrases.iter().filter_map(rest_after);
        rests.min_by_key(|rest| rest.len()).unwrap_or(sentence)
    }
}

/// `sentence` with a colon in place of `that` where `body`, what a title is said to say, begins as a sentence of its own:
/// a small model copies it as it stands in the document, an order too, and `says that Turn the heap` is no English.
pub(crate) fn with_colon(sentence: &str, body: &str) -> Option<String> {
    if !body.starts_with(char::is_uppercase) {
        return None;
    }
    let report = sentence.strip_suffix(body)?.trim_end();
    let (said, that) = report.rsplit_once(' ')?;
    let verb = said.rsplit_once(' ')?.1;
    let reports = that.eq_ignore_ascii_case("that") && REPORTING.contains(&verb);
    reports.then(|| format!("{said}: {body}"))
}

/// The rest of `text` after `phrase`, ignoring case, if a word ends there.
fn after<'t>(text: &'t str, phrase: &str) -> Option<&'t str> {
    let text = text.trim_start();
    let head = text.get(..phrase.len())?;
    if phrase.is_empty() || !head.to_lowercase().eq(&phrase.to_lowercase()) {
        return None;
    }
    let rest = &text[phrase.len()..];
    let is_whole =
        !phrase.ends_with(char::is_alphanumeric) || !rest.starts_with(char::is_alphanumeric);
    is_whole.then(|| rest.trim_start())
}

fn is_sentence(phrase: &str) -> bool {
    let end = phrase.ends_with(['.', '!', '?', '\u{3002}', '\u{ff01}', '\u{ff1f}']);
    end && n_sentences(phrase) == 1
}

fn is_lead_in(phrase: &str) -> bool {
    phrase.ends_with([':', ',', '\u{ff1a}', '\u{ff0c}']) || is_report(phrase)
}

/// `{title} says that`, or the same with another verb of reporting: any other clause before `that` could reverse its
/// meaning.
fn is_report(phrase: &str) -> bool {
    let words: Vec<&str> = phrase.split(' ').collect();
    matches!(words[..], [TITLE, verb, "that"] if REPORTING.contains(&verb))
}

/// Checks that a phrase has the form that holds no fact; the error is the form expected.
fn claims_nothing(phrase: &str) -> Result<(), &'static str> {
    let words = phrase.replace(TITLE, "");
    if words.split_whitespace().count() > MAX_WORDS {
        return Err("at most 12 words");
    }
    let is_plain = |c: char| {
        c.is_alphabetic()
            || c.is_whitespace()
            || "'\u{2019},.!?:-\u{3002}\u{ff01}\u{ff1f}\u{ff1a}\u{ff0c}".contains(c)
    };
    if !words.chars().all(is_plain) {
        return Err("letters and punctuation alone: no number, code or brackets");
    }
    // `I` and the first word are capitalised anyway; any other capitalised word is a name.
    let mut inner = words
        .split_whitespace()
        .skip(usize::from(!phrase.starts_with(TITLE)));
    if inner.any(|word| word.starts_with(char::is_uppercase) && !is_first_person(word)) {
        return Err("no names");
    }
    let is_verdict = |word: &str| VERDICTS.contains(&word.to_lowercase().as_str());
    if words.unicode_words().any(is_verdict) {
        return Err("no word that answers or judges, such as `yes` or `true`");
    }
    if denies(&words) {
        return Err("no denial: it would turn what follows into its opposite");
    }
    Ok(())
}

fn is_first_person(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next() == Some('I') && !letters.next().is_some_and(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(openings: &[&str], closings: &[&str]) -> Result<Phrases, EngineError> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Phrases::new(&Voice {
            label: "Test".to_owned(),
            openings: owned(openings),
            closings: owned(closings),
        })
    }

    #[test]
    fn takes_a_phrase_away_and_leaves_the_claim() {
        let found = phrases(
            &["Good question.", "Note:", "{title} says that"],
            &["Anything else?"],
        )
        .expect("fits");
        for (sentence, body) in [
            ("Good question.", ""),
            ("good question.", ""),
            ("Anything else?", ""),
            ("Note: the port is 80.", "the port is 80."),
            ("NOTE: The port is 80.", "The port is 80."),
            ("The port is 80.", "The port is 80."),
            ("Noted: the port is 80.", "Noted: the port is 80."),
            (
                "Pier survey says that the pier is long.",
                "the pier is long.",
            ),
            ("Pier survey says: The pier is long.", "The pier is long."),
            (
                "Pier survey says thats the pier.",
                "Pier survey says thats the pier.",
            ),
            (
                "Other survey says that the pier is long.",
                "Other survey says that the pier is long.",
            ),
            ("Pier survey", "Pier survey"),
            ("No", "No"),
            ("", ""),
        ] {
            assert_eq!(found.body(sentence, &["Pier survey"]), body, "{sentence}");
        }
        assert_eq!(
            found.body("Pier survey says that it is.", &[]),
            "Pier survey says that it is.",
            "it cites nothing"
        );
        assert_eq!(Phrases::default().body("Note: it is.", &[]), "Note: it is.");
        assert!(found.reports() && !Phrases::default().reports());
    }

    #[test]
    fn a_report_of_a_whole_sentence_has_a_colon() {
        for (sentence, body, expected) in [
            (
                "Compost says that Turn the heap.",
                "Turn the heap.",
                Some("Compost says: Turn the heap."),
            ),
            (
                "Pier survey notes that A pier is long.",
                "A pier is long.",
                Some("Pier survey notes: A pier is long."),
            ),
            (
                "Pier says that the pier is long.",
                "the pier is long.",
                None,
            ),
            ("Note: The port is 80.", "The port is 80.", None),
            ("The port is 80.", "The port is 80.", None),
            ("Thinks that It is.", "It is.", None),
        ] {
            assert_eq!(
                with_colon(sentence, body).as_deref(),
                expected,
                "{sentence}"
            );
        }
    }

    #[test]
    fn other_scripts_have_phrases_too() {
        let found = phrases(&["メモ：", "Конечно."], &["ありがとう。"]).expect("fits");
        assert_eq!(
            found.body("メモ：ポートは80です。", &[]),
            "ポートは80です。"
        );
        assert_eq!(found.body("конечно.", &[]), "");
    }

    #[test]
    fn refuses_what_could_be_a_claim() {
        for (openings, closings, expected) in [
            (&["The port is 80."][..], &[][..], "no number"),
            (&["Use `--port`:"], &[], "code"),
            (&["Thanks [1]."], &[], "brackets"),
            (&["It is not so:"], &[], "no denial"),
            (&["Nobody knows why."], &[], "no denial"),
            (&["Yes,"], &[], "answers or judges"),
            (&["Wrong:"], &[], "answers or judges"),
            (&["I doubt that"], &[], "is a sentence"),
            (&["{title} denies that"], &[], "is a sentence"),
            (&["As Anchorite says:"], &[], "no names"),
            (&["Good question"], &[], "is a sentence"),
            (&["Good. And more."], &[], "is a sentence"),
            (&["As {title} says:"], &[], "only as in"),
            (&["{title} is good."], &[], "only as in"),
            (&[], &["See you:"], "a closing that is a sentence"),
            (
                &[],
                &["one two three four five six seven eight nine ten eleven twelve thirteen."],
                "at most 12 words",
            ),
        ] {
            let error = phrases(openings, closings)
                .expect_err(openings.first().or(closings.first()).unwrap());
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.code(), "voice_phrase");
        }
        assert!(
            phrases(
                &["Well now,", "Happy to help!", "{title} finds that"],
                &["I'm here for more."]
            )
            .is_ok()
        );
    }
}
