//! Finds the member of a list or table that a question names: the one with a word that most of its neighbours lack.

use std::collections::BTreeSet;

use anchorite_index::lexical;

use super::layout::{Piece, pieces};
use super::{Unit, UnitKind};

/// Fewest members of a group: the reader can tell fewer apart by itself.
const MIN_MEMBERS: usize = 3;
/// A word singles out members if it occurs in only one, or in at most one of this many.
const MEMBERS_PER_WORD: usize = 3;

/// A unit's place in its list or table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Member {
    /// Index of the list or table in the text.
    pub(crate) group: usize,
    /// Share, 0 to 1, of the question's words that single out members of the group, found in this member.
    pub(crate) named: f32,
}

/// The units of `text`, as [`units`](super::units) returns them, each with its place in its list or table; `None`
/// outside one, or if it has too few members.
///
/// `topics` are the terms of the question. Those in the head of a table name a column, not a row; the head itself is
/// never the member named.
pub(crate) fn units_with_members(
    text: &str,
    topics: &BTreeSet<String>,
) -> Vec<(Unit, Option<Member>)> {
    let pieces = pieces(text);
    let mut members = vec![None; pieces.len()];
    let mut first = 0;
    let mut group = 0;
    while first < pieces.len() {
        let run = pieces[first..].iter();
        let n_members = run
            .take_while(|piece| is_beside(&pieces[first], piece))
            .count()
            .max(1);
        let run = first..first + n_members;
        let head = first
            .checked_sub(1)
            .filter(|before| pieces[*before].heads(&pieces[first]));
        if n_members >= MIN_MEMBERS || head.is_some() {
            let shares = shares(text, &pieces[run.clone()], topics);
            for (member, named) in members[run.clone()].iter_mut().zip(shares) {
                *member = Some(Member { group, named });
            }
            if let Some(head) = head {
                members[head] = Some(Member { group, named: 0.0 });
            }
            group += 1;
        }
        first = run.end;
    }
    pieces.into_iter().map(Unit::from).zip(members).collect()
}

/// True if two pieces are members of the same list, table or run of definitions.
fn is_beside(first: &Piece, other: &Piece) -> bool {
    let is_member = matches!(
        first.kind,
        UnitKind::Item | UnitKind::Definition | UnitKind::Row
    );
    is_member
        && first.kind == other.kind
        && (first.kind != UnitKind::Row || first.head == other.head)
}

/// For each member, the share it holds of the terms that single out members.
fn shares(text: &str, members: &[Piece], topics: &BTreeSet<String>) -> Vec<f32> {
    let terms_at = |range: &std::ops::Range<usize>| {
        lexical::terms(text.get(range.clone()).unwrap_or_default())
    };
    let held: Vec<BTreeSet<String>> = members
        .iter()
        .map(|member| {
            let mut terms = terms_at(&member.range);
            if let (UnitKind::Definition, Some(term)) = (member.kind, &member.head) {
                terms.extend(terms_at(term));
            }
            terms
        })
        .collect();
    let columns = match members {
        [
            Piece {
                kind: UnitKind::Row,
                head: Some(head),
                ..
            },
            ..,
        ] => terms_at(head),
        _ => BTreeSet::new(),
    };
    let singles_out = |topic: &&String| {
        let n_with = held.iter().filter(|terms| terms.contains(*topic)).count();
        let is_rare = n_with == 1 || n_with * MEMBERS_PER_WORD <= members.len();
        n_with > 0 && is_rare && !columns.contains(*topic)
    };
    let telling: Vec<&String> = topics.iter().filter(singles_out).collect();
    let share = |terms: &BTreeSet<String>| {
        let n_held = telling
            .iter()
            .filter(|topic| terms.contains(**topic))
            .count();
        #[expect(clippy::cast_precision_loss, reason = "a question has few words")]
        let share = n_held as f32 / telling.len().max(1) as f32;
        share
    };
    held.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str, question: &str) -> Vec<f32> {
        let units = units_with_members(text, &lexical::terms(question));
        units
            .iter()
            .map(|(_, member)| member.map_or(-1.0, |member| member.named))
            .collect()
    }

    #[test]
    fn the_row_with_the_word_is_named() {
        let table = "drawer | holds | key\n1 | chisels | brass\n2 | planes | brass\n3 | files | steel\n4 | saws | brass";
        let cases: [(&str, [f32; 5]); 4] = [
            ("Which drawer holds the files?", [0.0, 0.0, 0.0, 1.0, 0.0]),
            (
                "Which key opens the drawer of planes?",
                [0.0, 0.0, 1.0, 0.0, 0.0],
            ),
            ("Which drawers have a brass key?", [0.0, 0.0, 0.0, 0.0, 0.0]),
            ("Are saws with the chisels?", [0.0, 0.5, 0.0, 0.0, 0.5]),
        ];
        for (question, expected) in cases {
            assert_eq!(named(table, question), expected, "{question}");
        }
    }

    #[test]
    fn a_short_table_with_a_head_has_members_too() {
        let table = "code | meaning\nF2 | the burner is hot\nF4 | no flame";
        assert_eq!(named(table, "What does F4 mean?"), [0.0, 0.0, 1.0]);
        let bare = "It is hot here. | x\nF2 | the burner is hot";
        assert_eq!(named(bare, "What does F2 mean?"), [-1.0, -1.0]);
    }

    #[test]
    fn items_and_definitions_are_named_too() {
        let list = "Tools:\n\n- Plane the edge first.\n- Chisel the joint.\n- Oil the saw.";
        assert_eq!(
            named(list, "When is the joint made?"),
            [-1.0, 0.0, 1.0, 0.0]
        );
        let terms =
            "mallet\n  Drives chisels.\n\nbevel\n  Takes angles.\n\nmarking gauge\n  Scores lines.";
        assert_eq!(
            named(terms, "What is a marking gauge for?"),
            [0.0, 0.0, 1.0]
        );
    }

    #[test]
    fn prose_and_short_lists_have_no_members() {
        for text in ["", "One saw. Two planes. Three files.", "- saws\n- planes"] {
            let found = units_with_members(text, &lexical::terms("Where are the saws?"));
            let has_members = found.iter().any(|(_, member)| member.is_some());
            assert!(!has_members, "{text}: {found:?}");
        }
    }
}
