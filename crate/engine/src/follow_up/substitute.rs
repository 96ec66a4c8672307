//! Replaces the words of a question that refer to earlier turns with their antecedents.

use std::ops::Range;

use super::antecedent::{Known, resolve, specific, topic};
use super::clause::{Clause, lead};
use super::more::whole;
use super::reference::{Kind, Reference, pointed, references, same_noun};
use super::words::{Class, is_plural, is_predicate};

/// The outcome for a question's references.
pub(super) enum Substituted {
    /// All were replaced.
    Text { question: String, from: usize },
    /// There are none.
    Nothing,
    /// One of them may mean several things, or nothing said so far.
    Unclear,
}

/// Replaces words that refer to an earlier turn with their antecedents.
pub(super) fn substitute(clause: &Clause<'_>, known: &[Known<'_>]) -> Substituted {
    let mut edits = Edits::default();
    let last = known.len() - 1;
    let mut told: Vec<(Kind, String)> = Vec::new();
    for reference in references(clause) {
        let place = clause.tokens[reference.token].place.clone();
        if reference.kind != Kind::Someone
            && !reference.possessive
            && edits.event(clause, &reference, &known[last].question)
        {
            edits.from = edits.from.max(last);
            continue;
        }
        let earlier = told
            .iter()
            .find(|(kind, _)| *kind == reference.kind)
            .map(|(_, text)| text.clone());
        let text = match earlier {
            Some(text) => text,
            None => {
                let Some(found) = resolve(&reference, known) else {
                    return Substituted::Unclear;
                };
                if told.iter().any(|(_, text)| *text == found.text) {
                    // Two different words mean two different things.
                    return Substituted::Unclear;
                }
                edits.from = edits.from.max(found.turn);
                told.push((reference.kind, found.text.clone()));
                found.text
            }
        };
        edits.replace(
            place,
            if reference.possessive {
                genitive(&text)
            } else {
                text
            },
        );
    }
    for (start, head) in pointed(clause) {
        let place = clause.tokens[start].place.start..clause.tokens[head].place.end;
        let noun = clause.lower(head);
        let Some(found) =
            specific(noun, known).or_else(|| topic(known).filter(|found| found.proper))
        else {
            return Substituted::Unclear;
        };
        edits.from = edits.from.max(found.turn);
        if same_noun(noun, &found.head) {
            edits.replace(place, found.text);
        } else {
            edits.appended = Some(format!("({})", found.text));
        }
    }
    for at in 1..clause.tokens.len() {
        let next_is_content = clause
            .tokens
            .get(at + 1)
            .is_some_and(|next| next.is_content() && !is_predicate(&next.lower));
        if clause.tokens[at].is(&["latter", "former"])
            && clause.lower(at - 1) == "the"
            && !next_is_content
        {
            return Substituted::Unclear;
        }
        if !clause.tokens[at].is(&["one", "ones"]) {
            continue;
        }
        match one(clause, at, known) {
            One::Number => {}
            One::Noun(noun, turn) => {
                edits.from = edits.from.max(turn);
                edits.replace(clause.tokens[at].place.clone(), noun);
            }
            One::OfAll => {
                let Some(all) = whole(&known[last].question) else {
                    return Substituted::Unclear;
                };
                edits.from = last;
                edits.appended = Some(all);
            }
            One::Unclear => return Substituted::Unclear,
        }
    }
    edits.apply(clause)
}

/// The meaning of `one`.
enum One {
    /// Itself.
    Number,
    /// A noun of the turn.
    Noun(String, usize),
    /// One of the things that the last question names.
    OfAll,
    /// One of several counted items.
    Unclear,
}

/// `a bigger one` is a bigger filter; `the second one` is unclear, since items may be in another order on the page than
/// in the text.
fn one(clause: &Clause<'_>, at: usize, known: &[Known<'_>]) -> One {
    let before = &clause.tokens[at - 1];
    let next_is_content = clause
        .tokens
        .get(at + 1)
        .is_some_and(|token| token.class == Class::Noun || token.lower == "of");
    let described = before.class == Class::Noun
        || before.is(&["another", "which", "this", "that", "these", "those"]);
    let counted = before.is(&[
        "first", "second", "third", "last", "other", "next", "former", "latter",
    ]);
    if next_is_content || !(described || counted) {
        return One::Number;
    }
    if before.lower == "which" {
        return One::OfAll;
    }
    match topic(known) {
        Some(found) if !counted => {
            let plural = clause.tokens[at].lower == "ones" && !is_plural(&found.head);
            One::Noun(
                format!("{}{}", found.head, if plural { "s" } else { "" }),
                found.turn,
            )
        }
        _ => One::Unclear,
    }
}

/// `the filter's`, `the users'`.
fn genitive(text: &str) -> String {
    match text {
        _ if text.ends_with("'s") || text.ends_with("s'") => text.to_owned(),
        _ if text.ends_with('s') && text.chars().next().is_some_and(char::is_lowercase) => {
            format!("{text}'")
        }
        _ => format!("{text}'s"),
    }
}

/// Changes to a question.
#[derive(Default)]
struct Edits {
    replaced: Vec<(Range<usize>, String)>,
    appended: Option<String>,
    from: usize,
}

impl Edits {
    fn replace(&mut self, place: Range<usize>, text: String) {
        self.replaced.push((place, text));
    }

    /// `do that`, `is that possible`, `how long does it take`: the word refers, or may refer, to an act rather than a
    /// thing.
    fn event(&mut self, clause: &Clause<'_>, reference: &Reference, last: &Clause<'_>) -> bool {
        let at = reference.token;
        let place = clause.tokens[at].place.clone();
        if let Some(act) = last.act() {
            let is_subject = clause
                .subject
                .as_ref()
                .is_some_and(|subject| subject.start == at);
            let verb = clause
                .end()
                .checked_sub(1)
                .map_or("", |last| clause.lower(last));
            if at > 0 && clause.lower(at - 1) == "do" && clause.auxiliary != Some(at - 1) {
                self.replace(clause.tokens[at - 1].place.start..place.end, act.to_owned());
                return true;
            }
            if is_subject && ["take", "takes", "cost"].contains(&verb) {
                self.replace(place, "it".to_owned());
                self.appended = Some(format!("to {act}"));
                return true;
            }
            if reference.kind == Kind::This {
                // It is unclear whether the act or its object is meant, so name both.
                self.appended = Some(format!("({act})"));
                return true;
            }
        } else if reference.kind == Kind::This && last.tells() {
            self.appended = whole(last);
        }
        self.appended.is_some()
    }

    fn apply(mut self, clause: &Clause<'_>) -> Substituted {
        if self.replaced.is_empty() && self.appended.is_none() {
            return Substituted::Nothing;
        }
        self.replaced.sort_by_key(|(place, _)| place.start);
        let end = clause
            .end()
            .checked_sub(1)
            .map_or(0, |last| clause.tokens[last].place.end);
        let mut question = String::new();
        let mut position = clause
            .tokens
            .get(lead(&clause.tokens))
            .map_or(0, |first| first.place.start);
        for (place, text) in &self.replaced {
            if place.start < position {
                continue;
            }
            question.push_str(&clause.text[position..place.start]);
            question.push_str(text);
            position = place.end;
        }
        question.push_str(&clause.text[position..end.max(position)]);
        if let Some(text) = &self.appended {
            question.push(' ');
            question.push_str(text);
        }
        question.push_str(&clause.text[end.max(position)..]);
        Substituted::Text {
            question: question.trim().to_owned(),
            from: self.from,
        }
    }
}
