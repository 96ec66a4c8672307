//! Recognises placeholders for files that were never fetched.

/// The start of a Git LFS pointer. Source: its specification, `docs/spec.md`.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
/// The start of a web page, in either case.
const PAGES: [&[u8]; 3] = [b"<!doctype", b"<html", b"<?xml"];

/// Bytes of a file's start that are enough to recognise one.
pub(crate) const START_BYTES: usize = 64;

/// The kind of placeholder that starts with these bytes; `None` for any other file.
pub(crate) fn stand_in(start: &[u8]) -> Option<&'static str> {
    let start = start.trim_ascii_start();
    let is_page = |page: &&[u8]| {
        let start = start.get(..page.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(page))
    };
    if start.starts_with(POINTER) {
        Some("a Git LFS pointer")
    } else if PAGES.iter().any(is_page) {
        Some("a web page")
    } else {
        None
    }
}

/// Advice for whoever passed a placeholder.
pub(crate) const HINT: &str = "fetch the file itself: `git lfs pull` in the repository it is from, or the download link of its page";

#[cfg(test)]
mod tests {
    use super::stand_in;
    use crate::error::LoadError;
    use crate::gguf::Gguf;
    use crate::parts::Parts;

    #[test]
    fn names_pointers_and_pages() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n";
        assert_eq!(stand_in(pointer), Some("a Git LFS pointer"));
        for page in [
            "<!DOCTYPE html><html>",
            "\n <html lang=en>",
            "<?xml version='1.0'?>",
        ] {
            assert_eq!(stand_in(page.as_bytes()), Some("a web page"), "{page}");
        }
        for other in [&b"GGUF\x03\0\0\0"[..], b"", b"<", b"version 2"] {
            assert_eq!(stand_in(other), None, "{}", other.escape_ascii());
        }
        let error = Gguf::parse(&Parts::new(vec![pointer.to_vec()])).unwrap_err();
        assert!(matches!(error, LoadError::StandIn { .. }), "{error}");
        assert!(error.hint().contains("git lfs pull"), "{}", error.hint());
    }
}
