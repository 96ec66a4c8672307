//! Turns `www/` into the files that a site serves, in `www/dist`.

use crate::{run, setup, wasm};

/// Builds the WebAssembly package, then the page around it.
pub(crate) fn build() -> anyhow::Result<()> {
    wasm::build()?;
    setup::npm_packages("www", &[])?;
    eprintln!("building the page");
    // Its lines about each file are progress; standard output is reserved for the calling command.
    run::run(
        run::command("node")
            .arg("www/build.mjs")
            .stdout(std::io::stderr()),
    )
}

/// Builds the page, then installs the command line, which holds it.
pub(crate) fn install() -> anyhow::Result<()> {
    build()?;
    eprintln!("installing the command line");
    run::run(run::cargo().args(["install", "--locked", "--path", "crate/cli"]))
}
