//! Writes the TypeScript of what crosses between Rust and JavaScript, and samples of it, from the Rust types.

use crate::run;

pub(crate) fn run() -> anyhow::Result<()> {
    // No package is named, for the reason that `default-members` gives.
    run::run(run::cargo().args(["run", "--quiet", "--example=write_contract"]))
}
