//! Turns a claim's hard facts (numbers, names, code) into those that its source lacks or gives to something else.

use super::support::{Fault, Text, Window, word};
use super::token::{Atom, Kind};

/// The parts of a name stand this near to each other, a middle name between them at most.
const NAME_SPREAD: usize = 2;

/// Facts that don't stand in the window as whole tokens.
pub(super) fn missing(claim: &Text, window: &Window) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut before: Option<(usize, &Atom)> = None;
    for (idx, atom) in claim.atoms.iter().enumerate() {
        let places = window.places_of(atom);
        let name_before = before
            .filter(|(place, _)| place + 1 == idx)
            .map(|(_, name)| name)
            .filter(|name| name.clause == atom.clause && name.key != atom.key);
        if atom.kind == Kind::Name {
            before = Some((idx, atom));
        }
        let fault = match atom.kind {
            Kind::Number => number_fault(atom, places, window),
            Kind::Code if places.is_empty() => Some(Fault::Code(atom.key.clone())),
            Kind::Name => name_fault(atom, name_before, window),
            _ => None,
        };
        let parted = || {
            let one = idx
                .checked_sub(1)
                .map(|idx| &claim.atoms[idx])
                .filter(|_| atom.glued)?;
            let follows = window
                .places_of(one)
                .iter()
                .any(|place| places.contains(&(place + 1)));
            (!follows).then(|| Fault::Code(format!("{} {}", one.key, atom.key)))
        };
        faults.extend(fault.or_else(parted));
    }
    faults
}

fn number_fault(atom: &Atom, places: &[usize], window: &Window) -> Option<Fault> {
    let number = atom.number.as_ref()?;
    if places.is_empty() {
        return Some(Fault::Number(number.value.clone()));
    }
    let same_unit = |place: &usize| {
        let other = window.atoms[*place].number.as_ref();
        other.is_some_and(|other| other.unit == number.unit)
    };
    (!number.unit.is_empty() && !places.iter().any(same_unit))
        .then(|| Fault::Unit(format!("{} {}", number.value, number.unit)))
}

/// A name must stand in the window or in the passage's first sentence, next to the name that it stands next to in the claim.
fn name_fault(atom: &Atom, before: Option<&Atom>, window: &Window) -> Option<Fault> {
    let places = window.places_of(atom);
    if places.is_empty() && !window.topic_has(&atom.key) {
        return Some(Fault::Name(atom.key.clone()));
    }
    let before = before?;
    let places_before = window.places_of(before);
    let is_one_name = near(places_before, places, NAME_SPREAD)
        || (window.topic_has(&before.key) && window.topic_has(&atom.key));
    let is_known = !places_before.is_empty() || window.topic_has(&before.key);
    (is_known && !is_one_name).then(|| Fault::Name(format!("{} {}", before.key, atom.key)))
}

fn near(one: &[usize], other: &[usize], spread: usize) -> bool {
    one.iter().any(|one| {
        other
            .iter()
            .any(|other| one.abs_diff(*other) <= spread && one != other)
    })
}

/// Facts that stand in the window beside another partner than in the claim.
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
        // A claim may leave words out; one word that still belongs to the number shows that nothing was exchanged.
        if !votes().any(|vote| vote == Vote::Bound)
            && let Some(rival) = votes().find_map(Vote::rival)
        {
            faults.push(Fault::Swapped(format!("{} (there: {rival})", atom.key)));
        }
    }
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

/// Whose a word is, as far as places tell: the claim's number's, or that of another one of its kind.
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
    /// How much nearer one number must be than another.
    const SLACK: usize = 1;
    /// How far away a number may be.
    const FAR: usize = 8;
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
        let from = partner.saturating_sub(FAR);
        let to = (partner + FAR + 1).min(window.atoms.len());
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
        Some((far, value)) if near_same > far + SLACK => Vote::Rival(value),
        Some((far, _)) if near_same + SLACK < far => Vote::Bound,
        None if near_same <= FAR => Vote::Bound,
        _ => Vote::Unknown,
    }
}

/// Words between two places; a clause's end counts for some.
fn distance(window: &Window, one: usize, other: usize) -> usize {
    const CLAUSE: usize = 3;
    let clauses = window.atoms[one]
        .clause
        .abs_diff(window.atoms[other].clause);
    one.abs_diff(other) + CLAUSE * clauses
}

/// Two names, with the word between them, that stand the other way round in the window: who did what to whom.
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
    /// Further apart, two names belong to different statements.
    const FAR: usize = 10;
    if other - one > FAR {
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
    if one_place < other_place || one_place - other_place > FAR {
        return false;
    }
    let by_there = window.atoms[*other_place..*one_place]
        .iter()
        .any(|atom| atom.key == "by");
    let relation = between.iter().any(|atom| {
        let names = matches!(
            atom.key.as_str(),
            "than" | "to" | "before" | "after" | "from" | "into" | "over" | "with"
        );
        (names && atom.key != "with" || atom.is_content() && atom.kind == Kind::Word)
            && (window
                .places(word(atom))
                .iter()
                .any(|place| (*other_place..*one_place).contains(place)))
    });
    relation && by == by_there
}
