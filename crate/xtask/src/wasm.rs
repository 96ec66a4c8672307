//! Turns `crate/web` into the package `www/pkg`: a WebAssembly module and its JavaScript glue.

use std::path::Path;

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

use crate::{run, setup};

/// Compiles the module and writes its glue; what is fresh is not built again.
pub(crate) fn build() -> anyhow::Result<()> {
    setup::wasm_target()?;
    eprintln!("building the WebAssembly package");
    run::run(run::cargo().args([
        "build",
        "--quiet",
        "--package=anchorite-web",
        "--target=wasm32-unknown-unknown",
        "--profile=wasm",
    ]))?;
    let module = run::target().join("wasm32-unknown-unknown/wasm/anchorite_web.wasm");
    glue(&module, &run::root().join("www/pkg"))
}

/// Writes the JavaScript that calls `module`, and the module as it calls, into `folder`.
pub(crate) fn glue(module: &Path, folder: &Path) -> anyhow::Result<()> {
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(true)
        // Names help nobody in a browser, and weigh a third of the module.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
        .with_context(|| format!("could not write the glue for `{}`", module.display()))
}
