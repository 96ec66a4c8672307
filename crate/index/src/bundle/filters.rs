//! Turns the filter shard into bytes and back: names, values, and each value's documents as gaps.

use serde::{Deserialize, Serialize};

use super::{malformed, numbers, read_whole};
use crate::error::BundleError;
use crate::filters::Filters;
use crate::shard::Family;

const ROLE: &str = Family::Filters.as_str();

#[derive(Serialize, Deserialize)]
struct FiltersFile<'b> {
    #[serde(borrow)]
    filters: Vec<FilterWire<'b>>,
}

#[derive(Serialize, Deserialize)]
struct FilterWire<'b> {
    name: &'b str,
    #[serde(borrow)]
    values: Vec<ValueWire<'b>>,
}

#[derive(Serialize, Deserialize)]
struct ValueWire<'b> {
    value: &'b str,
    /// Varints: the first document, then the gap to each next one.
    documents: &'b [u8],
}

pub(super) fn read(bytes: &[u8], n_documents: usize) -> Result<Filters, BundleError> {
    let file: FiltersFile<'_> = read_whole(ROLE, bytes)?;
    let mut filters = Filters::default();
    for filter in &file.filters {
        let values = filters.values.entry(filter.name.to_owned()).or_default();
        for value in &filter.values {
            let mut document = 0_u32;
            let mut documents = Vec::new();
            for gap in numbers(ROLE, "documents of a value", value.documents)? {
                document = document
                    .checked_add(gap)
                    .filter(|&document| (document as usize) < n_documents)
                    .ok_or_else(|| {
                        let expected = format!("less than {n_documents}");
                        malformed(ROLE, "document of a value", expected, "more")
                    })?;
                documents.push(document);
            }
            values.insert(value.value.to_owned(), documents);
        }
    }
    Ok(filters)
}

/// A value, and its documents in stored form.
#[cfg(feature = "build")]
type CodedValue<'f> = (&'f String, Vec<u8>);

#[cfg(feature = "build")]
pub(super) fn write(filters: &Filters) -> Result<Vec<u8>, BundleError> {
    use super::write::{to_bytes, varints};
    let gaps = |documents: &[u32]| {
        let before = std::iter::once(0).chain(documents.iter().copied());
        varints(
            documents
                .iter()
                .zip(before)
                .map(|(document, before)| document - before),
        )
    };
    let coded: Vec<(&String, Vec<CodedValue<'_>>)> = filters
        .values
        .iter()
        .map(|(name, values)| {
            let values = values.iter();
            (
                name,
                values
                    .map(|(value, documents)| (value, gaps(documents)))
                    .collect(),
            )
        })
        .collect();
    let filters = coded
        .iter()
        .map(|(name, values)| FilterWire {
            name,
            values: values
                .iter()
                .map(|(value, documents)| ValueWire { value, documents })
                .collect(),
        })
        .collect();
    to_bytes(ROLE, &FiltersFile { filters })
}
