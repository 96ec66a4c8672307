//! Times the steps of a build.

use std::collections::BTreeMap;
use std::time::Instant;

/// A clock that measures each step.
pub(crate) struct Clock {
    start: Instant,
    last: Instant,
    steps: BTreeMap<&'static str, f64>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line runs natively and owns the clock"
)]
fn now() -> Instant {
    Instant::now()
}

impl Clock {
    /// Starts the clock.
    pub(crate) fn start() -> Self {
        let start = now();
        Self {
            start,
            last: start,
            steps: BTreeMap::new(),
        }
    }

    /// Ends a step.
    pub(crate) fn step(&mut self, name: &'static str) {
        let now = now();
        self.steps.insert(name, (now - self.last).as_secs_f64());
        self.last = now;
    }

    /// Total seconds, and seconds by step.
    pub(crate) fn stop(self) -> (f64, BTreeMap<&'static str, f64>) {
        ((now() - self.start).as_secs_f64(), self.steps)
    }
}
