//! Turns a fragment (`And on Windows?`, `Why?`) and the previous question into a complete question.

use super::clause::{Clause, Phrase, Role, lead, uncapitalised};
use super::more::whole;
use super::reference::same_noun;
use super::words::Class;

/// Most words of a fragment after `and` or `what about`.
const MAX_FRAGMENT: usize = 8;
/// Interchangeable prepositions: `in the browser` replaces `on Linux`.
const PLACES: [&str; 4] = ["on", "in", "at", "under"];

/// The outcome for a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Completed {
    /// It is complete as it stands.
    Whole,
    /// The completed question.
    Question(String),
    /// A fragment that fits nowhere in the previous question.
    Lost,
}

/// Completes `question` from the previous question, `last`.
pub(super) fn complete(question: &Clause<'_>, last: &Clause<'_>) -> Completed {
    let end = question.end();
    let start = lead(&question.tokens);
    if end == 0 || last.end() == 0 {
        return Completed::Whole;
    }
    if is_bare_wh(question, start, end) {
        return Completed::Question(with_wh(question, start, last));
    }
    if question.tokens[..end]
        .iter()
        .all(|token| token.is(&["and", "so", "then", "next", "what", "now", "afterwards"]))
    {
        return Completed::Question(format!("{}, and then?", bare(last)));
    }
    let about = ["what about", "how about", "what of"].iter().any(|cue| {
        cue.split(' ')
            .enumerate()
            .all(|(idx, word)| question.lower(start + idx) == word)
    });
    let from = if about { start + 2 } else { start };
    let asks =
        end < question.tokens.len() && question.tokens[end..].iter().any(|token| token.text == "?");
    let by_preposition = question.class(from) == Some(Class::Preposition);
    if from == end || end - from > MAX_FRAGMENT || !(about || start > 0 || (by_preposition && asks))
    {
        return Completed::Whole;
    }
    let finite = (from..end).any(|at| {
        matches!(
            question.class(at),
            Some(Class::Be | Class::Auxiliary | Class::Wh)
        )
    }) || matches!(
        question.class(from),
        Some(Class::Person | Class::Conjunction | Class::Adverb)
    );
    if finite {
        return Completed::Whole;
    }
    let swapped = if by_preposition {
        swap_place(question, from..end, last)
    } else if question.class(from) == Some(Class::Verb) && !about {
        last.verb
            .map(|verb| splice(last, verb..last.end(), question.slice(from..end)))
    } else {
        swap_phrase(question, from..end, last)
    };
    swapped.map_or(Completed::Lost, Completed::Question)
}

/// `why`, `how many`, `which ones`, `since when`: a question word with nothing to apply it to.
fn is_bare_wh(question: &Clause<'_>, start: usize, end: usize) -> bool {
    let tokens = &question.tokens[start..end];
    let bare = |at: &str| {
        matches!(
            at,
            "so" | "come"
                | "not"
                | "exactly"
                | "one"
                | "ones"
                | "many"
                | "much"
                | "often"
                | "long"
                | "else"
                | "far"
                | "soon"
                | "then"
                | "case"
                | "that"
        )
    };
    (1..=4).contains(&tokens.len())
        && tokens.iter().any(|token| token.class == Class::Wh)
        && !(tokens.len() == 1 && tokens[0].lower == "what")
        && tokens.iter().all(|token| {
            matches!(token.class, Class::Wh | Class::Preposition) || bare(&token.lower)
        })
}

/// Puts the question word in front of the last question: `why does the page need JavaScript`.
fn with_wh(question: &Clause<'_>, start: usize, last: &Clause<'_>) -> String {
    let own = question.slice(start..question.end());
    let plain = question.tokens[start].is(&["why", "how", "when", "where"]);
    let asked = last.wh.as_ref().is_none_or(|wh| {
        (wh.clone()).all(|at| {
            matches!(last.class(at), Some(Class::Wh))
                && !last.tokens[at].is(&["what", "which", "who"])
        })
    });
    match last.auxiliary {
        Some(auxiliary) if plain && asked => {
            format!("{} {}?", own, uncapitalised(last, auxiliary..last.end()))
        }
        _ => format!(
            "{own}: {}?",
            uncapitalised(last, lead(&last.tokens)..last.end())
        ),
    }
}

/// The last question without its closing marks.
fn bare(last: &Clause<'_>) -> String {
    last.slice(0..last.end()).to_owned()
}

/// The last question with some of its tokens replaced.
fn splice(last: &Clause<'_>, tokens: std::ops::Range<usize>, text: &str) -> String {
    let before = last.slice(0..tokens.start);
    let after = last.slice(tokens.end..last.end());
    let parts: Vec<&str> = [before, text, after]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    format!("{}?", parts.join(" "))
}

/// `on Windows` replaces the phrase with the same or a similar preposition; otherwise it is appended.
fn swap_place(
    question: &Clause<'_>,
    fragment: std::ops::Range<usize>,
    last: &Clause<'_>,
) -> Option<String> {
    let word = question.lower(fragment.start);
    let text = uncapitalised(question, fragment);
    let at = |fits: &dyn Fn(&str) -> bool| {
        last.phrases.iter().rev().find(|phrase| {
            phrase.role == Role::Oblique
                && phrase.tokens.start > 0
                && fits(last.lower(phrase.tokens.start - 1))
        })
    };
    let like = |other: &str| PLACES.contains(&word) && PLACES.contains(&other);
    if let Some(phrase) = at(&|other| other == word).or_else(|| at(&like)) {
        return Some(splice(
            last,
            phrase.tokens.start - 1..phrase.tokens.end,
            &text,
        ));
    }
    Some(splice(last, last.end()..last.end(), &text))
}

/// `the water filter` replaces the air filter, or the only thing asked about.
fn swap_phrase(
    question: &Clause<'_>,
    fragment: std::ops::Range<usize>,
    last: &Clause<'_>,
) -> Option<String> {
    let own = question
        .phrases
        .iter()
        .find(|phrase| fragment.contains(&phrase.head))?;
    let text = question.slice(fragment);
    let phrases: Vec<&Phrase> = last
        .phrases
        .iter()
        .filter(|phrase| !matches!(phrase.role, Role::Within | Role::Asked))
        .collect();
    let head = question.lower(own.head);
    let is_code =
        |clause: &Clause<'_>, phrase: &Phrase| clause.class(phrase.head) == Some(Class::Name);
    let alike =
        |fits: &dyn Fn(&Phrase) -> bool| phrases.iter().rev().copied().find(|phrase| fits(phrase));
    // In `instead of SQLite`, the phrase is the standard of comparison, not what is asked about.
    let compared = |phrase: &Phrase| {
        let before = phrase
            .tokens
            .start
            .checked_sub(1)
            .map_or("", |before| last.lower(before));
        phrase.role == Role::Oblique && ["of", "than", "from", "to"].contains(&before)
    };
    if phrases.is_empty() && last.wh.is_some() {
        return whole(last).map(|all| format!("{text} {all}?"));
    }
    let chosen = alike(&|phrase| same_noun(head, last.lower(phrase.head)))
        .or_else(|| {
            alike(&|phrase| is_code(question, own) && is_code(last, phrase) && !compared(phrase))
        })
        .or_else(|| alike(&|phrase| own.proper && phrase.proper && !compared(phrase)))
        .or_else(|| match phrases.as_slice() {
            [only] => Some(*only),
            _ if own.proper => None,
            _ => alike(&|phrase| phrase.role == Role::Object && !phrase.proper),
        })?;
    Some(splice(last, chosen.tokens.clone(), text))
}
