//! Turns a build into something that can be uploaded: a site made from documents, or search and chat added to a site that
//! is already there.

pub(crate) mod around;
pub(crate) mod deployed;
pub(crate) mod destination;
pub(crate) mod documents;

mod html;
mod navigation;
mod page;
mod page_files;
mod words;
mod written;
