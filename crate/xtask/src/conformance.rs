//! Turns every family, type and form of the graphics kernels into `docs/conformance.md`.

use std::fs;

use anyhow::Context;

use crate::{run, setup};

const HEAD: &str = "# Conformance of the graphics engine

What `cargo xtask conformance` printed. Each cell is a random model of the family whose matrices are stored as the type, run on
the device in that form of the kernels: the largest normalised mean squared error of its logits (NMSE), and the share of tokens
whose likeliest successor is the same. Compared with the CPU's forward pass over the numbers that the blocks mean, token by
token, in pieces of 8, and in tiles of 96 tokens. Bounds: NMSE 1e-5 in f32, 1e-4 where tiles are held in halves (f16), 99 % of
first choices; 1e-2 and 90 % where inputs are rounded to 8 bits (int8), which is what the CPU's own kernels do. What llama.cpp makes
of the same families is compared in `tests/golden/families.rs`. A device named llvmpipe or SwiftShader is a software adapter: the
processor computes what a graphics card would.

";

/// Prints the table and writes it to the file.
pub(crate) fn run() -> anyhow::Result<()> {
    setup::vulkan()?;
    let table = run::output(
        run::cargo()
            .env("XDG_RUNTIME_DIR", std::env::temp_dir())
            .args(["run", "--quiet", "--package", "anchorite-tests"])
            .args(["--example", "print_conformance"]),
    )?;
    print!("{table}");
    let path = run::root().join("docs/conformance.md");
    fs::write(&path, format!("{HEAD}{}\n", table.trim_end()))
        .with_context(|| format!("could not write `{}`", path.display()))
}
