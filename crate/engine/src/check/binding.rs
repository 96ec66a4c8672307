//! Finds the hard facts of a claim that its source attaches to something else: another count, date, rate or agent.

use super::atom::{Atom, Kind, word};
use super::claim::Text;
use super::fault::Fault;
use super::window::Window;

/// Facts whose partner in the window differs from that in the claim.
pub(super) fn swapped(claim: &Text, window: &Window) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (idx, atom) in claim.atoms.iter().enumerate() {
        if atom.number.is_none() || atom.kind != Kind::Number || atom.glued {
            continue;
        }
        let same = window.places_of(atom);
        let votes = || {
            partners(claim, idx).map(|partner| vote(atom, same, window.places_of(partner), window))
        };
        // A claim may leave words out; if one word still belongs to the number, nothing was swapped.
        if !votes().any(|vote| vote == Vote::Bound)
            && let Some(rival) = votes().find_map(Vote::rival)
        {
            faults.push(Fault::Swapped(format!("{} (there: {rival})", atom.key)));
        }
    }
    faults.extend(rates(claim, window));
    faults.extend(turned(claim, window));
    faults
}

/// The nearest words around a number that it may belong to, up to the next number of its kind.
fn partners(claim: &Text, idx: usize) -> impl Iterator<Item = &Atom> {
    const REACH: usize = 4;
    const MAX: usize = 3;
    let atom = &claim.atoms[idx];
    let belongs = move |other: &&Atom| {
        let is_like = atom
            .number
            .as_ref()
            .zip(other.number.as_ref())
            .is_some_and(|(one, other)| one.is_like(other));
        other.clause == atom.clause && !(is_like && other.kind == Kind::Number)
    };
    let behind = claim.atoms[idx + 1..]
        .iter()
        .take(REACH)
        .take_while(belongs);
    let before = claim.atoms[..idx]
        .iter()
        .rev()
        .take(REACH)
        .take_while(belongs);
    behind
        .filter(|other| other.is_content())
        .take(MAX)
        .chain(before.filter(|other| other.is_content()).take(MAX))
}

/// A word after `per`, `every` or `each` is part of the measure, like a unit: `5 GB per user`, `every day`.
fn rates(claim: &Text, window: &Window) -> Vec<Fault> {
    /// How far after its number a rate may be, in atoms.
    const REACH: usize = 4;
    let is_rate = |atom: &Atom| matches!(atom.key.as_str(), "per" | "every" | "each");
    let rate_behind = |atoms: &[Atom], idx: usize| {
        let sentence = atoms[idx].sentence;
        let near = atoms.iter().enumerate().skip(idx).take(REACH);
        let place = near
            .filter(|(_, atom)| atom.sentence == sentence && is_rate(atom))
            .map(|(place, _)| place + 1)
            .next();
        place.filter(|place| *place < atoms.len())
    };
    let mut faults = Vec::new();
    for (idx, atom) in claim.atoms.iter().enumerate() {
        let Some(rate) = claim
            .atoms
            .get(idx + 1)
            .filter(|next| is_rate(atom) && next.sentence == atom.sentence)
        else {
            continue;
        };
        if rate.number.is_none() && window.places(word(rate)).is_empty() {
            faults.push(Fault::Unit(format!("{} {}", atom.key, rate.key)));
        }
    }
    for (idx, atom) in claim
        .atoms
        .iter()
        .enumerate()
        .filter(|(_, atom)| atom.kind == Kind::Number)
    {
        let Some(rate) = rate_behind(&claim.atoms, idx) else {
            continue;
        };
        let there = window
            .places_of(atom)
            .iter()
            .filter_map(|place| rate_behind(&window.atoms, *place));
        let mut there = there.peekable();
        if there.peek().is_some()
            && there.all(|place| word(&window.atoms[place]) != word(&claim.atoms[rate]))
        {
            faults.push(Fault::Unit(format!(
                "{} per {}",
                atom.key, claim.atoms[rate].key
            )));
        }
    }
    faults
}

/// The number that a word belongs to, judging by distance: the claim's, or another of its kind.
#[derive(PartialEq)]
enum Vote<'w> {
    Bound,
    Rival(&'w str),
    Unknown,
}

impl<'w> Vote<'w> {
    fn rival(self) -> Option<&'w str> {
        match self {
            Vote::Rival(value) => Some(value),
            _ => None,
        }
    }
}

fn vote<'w>(atom: &Atom, same: &[usize], partners: &[usize], window: &'w Window) -> Vote<'w> {
    /// How much nearer one number must be than another, in atoms.
    const MIN_LEAD: usize = 1;
    /// How far away a number may be, in atoms.
    const MAX_DISTANCE: usize = 8;
    let Some(number) = atom.number.as_ref() else {
        return Vote::Unknown;
    };
    let pairs = partners.iter().flat_map(|partner| {
        same.iter()
            .map(move |place| distance(window, *partner, *place))
    });
    let Some(near_same) = pairs.min() else {
        return Vote::Unknown;
    };
    let mut near_rival: Option<(usize, &str)> = None;
    for partner in partners {
        let from = partner.saturating_sub(MAX_DISTANCE);
        let to = (partner + MAX_DISTANCE + 1).min(window.atoms.len());
        for place in from..to {
            let Some(other) = window.atoms[place].number.as_ref() else {
                continue;
            };
            let is_rival = window.atoms[place].kind == Kind::Number
                && other.value != number.value
                && other.is_like(number);
            let far = distance(window, *partner, place);
            if is_rival && near_rival.is_none_or(|(best, _)| far < best) {
                near_rival = Some((far, &other.value));
            }
        }
    }
    match near_rival {
        Some((far, value)) if near_same > far + MIN_LEAD => Vote::Rival(value),
        Some((far, _)) if near_same + MIN_LEAD < far => Vote::Bound,
        None if near_same <= MAX_DISTANCE => Vote::Bound,
        _ => Vote::Unknown,
    }
}

/// Words between two atoms; a clause boundary counts as several.
fn distance(window: &Window, one: usize, other: usize) -> usize {
    const CLAUSE: usize = 3;
    let clauses = window.atoms[one]
        .clause
        .abs_diff(window.atoms[other].clause);
    one.abs_diff(other) + CLAUSE * clauses
}

/// Two names, with the word between them, that are the other way round in the window: who did what to whom.
fn turned(claim: &Text, window: &Window) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut before: Option<usize> = None;
    for (idx, atom) in claim.atoms.iter().enumerate() {
        if !is_party(atom) {
            continue;
        }
        if let Some(one) = before.replace(idx)
            && claim.atoms[one].sentence == atom.sentence
            && is_turned(claim, one, idx, window)
        {
            faults.push(Fault::Swapped(format!(
                "{} {}",
                claim.atoms[one].key, atom.key
            )));
        }
    }
    faults
}

fn is_party(atom: &Atom) -> bool {
    matches!(atom.kind, Kind::Name | Kind::Code) && !atom.glued
}

fn is_turned(claim: &Text, one: usize, other: usize, window: &Window) -> bool {
    /// Largest distance in atoms: further apart, two names belong to different statements.
    const MAX_DISTANCE: usize = 10;
    if other - one > MAX_DISTANCE {
        return false;
    }
    let between = &claim.atoms[one + 1..other];
    let by = between.iter().any(|atom| atom.key == "by");
    let there = |atom: &Atom| {
        let places = window.places_of(atom);
        places
            .iter()
            .copied()
            .filter(|place| *place >= window.n_heading)
            .collect::<Vec<_>>()
    };
    let (one_places, other_places) = (there(&claim.atoms[one]), there(&claim.atoms[other]));
    let ([one_place], [other_place]) = (&one_places[..], &other_places[..]) else {
        return false;
    };
    if one_place.abs_diff(*other_place) > MAX_DISTANCE {
        return false;
    }
    let span = *one_place.min(other_place)..*one_place.max(other_place);
    let by_there = window.atoms[span.clone()]
        .iter()
        .any(|atom| atom.key == "by");
    // The reverse order means the same if exactly one of the two is passive; the same order, if both are or neither is.
    if (one_place < other_place) == (by == by_there) {
        return false;
    }
    let has = |atom: &Atom| {
        window
            .places(word(atom))
            .iter()
            .any(|place| span.contains(place))
    };
    let compares = between.iter().any(|atom| {
        matches!(
            atom.key.as_str(),
            "than" | "to" | "before" | "after" | "from" | "into" | "over"
        ) && has(atom)
    });
    // `A is the capital of B` can be reversed: a noun between two names is not an act.
    let is_noun = !by
        && between
            .iter()
            .any(|atom| matches!(atom.key.as_str(), "is" | "are" | "was" | "were"));
    let acts = || {
        between
            .iter()
            .any(|atom| atom.kind == Kind::Word && atom.is_content() && has(atom))
    };
    compares || (!is_noun && acts())
}
