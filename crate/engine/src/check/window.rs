//! Turns consecutive sentences, with the headings above them, into a lookup of where each word occurs.

use std::collections::{HashMap, HashSet};

use super::atom::{Atom, Kind, word};
use super::polarity::{self, Denial, Force, Pole};

/// The most occurrences of a word considered: keeps a claim and a source of one repeated word cheap.
const MAX_PLACES: usize = 12;

/// A run of sentences with the headings above it, and the places of each word.
pub(super) struct Window {
    /// The headings, then the run.
    pub(super) atoms: Vec<Atom>,
    pub(super) denial: Denial,
    /// Number of atoms that are headings.
    pub(super) n_heading: usize,
    places: HashMap<String, Vec<usize>>,
    /// Places of the words that have an opposite, by pole.
    pub(super) poles: HashMap<Pole, Vec<usize>>,
    /// Places of the words that set a force.
    pub(super) forces: Vec<(usize, Force)>,
    /// Words that a negator may apply to.
    pub(super) denied: HashSet<String>,
    /// Words of the passage's first sentence.
    topic: HashSet<String>,
}

impl Window {
    pub(super) fn new(heading: &[Atom], body: &[Atom], topic: &[Atom]) -> Window {
        // Headings form a sentence of their own, before all others.
        let shift = heading.last().map_or(0, |last| last.sentence + 1);
        let mut atoms = heading.to_vec();
        let clause = heading.last().map_or(0, |last| last.clause + 2);
        atoms.extend(body.iter().cloned().map(|mut atom| {
            atom.sentence += shift;
            atom.clause += clause;
            atom
        }));
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (idx, atom) in atoms.iter().enumerate() {
            let number = atom
                .number
                .as_ref()
                .map(|number| format!("#{}", number.value));
            let stem = (atom.stem != atom.key && !atom.stem.is_empty()).then(|| atom.stem.clone());
            for name in [Some(atom.key.clone()), stem, number].into_iter().flatten() {
                let known = places.entry(name).or_default();
                if known.len() < MAX_PLACES {
                    known.push(idx);
                }
            }
        }
        let denial = polarity::denial(&atoms);
        let mut poles: HashMap<Pole, Vec<usize>> = HashMap::new();
        for (idx, pole) in polarity::poles(&atoms, &denial.head) {
            let known = poles.entry(pole).or_default();
            if known.len() < MAX_PLACES {
                known.push(idx);
            }
        }
        let denied = denial
            .negators
            .iter()
            .flat_map(|negator| polarity::meant(&atoms, *negator, &denial.reach));
        Window {
            poles,
            forces: polarity::found(&atoms, &denial.head, heading.len()..atoms.len()),
            denied: denied.map(|place| word(&atoms[place]).to_owned()).collect(),
            denial,
            n_heading: heading.len(),
            atoms,
            places,
            topic: topic
                .iter()
                .take(100)
                .map(|atom| atom.key.clone())
                .collect(),
        }
    }

    /// The places of a key or stem.
    pub(super) fn places(&self, word: &str) -> &[usize] {
        self.places.get(word).map_or(&[], Vec::as_slice)
    }

    /// True if the passage's first sentence has a word.
    pub(super) fn topic_has(&self, key: &str) -> bool {
        self.topic.contains(key)
    }

    /// The places of a claim's atom: a number by its value, a word by its stem, names and code as written.
    pub(super) fn places_of(&self, atom: &Atom) -> &[usize] {
        match &atom.number {
            Some(number) => self.places(&format!("#{}", number.value)),
            None if atom.kind == Kind::Word => self.places(word(atom)),
            None => {
                let exact = self.places(&atom.key);
                if exact.is_empty() && atom.first {
                    self.places(&atom.stem)
                } else {
                    exact
                }
            }
        }
    }
}
