//! Decides where a build's results go.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use crate::report::Hint;
use crate::settings::{PageArguments, rank};

/// The folder in a site that holds the bundle and the files that pages load.
pub(crate) const FOLDER: &str = "anchorite";

/// Where the results go.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct DestinationArguments {
    /// The folder that receives the site. With --site: the folder that receives the bundle and the files that pages load;
    /// default: `anchorite` in the site.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the bundle alone, into this folder: no pages, and none of the files that pages load.
    #[arg(long = "bundle", id = "bundle", value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// The name of the site that is made from documents; default: the title of its first page.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// With --site: put search and chat on every page.
    #[arg(long)]
    pub(crate) inject: bool,
    /// With --site: take out what a build with --inject put into the pages, and all that it wrote; builds nothing.
    #[arg(long)]
    pub(crate) eject: bool,
}

impl DestinationArguments {
    /// If one source sets a folder for a site and another a folder for a bundle, the stronger source wins; so it is with
    /// putting the line into pages and taking it out.
    pub(crate) fn resolve(&mut self, matches: &ArgMatches) -> anyhow::Result<()> {
        let order = |one: &str, other: &str| rank(matches, one).cmp(&rank(matches, other));
        if self.out.is_some() && self.bundle.is_some() {
            match order("out", "bundle") {
                Ordering::Greater => self.bundle = None,
                Ordering::Less => self.out = None,
                Ordering::Equal => {
                    return Err(Hint::error(
                        "both --out and --bundle were given",
                        "give --out for a site, or --bundle for the bundle alone",
                    ));
                }
            }
        }
        if self.inject && self.eject {
            match order("inject", "eject") {
                Ordering::Greater => self.eject = false,
                Ordering::Less => self.inject = false,
                Ordering::Equal => {}
            }
        }
        Ok(())
    }
}

/// The results of a build, with their folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A site made from documents, with its bundle inside.
    Site { root: PathBuf },
    /// The bundle and the files that pages load, for a site that is already there.
    Deployed { site: PathBuf, folder: PathBuf },
    /// The bundle alone.
    Bundle { folder: PathBuf },
}

impl Destination {
    /// Where the arguments say that the results go.
    ///
    /// # Errors
    /// Nothing says so, or options that exclude each other were given.
    pub(crate) fn of(
        arguments: &DestinationArguments,
        pages: &PageArguments,
    ) -> anyhow::Result<Self> {
        let (dir, is_site) = pages.folder()?;
        if (arguments.inject || arguments.eject) && !is_site {
            return Err(Hint::error(
                "--inject and --eject change the pages of a site, and no site was given",
                "give the folder as it is deployed with --site; documents become pages with search and chat anyway",
            ));
        }
        let given = [
            ("--inject", arguments.inject),
            ("--eject", arguments.eject),
            ("--bundle", arguments.bundle.is_some()),
        ];
        let given: Vec<&str> = given
            .iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| *name)
            .collect();
        if let [one, other, ..] = given[..] {
            return Err(Hint::error(
                format!("{one} and {other} exclude each other"),
                "leave one of them out",
            ));
        }
        Ok(match (&arguments.out, &arguments.bundle) {
            (_, Some(folder)) => Self::Bundle {
                folder: folder.clone(),
            },
            (Some(root), None) if !is_site => Self::Site { root: root.clone() },
            (folder, None) if is_site => Self::Deployed {
                site: dir.to_owned(),
                folder: folder.clone().unwrap_or_else(|| dir.join(FOLDER)),
            },
            _ => {
                return Err(Hint::error(
                    "nothing says where the site goes",
                    "give a folder for it with --out, or with --bundle a folder for the bundle alone",
                ));
            }
        })
    }

    /// The folder that receives the bundle.
    pub(crate) fn bundle(&self) -> PathBuf {
        match self {
            Self::Site { root } => root.join(FOLDER),
            Self::Deployed { folder, .. } | Self::Bundle { folder } => folder.clone(),
        }
    }

    /// The folder that receives everything; it is never read as documents.
    pub(crate) fn root(&self) -> &Path {
        match self {
            Self::Site { root } => root,
            Self::Deployed { folder, .. } | Self::Bundle { folder } => folder,
        }
    }
}
