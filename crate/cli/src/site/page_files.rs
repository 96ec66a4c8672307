//! The scripts and modules that pages load. A release build of the program holds them; any other reads them from the
//! checkout.

use std::borrow::Cow;

use rust_embed::Embed;

use crate::report::Hint;

/// The script that adds search and chat to the page that loads it.
pub(super) const WIDGET: &str = "anchorite-widget.js";

#[derive(Embed)]
#[folder = "../../www/dist"]
#[include = "anchorite*"]
#[include = "messages/*"]
// The demo's own service worker.
#[exclude = "anchorite-offline.js"]
#[allow_missing = true]
struct Embedded;

/// Names and contents.
pub(super) type Files = Vec<(Cow<'static, str>, Cow<'static, [u8]>)>;

/// All files.
///
/// # Errors
/// The program was built without them.
pub(super) fn all() -> anyhow::Result<Files> {
    let files: Files = Embedded::iter()
        .filter_map(|name| Some((name.clone(), Embedded::get(&name)?.data)))
        .collect();
    if files.iter().any(|(name, _)| name == WIDGET) {
        return Ok(files);
    }
    Err(Hint::error(
        "this program was built without the files that pages load",
        "install it with `cargo xtask install`, which builds them first; --bundle writes the bundle alone",
    ))
}
