//! Turns a term shard into bytes and back: front-coded words, and posting lists as varints.

use serde::{Deserialize, Serialize};

use super::{malformed, read_whole, sums, words};
use crate::error::BundleError;
use crate::lexical::dictionary::Dictionary;
use crate::lexical::postings::Varints;
use crate::lexical::shard::TermShard;
use crate::shard::Family;

const ROLE: &str = Family::Terms.as_str();
/// Maximum terms of one form: one per language that inflects a word to it, and there are fewer languages than this.
const MAX_FORM_TERMS: u32 = 32;

/// Words and where they occur. Number fields are consecutive varints.
#[derive(Serialize, Deserialize)]
struct TermsFile<'b> {
    /// For each word: the length shared with the word before, the length of the rest, the rest.
    terms: &'b [u8],
    forms: &'b [u8],
    /// For each form, the number of its terms; then for each term the length it shares with the form, the length of the
    /// rest, the rest.
    form_terms: &'b [u8],
    /// Length of each term's list, in bytes.
    list_lengths: &'b [u8],
    postings: &'b [u8],
}

pub(super) fn read(bytes: &[u8]) -> Result<TermShard, BundleError> {
    let file: TermsFile<'_> = read_whole(ROLE, bytes)?;
    let forms = words(ROLE, "forms", file.forms)?;
    Ok(TermShard {
        terms: words(ROLE, "terms", file.terms)?,
        form_terms: read_form_terms(&forms, file.form_terms)?,
        forms,
        starts: sums(ROLE, "lengths of lists", file.list_lengths)?,
        postings: file.postings.to_owned(),
    })
}

fn read_form_terms(forms: &Dictionary, bytes: &[u8]) -> Result<Vec<Vec<String>>, BundleError> {
    let wrong = || {
        malformed(
            ROLE,
            "terms of forms",
            "lengths within their words",
            "others",
        )
    };
    let mut varints = Varints::new(bytes);
    let mut all = Vec::with_capacity(forms.len());
    for idx in 0..forms.len() {
        let form = forms.get(idx).as_bytes();
        let n_terms = varints
            .next()
            .filter(|&n| n <= MAX_FORM_TERMS)
            .ok_or_else(wrong)?;
        let mut terms = Vec::new();
        for _ in 0..n_terms {
            let (shared, n_more) = varints.next().zip(varints.next()).ok_or_else(wrong)?;
            let kept = form.get(..shared as usize).ok_or_else(wrong)?;
            let more = varints.take_bytes(n_more as usize).ok_or_else(wrong)?;
            terms.push(String::from_utf8([kept, more].concat()).map_err(|_| wrong())?);
        }
        all.push(terms);
    }
    if varints.is_empty() {
        Ok(all)
    } else {
        Err(malformed(
            ROLE,
            "terms of forms",
            "as many as forms",
            "more",
        ))
    }
}

/// Checks numbers against bounds that only the resident file has.
pub(super) fn check(
    shard: &TermShard,
    n_chunks: usize,
    n_documents: usize,
) -> Result<(), BundleError> {
    shard
        .check(n_chunks, n_documents)
        .map_err(|wrong| super::contradiction(ROLE, wrong))
}

#[cfg(feature = "build")]
pub(super) mod write {
    use super::*;
    use crate::bundle::write::{front_coded, push_shared, to_bytes, varints};
    use crate::lexical::postings::push_varint;

    /// Up to this size, in bytes before compression, all words go into one shard.
    const MAX_WHOLE_BYTES: usize = 96 << 10;
    /// Above it, a shard ends with the word that takes it past this size.
    const SHARD_BYTES: usize = 7 << 10;

    /// Re-cuts the words of `shards` into shards of download size, each returned with its first word.
    pub(in crate::bundle) fn shards(
        shards: &[&TermShard],
    ) -> Result<(Dictionary, Vec<Vec<u8>>), BundleError> {
        let total: usize = shards.iter().map(|shard| n_bytes(shard)).sum();
        let limit = if total <= MAX_WHOLE_BYTES {
            usize::MAX
        } else {
            SHARD_BYTES
        };
        let mut firsts = Dictionary::default();
        let mut files = Vec::new();
        let mut current = Cut::default();
        for shard in shards {
            let (mut term, mut form) = (0, 0);
            while term < shard.terms.len() || form < shard.forms.len() {
                // The smaller word first; an equal term and form stay together.
                let is_term = form == shard.forms.len()
                    || (term < shard.terms.len() && shard.terms.get(term) <= shard.forms.get(form));
                let word = if is_term {
                    shard.terms.get(term)
                } else {
                    shard.forms.get(form)
                };
                if current.n_bytes >= limit && current.last != word {
                    current.finish(&mut firsts, &mut files)?;
                }
                if is_term {
                    current.term(word, &shard.postings[range(shard, term)]);
                    term += 1;
                } else {
                    current.form(word, &shard.form_terms[form]);
                    form += 1;
                }
            }
        }
        current.finish(&mut firsts, &mut files)?;
        Ok((firsts, files))
    }

    fn range(shard: &TermShard, term: usize) -> std::ops::Range<usize> {
        shard.starts[term] as usize..shard.starts[term + 1] as usize
    }

    fn n_bytes(shard: &TermShard) -> usize {
        let words = |words: &Dictionary| words.iter().map(|word| word.len() / 2 + 2).sum::<usize>();
        words(&shard.terms) + words(&shard.forms) + shard.postings.len()
    }

    /// The shard being filled.
    #[derive(Default)]
    struct Cut {
        shard: TermShard,
        first: Option<String>,
        last: String,
        n_bytes: usize,
    }

    impl Cut {
        fn word(&mut self, word: &str, n_more: usize) {
            self.first.get_or_insert_with(|| word.to_owned());
            word.clone_into(&mut self.last);
            // A word shares about half of its bytes with the previous one.
            self.n_bytes += word.len() / 2 + 2 + n_more;
        }

        fn term(&mut self, term: &str, list: &[u8]) {
            self.word(term, list.len());
            self.shard.terms.push(term);
            self.shard.postings.extend_from_slice(list);
            if self.shard.starts.is_empty() {
                self.shard.starts.push(0);
            }
            let end = u32::try_from(self.shard.postings.len()).unwrap_or(u32::MAX);
            self.shard.starts.push(end);
        }

        fn form(&mut self, form: &str, terms: &[String]) {
            self.word(form, 3 * terms.len());
            self.shard.forms.push(form);
            self.shard.form_terms.push(terms.to_vec());
        }

        fn finish(
            &mut self,
            firsts: &mut Dictionary,
            files: &mut Vec<Vec<u8>>,
        ) -> Result<(), BundleError> {
            let Self { shard, first, .. } = std::mem::take(self);
            if let Some(first) = first {
                firsts.push(&first);
                files.push(file(&shard)?);
            }
            Ok(())
        }
    }

    fn file(shard: &TermShard) -> Result<Vec<u8>, BundleError> {
        let mut form_terms = Vec::new();
        for (form, terms) in shard.forms.iter().zip(&shard.form_terms) {
            push_varint(
                &mut form_terms,
                u32::try_from(terms.len()).unwrap_or(u32::MAX),
            );
            terms
                .iter()
                .for_each(|term| push_shared(&mut form_terms, form, term));
        }
        let lengths = shard.starts.windows(2).map(|bounds| bounds[1] - bounds[0]);
        to_bytes(
            ROLE,
            &TermsFile {
                terms: &front_coded(&shard.terms),
                forms: &front_coded(&shard.forms),
                form_terms: &form_terms,
                list_lengths: &varints(lengths),
                postings: &shard.postings,
            },
        )
    }
}
