//! Reads the consecutive parts of a downloaded file as one range of bytes, without joining them.
//!
//! In a browser a weights file arrives in parts of a few megabytes and is read once, front to back. Dropping each part
//! once it is read means that the file and its copy on the device are never both in memory.

use std::borrow::Cow;

use crate::error::LoadError;

/// A weights file as received: consecutive parts, each freed once it is consumed.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// `None` where the bytes were dropped.
    parts: Vec<Option<Vec<u8>>>,
    /// Where each part starts in the file, then the file's length: one entry more than `parts`.
    starts: Vec<u64>,
}

impl Parts {
    /// The file made of these parts, in this order.
    pub fn new(parts: Vec<Vec<u8>>) -> Self {
        let mut starts = Vec::with_capacity(parts.len() + 1);
        let mut end = 0;
        starts.push(end);
        for part in &parts {
            end += part.len() as u64;
            starts.push(end);
        }
        Self {
            parts: parts.into_iter().map(Some).collect(),
            starts,
        }
    }

    /// The parts as given, without those that were dropped.
    pub fn into_parts(self) -> Vec<Vec<u8>> {
        self.parts.into_iter().flatten().collect()
    }

    /// Bytes in the whole file, dropped parts included.
    pub fn len(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// True if the file has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes `offset .. offset + len`: borrowed if they are in one part, copied if they span several.
    ///
    /// # Errors
    /// [`LoadError::Truncated`] past the end, [`LoadError::Dropped`] for bytes that [`Parts::drop_before`] dropped.
    pub fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, LoadError> {
        let left = self.len().saturating_sub(offset);
        if len as u64 > left {
            return Err(LoadError::Truncated {
                what: "range".into(),
                offset,
                expected: len as u64,
                found: left,
            });
        }
        if len == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        let dropped = || LoadError::Dropped {
            offset,
            end: offset + len as u64,
        };
        let mut part_idx = self.starts.partition_point(|&start| start <= offset) - 1;
        let part = |idx: usize| self.parts[idx].as_deref().ok_or_else(dropped);
        // The part was found by its start, so the offset within it is less than its length.
        let within = usize::try_from(offset - self.starts[part_idx]).map_err(|_| dropped())?;
        let first = &part(part_idx)?[within..];
        if let Some(bytes) = first.get(..len) {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut joined = Vec::with_capacity(len);
        joined.extend_from_slice(first);
        while joined.len() < len {
            part_idx += 1;
            let next = part(part_idx)?;
            joined.extend_from_slice(&next[..next.len().min(len - joined.len())]);
        }
        Ok(Cow::Owned(joined))
    }

    /// Frees every part that ends at or before `offset`; reading it then fails.
    pub fn drop_before(&mut self, offset: u64) {
        for (part, end) in self.parts.iter_mut().zip(self.starts.iter().skip(1)) {
            if *end <= offset {
                *part = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts {
        Parts::new(vec![vec![0, 1, 2], vec![], vec![3, 4], vec![5, 6, 7, 8]])
    }

    #[test]
    fn reads_any_range_as_if_the_file_were_one_piece() {
        let whole: Vec<u8> = (0..9).collect();
        for start in 0..=9 {
            for end in start..=9 {
                let found = parts()
                    .read(start as u64, end - start)
                    .unwrap()
                    .into_owned();
                assert_eq!(found, whole[start..end], "range {start}..{end}");
            }
        }
    }

    #[test]
    fn gives_back_what_was_not_dropped() {
        let mut parts = parts();
        assert_eq!(
            parts.clone().into_parts().concat(),
            [0, 1, 2, 3, 4, 5, 6, 7, 8]
        );
        parts.drop_before(3);
        assert_eq!(parts.into_parts().concat(), [3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn borrows_inside_a_part() {
        let parts = parts();
        let bytes = parts.read(5, 4).unwrap();
        assert!(
            matches!(bytes, Cow::Borrowed(_)),
            "a range inside one part is not copied"
        );
    }

    #[test]
    fn refuses_a_range_past_the_end() {
        let error = parts().read(7, 3).unwrap_err();
        let expected = LoadError::Truncated {
            what: "range".into(),
            offset: 7,
            expected: 3,
            found: 2,
        };
        assert_eq!(error, expected, "names the place and both lengths");
        assert!(
            parts().read(u64::MAX, 1).is_err(),
            "an offset far outside is refused too"
        );
    }

    #[test]
    fn drops_parts_that_lie_behind() {
        let mut parts = parts();
        parts.drop_before(4);
        assert_eq!(
            parts.read(0, 3),
            Err(LoadError::Dropped { offset: 0, end: 3 }),
            "dropped"
        );
        assert_eq!(
            parts.read(3, 3).unwrap().as_ref(),
            [3, 4, 5],
            "a part in use stays"
        );
        assert_eq!(parts.len(), 9, "the file keeps its length");
    }
}
