//! Turns test sets into a row of figures per way of searching: by words, by meaning and by both, exact and approximate.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::embeddings::CachedEmbedder;
use super::prepared::Prepared;
use super::{RetrievalArguments, beir, calibrate, table};

pub(super) fn run(data: &Path, arguments: &RetrievalArguments) -> anyhow::Result<ExitCode> {
    let (embedder, hash) = super::embedder(arguments.embedder.as_deref())?;
    let embedder = CachedEmbedder {
        embedder: &embedder,
        hash: &hash,
        dir: arguments.cache.as_deref(),
    };
    let mut rankings = arguments
        .rankings
        .as_ref()
        .map(std::fs::File::create)
        .transpose()
        .context("could not write the rankings")?
        .map(std::io::BufWriter::new);
    let (mut reports, mut fits) = (Vec::new(), Vec::new());
    for folder in beir::folders(data)? {
        let set = beir::read(&folder)?;
        let prepared = Prepared::new(set, &embedder, arguments.index)?;
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
