//! Reads a whole model from the path of a GGUF file, with all parts if the file is one part of a split model.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anchorite::model::gguf::split::{self, Split};
use anchorite::model::{Gguf, LoadError, Parts};
use anyhow::Context;

use crate::capped;
use crate::report::Hint;

/// Maximum length of a file's metadata and directory.
const MAX_HEAD: u64 = 64 << 20;

/// A model's file, and its path, or the path it would have in one piece.
///
/// # Errors
/// If it is longer than `max` bytes or can't be read, with `hint` as advice; or if a part is missing or belongs to a
/// different model.
pub(crate) fn read(path: &Path, max: u64, hint: &str) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    // Any other fault of the file is found when it is loaded.
    let own = match head(path).map(|head| Split::of(&head)) {
        Ok(Ok(own)) => own,
        Ok(Err(_)) | Err(_) => None,
    };
    let Some(own) = own else {
        let bytes = capped::read(path, max, hint, std::fs::read)?;
        return Ok((path.to_path_buf(), bytes));
    };
    let (whole, parts) = parts(path, own)?;
    let mut left = max;
    let mut files = Vec::with_capacity(parts.len());
    for part in &parts {
        let bytes = capped::read(part, left, hint, std::fs::read)?;
        left -= bytes.len() as u64;
        files.push(bytes);
    }
    let joined = split::join(files).map_err(|error| unfit(&whole, &error))?;
    Ok((whole, joined))
}

/// The head of a model, merged from all parts if it is split.
pub(crate) fn read_head(path: &Path) -> anyhow::Result<Gguf> {
    let own = head(path).with_context(|| format!("could not read `{}`", path.display()))?;
    let Some(split) = Split::of(&own)? else {
        return Ok(own);
    };
    let (whole, parts) = parts(path, split)?;
    let heads = parts
        .iter()
        .map(|part| head(part).with_context(|| format!("could not read `{}`", part.display())))
        .collect::<anyhow::Result<_>>()?;
    split::join_heads(heads).map_err(|error| unfit(&whole, &error))
}

fn head(path: &Path) -> anyhow::Result<Gguf> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut head = Vec::new();
    file.take(MAX_HEAD).read_to_end(&mut head)?;
    Ok(Gguf::parse_head(&Parts::new(vec![head]), len)?)
}

/// The path of the whole model, and the paths of its parts in order; all parts exist.
fn parts(path: &Path, own: Split) -> anyhow::Result<(PathBuf, Vec<PathBuf>)> {
    let Split { no, count } = own;
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(stem) = name.and_then(|name| name.strip_suffix(&own.suffix())) else {
        return Err(Hint::error(
            format!(
                "`{}` is part {} of {count} of a split model, and its name does not end in `{}`, by which the other parts are found",
                path.display(),
                no + 1,
                own.suffix()
            ),
            "give the parts the names that they were published under",
        ));
    };
    let part = |no| path.with_file_name(format!("{stem}{}", Split { no, count }.suffix()));
    let parts: Vec<PathBuf> = (0..count).map(part).collect();
    if let Some(missing) = parts.iter().find(|part| !part.is_file()) {
        return Err(Hint::error(
            format!(
                "there is no `{}`, and `{}` is only part {} of {count}",
                missing.display(),
                path.display(),
                no + 1
            ),
            format!("fetch all {count} parts of the model into one folder"),
        ));
    }
    Ok((path.with_file_name(format!("{stem}.gguf")), parts))
}

fn unfit(whole: &Path, error: &LoadError) -> anyhow::Error {
    Hint::error(
        format!(
            "the parts of `{}` do not fit together: {error}",
            whole.display()
        ),
        "fetch all parts again, from one place",
    )
}
