//! Defines the reasons to strike a claim.

/// A reason to strike a claim.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// A number that the source lacks.
    Number(String),
    /// A number that the source has with another unit.
    Unit(String),
    /// A name that the source lacks, or whose parts are apart in it.
    Name(String),
    /// An identifier, path, flag or version that the source lacks.
    Code(String),
    /// The source gives this number, or this name, to something else.
    Swapped(String),
    /// The source says the opposite.
    Opposite(String),
    /// One of the two denies what the other says.
    Negation(String),
    /// The claim is stronger than the source, or drops its conditions.
    Force(&'static str),
    /// The source has too few of the claim's words.
    Words,
    /// The source has no content word of one of the claim's clauses.
    Clause,
}
