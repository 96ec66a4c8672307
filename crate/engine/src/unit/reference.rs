//! Tells from the first words of a sentence whether it can be understood without the one before it.

/// First words that refer to something said before, or continue from it.
const REFERENCES: &[&str] = &[
    "it",
    "its",
    "it's",
    "they",
    "they're",
    "their",
    "them",
    "he",
    "she",
    "his",
    "her",
    "this",
    "these",
    "that",
    "that's",
    "those",
    "such",
    "both",
    "neither",
    "another",
    "others",
    "however",
    "therefore",
    "thus",
    "hence",
    "instead",
    "otherwise",
    "moreover",
    "furthermore",
    "also",
    "additionally",
    "consequently",
    "similarly",
    "likewise",
    "nevertheless",
    "nonetheless",
    "accordingly",
    "alternatively",
    "conversely",
    "meanwhile",
    "afterwards",
    "then",
    "but",
    "and",
    "so",
    // German; "Sie" and "Ihr" mostly address the visitor.
    "er",
    "es",
    "dies",
    "diese",
    "dieser",
    "dieses",
    "jedoch",
    "deshalb",
    "daher",
    "dabei",
    "damit",
    "dadurch",
    "dazu",
    "au\u{df}erdem",
    "allerdings",
    "stattdessen",
    "beide",
    // French, Spanish
    "il",
    "elle",
    "ils",
    "elles",
    "cela",
    "celui-ci",
    "celle-ci",
    "cependant",
    "toutefois",
    "\u{e9}l",
    "ella",
    "ellos",
    "ellas",
    "esto",
    "estos",
    "estas",
    "ambos",
    "ambas",
];

/// Openings of several words that do the same.
const PHRASES: &[&str] = &[
    "the former",
    "the latter",
    "the same",
    "the other",
    "the others",
    "in this",
    "in that",
    "in these",
    "in those",
    "in such",
    "in both",
    "in addition",
    "in contrast",
    "in turn",
    "for this",
    "for these",
    "for that",
    "for example",
    "for instance",
    "as a result",
    "as such",
    "if so",
    "if not",
    "to do so",
    "to do this",
    "to do that",
    "to this end",
    "doing so",
    "on the other",
    "on the contrary",
    "because of this",
    "because of that",
    "after this",
    "after that",
    "before this",
    "before that",
    "at this",
    "at that",
    "with this",
    "with these",
    "one of them",
    "each of them",
    "all of them",
    "some of them",
    "most of them",
    "none of them",
    "in diesem",
    "in dieser",
    "par exemple",
    "por ejemplo",
    "sin embargo",
    "zum beispiel",
];

/// Nouns after "this" and "these" that need no earlier sentence: the page itself, or the present.
const PRESENT: &[&str] = &[
    "book",
    "guide",
    "page",
    "document",
    "documentation",
    "chapter",
    "section",
    "tutorial",
    "article",
    "manual",
    "paper",
    "report",
    "site",
    "website",
    "reference",
    "release",
    "version",
    "year",
    "month",
    "week",
    "study",
    "project",
    "repository",
    "appendix",
    "introduction",
    "buch",
    "seite",
    "kapitel",
    "handbuch",
];

/// Between "it is" and "to" or "that", these make the "it" an expletive: "It is possible to ..".
const EXPLETIVES: &[&str] = &[
    "possible",
    "impossible",
    "important",
    "necessary",
    "recommended",
    "best",
    "better",
    "easy",
    "easier",
    "hard",
    "difficult",
    "useful",
    "worth",
    "likely",
    "unlikely",
    "good",
    "common",
    "safe",
    "essential",
    "advisable",
    "helpful",
    "clear",
    "true",
    "known",
];

/// First words of a sentence that is no order: behind them "it" is mostly a subject, and often an expletive ("If it rains ..").
const NO_ORDERS: &[&str] = &[
    "after", "although", "and", "as", "because", "before", "but", "can", "could", "did", "do",
    "does", "has", "have", "how", "if", "is", "may", "might", "now", "once", "or", "should",
    "since", "so", "that", "then", "though", "unless", "until", "was", "what", "when", "where",
    "whether", "while", "why", "will", "would",
];

/// True if `sentence` begins with a word that refers to the text before it, or is an order about something named there.
pub(super) fn begins_with_reference(sentence: &str) -> bool {
    let start = sentence.trim_start_matches(|c: char| !c.is_alphanumeric());
    // Japanese and Chinese, which have no spaces: this, that, it, they.
    const PREFIXES: [&str; 9] = [
        "\u{3053}\u{308c}",
        "\u{3053}\u{306e}",
        "\u{305d}\u{308c}",
        "\u{305d}\u{306e}",
        "\u{5b83}",
        "\u{4ed6}",
        "\u{5979}",
        "\u{8fd9}",
        "\u{9019}",
    ];
    if PREFIXES.iter().any(|prefix| start.starts_with(prefix)) {
        return true;
    }
    let words: Vec<String> = start
        .split_whitespace()
        .take(8)
        .map(|word| {
            word.chars()
                .take(24)
                .collect::<String>()
                .replace('\u{2019}', "'")
                .to_lowercase()
        })
        .map(|word| {
            word.trim_end_matches(|c: char| !c.is_alphanumeric())
                .to_owned()
        })
        .collect();
    let word = |idx: usize| words.get(idx).map_or("", String::as_str);
    let opening = words
        .iter()
        .take(4)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    let is_phrase = |phrase: &&str| {
        opening
            .strip_prefix(*phrase)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    if PHRASES.iter().any(is_phrase) {
        // "In this book" refers to the page at hand.
        return !words
            .iter()
            .take(4)
            .any(|word| PRESENT.contains(&word.as_str()));
    }
    if !REFERENCES.contains(&word(0)) {
        // "Never add them to a heap", "Keep it dry": an order about something that was named before.
        let is_order = !NO_ORDERS.contains(&word(0));
        return is_order && (word(1) == "it" || (1..4).any(|idx| word(idx) == "them"));
    }
    match word(0) {
        "this" | "these" | "diese" | "dieser" | "dieses" => !PRESENT.contains(&word(1)),
        "it" | "it's" => {
            let is_verb = |word: &&String| {
                matches!(
                    word.as_str(),
                    "is" | "was" | "may" | "can" | "might" | "be" | "also" | "often"
                )
            };
            let idx = 1 + words.iter().skip(1).take_while(is_verb).count();
            let mut behind = words.iter().skip(idx + 1).take(3);
            !(EXPLETIVES.contains(&word(idx))
                && behind.any(|word| matches!(word.as_str(), "to" | "that" | "when" | "if")))
        }
        "es" => !matches!(word(1), "gibt" | "ist" | "sei"),
        "il" => !matches!(word(1), "y" | "faut" | "est" | "existe"),
        // "Both A and B" itself names the two.
        "both" | "neither" => !words
            .iter()
            .skip(2)
            .any(|word| word == "and" || word == "nor"),
        _ => true,
    }
}
