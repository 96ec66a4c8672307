//! Decides whether generated text may be shown as the answer: it must be supported, consist of whole sentences, and
//! agree with the quotation.
//!
//! Otherwise only the quotation is shown, so a page never says two things at once.

use anchorite_index::lexical;

use crate::answer::{Draft, Quote, Sentence};
use crate::check;

pub use crate::answer::Written;

/// Share of the marked answer's terms that the text must hold: a word or two may take another form.
const SPAN_SHARE: f32 = 0.6;
/// A text that is part of the quotation and at least this share of its letters only repeats it.
const REPEATED_SHARE: f32 = 0.8;

/// The verbs that begin a yes-or-no question.
const AUXILIARIES: [&str; 21] = [
    "is", "are", "was", "were", "am", "do", "does", "did", "can", "could", "will", "would",
    "shall", "should", "may", "might", "must", "has", "have", "had", "wo",
];

/// Judges a draft, its sentences checked by [`check::check_voice`], against the quotation and the question `asked`.
pub fn judge(draft: &Draft, quote: &Quote, asked: &str) -> Written {
    if draft.is_loop {
        // The text before the loop may be sound, but a model that loops has lost the thread.
        return Written::Loops;
    }
    if check::abstains(&draft.text) {
        return Written::Abstained;
    }
    let is_claim = |sentence: &&Sentence| !sentence.is_phrase;
    let sentences: Vec<&Sentence> = draft.sentences.iter().filter(is_claim).collect();
    if sentences.is_empty() {
        return Written::Nothing;
    }
    if sentences.iter().any(|sentence| !sentence.supported) {
        return Written::Unsupported;
    }
    if !sentences.iter().all(|sentence| is_whole(&sentence.text)) {
        return Written::Fragment;
    }
    if !sentences.iter().any(|sentence| says(sentence, quote)) {
        return Written::Differs;
    }
    let is_verdict = |sentence: &&Sentence| begins_with_verdict(&sentence.text);
    if sentences.iter().any(is_verdict) && !asks_for_verdict(asked) {
        // "Yes, it takes three days" answers another question than "How long does it take?".
        return Written::Differs;
    }
    if draft.is_voiced {
        // The owner wants to hear the voice, even if it adds nothing.
        return Written::Shown;
    }
    let (quoted, written) = (letters(&quote.text), all_letters(&sentences));
    #[expect(clippy::cast_precision_loss, reason = "lengths of short texts")]
    let share = written.len() as f32 / quoted.len().max(1) as f32;
    if share >= REPEATED_SHARE && quoted.contains(&written) {
        return Written::Repeats;
    }
    Written::Shown
}

/// True if a text reads as a statement: it begins and ends like one (a question answers nothing), and contains no
/// table, list or block of code.
fn is_whole(text: &str) -> bool {
    let text = text.trim();
    let opens = text.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    // Scripts without capitals have no lower case either; code keeps its own case.
    let begins = opens
        .chars()
        .next()
        .is_some_and(|first| !first.is_lowercase() || text.starts_with('`') || is_code(opens));
    let ends = text
        .trim_end_matches(['"', '\'', ')', ']', '\u{201d}', '\u{2019}', '\u{bb}'])
        .ends_with(['.', '!', '\u{3002}', '\u{ff01}', '\u{964}']);
    let is_laid_out = text.contains('\n') || text.contains(" | ") || text.contains("```");
    begins && ends && !is_laid_out && lexical::terms(text).len() > 1
}

/// True if a text begins with yes or no, also after a label such as `Note:`.
fn begins_with_verdict(text: &str) -> bool {
    let behind_label = text.split_once(": ").map_or(text, |(_, rest)| rest);
    [text, behind_label].into_iter().any(|text| {
        let lower = text.trim_start().to_lowercase();
        ["yes,", "no,", "yes.", "no."]
            .iter()
            .any(|verdict| lower.starts_with(verdict))
    })
}

/// True if a clause of an English question begins like a yes-or-no question, or offers a choice.
fn asks_for_verdict(asked: &str) -> bool {
    let lower = asked.to_lowercase();
    let begins = |clause: &str| {
        let first = clause.split_whitespace().next().unwrap_or_default();
        let first = first.split(['\'', '\u{2019}']).next().unwrap_or_default();
        // `isn't` and `can't` without their negation.
        AUXILIARIES.contains(&first) || AUXILIARIES.contains(&first.trim_end_matches('n'))
    };
    lower.split([',', ';', '.', ':', '?', '!']).any(begins)
        || lower.contains(" or ")
        || lower.contains(" if ")
}

/// True if a text begins with a name from code (words like `cargo` can't be told from prose, `io.open` and `max_size`
/// can).
fn is_code(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    let inner = word.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    inner.contains(|letter: char| !letter.is_alphabetic() && letter != '\u{2019}' && letter != '\'')
        || inner.chars().skip(1).any(char::is_uppercase)
}

/// True if `sentence` cites the quoted passage and says what is marked in the quotation; without a mark, all of it
/// counts as marked.
fn says(sentence: &Sentence, quote: &Quote) -> bool {
    if !sentence.passages.contains(&quote.passage) {
        return false;
    }
    let said = lexical::terms(&sentence.text);
    let marked = quote.marked().map(lexical::terms).unwrap_or_default();
    if marked.is_empty() {
        return check::supports(&sentence.text, &quote.text);
    }
    let held = marked.iter().filter(|term| said.contains(*term));
    let n_held = held.count();
    let has_digit = |term: &&String| term.contains(|letter: char| letter.is_numeric());
    let numbers_held = marked
        .iter()
        .filter(has_digit)
        .all(|term| said.contains(term.as_str()));
    #[expect(clippy::cast_precision_loss, reason = "a span has few words")]
    let share = n_held as f32 / marked.len() as f32;
    numbers_held && share >= SPAN_SHARE
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn all_letters(sentences: &[&Sentence]) -> String {
    let texts = sentences.iter().map(|sentence| letters(&sentence.text));
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Mark, Timing, Window};

    fn quote(text: &str, marked: &str) -> Quote {
        let start = text.find(marked).expect("it stands there");
        let start = text[..start].encode_utf16().count();
        let end = start + marked.encode_utf16().count();
        Quote {
            text: text.to_owned(),
            passage: 2,
            mark: (end > start).then_some(Mark { start, end }),
        }
    }

    fn sentence(text: &str, passages: &[usize]) -> Sentence {
        Sentence {
            text: text.to_owned(),
            passages: passages.to_vec(),
            supported: !passages.is_empty(),
            is_phrase: false,
        }
    }

    fn judge(text: &str, sentences: &[Sentence], quote: &Quote) -> Written {
        super::judge(&draft(text, sentences, false), quote, "Which port is it?")
    }

    fn draft(text: &str, sentences: &[Sentence], is_voiced: bool) -> Draft {
        Draft {
            text: text.to_owned(),
            sentences: sentences.to_vec(),
            sources: Vec::new(),
            window: Window::default(),
            stopped: false,
            is_loop: false,
            is_voiced,
            timing: Timing::default(),
        }
    }

    #[test]
    fn only_what_agrees_with_the_quotation_is_shown() {
        let port = quote(
            "The server listens on 127.0.0.1. Its default port is 8080, which --port changes.",
            "8080",
        );
        for (text, passages, expected) in [
            ("The default port is 8080.", &[2][..], Written::Shown),
            (
                "`--port` changes the default port 8080.",
                &[2],
                Written::Shown,
            ),
            ("The default port is 8080.", &[1], Written::Differs),
            ("The server listens on 127.0.0.1.", &[2], Written::Differs),
            ("The default port is 9090.", &[], Written::Unsupported),
            ("default port is 8080.", &[2], Written::Fragment),
            ("Is the default port 8080?", &[2], Written::Fragment),
            ("The default port is 8080", &[2], Written::Fragment),
            ("| port | 8080 |.", &[2], Written::Fragment),
            ("8080.", &[2], Written::Fragment),
            (
                "The server listens on 127.0.0.1. Its default port is 8080, which --port changes.",
                &[2],
                Written::Repeats,
            ),
        ] {
            let found = judge(text, &[sentence(text, passages)], &port);
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(judge("", &[], &port), Written::Nothing);
        assert_eq!(
            judge("The documents do not say.", &[], &port),
            Written::Abstained
        );
        let both = "The documents do not say. The default port is 8080.";
        let kept = [sentence("The default port is 8080.", &[2])];
        assert_eq!(judge(both, &kept, &port), Written::Abstained, "never both");
    }

    #[test]
    fn one_bad_sentence_hides_a_good_one() {
        let port = quote("The default port is 8080, which --port changes.", "8080");
        let good = sentence("The default port is 8080.", &[2]);
        let more = sentence("It is changed with --port.", &[2]);
        assert_eq!(judge("..", &[good.clone(), more], &port), Written::Shown);
        let bad = sentence("It is changed by restarting.", &[]);
        assert_eq!(judge("..", &[good, bad], &port), Written::Unsupported);
    }

    #[test]
    fn a_voice_may_repeat_but_its_phrases_answer_nothing() {
        let port = quote("The default port is 8080.", "8080");
        let phrase = Sentence {
            is_phrase: true,
            supported: true,
            ..sentence("Good question.", &[])
        };
        let said = sentence("The default port is 8080.", &[2]);
        let judge = |sentences: &[Sentence]| {
            super::judge(&draft("..", sentences, true), &port, "Which port?")
        };
        assert_eq!(judge(&[phrase.clone(), said.clone()]), Written::Shown);
        assert_eq!(judge(&[said]), Written::Shown, "in its voice");
        assert_eq!(judge(std::slice::from_ref(&phrase)), Written::Nothing);
        let bad = sentence("It is changed by restarting.", &[]);
        assert_eq!(judge(&[phrase, bad]), Written::Unsupported);
    }

    #[test]
    fn yes_and_no_answer_only_what_asks_for_them() {
        let port = quote("The default port is 8080, which --port changes.", "8080");
        for text in [
            "Yes, the default port is 8080.",
            "Note: No, the default port is 8080.",
        ] {
            let said = draft(text, &[sentence(text, &[2])], false);
            for (asked, expected) in [
                ("Which port is the default?", Written::Differs),
                ("How fast is express delivery?", Written::Differs),
                ("default port", Written::Differs),
                ("Is the default port 8080?", Written::Shown),
                ("Isn't it 8080?", Written::Shown),
                ("Can't I change the port?", Written::Shown),
                ("I heard of 8080, is that the port?", Written::Shown),
                ("8080 or 8081?", Written::Shown),
            ] {
                assert_eq!(
                    super::judge(&said, &port, asked),
                    expected,
                    "{asked} {text}"
                );
            }
        }
        let plain = "Nodes listen on the default port 8080.";
        let said = draft(plain, &[sentence(plain, &[2])], false);
        assert_eq!(super::judge(&said, &port, "Which port?"), Written::Shown);
    }

    #[test]
    fn without_a_mark_the_quotation_itself_must_support_the_text() {
        let port = quote("The default port of the server is 8080.", "");
        for (text, expected) in [
            ("The server's default port is 8080.", Written::Shown),
            ("The index lies in memory.", Written::Differs),
        ] {
            assert_eq!(
                judge(text, &[sentence(text, &[2])], &port),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn sentences_begin_and_end_in_other_scripts_too() {
        for text in [
            "Порт по умолчанию 8080.",
            "المنفذ الافتراضي هو 8080.",
            "`max_size` limits the files.",
            "io.open reads the file.",
            "He said: \"The port is 80.\"",
        ] {
            assert!(is_whole(text), "{text}");
        }
        for text in ["and the port is 80.", "port", "- an item\n- another."] {
            assert!(!is_whole(text), "{text}");
        }
    }
}
