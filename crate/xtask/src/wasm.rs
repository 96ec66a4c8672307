//! Turns the crates of `crate/web` into the packages `www/pkg/simd128` and `www/pkg/relaxed-simd`: three WebAssembly
//! modules, one that answers, a small one that searches and one that embeds for it, each with its JavaScript glue.

use std::path::Path;

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

use crate::{run, setup};

/// The packages of the page's modules.
pub(crate) const PACKAGES: [&str; 3] = [
    "anchorite-web-answers",
    "anchorite-web-search",
    "anchorite-web-embedder",
];
/// The page's modules, by the names of their libraries.
const MODULES: [&str; 3] = [
    "anchorite_answers",
    "anchorite_search",
    "anchorite_embedder",
];

/// Vector instructions of a module; the page loads the best one that its browser runs.
#[derive(Clone, Copy)]
pub(crate) enum Instructions {
    /// SIMD128, which every current browser has.
    Simd128,
    /// Relaxed SIMD too. A browser without it rejects a module that has even one such instruction.
    RelaxedSimd,
}

impl Instructions {
    /// Both, the plain one first.
    pub(crate) const ALL: [Self; 2] = [Self::Simd128, Self::RelaxedSimd];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Simd128 => "simd128",
            Self::RelaxedSimd => "relaxed-simd",
        }
    }

    /// The variable that makes Cargo compile for these instructions, and its value. It affects only wasm, so that build scripts and
    /// macros are shared.
    pub(crate) fn environment(self) -> (&'static str, &'static str) {
        let flags = match self {
            Self::Simd128 => "-C target-feature=+simd128",
            Self::RelaxedSimd => "-C target-feature=+simd128,+relaxed-simd",
        };
        ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags)
    }
}

/// Compiles all modules and writes their glue; up-to-date ones are not rebuilt.
pub(crate) fn build() -> anyhow::Result<()> {
    setup::wasm_target()?;
    let pkg = run::root().join("www/pkg");
    for instructions in Instructions::ALL {
        let folder = pkg.join(instructions.name());
        modules(&PACKAGES, &MODULES, instructions, &folder)?;
    }
    Ok(())
}

/// Compiles the libraries of `packages`, whose names are `modules`, and writes each with its glue into `folder`.
pub(crate) fn modules(
    packages: &[&str],
    modules: &[&str],
    instructions: Instructions,
    folder: &Path,
) -> anyhow::Result<()> {
    eprintln!("building {}, {}", modules.join(", "), instructions.name());
    let (variable, flags) = instructions.environment();
    let mut cargo = run::cargo();
    cargo
        .args(["build", "--quiet", "--lib"])
        .args(["--target=wasm32-unknown-unknown", "--profile=wasm"])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .env(variable, flags);
    run::run(&mut cargo)?;
    for module in modules {
        let file = format!("wasm32-unknown-unknown/wasm/{module}.wasm");
        glue(&run::target().join(file), module, folder)?;
    }
    Ok(())
}

/// Writes the JavaScript that calls `module`, and the module in the form that it calls, as `name` into `folder`.
fn glue(module: &Path, name: &str, folder: &Path) -> anyhow::Result<()> {
    Bindgen::new()
        .input_path(module)
        .out_name(name)
        .web(true)?
        .typescript(true)
        // Names help nobody in a browser, and take up a third of the module.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
        .with_context(|| format!("could not write the glue for `{}`", module.display()))
}
