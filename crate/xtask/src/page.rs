//! Turns `www/` into the files that a site serves, in `www/dist`.

use crate::{run, setup, wasm};

/// Builds the WebAssembly package, then the page around it.
pub(crate) fn build() -> anyhow::Result<()> {
    wasm::build()?;
    setup::npm_packages()?;
    eprintln!("building the page");
    run::run(run::command("node").arg("www/build.mjs"))
}
