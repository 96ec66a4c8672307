//! Finds contradictions between a claim and a window of its source: opposites, negations, and claims stronger than the
//! source.

use std::collections::HashSet;

use super::atom::{Atom, word};
use super::claim::Text;
use super::fault::Fault;
use super::polarity::{CONTEXT, Force, found, meant, pole, poles};
use super::window::Window;

/// Faults from opposite words, and from words denied on one side only.
pub(super) fn opposites(claim: &Text, window: &Window) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (idx, (pair, side)) in poles(&claim.atoms, &claim.denial.head) {
        let places = |side| {
            window
                .poles
                .get(&(pair, side))
                .map_or(&[][..], Vec::as_slice)
        };
        let (same, other) = (places(side), places(!side));
        if other.is_empty() {
            continue;
        }
        let opposed = if same.is_empty() {
            other
                .iter()
                .any(|place| shares_context(claim, idx, window, *place))
        } else {
            is_nearer(claim, idx, window, other, same)
        };
        if opposed {
            faults.push(Fault::Opposite(claim.atoms[idx].key.clone()));
        }
    }
    faults.extend(negations(claim, window));
    faults
}

/// Content words around an atom, nearest first on each side.
fn context(atoms: &[Atom], idx: usize) -> impl Iterator<Item = (usize, &Atom)> {
    let from = idx.saturating_sub(CONTEXT);
    let to = (idx + CONTEXT + 1).min(atoms.len());
    let sentence = atoms[idx].sentence;
    (from..to)
        .map(|place| (place, &atoms[place]))
        .filter(move |(place, atom)| {
            *place != idx && atom.is_content() && atom.sentence == sentence && pole(atom).is_none()
        })
}

fn shares_context(claim: &Text, idx: usize, window: &Window, place: usize) -> bool {
    context(&claim.atoms, idx)
        .any(|(_, atom)| context(&window.atoms, place).any(|(_, other)| word(other) == word(atom)))
}

/// True if the words next to the claim's pole are nearer to the opposite pole in the window.
fn is_nearer(claim: &Text, idx: usize, window: &Window, other: &[usize], same: &[usize]) -> bool {
    /// Ties and small differences decide nothing.
    const SLACK: usize = 2;
    let nearest = |poles: &[usize], places: &[usize]| {
        let pairs = poles
            .iter()
            .flat_map(|pole| places.iter().map(move |place| (pole, place)));
        pairs
            .map(|(pole, place)| {
                pole.abs_diff(*place)
                    + 3 * window.atoms[*pole]
                        .clause
                        .abs_diff(window.atoms[*place].clause)
            })
            .min()
    };
    let behind = context(&claim.atoms, idx).find(|(place, _)| *place > idx);
    let before = context(&claim.atoms, idx)
        .filter(|(place, _)| *place < idx)
        .last();
    let near = |(place, atom): (usize, &Atom)| {
        let close = place.abs_diff(idx) <= 2 && atom.clause == claim.atoms[idx].clause;
        let places = window.places_of(atom);
        let (same, other) = (nearest(same, places)?, nearest(other, places)?);
        close.then_some((same, other))
    };
    let votes = [behind.and_then(near), before.and_then(near)];
    // `men and women` has both.
    let is_both = same
        .iter()
        .any(|one| other.iter().any(|other| one.abs_diff(*other) <= 2));
    let mut votes = votes.into_iter().flatten().peekable();
    !is_both && votes.peek().is_some() && votes.all(|(same, other)| same > other + SLACK)
}

fn negations(claim: &Text, window: &Window) -> Vec<Fault> {
    let mut faults = Vec::new();
    // The source must deny what the claim denies.
    for &negator in &claim.denial.negators {
        let reach = (negator + 1 + 2 * CONTEXT).min(claim.atoms.len());
        let Some(head) = (negator + 1..reach).find(|place| claim.denial.reach[*place]) else {
            continue;
        };
        // A denied word that has an opposite has already been compared with it.
        if let Some((pair, _)) = pole(&claim.atoms[head])
            && [true, false]
                .iter()
                .any(|side| window.poles.contains_key(&(pair, *side)))
        {
            continue;
        }
        let mut words = meant(&claim.atoms, negator, &claim.denial.reach);
        let matched = words.any(|place| window.denied.contains(word(&claim.atoms[place])));
        if !matched {
            faults.push(Fault::Negation(claim.atoms[head].key.clone()));
        }
    }
    let negators = claim.denial.negators.iter();
    let denying: HashSet<usize> = negators
        .map(|negator| claim.atoms[*negator].clause)
        .collect();
    // The claim must not affirm what the source denies.
    for (idx, atom) in claim.atoms.iter().enumerate() {
        if !atom.is_content() || claim.denial.reach[idx] || pole(atom).is_some() {
            continue;
        }
        let places = window.places_of(atom);
        let denied = places.iter().any(|place| window.denial.head[*place]);
        let affirmed = places.iter().any(|place| !window.denial.head[*place]);
        // A claim that denies another word of the same clause may be a paraphrase.
        let near_negator = denying.contains(&atom.clause);
        if denied && !affirmed && !near_negator {
            faults.push(Fault::Negation(atom.key.clone()));
        }
    }
    faults
}

/// Faults of a claim that is stronger than its source, or leaves out its conditions.
pub(super) fn forces(claim: &Text, window: &Window) -> Vec<Fault> {
    let here = found(&claim.atoms, &claim.denial.head, 0..claim.atoms.len());
    let there = &window.forces;
    let says = |wanted: Force| here.iter().any(|(_, force)| *force == wanted);
    let has = |wanted: Force| there.iter().any(|(_, force)| *force == wanted);
    let mut faults = Vec::new();
    if says(Force::Must) && !has(Force::Must) {
        faults.push(Fault::Force("must"));
    }
    if says(Force::Should) && !has(Force::Should) && !has(Force::Must) {
        faults.push(Fault::Force("should"));
    }
    if says(Force::Only) && !has(Force::Only) {
        faults.push(Fault::Force("only"));
    }
    if says(Force::All) && !has(Force::All) {
        faults.push(Fault::Force("all"));
    }
    if says(Force::Default) && !has(Force::Default) && window.places("default").is_empty() {
        faults.push(Fault::Force("default"));
    }
    if says(Force::Unless) && !has(Force::Unless) && !has(Force::If) {
        faults.push(Fault::Force("unless"));
    }
    if has(Force::Unless)
        && !says(Force::Unless)
        && !says(Force::If)
        && !says(Force::Only)
        && drops(claim, window)
    {
        faults.push(Fault::Force("without its condition"));
    }
    let permits = says(Force::Can) || says(Force::May);
    if permits
        && !says(Force::Must)
        && has(Force::Must)
        && !has(Force::Can)
        && !has(Force::May)
        && follows(claim, window, Force::Must)
    {
        faults.push(Fault::Force("can"));
    }
    let hedged = permits || says(Force::If);
    if has(Force::May) && !hedged && follows(claim, window, Force::May) {
        faults.push(Fault::Force("may"));
    }
    faults
}

/// True if the claim has the word that a force in the source applies to.
fn follows(claim: &Text, window: &Window, wanted: Force) -> bool {
    let mut places = window.forces.iter().filter(|(_, force)| *force == wanted);
    places.any(|(place, _)| {
        let governed = window.atoms[place + 1..]
            .iter()
            .take(CONTEXT)
            .find(|atom| atom.is_content());
        governed.is_some_and(|governed| claim.has(governed))
    })
}

/// True if the claim has a content word that precedes a condition in the source.
fn drops(claim: &Text, window: &Window) -> bool {
    let mut places = window
        .forces
        .iter()
        .filter(|(_, force)| *force == Force::Unless);
    places.any(|(place, _)| {
        let sentence = window.atoms[*place].sentence;
        let before = window.atoms[..*place]
            .iter()
            .rev()
            .take_while(|atom| atom.sentence == sentence)
            .take(CONTEXT);
        before
            .filter(|atom| atom.is_content())
            .any(|atom| claim.has(atom))
    })
}
