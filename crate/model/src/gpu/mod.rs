//! Turns a graphics adapter into buffers, pipelines and read-backs, and keeps wgpu's details out of the rest of the
//! crate.
//!
//! Nothing here knows about models. In a browser nothing blocks, all waiting is by `await`; natively a read-back polls
//! the device, because nothing else does.

pub mod error;
pub mod variant;
pub mod trace;
pub mod layouts;
pub mod device;
pub mod buffer;
pub mod matrix;
pub mod dispatch;

pub use buffer::Rows;
pub use device::{Gpu, GpuInfo, browser_has_subgroups};
pub(crate) use dispatch::Slots;
pub use dispatch::{Dispatch, Grid, Op};
pub use error::GpuError;
pub use layouts::Bindings;
pub use matrix::PackedMatrix;
pub(crate) use matrix::{ByteBlocks, Layout, Slice};
pub use trace::Trace;
pub use variant::{Precision, Reduction, Variant};
