//! Turns the documents' sort values into the order of a sorted search.

#[cfg(feature = "build")]
use std::cmp::Ordering;
#[cfg(feature = "build")]
use std::collections::BTreeMap;

/// A requested order of hits other than by score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Name of the value to sort by, such as `date`.
    pub by: String,
    /// True to put the greatest value first. Documents without a value come last either way.
    pub descending: bool,
}

/// The order of documents by one of their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// For each document, 0 if it has no value, otherwise its rank among the distinct values, from 1.
    pub(crate) places: Vec<u32>,
}

/// The values by which documents can be sorted: all names, and the orders that are loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    /// Names of the values, sorted.
    names: Vec<String>,
    held: Vec<Option<Order>>,
}

impl Orders {
    /// Names whose orders are not loaded yet; sorted, as they were written.
    pub(crate) fn absent(names: Vec<String>) -> Self {
        let held = names.iter().map(|_| None).collect();
        Self { names, held }
    }

    /// Collects the values that documents can be sorted by.
    #[cfg(feature = "build")]
    pub(crate) fn build(documents: &[crate::document::Document]) -> Self {
        let mut values: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
        for (idx, document) in documents.iter().enumerate() {
            for (name, value) in &document.sort {
                let values = values
                    .entry(name)
                    .or_insert_with(|| vec![None; documents.len()]);
                values[idx] = Some(value);
            }
        }
        let (names, held) = values
            .into_iter()
            .map(|(name, values)| (name.to_owned(), Some(Order::build(&values))))
            .unzip();
        Self { names, held }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    pub(crate) fn get(&self, idx: usize) -> Option<&Order> {
        self.held.get(idx)?.as_ref()
    }

    pub(crate) fn insert(&mut self, idx: usize, order: Order) {
        if let Some(place) = self.held.get_mut(idx) {
            *place = Some(order);
        }
    }
}

impl Order {
    /// Sorts numerically if all values are numbers, otherwise as text.
    #[cfg(feature = "build")]
    fn build(values: &[Option<&str>]) -> Self {
        let number = |value: &str| {
            value
                .trim()
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())
        };
        let given = || values.iter().flatten();
        let all_numbers = given().all(|value| number(value).is_some());
        let compare = |a: &&str, b: &&str| match (number(a), number(b)) {
            (Some(a), Some(b)) if all_numbers => a.total_cmp(&b),
            _ => (a.to_lowercase(), *a).cmp(&(b.to_lowercase(), *b)),
        };
        let mut different: Vec<&str> = given().copied().collect();
        different.sort_by(compare);
        different.dedup_by(|a, b| compare(a, b) == Ordering::Equal);
        let place = |value: &&str| {
            let before = different.partition_point(|other| compare(other, value) == Ordering::Less);
            u32::try_from(before + 1).unwrap_or(u32::MAX)
        };
        let places = values.iter().map(|value| value.as_ref().map_or(0, place));
        Self {
            places: places.collect(),
        }
    }

    /// Documents with a lower rank come first; documents with the same value, or without one, share a rank.
    pub(crate) fn rank(&self, document: u32, descending: bool) -> u32 {
        match self.places.get(document as usize).copied().unwrap_or(0) {
            0 => u32::MAX,
            place if descending => u32::MAX - place,
            place => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(values: &[Option<&str>], descending: bool) -> Vec<u32> {
        let order = Order::build(values);
        let mut documents: Vec<u32> = (0..).take(values.len()).collect();
        documents.sort_by_key(|&document| order.rank(document, descending));
        documents
    }

    #[test]
    fn numbers_go_by_size_and_texts_by_letters() {
        let numbers = [Some("10"), Some("9"), Some("-1.5")];
        assert_eq!(sorted(&numbers, false), [2, 1, 0]);
        let versions = [Some("10"), Some("9"), Some("beta")];
        assert_eq!(sorted(&versions, false), [0, 1, 2], "not all are numbers");
        assert_eq!(sorted(&[Some("b"), Some("A"), Some("c")], true), [2, 0, 1]);
    }

    #[test]
    fn without_a_value_is_last_either_way_and_equals_keep_their_order() {
        let dates = [
            None,
            Some("2026-03-01"),
            Some("2025-01-01"),
            Some("2026-03-01"),
        ];
        assert_eq!(sorted(&dates, false), [2, 1, 3, 0]);
        assert_eq!(sorted(&dates, true), [1, 3, 2, 0]);
    }
}
