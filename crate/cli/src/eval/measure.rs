//! Turns test sets into a row of figures per way of searching: by words, by meaning and by both, exact and approximate.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::prepared::Prepared;
use super::{RetrievalArguments, beir, calibrate, paragraphs, table};

pub(super) fn run(data: &Path, arguments: &RetrievalArguments) -> anyhow::Result<ExitCode> {
    let chosen = arguments.embedder.chosen(&arguments.named)?;
    let mut rankings = arguments
        .rankings
        .as_ref()
        .map(std::fs::File::create)
        .transpose()
        .context("could not write the rankings")?
        .map(std::io::BufWriter::new);
    let (mut reports, mut fits) = (Vec::new(), Vec::new());
    for path in sets(data)? {
        let set = match path.is_file() {
            true => paragraphs::read(&path)?,
            false => beir::read(&path)?,
        };
        let prepared = Prepared::new(set, chosen.clone(), &arguments.embedder, arguments.index)?;
        if let Some(out) = &mut rankings {
            prepared.write_rankings(out)?;
        }
        if arguments.calibrate {
            fits.push(calibrate::fit(&prepared));
            continue;
        }
        let report = prepared.report();
        if !arguments.json {
            table::print_set(&report);
        }
        reports.push(report);
    }
    match (arguments.calibrate, arguments.json) {
        (true, true) => table::print_json(&fits)?,
        (true, false) => table::print_fits(&fits),
        (false, true) => table::print_json(&reports)?,
        (false, false) => table::print_means(&reports),
    }
    let loses = reports.iter().any(|report| report.fused_gain() < 0.0);
    Ok(ExitCode::from(u8::from(arguments.strict && loses)))
}

/// A file in SQuAD's form, or the folders in BEIR's form.
fn sets(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    match data.is_file() {
        true => Ok(vec![data.to_owned()]),
        false => beir::folders(data),
    }
}
