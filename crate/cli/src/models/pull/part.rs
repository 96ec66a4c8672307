//! Turns arriving bytes into an incomplete file, `NAME.gguf.part`, with the data needed to resume it next to it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::models::store::PIECE;
use crate::report::Hint;

/// A file being fetched. While it is open, no other process fetches it.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    origin_path: PathBuf,
}

/// Where the bytes of a part came from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) address: String,
    /// The server's ETag for this version of the file, if it is a strong one.
    pub(super) etag: Option<String>,
}

/// Why bytes stopped coming.
#[derive(Debug)]
pub(super) enum Stopped {
    /// More bytes than allowed; those received are useless.
    TooLong { limit: u64 },
    /// The source failed.
    Read(io::Error),
    /// This machine failed.
    Write(io::Error),
}

impl Stopped {
    /// The same as an error about `source`.
    pub(super) fn of(self, source: &str) -> anyhow::Error {
        match self {
            Self::TooLong { limit } => Hint::error(
                format!("`{source}` is longer than it may be, expected at most {limit} bytes"),
                "nothing was kept; the file is not the one that the registry knows",
            ),
            Self::Read(cause) => Hint::error(
                format!("`{source}` could not be read to its end: {cause}"),
                "run the same command again",
            ),
            Self::Write(cause) => Hint::error(
                format!("what came could not be written: {cause}"),
                "make room, or keep models elsewhere with --models-dir; then run the same command again",
            ),
        }
    }
}

impl Part {
    /// Opens the part of a file, including bytes fetched earlier.
    pub(super) fn open(whole: &Path) -> anyhow::Result<Self> {
        let beside = |end: &str| {
            let mut name = whole.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let path = beside(".part");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("could not write `{}`", path.display()))?;
        match file.try_lock() {
            // A file system without locks must not keep people from a model.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Hint::error(
                    format!("`{}` is being written by another process", path.display()),
                    "wait until the other pull has ended",
                ));
            }
        }
        if !path.exists() {
            // Another pull ended between opening and locking: the open file is now its finished one.
            return Err(Hint::error(
                format!("`{}` was finished by another process", path.display()),
                "run the same command again",
            ));
        }
        Ok(Self {
            file,
            path,
            origin_path: beside(".part.json"),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of bytes fetched so far.
    pub(super) fn len(&self) -> anyhow::Result<u64> {
        let about = self.file.metadata();
        Ok(about
            .with_context(|| format!("could not read `{}`", self.path.display()))?
            .len())
    }

    /// Where the bytes so far came from, if known.
    pub(super) fn origin(&self) -> Option<Origin> {
        let file = File::open(&self.origin_path).ok()?;
        let mut text = Vec::new();
        file.take(1 << 14).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Discards the bytes so far, and records where the next ones come from; `None` for a source that can't be resumed.
    pub(super) fn restart(&mut self, origin: Option<&Origin>) -> anyhow::Result<()> {
        self.file
            .set_len(0)
            .with_context(|| format!("could not write `{}`", self.path.display()))?;
        match origin {
            Some(origin) => std::fs::write(&self.origin_path, serde_json::to_vec(origin)?)
                .with_context(|| format!("could not write `{}`", self.origin_path.display())),
            None => {
                let _ = std::fs::remove_file(&self.origin_path);
                Ok(())
            }
        }
    }

    /// Appends the source's bytes, up to `limit` for the whole file.
    pub(super) fn take(
        &mut self,
        source: &mut dyn Read,
        limit: u64,
        progress: &ProgressBar,
    ) -> Result<(), Stopped> {
        let here = self.file.seek(SeekFrom::End(0)).map_err(Stopped::Write)?;
        progress.set_position(here);
        let result = copy(source, &mut self.file, limit.saturating_sub(here), progress);
        if let Err(Stopped::TooLong { .. }) = result {
            self.remove();
            return Err(Stopped::TooLong { limit });
        }
        result.map(drop)
    }

    /// Removes the part. The lock ends with this value.
    pub(super) fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(&self.origin_path);
    }

    /// Renames the part to the whole file atomically: nobody sees an incomplete file under that name.
    pub(super) fn finish(self, whole: &Path) -> anyhow::Result<()> {
        self.file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.path, whole))
            .with_context(|| format!("could not write `{}`", whole.display()))?;
        let _ = std::fs::remove_file(&self.origin_path);
        Ok(())
    }
}

/// Copies at most `limit` bytes, piece by piece, and returns how many there were.
fn copy(
    source: &mut dyn Read,
    target: &mut dyn Write,
    limit: u64,
    progress: &ProgressBar,
) -> Result<u64, Stopped> {
    let mut piece = vec![0; PIECE];
    let mut n_copied = 0;
    loop {
        let n = match source.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => n,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(Stopped::Read(cause)),
        };
        n_copied += n as u64;
        if n_copied > limit {
            return Err(Stopped::TooLong { limit });
        }
        target.write_all(&piece[..n]).map_err(Stopped::Write)?;
        progress.inc(n as u64);
    }
    target.flush().map_err(Stopped::Write)?;
    Ok(n_copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for this many bytes.
    struct Small(usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let n = bytes.len().min(self.0);
            self.0 -= n;
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn copied(len: u64, room: usize, limit: u64) -> Result<u64, Stopped> {
        let progress = ProgressBar::hidden();
        copy(
            &mut io::repeat(7).take(len),
            &mut Small(room),
            limit,
            &progress,
        )
    }

    #[test]
    fn a_full_disk_is_told_from_a_broken_source() {
        let error = copied(200_000, 100_000, 1 << 20).expect_err("no room");
        assert!(matches!(error, Stopped::Write(_)), "{error:?}");
        let error = error.of("the source");
        assert!(
            error.to_string().contains("could not be written"),
            "{error}"
        );
        let hint = crate::report::hint(&error).unwrap_or_default();
        assert!(hint.contains("make room"), "{hint}");
    }

    #[test]
    fn no_byte_more_than_allowed_is_taken() {
        assert!(
            matches!(copied(100_000, 1 << 20, 100_000), Ok(100_000)),
            "as long as allowed"
        );
        let error = copied(100_001, 1 << 20, 100_000).expect_err("one more");
        assert!(
            matches!(error, Stopped::TooLong { limit: 100_000 }),
            "{error:?}"
        );
    }
}
