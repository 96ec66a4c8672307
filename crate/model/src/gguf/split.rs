//! Turns the files of a split model into one.
//!
//! Source: llama.cpp's `gguf-split` and `llama-model-loader.cpp`. Every file gives its index in `split.no`, from 0, and
//! the number of files in `split.count`; the first holds the model's metadata, and each holds some of its tensors.

use super::Gguf;
use super::write::{TensorOut, Writer};
use crate::error::LoadError;
use crate::parts::Parts;

const NO: &str = "split.no";
const COUNT: &str = "split.count";
const N_TENSORS: &str = "split.tensors.count";
/// A key that the writer sets by itself.
const ALIGNMENT: &str = "general.alignment";

/// Most files that a model may be split into: the largest known have a few dozen.
const MAX_FILES: usize = 1000;

/// A file's place in a split model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// Its index, from 0.
    pub no: usize,
    /// The number of files: at least 2.
    pub count: usize,
}

impl Split {
    /// The index that a file claims in a split model; `None` for a whole model.
    ///
    /// # Errors
    /// [`LoadError::MetadataType`]; [`LoadError::MetadataValue`] for an index past the count, or for too many files.
    pub fn of(gguf: &Gguf) -> Result<Option<Self>, LoadError> {
        let number = |key| Ok::<_, LoadError>(gguf.opt_u32(key)?.unwrap_or(0) as usize);
        let (no, count) = (number(NO)?, number(COUNT)?);
        if count > MAX_FILES {
            return Err(refuse(COUNT, format!("at most {MAX_FILES}"), count));
        }
        if count < 2 {
            return Ok(None);
        }
        if no >= count {
            return Err(refuse(NO, format!("0 to {}", count - 1), no));
        }
        Ok(Some(Self { no, count }))
    }

    /// The end of this file's name.
    pub fn suffix(self) -> String {
        format!("-{:05}-of-{:05}.gguf", self.no + 1, self.count)
    }
}

/// The head of the whole model, from the heads of all its files in order. Its tensor offsets are meaningless.
///
/// # Errors
/// [`LoadError::SplitPart`] for a file that is not split, [`LoadError::MetadataValue`] for a file out of order or for
/// missing tensors, [`LoadError::Duplicate`].
pub fn join_heads(heads: Vec<Gguf>) -> Result<Gguf, LoadError> {
    let mut joined = Gguf::default();
    let (mut n_expected, count) = (None, heads.len());
    for (no, head) in heads.into_iter().enumerate() {
        let found = Split::of(&head)?.unwrap_or(Split { no: 0, count: 1 });
        if found.count != count {
            return Err(refuse(COUNT, count.to_string(), found.count));
        }
        if found.no != no {
            return Err(refuse(NO, no.to_string(), found.no));
        }
        if no == 0 {
            n_expected = head.opt_u32(N_TENSORS)?;
            joined.metadata = head.metadata;
        }
        for (name, entry) in head.tensors {
            if joined.tensors.insert(name.clone(), entry).is_some() {
                return Err(LoadError::Duplicate { name });
            }
        }
    }
    let n_found = joined.tensors.len();
    if let Some(n_expected) = n_expected.filter(|&n| n as usize != n_found) {
        return Err(refuse(N_TENSORS, n_found.to_string(), n_expected as usize));
    }
    for key in [NO, COUNT, N_TENSORS, ALIGNMENT] {
        joined.metadata.remove(key);
    }
    Ok(joined)
}

/// The whole model as one file, from all its files in order; each is freed once copied.
///
/// # Errors
/// As [`join_heads`] and [`Gguf::parse`].
pub fn join(files: Vec<Vec<u8>>) -> Result<Vec<u8>, LoadError> {
    let files: Vec<Parts> = files
        .into_iter()
        .map(|file| Parts::new(vec![file]))
        .collect();
    let heads = files
        .iter()
        .map(Gguf::parse)
        .collect::<Result<Vec<_>, _>>()?;
    let joined = join_heads(heads.clone())?;
    let mut writer = Writer::new();
    for (key, value) in joined.metadata {
        writer.set(&key, value);
    }
    for (head, parts) in heads.iter().zip(files) {
        let mut in_order: Vec<_> = head.tensors.iter().collect();
        in_order.sort_by_key(|(_, entry)| entry.offset);
        for (name, entry) in in_order {
            writer.add(TensorOut {
                name: name.clone(),
                kind: entry.kind,
                shape: entry.shape.clone(),
                bytes: head.tensor(&parts, name)?.into_owned(),
            });
        }
    }
    Ok(writer.finish())
}

fn refuse(key: &str, expected: String, found: usize) -> LoadError {
    LoadError::MetadataValue {
        key: key.into(),
        expected,
        found: found.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ModelConfig;
    use crate::gguf::Value;
    use crate::tiny::Tiny;

    /// `writer`'s model in `count` files, as `gguf-split` cuts it.
    fn cut(writer: &Writer, count: u16) -> Vec<Vec<u8>> {
        let n_tensors = writer.tensors.len();
        let share = n_tensors.div_ceil(usize::from(count));
        let mut shares = writer.tensors.chunks(share);
        (0..count)
            .map(|no| {
                let mut file = Writer::new();
                if no == 0 {
                    file.metadata.clone_from(&writer.metadata);
                }
                file.set(NO, Value::U16(no)).set(COUNT, Value::U16(count));
                let n_tensors = i32::try_from(n_tensors).expect("few tensors");
                file.set(N_TENSORS, Value::I32(n_tensors));
                file.tensors = shares.next().unwrap_or_default().to_vec();
                file.finish()
            })
            .collect()
    }

    fn head(file: &[u8]) -> Gguf {
        Gguf::parse(&Parts::new(vec![file.to_vec()])).unwrap()
    }

    #[test]
    fn joins_files_to_the_model_they_were_cut_from() {
        let tiny = Tiny::default().writer();
        for count in [2, 3, 7] {
            let files = cut(&tiny, count);
            let joined = join(files.clone()).unwrap();
            let (found, whole) = (head(&joined), head(&tiny.finish()));
            assert_eq!(found.metadata, whole.metadata, "{count} files");
            assert_eq!(found.tensors.len(), whole.tensors.len(), "{count} files");
            let (found_in, whole_in) = (Parts::new(vec![joined]), Parts::new(vec![tiny.finish()]));
            for name in whole.tensors.keys() {
                let bytes = found.tensor(&found_in, name);
                assert_eq!(
                    bytes,
                    whole.tensor(&whole_in, name),
                    "{count} files, `{name}`"
                );
            }
            let heads = files.iter().map(|file| head(file)).collect();
            let config = ModelConfig::from_gguf(&join_heads(heads).unwrap());
            assert_eq!(config, ModelConfig::from_gguf(&whole), "{count} files");
        }
    }

    #[test]
    fn one_file_of_several_is_no_model() {
        for file in cut(&Tiny::default().writer(), 3) {
            let error = ModelConfig::from_gguf(&head(&file)).unwrap_err();
            assert!(
                matches!(error, LoadError::SplitPart { count: 3, .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn refuses_files_that_are_not_all_of_one_model() {
        let tiny = Tiny::default().writer();
        let files = cut(&tiny, 3);
        let (first, second, third) = (&files[0], &files[1], &files[2]);
        let mut other = cut(&tiny, 2);
        for (taken, key) in [
            (vec![first, second], COUNT),
            (vec![first, third, second], NO),
            (vec![first, second, second], NO),
            (vec![first, &other[1], third], COUNT),
        ] {
            let error = join(taken.into_iter().cloned().collect()).unwrap_err();
            assert!(error.to_string().contains(key), "expected `{key}`: {error}");
        }
        let whole = join(vec![tiny.finish()]).map(|file| head(&file));
        assert!(whole.is_ok(), "a whole model is one file of one: {whole:?}");
        // Both files hold the second half.
        let twice = Writer {
            tensors: tiny.tensors[tiny.tensors.len() / 2..].to_vec(),
            ..tiny.clone()
        };
        other[0] = cut(
            &Writer {
                tensors: [twice.tensors.clone(), twice.tensors].concat(),
                ..tiny
            },
            2,
        )
        .remove(0);
        let error = join(other).unwrap_err();
        assert!(
            matches!(
                error,
                LoadError::Duplicate { .. } | LoadError::MetadataValue { .. }
            ),
            "{error}"
        );
    }

    #[test]
    fn refuses_numbers_that_no_split_has() {
        for (no, count) in [(2, 2), (0, 1001), (u32::MAX, u32::MAX)] {
            let mut gguf = Gguf::default();
            gguf.metadata.insert(NO.into(), no.into());
            gguf.metadata.insert(COUNT.into(), count.into());
            let found = Split::of(&gguf);
            assert!(found.is_err(), "{no} of {count}: {found:?}");
        }
        assert_eq!(Split::of(&Gguf::default()), Ok(None), "no key");
    }
}
