//! Counts the work sent to a device, to measure the host's cost per token.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

/// Counts of what was sent to a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Kernels run.
    pub dispatches: u64,
    /// Command buffers submitted.
    pub submits: u64,
    /// Bind groups created.
    pub bind_groups: u64,
    /// Bytes written to buffers.
    pub written_bytes: u64,
    /// Pipelines compiled.
    pub pipelines: u64,
}

impl std::ops::Sub for Trace {
    type Output = Self;

    /// The counts since an earlier trace.
    fn sub(self, earlier: Self) -> Self {
        Self {
            dispatches: self.dispatches - earlier.dispatches,
            submits: self.submits - earlier.submits,
            bind_groups: self.bind_groups - earlier.bind_groups,
            written_bytes: self.written_bytes - earlier.written_bytes,
            pipelines: self.pipelines - earlier.pipelines,
        }
    }
}

/// The running counts of one device.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) dispatches: AtomicU64,
    pub(super) submits: AtomicU64,
    pub(super) bind_groups: AtomicU64,
    pub(super) written_bytes: AtomicU64,
    pub(super) pipelines: AtomicU64,
}

impl Counters {
    pub(super) fn wrote(&self, n_bytes: usize) {
        self.written_bytes.fetch_add(n_bytes as u64, Relaxed);
    }

    pub(super) fn trace(&self) -> Trace {
        Trace {
            dispatches: self.dispatches.load(Relaxed),
            submits: self.submits.load(Relaxed),
            bind_groups: self.bind_groups.load(Relaxed),
            written_bytes: self.written_bytes.load(Relaxed),
            pipelines: self.pipelines.load(Relaxed),
        }
    }
}
