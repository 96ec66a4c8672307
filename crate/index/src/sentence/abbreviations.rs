//! Guesses from the word before a full stop if the stop belongs to an abbreviation or ends a sentence.

/// The possible meanings of a full stop after a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Something must follow: a name, a number, an example.
    GoesOn,
    /// Both occur: the sentence ends only if the next word is one that opens sentences.
    Either,
    /// Times and degrees: the sentence ends before a capital, unless the next word is a day or a time zone ("9 a.m. Monday").
    BeforeTime,
    /// Only a number makes it an abbreviation ("No. 5", "Jan. 3").
    BeforeNumber,
    /// Not a known abbreviation.
    Ends,
}

/// Titles and places, which are abbreviations only if they begin with a capital ("5 ms." is a time).
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "messrs", "dr", "prof", "rev", "hon", "gen", "col", "capt", "cpt", "lt",
    "sgt", "maj", "sen", "rep", "gov", "pres", "mt", "ft", "m", "mme", "mmes", "mlle", "mgr", "hr",
    "fr", "hrn", "sra", "srta", "dra", "sig", "dott", "ing", "avv", "av", "ste", "dhr", "mevr",
];

/// Words that precede what they introduce.
const GO_ON: &[&str] = &[
    // English, and Latin used in English
    "vs", "cf", "e.g", "eg", "i.e", "ie", "viz", "approx", "fig", "figs", "eq", "eqs", "incl",
    "esp", "resp", "ca", // German
    "bzw", "vgl", "sog", "inkl", "exkl", "zzgl", "abzgl", "abb", "bsp", "hrsg", "nr", "evtl",
    "ggf", "ggfs", "tel", "z.b", "d.h", "u.a", "i.d.r", "z.t", "u.u", "o.g", "s.o", "s.u", "i.a",
    "v.a", // French, Spanish, Portuguese, Dutch
    "p.ex", "p.ej", "ej", "pág", "núm", "bijv", "bv", "d.w.z", "o.a", // Russian
    "т.е", "т.к", "напр", "см", "рис", "табл", "им", "проф", "акад", "гл",
];

/// Words that occur at the end of a sentence as well as inside one.
const EITHER: &[&str] = &[
    "inc", "ltd", "co", "corp", "llc", "jr", "sr", "bros", "dept", "est", "st", "ave", "blvd",
    "rd", "al", "u.s", "u.k", "u.n", "e.u", "d.c", "ud", "uds", "vd", "vds", "ee.uu", "min", "max",
    "ext", "mio", "mrd", "gmbh", "т.д", "т.п", "др", "г", "гг", "вв",
];

/// Abbreviations after times, years and names, which are seldom followed by a name.
const TIMES: &[&str] = &[
    "a.m", "p.m", "a.d", "b.c", "c.e", "b.c.e", "ph.d", "m.d", "b.a", "m.a", "b.sc", "m.sc",
];

/// Names that follow a time.
const DAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "eastern",
    "pacific",
    "central",
    "gmt",
    "utc",
    "est",
    "edt",
    "pst",
    "pdt",
    "cet",
    "cest",
];

/// Words that are abbreviations only before a number.
const BEFORE_NUMBER: &[&str] = &[
    "no", "nos", "vol", "vols", "ch", "chap", "sec", "sect", "p", "pp", "pg", "par", "para", "ver",
    "v", "ed", "art", "tab", "kap", "cap", "s", "bd", "n", "nº", "n°", "jan", "feb", "mar", "apr",
    "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "abs", "ziff", "rn", "fn", "стр",
    "ст", "№",
];

/// Capitalised words that open sentences and hardly ever follow an abbreviation.
const OPENERS: &[&str] = &[
    // English
    "the",
    "a",
    "an",
    "it",
    "its",
    "this",
    "that",
    "these",
    "those",
    "he",
    "she",
    "they",
    "we",
    "you",
    "his",
    "her",
    "their",
    "our",
    "your",
    "my",
    "in",
    "on",
    "at",
    "for",
    "from",
    "with",
    "if",
    "when",
    "while",
    "as",
    "but",
    "and",
    "or",
    "so",
    "then",
    "there",
    "to",
    "by",
    "after",
    "before",
    "because",
    "since",
    "however",
    "although",
    "what",
    "which",
    "who",
    "why",
    "how",
    "where",
    "each",
    "every",
    "all",
    "some",
    "many",
    "most",
    "no",
    "not",
    "now",
    "once",
    "one",
    "only",
    "such",
    "both",
    "also",
    "use",
    "see",
    "note",
    "press",
    "click",
    "is",
    "are",
    "do",
    "does",
    "please",
    // German
    "der",
    "die",
    "das",
    "den",
    "dem",
    "ein",
    "eine",
    "einen",
    "es",
    "er",
    "sie",
    "wir",
    "ich",
    "ihr",
    "im",
    "am",
    "bei",
    "wenn",
    "dies",
    "diese",
    "dieser",
    "dieses",
    "aber",
    "und",
    "auch",
    "für",
    "mit",
    "nach",
    "von",
    "zum",
    // French
    "le",
    "la",
    "les",
    "un",
    "une",
    "des",
    "il",
    "elle",
    "ils",
    "elles",
    "on",
    "ce",
    "cet",
    "cette",
    "ces",
    "nous",
    "vous",
    "dans",
    "pour",
    "mais",
    // Spanish
    "el",
    "los",
    "las",
    "una",
    "unos",
    "en",
    "se",
    "esta",
    "este",
    "esto",
    "para",
    "pero",
    "si",
    // Russian
    "он",
    "она",
    "оно",
    "они",
    "это",
    "этот",
    "эта",
    "в",
    "на",
    "но",
    "и",
    "если",
    "когда",
];

/// Words before a letter that is a label ("option B.", "vitamin C."), not an initial.
const LABELS: &[&str] = &[
    "appendix",
    "answer",
    "anexo",
    "anhang",
    "annexe",
    "block",
    "box",
    "building",
    "case",
    "category",
    "class",
    "column",
    "drive",
    "exhibit",
    "figure",
    "gate",
    "grade",
    "group",
    "hepatitis",
    "key",
    "label",
    "language",
    "letter",
    "level",
    "line",
    "list",
    "model",
    "opción",
    "option",
    "page",
    "part",
    "phase",
    "plan",
    "point",
    "row",
    "section",
    "series",
    "size",
    "step",
    "table",
    "teil",
    "team",
    "terminal",
    "type",
    "variant",
    "version",
    "vitamin",
    "zone",
];

/// German words after which a number with a full stop, before a noun, is an ordinal ("am 3. Mai").
const BEFORE_ORDINAL: &[&str] = &[
    "der", "die", "das", "dem", "den", "des", "am", "im", "vom", "zum", "zur", "beim", "bis", "ab",
    "seit", "jeder", "jedes", "jeden", "dieser", "diesem", "ihr", "ihre", "sein", "seine",
    "seinem", "ihrem",
];

/// The likely meaning of a full stop after `word`; `word` is in lower case and without the stop, and `is_capitalised`
/// says how it was written.
pub(super) fn stop(word: &str, is_capitalised: bool) -> Stop {
    let holds = |list: &[&str]| list.contains(&word);
    if holds(EITHER) {
        Stop::Either
    } else if holds(TIMES) {
        Stop::BeforeTime
    } else if holds(GO_ON) || (is_capitalised && holds(TITLES)) {
        Stop::GoesOn
    } else if holds(BEFORE_NUMBER) {
        Stop::BeforeNumber
    } else {
        Stop::Ends
    }
}

/// True if `word`, in lower case, opens sentences.
pub(super) fn opens_sentence(word: &str) -> bool {
    OPENERS.contains(&word)
}

/// True if `word`, in lower case, is a day, a month or a time zone.
pub(super) fn names_time(word: &str) -> bool {
    DAYS.contains(&word)
}

/// True if a letter after `word`, in lower case, is a label rather than an initial.
pub(super) fn labels(word: &str) -> bool {
    LABELS.contains(&word)
}

/// True if a number with a full stop after `word`, in lower case, is a German ordinal.
pub(super) fn precedes_ordinal(word: &str) -> bool {
    BEFORE_ORDINAL.contains(&word)
}
