//! Turns a text into tokens, with the few word classes needed to find noun phrases.

use std::ops::Range;

/// Longest text in double quotation marks that counts as one name, in bytes.
const MAX_QUOTED: usize = 80;

/// A word's class, as far as closed lists and endings reveal it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// `the`, `a`, `my`, `any`, `two`: opens a noun phrase.
    Determiner,
    /// `this`, `that`, `these`, `those`: a determiner, a pronoun or a conjunction.
    Demonstrative,
    /// `it`, `they`, `he` and their other forms: refers to something said before.
    Pronoun,
    /// `I`, `you`, `someone`, `nothing`: refers to nothing said before.
    Person,
    /// `of`, `on`, `with`, and `to` before anything but a verb.
    Preposition,
    /// Forms of `be`.
    Be,
    /// Forms of `do` and `have`, and the modals.
    Auxiliary,
    /// `what`, `how`, `why`.
    Wh,
    /// `and`, `or`, `if`, `because`.
    Conjunction,
    /// `also`, `then`, and words in `-ly`.
    Adverb,
    /// A verb that is seldom a noun, in any regular form, or a participle.
    Verb,
    /// Anything else: nouns, adjectives, and verbs in no list.
    Noun,
    /// A code span, an identifier or a quoted name.
    Name,
    /// Punctuation that separates phrases.
    Mark,
}

/// A word or a mark of a text.
#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    /// As written.
    pub(super) text: &'t str,
    /// Its byte range in the text.
    pub(super) place: Range<usize>,
    /// Lower-cased, with straight apostrophes.
    pub(super) lower: String,
    pub(super) class: Class,
}

impl Token<'_> {
    pub(super) fn is(&self, words: &[&str]) -> bool {
        words.contains(&self.lower.as_str())
    }

    pub(super) fn is_capitalised(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }

    /// True for a word that may follow the determiner inside a noun phrase.
    pub(super) fn is_content(&self) -> bool {
        matches!(self.class, Class::Noun | Class::Name | Class::Verb)
    }

    /// `filter's`, but not `it's`, which is two tokens.
    pub(super) fn is_genitive(&self) -> bool {
        self.lower.ends_with("'s") || self.lower.ends_with("s'")
    }
}

const DETERMINERS: &str = "a an the my your our some any each every no all both several many few much another other more \
    most two three four five first second third whose";
const DEMONSTRATIVES: &str = "this that these those";
const PRONOUNS: &str =
    "it its itself they them their theirs themselves he him his himself she her hers herself";
const PERSONS: &str = "i you we me us one ones someone anyone everyone something anything everything nothing there myself \
    yourself mine yours ours everybody somebody anybody nobody";
const PREPOSITIONS: &str = "of in on at to for from with without by about into onto over under between through during \
    before after via as like per than against across within since until up off out down behind beside besides beyond \
    near inside outside around among despite except instead aside";
const BE: &str = "is are was were be been being am isn't aren't wasn't weren't";
const AUXILIARIES: &str = "do does did don't doesn't didn't have has had haven't hasn't hadn't can could will would shall \
    should may might must can't cannot couldn't won't wouldn't shouldn't mustn't";
const WH: &str = "what which who whom how why when where";
const CONJUNCTIONS: &str = "and or but if because whether although though while so nor unless once";
const ADVERBS: &str = "also too not still already only just even ever never always often usually again then now here very \
    quite else yet rather later soon long ago maybe perhaps please yes together twice";
const NOT_ADVERBS: &str = "reply apply supply family assembly anomaly early daily weekly monthly yearly friendly multiply";
/// Base forms. Verbs that are as common as nouns are left out, because a word after `to`, `I` or `does` is a verb
/// anyway.
const VERBS: &str = "accept access add affect agree allow answer apply arrive ask avoid become begin belong break bring \
    buy call cause choose clean clear close collect come compare compile configure connect consist contain continue \
    convert create decide define delete depend deploy describe detect die disable discard do download drop edit enable \
    encrypt end ensure enter exist expect expire explain export fail fetch find fit follow get give go grow happen have \
    help hide hold include increase install involve join keep know last launch lead learn leave let live load look lose \
    make manage mean meet merge modify move need open overwrite own pass play prevent produce prove provide publish pull \
    push put raise reach read receive recommend reduce refer remain remove rename repeat replace require reset resolve \
    restart restore return rewrite roll run save say see seem select sell send serve show skip speak start stay stop \
    store submit suggest support switch take teach tell think tie train trigger try turn uninstall unlock unpack update \
    upgrade upload use validate verify wait want win work write";
const ADJECTIVES: &str = "safe ok okay fine good bad better best true false free new old fast slow big small large normal \
    optional enough necessary required right wrong correct easy hard difficult important public private legal ready open \
    different common";
const PARTICIPLES: &str = "built sent found written kept made done held shown chosen known given taken left lost born \
    become seen gone broken won sold told said began wrote came went got held led met paid read ran saw thrown drawn \
    stuck hidden meant became took gave made felt left stood brought thought died";

fn in_list(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == word)
}

/// True if `word` is a verb of the list in any regular form.
pub(super) fn is_verb(word: &str) -> bool {
    if in_list(VERBS, word) || in_list(PARTICIPLES, word) {
        return true;
    }
    ["s", "es", "ed", "d", "ing"].iter().any(|ending| {
        let Some(stem) = word.strip_suffix(ending) else {
            return false;
        };
        let doubled = || {
            let mut ends = stem.chars().rev();
            let last = ends.next();
            last.is_some() && last == ends.next() && in_list(VERBS, &stem[..stem.len() - 1])
        };
        in_list(VERBS, stem)
            || (*ending == "ing" && in_list(VERBS, &format!("{stem}e")))
            || (*ending == "ed"
                && stem.ends_with('i')
                && in_list(VERBS, &format!("{}y", &stem[..stem.len() - 1])))
            || (matches!(*ending, "ed" | "ing") && stem.is_ascii() && doubled())
    })
}

/// True if `word` may be a participle after a form of `be`.
pub(super) fn is_participle(word: &str) -> bool {
    in_list(PARTICIPLES, word) || word.len() > 4 && (word.ends_with("ed") || word.ends_with("ing"))
}

/// True if `word` describes a subject rather than names one: `is that possible`, `are these signed`.
pub(super) fn is_predicate(word: &str) -> bool {
    let ending = ["able", "ible", "ful", "ous", "less"]
        .iter()
        .any(|ending| word.len() > 5 && word.ends_with(ending));
    ending || is_participle(word) || in_list(ADJECTIVES, word)
}

fn class_of(text: &str, lower: &str) -> Class {
    const LISTS: [(&str, Class); 10] = [
        (DETERMINERS, Class::Determiner),
        (DEMONSTRATIVES, Class::Demonstrative),
        (PRONOUNS, Class::Pronoun),
        (PERSONS, Class::Person),
        (PREPOSITIONS, Class::Preposition),
        (BE, Class::Be),
        (AUXILIARIES, Class::Auxiliary),
        (WH, Class::Wh),
        (CONJUNCTIONS, Class::Conjunction),
        (ADVERBS, Class::Adverb),
    ];
    if let Some((_, class)) = LISTS.iter().find(|(list, _)| in_list(list, lower)) {
        return *class;
    }
    let inner_capital =
        text.chars().skip(1).any(char::is_uppercase) && text.chars().any(char::is_lowercase);
    if text.starts_with(['-', '.', '@', '/']) || text.contains(['_', '/', ':']) || inner_capital {
        Class::Name
    } else if lower.len() > 4 && lower.ends_with("ly") && !in_list(NOT_ADVERBS, lower) {
        Class::Adverb
    } else if is_verb(lower) {
        Class::Verb
    } else {
        Class::Noun
    }
}

/// Where to split a contraction whose first part is a word by itself: `it's`, `who's`, `they're`.
fn contraction(word: &str, lower: &str) -> Option<usize> {
    let at = lower.find('\'')?;
    let short = matches!(&lower[at..], "'s" | "'re" | "'ve" | "'ll" | "'d" | "'m");
    let first = &lower[..at];
    let closed = in_list(PRONOUNS, first)
        || in_list(PERSONS, first)
        || in_list(WH, first)
        || in_list(DEMONSTRATIVES, first);
    // A curly apostrophe takes more bytes than a straight one, so only the text before it is counted.
    (short && closed && word.is_char_boundary(at)).then_some(at)
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// True for marks that belong to a word if a word character follows: `content-type`, `v1.2`, `std::io`, `a/b`,
/// `user's`.
fn is_joint(c: char) -> bool {
    matches!(c, '-' | '.' | '\'' | '’' | '/' | ':' | '@' | '+' | '#')
}

/// The tokens of `text`, in order; linear in its length.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(first) = text[position..].chars().next() {
        let rest = &text[position..];
        let length = if matches!(first, '`' | '"' | '“') {
            quoted(rest, first)
        } else {
            None
        };
        if let Some(length) = length {
            push(&mut found, text, position..position + length, Class::Name);
            position += length;
        } else if is_word_char(first)
            || (matches!(first, '-' | '.' | '@' | '/' | '$') && begins_name(rest))
        {
            let length = word_length(rest);
            push_word(&mut found, text, position..position + length);
            position += length;
        } else {
            if !first.is_whitespace() {
                push(
                    &mut found,
                    text,
                    position..position + first.len_utf8(),
                    Class::Mark,
                );
            }
            position += first.len_utf8();
        }
    }
    found
}

/// Length in bytes of the code span or quotation at the start of `rest`, marks included.
fn quoted(rest: &str, open: char) -> Option<usize> {
    let close = if open == '“' { '”' } else { open };
    let start = open.len_utf8();
    let inside = rest[start..]
        .char_indices()
        .take_while(|(at, _)| *at <= MAX_QUOTED)
        .find(|(_, c)| *c == close)?
        .0;
    (inside > 0).then(|| start + inside + close.len_utf8())
}

/// `--port`, `.env`, `@scope`, `/etc`, `$HOME`.
fn begins_name(rest: &str) -> bool {
    rest.chars()
        .skip(1)
        .find(|c| *c != '-')
        .is_some_and(is_word_char)
}

fn word_length(rest: &str) -> usize {
    let mut end = 0;
    let mut marks = 0;
    let leading = rest.chars().take_while(|c| !is_word_char(*c)).count();
    for (at, c) in rest.char_indices() {
        if is_word_char(c) || at < leading {
            end = at + c.len_utf8();
            marks = 0;
        } else if is_joint(c) && marks < 2 {
            marks += 1;
        } else {
            break;
        }
    }
    // Initials: `W. H. Auden`.
    let word = &rest[..end];
    let initial = word.len() == 1 && word.starts_with(|c: char| c.is_ascii_uppercase())
        || matches!(word, "Mr" | "Mrs" | "Ms" | "Dr" | "St" | "Jr");
    if initial && rest[end..].starts_with(". ") {
        return end + 1;
    }
    // The genitive of a plural: `users'`.
    let plural = rest[..end].ends_with('s') && rest[end..].starts_with(['\'', '’']);
    if plural {
        end += rest[end..].chars().next().map_or(0, char::len_utf8);
    }
    end
}

fn push_word<'t>(found: &mut Vec<Token<'t>>, text: &'t str, place: Range<usize>) {
    let word = &text[place.clone()];
    let lower = word.to_lowercase().replace('’', "'");
    if let Some(at) = contraction(word, &lower) {
        let middle = place.start + at;
        let first = class_of(&word[..at], &lower[..at]);
        push(found, text, place.start..middle, first);
        let second = if matches!(&lower[at..], "'ve" | "'ll" | "'d") {
            Class::Auxiliary
        } else {
            Class::Be
        };
        push(found, text, middle..place.end, second);
        return;
    }
    let class = class_of(word, &lower);
    push(found, text, place, class);
}

fn push<'t>(found: &mut Vec<Token<'t>>, text: &'t str, place: Range<usize>, class: Class) {
    let word = &text[place.clone()];
    found.push(Token {
        text: word,
        lower: word.to_lowercase().replace('’', "'"),
        place,
        class,
    });
}

/// True if a noun is in the plural, judging by its ending.
pub(super) fn is_plural(lower: &str) -> bool {
    let irregular = matches!(
        lower,
        "people" | "children" | "men" | "women" | "data" | "criteria" | "indices"
    );
    let plural_ending = lower.len() > 3 && lower.ends_with('s') && !lower.ends_with("'s");
    irregular
        || (plural_ending
            && !["ss", "us", "is", "ws"]
                .iter()
                .any(|ending| lower.ends_with(ending)))
}
