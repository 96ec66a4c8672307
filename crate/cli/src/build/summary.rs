//! The figures of a build, printed for people or as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use anchorite::Thresholds;
use anchorite::index::bundle::Calibration;
use anchorite::index::parse::LeftOut;
use serde::Serialize;

use crate::build::calibrate;
use crate::build::embedder::EmbedderSummary;
use crate::build::warnings::{Group, Warnings};
use crate::site::documents::SiteFigures;

/// Figures of a build, from which its last lines are printed.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) documents: usize,
    pub(crate) sections: usize,
    pub(crate) chunks: usize,
    /// Pages that were left out, by reason.
    pub(crate) left_out: BTreeMap<LeftOut, usize>,
    pub(crate) warnings: Vec<Group>,
    pub(crate) n_warnings: usize,
    /// Pages and embeddings reused from earlier builds.
    pub(crate) reuse: Reuse,
    /// Bytes by role.
    pub(crate) bytes: BTreeMap<String, u64>,
    pub(crate) bytes_total: u64,
    /// Bytes of files that are new in the folder: the upload to a host, and the download for a returning visitor.
    pub(crate) bytes_changed: u64,
    pub(crate) files: usize,
    pub(crate) files_changed: usize,
    /// Figures of the site, if one was made from documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) site: Option<SiteFigures>,
    /// How vectors are searched, and why.
    pub(crate) vectors: Option<String>,
    pub(crate) seconds: f64,
    /// Seconds by step.
    pub(crate) steps: BTreeMap<&'static str, f64>,
    /// The site's thresholds for counting a question as answered, and the risk at them.
    pub(crate) calibration: Option<Calibration>,
    /// The embedder and the reason for it; `None` for search by words alone.
    pub(crate) embedder: Option<EmbedderSummary>,
    pub(crate) has_reader: bool,
    /// Peak memory in use; `None` if the system does not report it.
    pub(crate) peak_memory_bytes: Option<u64>,
    pub(crate) bundle: String,
}

/// The process's peak resident set, in bytes; `None` if Linux does not report it.
pub(crate) fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}

/// Numbers of pages and embeddings that this build made, and that it reused.
#[derive(Serialize, Default)]
pub(crate) struct Reuse {
    pub(crate) pages_read: usize,
    pub(crate) pages_reused: usize,
    pub(crate) chunks_embedded: usize,
    pub(crate) embeddings_reused: usize,
}

impl Summary {
    /// Prints warnings and figures on standard error, and all of them as JSON on standard output if requested.
    pub(crate) fn print(
        mut self,
        warnings: Warnings,
        out: &Path,
        is_json: bool,
    ) -> anyhow::Result<()> {
        warnings.print();
        self.n_warnings = warnings.count();
        self.warnings = warnings.into_groups();
        eprintln!(
            "{} documents, {} sections, {} chunks in {:.1} s; {} warning(s)",
            self.documents, self.sections, self.chunks, self.seconds, self.n_warnings
        );
        let reasons = self.left_out.iter().map(|(reason, n)| {
            let reason = match reason {
                LeftOut::NotFound => "of a missing page",
                LeftOut::Redirect => "redirects",
                LeftOut::NoIndex => "noindex",
                LeftOut::Draft => "a draft",
                LeftOut::NoRoot => "without the root selector",
                LeftOut::Unmarked => "without `data-pagefind-body`",
                LeftOut::Copy => "a copy of another",
            };
            format!("{n} {reason}")
        });
        let reasons: Vec<String> = reasons.collect();
        if !reasons.is_empty() {
            eprintln!("  left out: {}", reasons.join(", "));
        }
        if self.reuse.pages_reused + self.reuse.embeddings_reused > 0 {
            eprintln!(
                "  from the cache: {} of {} pages, {} of {} embeddings",
                self.reuse.pages_reused,
                self.reuse.pages_reused + self.reuse.pages_read,
                self.reuse.embeddings_reused,
                self.reuse.embeddings_reused + self.reuse.chunks_embedded
            );
        }
        for (role, bytes) in &self.bytes {
            eprintln!("  {role:<10} {bytes:>12} bytes");
        }
        match &self.embedder {
            Some(embedder) => eprintln!("  embedder: {}", embedder.line()),
            None => eprintln!("  embedder: none, so search is by words alone"),
        }
        if let Some(mode) = &self.vectors {
            eprintln!("  vectors: {mode}");
        }
        if self.has_reader {
            eprintln!("  answers: {}", certified(self.calibration.as_ref()));
        }
        eprintln!(
            "bundle of {} bytes in `{}`; {} of {} files changed, {} bytes",
            self.bytes_total,
            out.display(),
            self.files_changed,
            self.files,
            self.bytes_changed
        );
        if is_json {
            println!("{}", serde_json::to_string_pretty(&self)?);
        }
        Ok(())
    }
}

/// A site's thresholds and their risk in one line.
pub(crate) fn certified(calibration: Option<&Calibration>) -> String {
    let Some(found) = calibration else {
        return format!(
            "the thresholds for all sites ({:.2}), for the bundle has none of its own",
            Thresholds::default().answered
        );
    };
    let whence = if found.risk > calibrate::MAX_RISK {
        format!(
            "no threshold could be certified at a risk of {:.0} %; from the one for all sites ({:.2}) on",
            100.0 * calibrate::MAX_RISK,
            found.answered
        )
    } else {
        format!("from a probability of {:.2} on", found.answered)
    };
    format!(
        "{whence}, of {} made questions {} count as answered, {} wrongly: a risk of at most {:.1} % (95 %)",
        found.questions,
        found.claimed,
        found.wrong,
        100.0 * found.risk
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_that_is_too_high_is_not_told_as_certified() {
        let at = |risk: f32| Calibration {
            answered: 0.60,
            closest: 0.10,
            questions: 300,
            claimed: 80,
            wrong: 4,
            risk,
            reliability: Vec::new(),
        };
        let said = certified(Some(&at(0.099)));
        assert_eq!(
            said,
            "from a probability of 0.60 on, of 300 made questions 80 count as answered, 4 wrongly: a risk of at most 9.9 % (95 %)"
        );
        let said = certified(Some(&at(0.63)));
        assert_eq!(
            said,
            "no threshold could be certified at a risk of 10 %; from the one for all sites (0.60) on, of 300 made questions 80 \
             count as answered, 4 wrongly: a risk of at most 63.0 % (95 %)"
        );
    }
}
