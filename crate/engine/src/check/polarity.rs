//! Finds the polarity of words: whether a text affirms, denies, requires, allows or limits what it says.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use anchorite_index::lexical;

use super::atom::Atom;

/// Words of opposite meaning: a claim with one side and a source with only the other disagree.
///
/// Several words on a side mean the same. Function words are listed here too, because they have no stem.
const PAIRS: &[(&str, &str)] = &[
    (
        "enable enabled enables activate",
        "disable disabled disables deactivate",
    ),
    ("before precede", "after follow"),
    (
        "minimum smallest least min lowest",
        "maximum largest most max highest",
    ),
    (
        "increase raise grow rise",
        "decrease reduce lower shrink fall decline",
    ),
    ("more greater", "less fewer"),
    ("first", "last"),
    ("allow permit", "deny forbid prohibit disallow prevent"),
    ("required mandatory require", "optional"),
    ("true", "false"),
    ("always", "never"),
    ("above over", "below under"),
    ("include", "exclude omit"),
    ("add adds added", "remove delete"),
    ("accept", "reject refuse"),
    ("success succeed successful", "failure fail unsuccessful"),
    ("open", "close"),
    ("start begin began", "stop end finish"),
    ("up", "down"),
    ("north northern", "south southern"),
    ("east eastern", "west western"),
    ("public", "private"),
    ("upload", "download"),
    ("import", "export"),
    ("encode", "decode"),
    ("encrypt", "decrypt"),
    ("fast faster fastest", "slow slower slowest"),
    (
        "old older oldest",
        "new newer newest young younger youngest",
    ),
    ("early earlier earliest", "late later latest"),
    ("large larger big bigger", "small smaller"),
    ("long longer longest", "short shorter shortest"),
    ("high higher", "low"),
    ("ascending", "descending"),
    ("internal", "external"),
    ("synchronous", "asynchronous"),
    ("mutable", "immutable"),
    ("win won winning", "lose lost losing"),
    ("buy bought", "sell sold"),
    ("valid", "invalid"),
    ("safe", "unsafe"),
    ("known", "unknown"),
    ("stable", "unstable"),
    ("support", "unsupported"),
    ("horizontal", "vertical"),
    ("positive", "negative"),
    ("male man men", "female woman women"),
    ("left", "right"),
    ("inside", "outside"),
    ("cheap cheaper", "expensive"),
    ("hot warm", "cold cool"),
    ("alive", "dead"),
    ("encourage", "discourage"),
    ("lock", "unlock"),
    ("install", "uninstall"),
    ("connect", "disconnect"),
    ("manual manually", "automatic automatically"),
    ("sensitive", "insensitive"),
    ("agree", "disagree"),
    ("possible able", "impossible unable"),
    ("on", "off"),
];

const NEGATORS: &[&str] = &[
    "not", "no", "never", "none", "without", "cannot", "neither", "nor", "nobody", "nothing",
    "nowhere", "hardly", "lack", "lacks", "lacked", "fails", "failed", "unable", "isnt", "dont",
    "doesnt", "cant", "wont",
];

/// Words skipped between a negator and the word it denies.
const SKIPPED: &[&str] = &[
    "longer",
    "yet",
    "necessarily",
    "currently",
    "directly",
    "fully",
    "ever",
    "also",
    "actually",
    "really",
];

/// Before one of these, `not` denies nothing: `not only fast`.
const NOT_DENIED: &[&str] = &["only", "just", "merely", "simply"];

/// The pole of a word: the pair's number, and the side.
pub(super) type Pole = (usize, bool);

/// The pole of a word; function words are looked up by themselves, others by their stem.
pub(super) fn pole(atom: &Atom) -> Option<Pole> {
    static POLES: OnceLock<HashMap<String, Pole>> = OnceLock::new();
    let poles = POLES.get_or_init(|| {
        let mut poles = HashMap::new();
        for (pair, (one, other)) in PAIRS.iter().enumerate() {
            for (side, words) in [(true, one), (false, other)] {
                for word in words.split(' ') {
                    poles.insert(word.to_owned(), (pair, side));
                    if let Some(stem) = lexical::terms(word).pop_first() {
                        poles.entry(stem).or_insert((pair, side));
                    }
                }
            }
        }
        poles
    });
    let found = poles.get(&atom.key).or_else(|| poles.get(&atom.stem));
    found.copied()
}

/// Words that have an opposite, with their poles flipped if denied.
pub(super) fn poles(atoms: &[Atom], denied: &[bool]) -> Vec<(usize, Pole)> {
    let found = atoms.iter().enumerate().filter(|(_, atom)| !atom.glued);
    found
        .filter_map(|(idx, atom)| pole(atom).map(|(pair, side)| (idx, (pair, side != denied[idx]))))
        .collect()
}

/// For each atom: true if it is denied, and if a negator is near enough to apply to it.
pub(super) struct Denial {
    /// The word that a negator directly applies to.
    pub(super) head: Vec<bool>,
    /// Words in reach of a negator.
    pub(super) reach: Vec<bool>,
    /// Indices of the negators.
    pub(super) negators: Vec<usize>,
}

/// How many content words a negator reaches.
const REACH: usize = 4;

/// Finds the negators of a text and the words they deny.
pub(super) fn denial(atoms: &[Atom]) -> Denial {
    let mut denial = Denial {
        head: vec![false; atoms.len()],
        reach: vec![false; atoms.len()],
        negators: Vec::new(),
    };
    for (idx, atom) in atoms.iter().enumerate() {
        if !is_negator(atom)
            || atoms
                .get(idx + 1)
                .is_some_and(|next| NOT_DENIED.contains(&next.key.as_str()))
        {
            continue;
        }
        denial.negators.push(idx);
        // `includes no file` does not include one.
        if let Some(before) = idx.checked_sub(1)
            && matches!(atom.key.as_str(), "no" | "neither" | "nothing" | "none")
            && atoms[before].clause == atom.clause
            && pole(&atoms[before]).is_some()
        {
            denial.head[before] ^= true;
        }
        let reached = atoms
            .iter()
            .enumerate()
            .skip(idx + 1)
            .take(3 * REACH)
            .take_while(|(_, next)| {
                next.sentence == atom.sentence && next.clause <= atom.clause + 1
            })
            .filter(|(_, next)| {
                (next.is_content() || pole(next).is_some()) && !SKIPPED.contains(&next.key.as_str())
            })
            .take(REACH);
        for (nth, (place, _)) in reached.enumerate() {
            denial.head[place] ^= nth == 0;
            denial.reach[place] = true;
        }
    }
    denial
}

fn is_negator(atom: &Atom) -> bool {
    atom.key.ends_with("n't") || NEGATORS.contains(&atom.key.as_str())
}

/// Words on each side that are compared to tell whether two texts are about the same thing.
pub(super) const CONTEXT: usize = 5;

/// Indices of content words that a negator may mean: those it reaches, and the two before it.
pub(super) fn meant(atoms: &[Atom], negator: usize, reach: &[bool]) -> impl Iterator<Item = usize> {
    let to = (negator + 1 + CONTEXT).min(atoms.len());
    let from = negator.saturating_sub(2);
    (from..to).filter(move |place| {
        *place != negator && (reach[*place] || *place < negator) && atoms[*place].is_content()
    })
}

/// The force with which a text states something.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Force {
    Must,
    Should,
    /// Allowed, or able.
    Can,
    /// Not certain.
    May,
    /// For all cases.
    All,
    /// For this case and no other.
    Only,
    /// If nothing else was chosen.
    Default,
    /// With exceptions.
    Unless,
    /// On a condition.
    If,
}

/// The force that a word adds.
pub(super) fn force(atoms: &[Atom], idx: usize) -> Option<Force> {
    let next = atoms.get(idx + 1).map_or("", |next| next.key.as_str());
    Some(match atoms[idx].key.as_str() {
        "must" | "required" | "requires" | "require" | "mandatory" | "shall" | "obligatory"
        | "compulsory" => Force::Must,
        "has" | "have" | "needs" | "need" | "had" if next == "to" => Force::Must,
        "should" | "recommended" | "ought" | "recommend" => Force::Should,
        "can" | "could" | "able" | "allows" | "optional" | "optionally" => Force::Can,
        "may" | "might" | "possibly" | "perhaps" | "probably" | "sometimes" | "likely" => {
            Force::May
        }
        "all" | "every" | "always" | "everything" | "everyone" | "any" | "each" | "entire"
        | "entirely" | "completely" => Force::All,
        "only" | "solely" | "exclusively" | "sole" => Force::Only,
        "default" | "defaults" => Force::Default,
        "unless" | "except" | "excluding" => Force::Unless,
        "if" | "when" | "whenever" | "but" | "other" | "apart" | "otherwise" | "provided"
        | "without" => Force::If,
        _ => return None,
    })
}

/// The words that set the force of a statement, with their places; each word counts at most eight times.
pub(super) fn found(atoms: &[Atom], denied: &[bool], part: Range<usize>) -> Vec<(usize, Force)> {
    const MAX: usize = 8;
    let mut counts: HashMap<Force, usize> = HashMap::new();
    part.filter(|idx| !atoms[*idx].glued && !denied[*idx])
        .filter_map(|idx| force(atoms, idx).map(|force| (idx, force)))
        .filter(|(_, force)| {
            let count = counts.entry(*force).or_default();
            *count += 1;
            *count <= MAX
        })
        .collect()
}
