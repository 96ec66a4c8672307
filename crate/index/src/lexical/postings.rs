//! Turns a term's postings into bytes and back: where it occurs, how often, and in which fields.
//!
//! One term's list: the number of chunks; 0, or 1 more than the class of form that most of them have; then for each chunk,
//! in order, a varint of `(chunk - previous chunk) << 3 | own heading << 2 | heading above << 1 | more`, where `more` says
//! that the count in the text follows (otherwise it is 1); then the number of documents with the term in their title, and
//! their gaps. A gap is the distance from the previous entry, the first from zero. Most postings take one byte.
//!
//! A term may be the stem of several words, its forms. Classes tell which of them a chunk has, so that no form needs to
//! be stored: [`form_class`]. If the forms of a list differ, its varints have one more bit in last place, which says
//! that a chunk's forms are not just those of the most frequent class. In that case their class follows last or, if
//! there are several, 30 plus their number and then each of them.

/// Where one term occurs in one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) chunk: u32,
    /// How often the term occurs in the text; may be 0 if a heading has it.
    pub(crate) n_text: u32,
    pub(crate) in_own_heading: bool,
    pub(crate) in_heading_above: bool,
    /// The classes of its forms, a bit for each; 0 where forms don't differ.
    pub(crate) forms: u32,
}

/// Number of form classes: a set of them is one `u32`.
const N_FORM_CLASSES: u32 = 31;

/// The class of a word among those with the same stem: the 32 bits of FNV-1a over its bytes, modulo 31. Two forms of a
/// stem that share a class can't be told apart, which costs a search little.
pub(crate) fn form_class(word: &str) -> u32 {
    let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash % N_FORM_CLASSES
}

/// Reads varints from a slice. Stops at malformed bytes instead of failing: lists are checked when they are loaded.
pub(crate) struct Varints<'b> {
    bytes: &'b [u8],
}

impl<'b> Varints<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next `len` bytes as they are; `None` if fewer are left.
    pub(crate) fn take_bytes(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }
}

impl Iterator for Varints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        for (idx, &byte) in self.bytes.iter().take(5).enumerate() {
            let bits = u32::from(byte & 0x7f);
            if idx == 4 && bits > 0xf {
                return None;
            }
            value |= bits << (7 * idx);
            if byte & 0x80 == 0 {
                self.bytes = &self.bytes[idx + 1..];
                return Some(value);
            }
        }
        None
    }
}

#[cfg(feature = "build")]
pub(crate) fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// Encodes and appends one term's list. Both slices are in increasing order.
#[cfg(feature = "build")]
pub(crate) fn encode(postings: &[Posting], titles: &[u32], bytes: &mut Vec<u8>) {
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    push_varint(bytes, count(postings.len()));
    let common = common_form(postings);
    push_varint(bytes, common.map_or(0, |class| class + 1));
    let mut previous = 0;
    for posting in postings {
        let more = posting.n_text != 1;
        let flags = u32::from(posting.in_own_heading) << 2
            | u32::from(posting.in_heading_above) << 1
            | u32::from(more);
        let bits = (posting.chunk - previous) << 3 | flags;
        let others = common
            .filter(|class| posting.forms != 0 && posting.forms != 1 << class)
            .map(|_| posting.forms);
        match common {
            Some(_) => push_varint(bytes, bits << 1 | u32::from(others.is_some())),
            None => push_varint(bytes, bits),
        }
        if more {
            push_varint(bytes, posting.n_text);
        }
        if let Some(forms) = others {
            if forms.count_ones() > 1 {
                push_varint(bytes, N_FORM_CLASSES - 1 + forms.count_ones());
            }
            let classes = (0..N_FORM_CLASSES).filter(|class| forms >> class & 1 == 1);
            classes.for_each(|class| push_varint(bytes, class));
        }
        previous = posting.chunk;
    }
    push_varint(bytes, count(titles.len()));
    let mut previous = 0;
    for &document in titles {
        push_varint(bytes, document - previous);
        previous = document;
    }
}

/// The class of form that most chunks have, if chunks differ.
#[cfg(feature = "build")]
fn common_form(postings: &[Posting]) -> Option<u32> {
    let all = postings.iter().fold(0, |all, posting| all | posting.forms);
    let n_with = |class: &u32| {
        let has = |posting: &&Posting| posting.forms >> class & 1 == 1;
        postings.iter().filter(has).count()
    };
    (0..N_FORM_CLASSES)
        .max_by_key(n_with)
        .filter(|_| all.count_ones() > 1)
}

/// One term's encoded list.
pub(crate) struct PostingList<'b> {
    varints: Varints<'b>,
    /// Number of chunks with the term in text or headings.
    pub(crate) n_chunks: u32,
    /// 0, or 1 more than the class of form that most chunks have.
    common: u32,
}

impl<'b> PostingList<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        let mut varints = Varints::new(bytes);
        let n_chunks = varints.next().unwrap_or(0);
        let common = varints.next().unwrap_or(0);
        Self {
            varints,
            n_chunks,
            common,
        }
    }

    /// True if forms differ here and some chunk has one of class `class`.
    pub(crate) fn has_form(self, class: u32) -> bool {
        if self.common == 0 || self.common == class + 1 {
            return self.common > 0;
        }
        let mut has_form = false;
        self.visit(
            |posting| has_form |= posting.forms >> class & 1 == 1,
            |_| {},
        );
        has_form
    }

    /// Calls `on_posting` for each chunk, then `on_title` for each document; `None` where the bytes end too early or
    /// a position passes the range of `u32`.
    pub(crate) fn visit(
        mut self,
        mut on_posting: impl FnMut(Posting),
        mut on_title: impl FnMut(u32),
    ) -> Option<Self> {
        let mut chunk = 0_u32;
        let has_forms = self.common > 0;
        if self.common > N_FORM_CLASSES {
            return None;
        }
        for _ in 0..self.n_chunks {
            let mut bits = self.varints.next()?;
            let has_others = has_forms && bits & 1 == 1;
            bits >>= u32::from(has_forms);
            chunk = chunk.checked_add(bits >> 3)?;
            let n_text = if bits & 1 == 1 {
                self.varints.next()?
            } else {
                1
            };
            let forms = match self.common.checked_sub(1) {
                Some(_) if has_others => self.others()?,
                Some(class) => 1 << class,
                None => 0,
            };
            on_posting(Posting {
                chunk,
                n_text,
                in_own_heading: bits & 4 != 0,
                in_heading_above: bits & 2 != 0,
                forms,
            });
        }
        let n_titles = self.varints.next()?;
        let mut document = 0_u32;
        for _ in 0..n_titles {
            document = document.checked_add(self.varints.next()?)?;
            on_title(document);
        }
        Some(self)
    }

    /// Reads the next set of classes; `None` if the bytes contain none.
    fn others(&mut self) -> Option<u32> {
        let class = |number: u32| (number < N_FORM_CLASSES).then(|| 1 << number);
        let first = self.varints.next()?;
        match first.checked_sub(N_FORM_CLASSES - 1) {
            None | Some(0) => class(first),
            Some(n) if n <= N_FORM_CLASSES => {
                (0..n).try_fold(0, |all, _| Some(all | class(self.varints.next()?)?))
            }
            Some(_) => None,
        }
    }

    /// True if nothing follows the visited entries.
    pub(crate) fn is_at_end(&self) -> bool {
        self.varints.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_return_at_every_width() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u32::MAX - 1, u32::MAX] {
            let mut bytes = Vec::new();
            push_varint(&mut bytes, value);
            assert_eq!(Varints::new(&bytes).next(), Some(value), "{value}");
        }
        assert_eq!(
            Varints::new(&[0xff; 9]).next(),
            None,
            "five bytes hold 32 bits at most"
        );
        assert_eq!(Varints::new(&[0x80]).next(), None, "cut short");
    }

    #[test]
    fn lists_return_as_they_were() {
        for forms in [[1; 4], [1, 1, 5, 1], [4, 2, 1 << 30, (1 << 31) - 1]] {
            returns_as_it_was(forms);
        }
    }

    fn returns_as_it_was(forms: [u32; 4]) {
        let differ = forms.iter().any(|&one| one != 1);
        let mut forms = forms.into_iter();
        let postings = [
            (0, 1, false, false),
            (1, 0, true, false),
            (700, 300, true, true),
            (701, 1, false, true),
        ]
        .map(
            |(chunk, n_text, in_own_heading, in_heading_above)| Posting {
                chunk,
                n_text,
                in_own_heading,
                in_heading_above,
                forms: forms.next().filter(|_| differ).unwrap_or(0),
            },
        );
        let titles = [0, 5, 600];
        let mut bytes = Vec::new();
        encode(&postings, &titles, &mut bytes);
        let (mut found, mut found_titles) = (Vec::new(), Vec::new());
        let list = PostingList::new(&bytes);
        assert_eq!(list.n_chunks, 4);
        let end = list.visit(
            |posting| found.push(posting),
            |document| found_titles.push(document),
        );
        assert!(
            end.is_some_and(|list| list.is_at_end()),
            "all bytes are used"
        );
        assert_eq!(found, postings);
        assert_eq!(found_titles, titles);
    }

    #[test]
    fn a_chunk_with_no_form_of_its_own_counts_as_having_the_common_one() {
        let posting = |chunk, forms| Posting {
            chunk,
            n_text: 1,
            in_own_heading: false,
            in_heading_above: false,
            forms,
        };
        let mut bytes = Vec::new();
        let postings = [posting(0, 2), posting(1, 0), posting(2, 2), posting(3, 4)];
        encode(&postings, &[], &mut bytes);
        let mut found = Vec::new();
        PostingList::new(&bytes).visit(|posting| found.push(posting.forms), |_| {});
        assert_eq!(found, [2, 2, 2, 4]);
        let has_form = [0, 1, 2, 3].map(|class| PostingList::new(&bytes).has_form(class));
        assert_eq!(has_form, [false, true, true, false]);
    }

    #[test]
    fn a_list_cut_short_ends() {
        let mut bytes = Vec::new();
        let posting = Posting {
            chunk: 9,
            n_text: 7,
            in_own_heading: false,
            in_heading_above: false,
            forms: 0,
        };
        encode(&[posting; 1], &[3], &mut bytes);
        for len in 0..bytes.len() {
            assert!(
                PostingList::new(&bytes[..len])
                    .visit(|_| {}, |_| {})
                    .is_none(),
                "cut to {len}"
            );
        }
    }
}
