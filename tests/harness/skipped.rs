//! Reports a test that can't run here, as a line that `cargo xtask test` counts.

use std::io::Write as _;

/// Prints that a test is skipped, and why. libtest hides the output of passing tests, so the reason also goes to the
/// file that `ANCHORITE_SKIPPED` names.
pub fn skipped(reason: &str) {
    eprintln!("skipped: {reason}");
    let Some(path) = std::env::var_os("ANCHORITE_SKIPPED") else {
        return;
    };
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path);
    // A single write, so that lines from parallel tests don't mix.
    let written = file.and_then(|mut file| file.write_all(format!("{reason}\n").as_bytes()));
    if let Err(error) = written {
        eprintln!("the skipped test could not be counted: {error}");
    }
}
