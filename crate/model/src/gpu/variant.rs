//! Turns an adapter's features into the kernel variant to run on it.

use serde::Serialize;

/// How the invocations of a workgroup reduce their sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// No reduction: each invocation computes whole sums, which suits software adapters, where barriers are expensive.
    BarrierFree,
    /// Through the workgroup's memory.
    Workgroup,
    /// By subgroup operations within subgroups, then through the workgroup's memory.
    Subgroups,
}

/// Number format of the products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision.
    F32,
    /// f16 tiles for long prompts, stored and multiplied; everything else is f32.
    F16,
    /// Inputs are quantised to 8 bits, as on the CPU, and multiplied with the codes of quantised weights as integers.
    Int8,
}

/// A variant of the kernels. All compute the same results, up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Variant {
    /// How sums are reduced.
    pub reduction: Reduction,
    /// Number format of the products.
    pub precision: Precision,
}

impl Variant {
    /// The fastest variant for an adapter.
    pub(super) fn best(is_software: bool, has_subgroups: bool, has_f16: bool) -> Self {
        let (reduction, precision) = match (is_software, has_subgroups) {
            // A CPU that emulates a GPU multiplies integers fastest.
            (true, _) => (Reduction::BarrierFree, Precision::Int8),
            (false, true) => (Reduction::Subgroups, Precision::F32),
            (false, false) => (Reduction::Workgroup, Precision::F32),
        };
        let precision = match precision {
            Precision::F32 if has_f16 => Precision::F16,
            other => other,
        };
        Self {
            reduction,
            precision,
        }
    }

    /// Every variant that an adapter with these features can run. Only tiles are f16, and the variant without barriers
    /// has no tiles.
    pub(super) fn all(has_subgroups: bool, has_f16: bool) -> Vec<Self> {
        use Precision::{F16, F32, Int8};
        use Reduction::{BarrierFree, Subgroups, Workgroup};
        let all = [
            (BarrierFree, F32),
            (BarrierFree, Int8),
            (Workgroup, F32),
            (Workgroup, F16),
            (Subgroups, F32),
            (Subgroups, F16),
        ];
        let can_run = |(reduction, precision): &(Reduction, Precision)| {
            (*reduction != Subgroups || has_subgroups) && (*precision != F16 || has_f16)
        };
        let form = |(reduction, precision)| Self {
            reduction,
            precision,
        };
        all.into_iter().filter(can_run).map(form).collect()
    }
}

impl std::fmt::Display for Variant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.reduction {
            Reduction::BarrierFree => "barrier-free",
            Reduction::Workgroup => "workgroup",
            Reduction::Subgroups => "subgroups",
        })?;
        f.write_str(match self.precision {
            Precision::F32 => ", f32",
            Precision::F16 => ", f16",
            Precision::Int8 => ", int8",
        })
    }
}
