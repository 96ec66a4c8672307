//! Writes files into a folder and keeps a list of them there, so that the next build replaces and removes only those.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::capped;
use crate::changed;
use crate::report::Hint;

/// Name of the list.
pub(super) const LIST: &str = "written.json";
/// Maximum length of a list, in bytes.
const MAX_LIST_BYTES: u64 = 256 << 20;

/// The files of one build below a folder. A path is relative to the folder, with `/` between names.
pub(super) struct Written {
    root: PathBuf,
    list: PathBuf,
    before: BTreeSet<String>,
    claimed: BTreeSet<String>,
    /// Number of files that this build changed.
    pub(super) n_changed: usize,
}

#[derive(Serialize, Deserialize)]
struct List {
    files: BTreeSet<String>,
}

impl Written {
    /// Opens the folder, which [`begin`](Self::begin) makes if it isn't there; the list lies in its subfolder `folder`,
    /// which may be empty.
    ///
    /// # Errors
    /// The folder can't be written to, or its list is damaged.
    pub(super) fn open(root: &Path, folder: &str) -> anyhow::Result<Self> {
        let list = root.join(folder).join(LIST);
        // Before the long work, so that a folder that can't be written fails early.
        let (existing, _) = existing(list.parent().unwrap_or(root));
        tempfile::tempfile_in(existing).map_err(|cause| {
            Hint::error(
                format!("could not write into `{}`: {cause}", root.display()),
                "give a folder that you may write to with --out",
            )
        })?;
        let before = match list.exists() {
            true => read(&list)?,
            false => BTreeSet::new(),
        };
        Ok(Self {
            root: root.to_owned(),
            list,
            before,
            claimed: BTreeSet::new(),
            n_changed: 0,
        })
    }

    /// True if a build wrote into the folder before.
    pub(super) fn is_rebuild(&self) -> bool {
        !self.before.is_empty()
    }

    /// Announces a file of this build.
    ///
    /// # Errors
    /// A file of that name, or of a folder's name above it, is there that no build wrote; or two files of this build have
    /// the same name.
    pub(super) fn claim(&mut self, path: &str) -> anyhow::Result<()> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let above = &path[..end];
            let full = self.root.join(above);
            let Ok(about) = fs::symlink_metadata(&full) else {
                continue;
            };
            let is_in_the_way = match about.is_dir() {
                // A folder is where a file is to be: it may go if builds wrote all of it.
                true => end == path.len() && !self.is_own_folder(&full, above)?,
                false => !self.before.contains(above),
            };
            if is_in_the_way {
                return Err(Hint::error(
                    format!(
                        "`{}` is there already, and no build wrote it",
                        full.display()
                    ),
                    "give an empty folder with --out, or move the file away",
                ));
            }
        }
        self.take(path)
    }

    /// True if builds wrote all files of a folder.
    fn is_own_folder(&self, full: &Path, path: &str) -> anyhow::Result<bool> {
        let unreadable = || format!("could not list `{}`", full.display());
        for entry in fs::read_dir(full).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let below = format!("{path}/{}", entry.file_name().to_string_lossy());
            let is_own = match entry.file_type().with_context(unreadable)?.is_dir() {
                true => self.is_own_folder(&entry.path(), &below)?,
                false => self.before.contains(&below),
            };
            if !is_own {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Announces a file of this build that may replace any file of that name.
    ///
    /// # Errors
    /// Two files of this build have the same name.
    pub(super) fn take(&mut self, path: &str) -> anyhow::Result<()> {
        if self.claimed.insert(path.to_owned()) {
            return Ok(());
        }
        Err(Hint::error(
            format!(
                "two files would be written to `{}`",
                self.root.join(path).display()
            ),
            "rename one of them, or leave it out with --exclude",
        ))
    }

    /// Makes the folder, and notes all announced files in the list before the first is written: a build that is cut short
    /// leaves none that the next one would take for somebody else's. Then removes the files of earlier builds that this one
    /// did not announce, and folders that this leaves empty.
    pub(super) fn begin(&self) -> anyhow::Result<()> {
        let folder = self.list.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make `{}`", folder.display()))?;
        self.note(self.before.union(&self.claimed).cloned().collect())?;
        // First, because a file may be where a folder was, and the other way round.
        for path in self.before.difference(&self.claimed) {
            self.remove(path)?;
        }
        Ok(())
    }

    /// Writes an announced file, if its content is new.
    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        debug_assert!(self.claimed.contains(path), "`{path}` was not announced");
        self.n_changed += usize::from(changed::write(&self.root.join(path), bytes)?);
        Ok(())
    }

    /// Notes that the build is done.
    pub(super) fn finish(&self) -> anyhow::Result<()> {
        self.note(self.claimed.clone())
    }

    /// Removes all files of earlier builds, the list, and folders that this leaves empty.
    pub(super) fn remove_all(&self) -> anyhow::Result<()> {
        for path in &self.before {
            self.remove(path)?;
        }
        if self.list.exists() {
            fs::remove_file(&self.list)
                .with_context(|| format!("could not remove `{}`", self.list.display()))?;
        }
        Ok(())
    }

    fn remove(&self, path: &str) -> anyhow::Result<()> {
        let full = self.root.join(path);
        match fs::remove_file(&full) {
            Ok(()) => {}
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(cause) => {
                return Err(cause)
                    .with_context(|| format!("could not remove `{}`", full.display()));
            }
        }
        for folder in full.ancestors().skip(1).take_while(|at| *at != self.root) {
            // A folder that still holds something stays.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn note(&self, files: BTreeSet<String>) -> anyhow::Result<()> {
        let text = serde_json::to_string(&List { files })?;
        fs::write(&self.list, text)
            .with_context(|| format!("could not write `{}`", self.list.display()))
    }
}

/// The nearest folder above a path that is there, or the path itself, and the rest of the path below it.
pub(super) fn existing(path: &Path) -> (&Path, &Path) {
    let above = path.ancestors().find(|above| above.exists());
    let above = above.unwrap_or(Path::new(""));
    let rest = path.strip_prefix(above).unwrap_or(path);
    match above.as_os_str().is_empty() {
        true => (Path::new("."), rest),
        false => (above, rest),
    }
}

/// The paths of a list: all lead to files below its folder.
fn read(list: &Path) -> anyhow::Result<BTreeSet<String>> {
    let hint = "remove this file; the build then replaces no file that is there";
    let text = capped::read(list, MAX_LIST_BYTES, hint, fs::read_to_string)?;
    let damaged = |reason: String| {
        Hint::error(
            format!(
                "the list of written files `{}` is damaged: {reason}",
                list.display()
            ),
            hint,
        )
    };
    let List { files } = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let is_below = |path: &str| {
        !path.is_empty()
            && Path::new(path)
                .components()
                .all(|part| matches!(part, Component::Normal(_)))
    };
    match files.iter().find(|path| !is_below(path)) {
        Some(path) => Err(damaged(format!("`{path}` leads out of the folder"))),
        None => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(root: &Path, files: &[(&str, &str)]) -> anyhow::Result<usize> {
        let mut written = Written::open(root, "own")?;
        for (path, _) in files {
            written.claim(path)?;
        }
        written.begin()?;
        for (path, text) in files {
            written.write(path, text.as_bytes())?;
        }
        written.finish()?;
        Ok(written.n_changed)
    }

    #[test]
    fn a_build_replaces_and_removes_only_what_builds_wrote() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path();
        fs::write(root.join("CNAME"), "x.org").expect("a file");
        assert_eq!(
            build(root, &[("a.html", "1"), ("b/c.html", "1")]).expect("builds"),
            2
        );
        assert_eq!(
            build(root, &[("a.html", "2"), ("b/c.html", "1")]).expect("builds"),
            1
        );
        assert_eq!(build(root, &[("a.html", "2")]).expect("builds"), 0);
        assert!(!root.join("b").exists(), "the folder that became empty");
        assert!(root.join("CNAME").exists(), "somebody else's file");
        let error = build(root, &[("CNAME", "y")]).expect_err("somebody else's");
        assert!(error.to_string().contains("no build wrote it"), "{error}");
        let error = build(root, &[("d", "1"), ("d", "2")]).expect_err("twice");
        assert!(error.to_string().contains("two files"), "{error}");
        Written::open(root, "own")
            .expect("a folder")
            .remove_all()
            .expect("removes");
        let left: Vec<_> = fs::read_dir(root).expect("a folder").flatten().collect();
        let left: Vec<_> = left.iter().map(|entry| entry.file_name()).collect();
        assert!(!left.contains(&"a.html".into()), "{left:?}");
        assert!(left.contains(&"CNAME".into()), "{left:?}");
    }

    #[test]
    fn a_file_may_take_the_place_of_a_folder_and_the_other_way_round() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path();
        for files in [&[("x/a/b", "1")][..], &[("x", "1")], &[("x/a", "1")]] {
            assert_eq!(build(root, files).expect("builds"), 1, "{files:?}");
        }
        fs::write(root.join("x/mine"), "").expect("a file");
        let error = build(root, &[("x", "1")]).expect_err("somebody's file");
        assert!(error.to_string().contains("no build wrote it"), "{error}");
        let error = build(root, &[("x/mine/b", "1")]).expect_err("somebody's file");
        assert!(error.to_string().contains("no build wrote it"), "{error}");
    }

    #[test]
    fn a_build_that_was_cut_short_is_taken_up() {
        let root = tempfile::tempdir().expect("a folder");
        let mut written = Written::open(root.path(), "").expect("a folder");
        written.claim("a").expect("nothing is there");
        written.begin().expect("a list");
        written.write("a", b"half").expect("a file");
        drop(written);
        let mut again = Written::open(root.path(), "").expect("a folder");
        again.claim("a").expect("the earlier build's own file");
    }

    #[test]
    fn a_list_that_leads_out_of_its_folder_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        for path in ["../a", "/etc/passwd", "a/../../b", ""] {
            let list = serde_json::json!({ "files": [path] }).to_string();
            fs::write(root.path().join(LIST), list).expect("a file");
            let error = Written::open(root.path(), "").err().expect("refused");
            assert!(error.to_string().contains("leads out"), "{path}: {error}");
        }
        fs::write(root.path().join(LIST), "{").expect("a file");
        let error = Written::open(root.path(), "").err().expect("refused");
        assert!(error.to_string().contains("is damaged"), "{error}");
    }
}
