//! Finds the hard facts (numbers, names, code) of a claim that its source lacks.

use super::atom::{Atom, Kind};
use super::claim::Text;
use super::fault::Fault;
use super::window::Window;

/// Largest distance between the parts of a name: at most a middle name comes between them.
const NAME_SPREAD: usize = 2;

/// Facts that don't occur in the window as whole tokens.
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

/// A name must occur in the window or in the passage's first sentence, next to the same name as in the claim.
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
