//! Turns a bundle into what its destination asks for: nothing more, a folder in a built site, or a site of its own.

use anchorite::index::document::Document;

use crate::build::book::Books;
use crate::settings::PageArguments;
use crate::site::deployed::Deployed;
use crate::site::destination::{Destination, DestinationArguments};
use crate::site::documents::{Site, SiteFigures};

/// Everything that a build writes apart from its bundle.
pub(crate) enum Around<'a> {
    /// Pages made from documents.
    Site(Box<Site<'a>>),
    /// The files that the pages of a built site load.
    Deployed(Box<Deployed<'a>>),
    /// Nothing.
    Bundle,
}

/// The last lines of a build.
#[derive(Default)]
pub(crate) struct Closing {
    /// For people, on standard error.
    lines: Vec<String>,
    /// The result to put into pages, on standard output.
    result: Option<String>,
    /// Figures of a site made from documents.
    pub(crate) site: Option<SiteFigures>,
}

impl<'a> Around<'a> {
    /// Checks the destination before the long work.
    ///
    /// # Errors
    /// As [`Site::open`] and [`Deployed::open`] have them.
    pub(crate) fn open(
        destination: &Destination,
        arguments: &'a DestinationArguments,
        pages: &'a PageArguments,
    ) -> anyhow::Result<Self> {
        Ok(match destination {
            Destination::Site { root } => {
                let site = Site::open(root, pages, arguments.title.as_deref())?;
                Self::Site(Box::new(site))
            }
            Destination::Deployed { site, folder } => {
                let deployed = Deployed::open(site, folder, pages, arguments.inject)?;
                Self::Deployed(Box::new(deployed))
            }
            Destination::Bundle { .. } => Self::Bundle,
        })
    }

    /// Announces the pages, once all documents are read.
    ///
    /// # Errors
    /// As [`Site::announce`] has them.
    pub(crate) fn announce(&mut self, documents: &[Document]) -> anyhow::Result<()> {
        match self {
            Self::Site(site) => site.announce(documents),
            Self::Deployed(_) | Self::Bundle => Ok(()),
        }
    }

    /// Writes everything.
    pub(crate) fn write(self, books: &Books) -> anyhow::Result<Closing> {
        match self {
            Self::Site(site) => {
                let root = site.root().display().to_string();
                let figures = site.write(books)?;
                let (pages, others) = (figures.pages, figures.others);
                Ok(Closing {
                    lines: vec![
                        format!(
                            "site of {pages} pages and {others} other files in `{root}`; {} files changed",
                            figures.files_changed
                        ),
                        format!(
                            "look at it with `anchorite serve {root}`; upload the folder as it is"
                        ),
                    ],
                    result: None,
                    site: Some(figures),
                })
            }
            Self::Deployed(mut deployed) => Ok(match deployed.write()? {
                Some(n) => Closing {
                    lines: vec![format!(
                        "search and chat put on {n} page(s); --eject takes them out"
                    )],
                    ..Closing::default()
                },
                None => Closing {
                    lines: vec![
                        "put this line into each page, before `</body>`, or build with --inject:"
                            .to_owned(),
                    ],
                    result: Some(deployed.line()),
                    site: None,
                },
            }),
            Self::Bundle => Ok(Closing::default()),
        }
    }
}

impl Closing {
    /// Prints the lines, and the result unless standard output holds JSON.
    pub(crate) fn print(&self, is_json: bool) {
        for line in &self.lines {
            eprintln!("{line}");
        }
        if let Some(result) = self.result.as_ref().filter(|_| !is_json) {
            println!("{result}");
        }
    }
}
