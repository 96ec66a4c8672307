//! Finds the noun phrases of earlier turns that a word of a question may refer to, the likeliest first.

use std::collections::BTreeSet;

use super::clause::{Clause, Phrase, Role};
use super::reference::{Kind, Reference, same_noun};

/// The first candidate must lead the second by this much; the scores of roles differ by at least one.
const LEAD: f32 = 0.75;
/// Least score of an antecedent: below it, the mention is too far from the question's topic, or too long ago.
const FLOOR: f32 = 1.0;
/// Score that a candidate loses for each turn further back.
const DISTANCE: f32 = 1.5;
/// Score of a mention in another turn, the answer or a heading.
const MENTION: f32 = 0.5;
/// Longest phrase that is put into a question, in bytes.
const MAX_PHRASE_BYTES: usize = 120;

/// Nouns that say less than their complement: `the purpose of the cache`, `the difference between both`.
const TRANSPARENT: [&str; 14] = [
    "purpose",
    "point",
    "difference",
    "differences",
    "meaning",
    "use",
    "kind",
    "type",
    "advantage",
    "advantages",
    "benefit",
    "example",
    "number",
    "amount",
];

/// Nouns that questions ask for, but that no pronoun refers to.
const EMPTY: [&str; 18] = [
    "aspects",
    "article",
    "information",
    "info",
    "facts",
    "fact",
    "thing",
    "things",
    "way",
    "ways",
    "time",
    "times",
    "example",
    "examples",
    "details",
    "detail",
    "page",
    "reason",
];

/// A parsed turn before the question.
pub(super) struct Known<'t> {
    pub(super) question: Clause<'t>,
    pub(super) answer: Clause<'t>,
    pub(super) headings: Vec<Clause<'t>>,
}

/// A noun phrase that may be meant.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) text: String,
    /// Index of the turn.
    pub(super) turn: usize,
    /// The main noun, in lower case.
    pub(super) head: String,
    words: BTreeSet<String>,
    score: f32,
    plural: bool,
    /// True if it names something: `this option` may be it.
    pub(super) proper: bool,
    person: bool,
}

/// The antecedent of `reference`, if one candidate clearly leads.
pub(super) fn resolve(reference: &Reference, turns: &[Known<'_>]) -> Option<Candidate> {
    let mut candidates = candidates(turns, Some(reference.subject && !reference.possessive));
    candidates.retain_mut(|candidate| {
        candidate.score += match reference.kind {
            Kind::Thing | Kind::This if candidate.plural => return false,
            // A full name is seldom an `it`.
            Kind::Thing | Kind::This if candidate.person && candidate.words.len() > 1 => -2.0,
            Kind::Several if candidate.plural => 0.0,
            // `they` may be a band or a company.
            Kind::Several if candidate.proper => -0.5,
            Kind::Someone if candidate.person => 0.0,
            Kind::Several | Kind::Someone => return false,
            Kind::Thing | Kind::This => 0.0,
        };
        true
    });
    leader(candidates)
}

/// The topic of the turns, if it is clear.
pub(super) fn topic(turns: &[Known<'_>]) -> Option<Candidate> {
    leader(candidates(turns, None))
}

/// The phrase of an earlier turn that says more about `noun` than the noun alone.
pub(super) fn specific(noun: &str, turns: &[Known<'_>]) -> Option<Candidate> {
    let mut candidates = candidates(turns, None);
    candidates.retain(|candidate| same_noun(noun, &candidate.head) && candidate.words.len() > 1);
    leader(candidates)
}

fn leader(mut candidates: Vec<Candidate>) -> Option<Candidate> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let second = candidates
        .get(1)
        .map_or(f32::MIN, |candidate| candidate.score);
    let first = candidates.into_iter().next()?;
    (first.score >= FLOOR && first.score - second >= LEAD).then_some(first)
}

/// The candidates of all turns; those in the same role as the reference, subject or object, score higher.
fn candidates(turns: &[Known<'_>], subject: Option<bool>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for (turn, known) in turns.iter().enumerate().rev() {
        #[expect(clippy::cast_precision_loss, reason = "a handful of turns")]
        let late = DISTANCE * (turns.len() - 1 - turn) as f32;
        let question = &known.question;
        for (idx, phrase) in question.phrases.iter().enumerate() {
            let score = joint_score(question, phrase, subject) - late;
            if phrase.role == Role::Asked {
                asked(&mut found, known, phrase, turn, score);
            } else {
                add(&mut found, candidate(question, phrase, turn, score));
                if let Some(pair) = pair(question, idx, turn, score) {
                    add(&mut found, Some(pair));
                }
            }
        }
        let asks_who = question
            .wh
            .as_ref()
            .is_some_and(|wh| question.slice(wh.clone()).to_lowercase().contains("who"));
        for phrase in &known.answer.phrases {
            let score = match phrase.role {
                _ if asks_who && phrase.person => 4.0,
                Role::Subject => 2.0,
                _ if phrase.person && phrase.tokens.len() > 1 => 1.0,
                _ if phrase.plural => 0.5,
                _ => 0.0,
            };
            add(
                &mut found,
                candidate(&known.answer, phrase, turn, score - late),
            );
        }
        for (level, heading) in known.headings.iter().enumerate() {
            for phrase in &heading.phrases {
                // A page about someone has the name as its title.
                let score = match level {
                    0 if phrase.person && phrase.tokens.len() > 1 => 2.5,
                    0 => 1.0,
                    _ => 0.0,
                };
                add(&mut found, candidate(heading, phrase, turn, score - late));
            }
        }
    }
    found
}

/// The score of a phrase of the question; two joined phrases score the same.
fn joint_score(question: &Clause<'_>, phrase: &Phrase, subject: Option<bool>) -> f32 {
    let own = role_score(question, phrase, subject);
    let partners = question.phrases.iter().filter(|other| {
        phrase.joined
            && other.joined
            && (other.tokens.end + 1 == phrase.tokens.start
                || phrase.tokens.end + 1 == other.tokens.start)
    });
    partners
        .map(|other| role_score(question, other, subject))
        .fold(own, f32::max)
}

fn role_score(question: &Clause<'_>, phrase: &Phrase, subject: Option<bool>) -> f32 {
    let oneself = question.is_asked_for_oneself();
    let see_through = question.phrases.iter().any(|outer| {
        outer.tokens.start < phrase.tokens.start
            && outer.tokens.end >= phrase.tokens.start.saturating_sub(1)
            && TRANSPARENT.contains(&question.lower(outer.head))
    });
    let parallel = |own: bool| if subject == Some(own) { 1.0 } else { 0.0 };
    match phrase.role {
        // `what is the purpose of the cache`: about the cache.
        Role::Within if see_through => 3.0,
        _ if TRANSPARENT.contains(&question.lower(phrase.head)) => 0.0,
        Role::Subject if question.verb.is_none() => 4.0,
        Role::Subject => 3.0 + parallel(true),
        Role::Object if oneself => 4.0,
        Role::Object => 2.5 + parallel(false),
        Role::Asked => 3.5,
        Role::Oblique if see_through => 3.0,
        Role::Oblique => 1.5,
        Role::Within => 1.0,
    }
}

/// A phrase that was asked for becomes known if the answer names it: `which plan`, `the enterprise plan`.
fn asked(found: &mut Vec<Candidate>, known: &Known<'_>, phrase: &Phrase, turn: usize, score: f32) {
    let head = known.question.lower(phrase.head);
    let named =
        known.answer.phrases.iter().find(|named| {
            named.tokens.len() > 1 && same_noun(head, known.answer.lower(named.head))
        });
    let added = match named {
        Some(named) => candidate(&known.answer, named, turn, score + 1.5),
        None => candidate(&known.question, phrase, turn, score).map(|plain| Candidate {
            text: format!("the {}", plain.text),
            ..plain
        }),
    };
    add(found, added);
}

fn candidate(clause: &Clause<'_>, phrase: &Phrase, turn: usize, score: f32) -> Option<Candidate> {
    let mut tokens = phrase.tokens.clone();
    let first = &clause.tokens[tokens.start];
    let pointing = first.is(&["this", "that", "these", "those"]);
    if pointing
        || first.is(&[
            "any", "some", "no", "every", "each", "another", "other", "more", "most", "all",
            "much", "many", "few",
        ])
    {
        tokens.start += 1;
    }
    let text = clause.slice(tokens.clone());
    let text = if phrase.role == Role::Within {
        text.trim_end_matches("'s").trim_end_matches("’s")
    } else {
        text
    };
    let tokens_start = tokens.start;
    let words: BTreeSet<String> = clause.tokens[tokens]
        .iter()
        .filter(|token| token.is_content())
        .map(|token| token.lower.trim_end_matches("'s").to_owned())
        .collect();
    if words.is_empty()
        || EMPTY.contains(&clause.lower(phrase.head))
        || text.len() > MAX_PHRASE_BYTES
    {
        return None;
    }
    // `its configuration` refers to the configuration.
    let owned = tokens_start
        .checked_sub(1)
        .is_some_and(|before| clause.tokens[before].is(&["its", "their", "his", "her"]));
    Some(Candidate {
        text: if pointing || owned {
            format!("the {text}")
        } else {
            text.to_owned()
        },
        turn,
        head: clause.lower(phrase.head).trim_end_matches("'s").to_owned(),
        words,
        score,
        plural: phrase.plural,
        proper: phrase.proper,
        person: phrase.person,
    })
}

/// Two joined phrases as one candidate, which is plural.
fn pair(clause: &Clause<'_>, idx: usize, turn: usize, score: f32) -> Option<Candidate> {
    let first = clause.phrases.get(idx).filter(|phrase| phrase.joined)?;
    let second = clause.phrases[idx + 1..]
        .iter()
        .find(|phrase| phrase.joined && phrase.tokens.start == first.tokens.end + 1)?;
    let both = Phrase {
        tokens: first.tokens.start..second.tokens.end,
        plural: true,
        ..second.clone()
    };
    candidate(clause, &both, turn, score + 1.0)
}

/// Adds a candidate, or raises the score of the one it mentions again.
fn add(found: &mut Vec<Candidate>, added: Option<Candidate>) {
    let Some(added) = added else { return };
    let same = found.iter_mut().find(|known| {
        known.plural == added.plural
            && (known.words.is_subset(&added.words) || added.words.is_subset(&known.words))
            && (same_noun(&known.head, &added.head) || known.person && added.person)
    });
    match same {
        Some(known) => {
            known.score = known.score.max(added.score) + MENTION;
            // A person keeps the full name, anything else the latest wording.
            if added.person && added.words.len() > known.words.len() {
                known.text = added.text;
                known.words = added.words;
            }
        }
        None => found.push(added),
    }
}
