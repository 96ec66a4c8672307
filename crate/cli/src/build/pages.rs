//! Turns Markdown pages into plain HTML pages whose heading ids are the anchors that the bundle cites.

use std::path::Path;

use anchorite::index::parse::markdown::{self, Anchors};
use anyhow::Context;

const STYLESHEET_NAME: &str = "page.css";
const STYLESHEET: &str = include_str!("pages.css");

/// Writes one Markdown page below `out`; `url` is its path relative to `out`, as in the bundle, and `anchors` the rule
/// for its headings' ids.
pub(crate) fn write(
    out: &Path,
    url: &str,
    title: &str,
    source: &str,
    anchors: Anchors,
) -> anyhow::Result<()> {
    let path = out.join(url);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make `{}`", folder.display()))?;
    }
    let to_root = "../".repeat(url.matches('/').count());
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"{to_root}{STYLESHEET_NAME}\">\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
        escape(title),
        markdown::to_html(source, anchors)
    );
    std::fs::write(&path, page).with_context(|| format!("could not write `{}`", path.display()))
}

/// Writes the stylesheet that the pages share.
pub(crate) fn write_stylesheet(out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("could not make `{}`", out.display()))?;
    let path = out.join(STYLESHEET_NAME);
    std::fs::write(&path, STYLESHEET)
        .with_context(|| format!("could not write `{}`", path.display()))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
