//! Maps filter values to the documents that have them, to narrow a search.

use std::collections::BTreeMap;

/// The values of each filter, each with its documents in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    pub(crate) values: BTreeMap<String, BTreeMap<String, Vec<u32>>>,
}

/// The filter that documents get automatically if a site is written in several languages.
pub const LANGUAGE: &str = "language";

impl Filters {
    /// Collects the filters of documents; `None` if they have none.
    #[cfg(feature = "build")]
    pub(crate) fn build(documents: &[crate::document::Document]) -> Option<Self> {
        let mut filters = Self::default();
        let mut languages = std::collections::BTreeSet::new();
        for (idx, document) in (0_u32..).zip(documents) {
            let language = document.language.as_ref().filter(|_| {
                // A filter of this name set by the owner wins over the page's language.
                !document.filters.contains_key(LANGUAGE)
            });
            languages.extend(language);
            let own = document
                .filters
                .iter()
                .flat_map(|(name, values)| values.iter().map(move |value| (name.as_str(), value)));
            for (name, value) in own.chain(language.map(|language| (LANGUAGE, language))) {
                let values = filters.values.entry(name.to_owned()).or_default();
                let documents = values.entry(value.clone()).or_default();
                if documents.last() != Some(&idx) {
                    documents.push(idx);
                }
            }
        }
        if languages.len() == 1
            && filters
                .values
                .get(LANGUAGE)
                .is_some_and(|values| values.len() == 1)
        {
            filters.values.remove(LANGUAGE);
        }
        (!filters.values.is_empty()).then_some(filters)
    }

    /// Number of documents for each value of each filter.
    pub fn counts(&self) -> BTreeMap<&str, BTreeMap<&str, usize>> {
        let counted = self.values.iter().map(|(name, values)| {
            let counts = values.iter();
            let counts = counts.map(|(value, documents)| (value.as_str(), documents.len()));
            (name.as_str(), counts.collect())
        });
        counted.collect()
    }

    /// True for each of `n_documents` documents that has, for every requested filter, one of the requested values.
    pub(crate) fn allowed(
        &self,
        wanted: &BTreeMap<String, Vec<String>>,
        n_documents: usize,
    ) -> Vec<bool> {
        let mut allowed = vec![true; n_documents];
        for (name, wanted) in wanted {
            let mut has = vec![false; n_documents];
            let values = self.values.get(name);
            for document in wanted
                .iter()
                .filter_map(|value| values?.get(value))
                .flatten()
            {
                if let Some(has) = has.get_mut(*document as usize) {
                    *has = true;
                }
            }
            allowed
                .iter_mut()
                .zip(has)
                .for_each(|(allowed, has)| *allowed &= has);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_filter_widen_and_filters_narrow() {
        let by = |pairs: &[(&str, &[u32])]| -> BTreeMap<String, Vec<u32>> {
            let pairs = pairs.iter();
            pairs
                .map(|(value, documents)| ((*value).to_owned(), documents.to_vec()))
                .collect()
        };
        let filters = Filters {
            values: [
                ("tag".to_owned(), by(&[("a", &[0, 2]), ("b", &[1, 9])])),
                ("kind".to_owned(), by(&[("guide", &[1, 2])])),
            ]
            .into(),
        };
        let allowed = |wanted: &[(&str, &[&str])]| {
            let wanted = wanted.iter().map(|(name, values)| {
                let values = values.iter().map(|&value| value.to_owned()).collect();
                ((*name).to_owned(), values)
            });
            filters.allowed(&wanted.collect(), 3)
        };
        assert_eq!(allowed(&[]), [true, true, true]);
        assert_eq!(allowed(&[("tag", &["a"])]), [true, false, true]);
        assert_eq!(
            allowed(&[("tag", &["a", "b"]), ("kind", &["guide"])]),
            [false, true, true]
        );
        assert_eq!(allowed(&[("tag", &["none"])]), [false; 3]);
        assert_eq!(allowed(&[("none", &["a"])]), [false; 3]);
    }
}
