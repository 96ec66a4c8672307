//! Turns a graphics adapter into buffers, pipelines and read-backs: the only modules that speak wgpu's language.
//!
//! Nothing here knows a model. Nothing waits without `await` in a browser; natively a read-back polls the device,
//! for there nobody else does.

pub mod error;
pub mod device;
pub mod buffer;
pub mod matrix;
pub mod dispatch;

pub use buffer::{Rows, View};
pub use device::{Adapter, Gpu};
pub use dispatch::{Dispatch, Grid, Kernel, Op};
pub use error::GpuError;
pub(crate) use matrix::check_types;
pub use matrix::{Layout, PackedMatrix};
