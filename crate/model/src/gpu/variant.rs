//! Turns what an adapter offers into which form of the kernels it runs.

use serde::Serialize;

/// How a workgroup's invocations put their sums together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// Not at all: each makes whole sums, which is what software adapters want, for whom a barrier costs most.
    BarrierFree,
    /// Through the workgroup's memory.
    Workgroup,
    /// Within subgroups by their own instructions, then through memory.
    Subgroups,
}

/// A form of the kernels. All make the same numbers, but for rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Variant {
    /// How sums are put together.
    pub reduction: Reduction,
    /// Whether tiles of long prompts are held and multiplied in half precision.
    pub has_f16: bool,
}

impl Variant {
    /// What an adapter runs best.
    pub(super) fn best(is_software: bool, has_subgroups: bool, has_f16: bool) -> Self {
        let reduction = match (is_software, has_subgroups) {
            (true, _) => Reduction::BarrierFree,
            (false, true) => Reduction::Subgroups,
            (false, false) => Reduction::Workgroup,
        };
        Self {
            reduction,
            has_f16: has_f16 && !is_software,
        }
    }

    /// Every variant that an adapter with these features can run. Only tiles are held in halves, and a form without
    /// barriers has none.
    pub(super) fn all(has_subgroups: bool, has_f16: bool) -> Vec<Self> {
        let mut all = vec![Self {
            reduction: Reduction::BarrierFree,
            has_f16: false,
        }];
        for reduction in [Reduction::Workgroup, Reduction::Subgroups] {
            for has_half in [false, true] {
                if (has_subgroups || reduction == Reduction::Workgroup) && (has_f16 || !has_half) {
                    all.push(Self {
                        reduction,
                        has_f16: has_half,
                    });
                }
            }
        }
        all
    }
}

impl std::fmt::Display for Variant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.reduction {
            Reduction::BarrierFree => "barrier-free",
            Reduction::Workgroup => "workgroup",
            Reduction::Subgroups => "subgroups",
        })?;
        f.write_str(if self.has_f16 { ", f16" } else { ", f32" })
    }
}
