//! Turns `crate/web` into the packages `www/pkg/simd128` and `www/pkg/relaxed-simd`: three WebAssembly modules, one that
//! answers, a small one that searches and one that embeds for it, each with its JavaScript glue.

use std::path::Path;

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

use crate::{run, setup};

/// Modules built from `anchorite-web` in addition to the complete one: their names, and the arguments that build them.
pub(crate) const PARTS: [(&str, [&str; 3]); 2] = [
    (
        "anchorite_search",
        ["--no-default-features", "--features", "index"],
    ),
    (
        "anchorite_embedder",
        ["--no-default-features", "--features", "embedder"],
    ),
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
        module("anchorite-web", instructions, &folder)?;
        for (name, arguments) in PARTS {
            link("anchorite-web", name, &arguments, instructions, &folder)?;
        }
    }
    Ok(())
}

/// Compiles the library of `package` as a module, and writes it with its glue into `folder`.
pub(crate) fn module(
    package: &str,
    instructions: Instructions,
    folder: &Path,
) -> anyhow::Result<()> {
    link(
        package,
        &package.replace('-', "_"),
        &[],
        instructions,
        folder,
    )
}

/// Compiles the library of `package` with more `arguments`, and writes it with its glue as `name` into `folder`.
fn link(
    package: &str,
    name: &str,
    arguments: &[&str],
    instructions: Instructions,
    folder: &Path,
) -> anyhow::Result<()> {
    eprintln!("building `{name}`, {}", instructions.name());
    let (variable, flags) = instructions.environment();
    let mut cargo = run::cargo();
    cargo
        .args(["build", "--quiet", "--lib", "--package", package])
        .args(["--target=wasm32-unknown-unknown", "--profile=wasm"])
        .args(arguments)
        .env(variable, flags);
    run::run(&mut cargo)?;
    let file = format!(
        "wasm32-unknown-unknown/wasm/{}.wasm",
        package.replace('-', "_")
    );
    glue(&run::target().join(file), name, folder)
}

/// Writes the JavaScript that calls `module`, and the module in the form that it calls, as `name` into `folder`.
fn glue(module: &Path, name: &str, folder: &Path) -> anyhow::Result<()> {
    Bindgen::new()
        .input_path(module)
        .out_name(name)
        .web(true)?
        .typescript(true)
        // Nobody reads names in a browser, and they take up a third of the module.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
        .with_context(|| format!("could not write the glue for `{}`", module.display()))
}
