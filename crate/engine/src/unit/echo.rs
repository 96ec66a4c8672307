//! Tells a text that only repeats the question: the question of a list of questions, or an example that asks it.

use unicode_segmentation::UnicodeSegmentation;

/// Shorter questions are too likely to stand in an answer.
const MIN_WORDS: usize = 4;

/// The words of a question, to be looked for in texts.
pub(crate) struct Echo {
    words: Vec<String>,
}

impl Echo {
    /// Takes the words of `question`.
    pub(crate) fn of(question: &str) -> Self {
        Self {
            words: question.unicode_words().map(str::to_lowercase).collect(),
        }
    }

    /// True if `text` holds the whole question, and hardly more: at most half as many other words.
    pub(crate) fn is(&self, text: &str) -> bool {
        let n = self.words.len();
        if n < MIN_WORDS {
            return false;
        }
        let found: Vec<String> = text.unicode_words().map(str::to_lowercase).collect();
        found.len() <= n + n / 2 && found.windows(n).any(|window| window == self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_question_itself_is_an_echo() {
        let echo = Echo::of("What does exit code 1 mean?");
        for (text, expected) in [
            ("anchorite ask bundle \"What does exit code 1 mean?\"", true),
            ("What does exit code 1 mean?", true),
            (
                "What does exit code 1 mean? There were warnings and `--strict` was given.",
                false,
            ),
            ("Exit code 1 means that there were warnings.", false),
            ("", false),
        ] {
            assert_eq!(echo.is(text), expected, "{text}");
        }
        assert!(
            !Echo::of("What is it?").is("What is it?"),
            "too short to tell"
        );
    }
}
