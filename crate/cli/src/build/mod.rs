//! The steps of a build, in the order in which a page passes them. `folder` runs all of them; `chunk`, `embed` and `index` are
//! commands for builds on several machines.

pub(crate) mod folder;
pub(crate) mod walk;
pub(crate) mod book;
pub(crate) mod read;
pub(crate) mod select;
pub(crate) mod cache;
pub(crate) mod chunk;
pub(crate) mod embedder;
pub(crate) mod embed;
pub(crate) mod index;
pub(crate) mod arrow_rows;
pub(crate) mod table_io;
pub(crate) mod assemble;
pub(crate) mod calibrate;
pub(crate) mod write_bundle;
pub(crate) mod summary;
pub(crate) mod warnings;
