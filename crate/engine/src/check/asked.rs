//! The hard facts that a question names (numbers, versions, codes, flags, identifiers), and how many of them a text
//! holds.
//!
//! A reader trained on prose confuses the row of exit code 1 with that of exit code 2, since they look alike to it.
//! Here such facts are compared as whole tokens, as in the check.

use super::atom::{Atom, Kind};
use super::token::atoms;

/// The most facts of a question that are compared, one for each bit of [`Held`].
const MAX_FACTS: usize = Held::BITS as usize;

/// The facts that a text holds: bit `i` for fact `i` of the question. `|` joins those of several texts.
pub(crate) type Held = u16;

/// The facts of a question, each once.
pub(crate) struct Asked {
    facts: Vec<String>,
    is_opaque: bool,
}

impl Asked {
    /// The facts of `question`: numbers in digits, and code that stands for one thing ([`is_opaque`], `max_len`,
    /// `io::Error`).
    ///
    /// Not counted are numbers in words (`the two lines`), which count things more often than they name one; file
    /// names, which occur on many pages of a site; and expressions (`v.get(100)`), which are the asker's own.
    pub(crate) fn of(question: &str) -> Self {
        let atoms = atoms(question);
        let mut asked = Self {
            facts: Vec::new(),
            is_opaque: false,
        };
        for (idx, atom) in atoms.iter().enumerate() {
            let is_piece = atom.glued || atoms.get(idx + 1).is_some_and(|next| next.glued);
            let opaque = atom.kind == Kind::Code && is_opaque(&atom.key);
            let is_fact = match atom.kind {
                Kind::Code => opaque || atom.key.contains('_') || atom.key.contains("::"),
                Kind::Number => atom
                    .number
                    .as_ref()
                    .is_some_and(|number| !number.is_spelled),
                Kind::Word | Kind::Name => false,
            };
            let fact = form(atom);
            let is_new = !asked.facts.iter().any(|known| known == fact);
            if is_fact && is_new && !is_piece && asked.facts.len() < MAX_FACTS {
                asked.facts.push(fact.to_owned());
                asked.is_opaque |= opaque;
            }
        }
        asked
    }

    /// True if one of the facts is opaque: its form does not reveal its meaning.
    pub(crate) fn is_opaque(&self) -> bool {
        self.is_opaque
    }

    /// The facts that occur in `text`, which is not even read if there are no facts.
    pub(crate) fn held_in(&self, text: &str) -> Held {
        if self.facts.is_empty() {
            return 0;
        }
        let mut held = 0;
        for atom in atoms(text) {
            for (idx, fact) in self.facts.iter().enumerate() {
                held |= Held::from(*fact == atom.key || fact == form(&atom)) << idx;
            }
        }
        held
    }

    /// The share of the facts that are held, 0 to 1; 1 if the question names none.
    pub(crate) fn share(&self, held: Held) -> f32 {
        if self.facts.is_empty() {
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 16 facts")]
        let share = held.count_ones() as f32 / self.facts.len() as f32;
        share
    }
}

/// True for a code such as `E202`, `v2.4.1` and `--keep`: its meaning can't be guessed from its form.
fn is_opaque(code: &str) -> bool {
    code.starts_with('-') || code.contains(|c: char| c.is_ascii_digit())
}

/// The form in which a fact is compared: for a number, its value, however it is written.
fn form(atom: &Atom) -> &str {
    let number = atom.number.as_ref();
    number.map_or(&atom.key, |number| &number.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_compared_as_whole_tokens() {
        let cases = [
            (
                "What does exit code 2 mean?",
                "| 2 | a file was missing |",
                1.0,
            ),
            (
                "What does exit code 2 mean?",
                "| 20 | a file was missing |",
                0.0,
            ),
            (
                "What does exit code 2 mean?",
                "Two files were missing.",
                1.0,
            ),
            (
                "How much is 1,500 in pounds?",
                "The fee for 1500 is a pound.",
                1.0,
            ),
            (
                "What does `--keep` do?",
                "With `--keep-all` nothing goes.",
                0.0,
            ),
            ("What does `--keep` do?", "With --keep, logs stay.", 1.0),
            ("What is new in v2.4.1?", "Version 2.4.1 brings tabs.", 1.0),
            ("What is new in v2.4.1?", "Version 2.4.0 brought rows.", 0.0),
            ("What is max_len in 2.0?", "Since 2.0 it has no limit.", 0.5),
            ("What are the two lines?", "A line, and another.", 1.0),
            ("Why is Cargo.lock there?", "It keeps versions.", 1.0),
            ("Does v.get(100) crash?", "The method gives None.", 1.0),
            (
                "Who ruled in the 4th century?",
                "The fourth century saw Julian.",
                1.0,
            ),
            ("Why does it stop?", "", 1.0),
        ];
        for (question, text, expected) in cases {
            let asked = Asked::of(question);
            let found = asked.share(asked.held_in(text));
            assert!(
                (found - expected).abs() < 1e-6,
                "{question} / {text}: {found}"
            );
        }
    }

    #[test]
    fn a_question_of_numbers_alone_is_bounded() {
        let question = (0..5_000).map(|n| format!("{n} ")).collect::<String>();
        assert_eq!(Asked::of(&question).facts.len(), MAX_FACTS);
    }
}
