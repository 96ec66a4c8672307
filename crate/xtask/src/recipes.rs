//! Finds the words that Pagefind indexes and we don't, on small sites of five generators.

use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;

use crate::{run, setup};

/// The version whose result `docs/building-a-bundle.md` reports.
const MDBOOK: &str = "0.5.4";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these sites.
    #[arg(value_enum, conflicts_with = "folder")]
    sites: Vec<Site>,
    /// Compare the HTML pages of this folder instead.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The element of the folder's pages that Pagefind reads.
    #[arg(long, requires = "folder")]
    root: Option<String>,
    /// Reuse sites that were built before: a change of ours doesn't require building them again.
    #[arg(long, conflicts_with = "folder")]
    built: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Site {
    Starlight,
    Docusaurus,
    Vitepress,
    Eleventy,
    Mdbook,
}

impl Site {
    /// The site's folder, which is also its name on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Starlight => "starlight",
            Self::Docusaurus => "docusaurus",
            Self::Vitepress => "vitepress",
            Self::Eleventy => "eleventy",
            Self::Mdbook => "mdbook",
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    const OPTIONS: [&str; 1] = ["--ignore-scripts"];
    setup::npm_packages("tests/recipes", &OPTIONS)?;
    let sites = match arguments.sites.as_slice() {
        _ if arguments.folder.is_some() => &[],
        [] => Site::value_variants(),
        named => named,
    };
    let mdbook = std::env::var("ANCHORITE_MDBOOK").unwrap_or_else(|_| "mdbook".to_owned());
    for site in sites {
        if *site != Site::Mdbook {
            setup::npm_packages(&format!("tests/recipes/{}", site.name()), &OPTIONS)?;
        } else if !run::exists(&mdbook) {
            bail!(
                "`{mdbook}` is missing; install it with `cargo install mdbook --locked --version {MDBOOK}`, or name its \
                 program in ANCHORITE_MDBOOK"
            );
        }
    }
    run::run(run::cargo().args(["build", "--quiet", "--bin=anchorite"]))?;
    let mut driver = run::command("node");
    driver
        .arg("tests/recipes/compare.mjs")
        .arg("--anchorite")
        .arg(run::target().join("debug/anchorite"))
        .args(["--mdbook", &mdbook]);
    if let Some(folder) = &arguments.folder {
        driver.arg("--folder").arg(std::path::absolute(folder)?);
    }
    if let Some(root) = &arguments.root {
        driver.args(["--root", root]);
    }
    if arguments.built {
        driver.arg("--built");
    }
    run::run(driver.args(sites.iter().map(|site| site.name())))
}
