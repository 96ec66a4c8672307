//! Parses the driver's JSON lines into rows, and searches among them.

use serde::Deserialize;

/// One engine, one model, one metric; or an engine that was skipped, and why.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) group: String,
    pub(crate) engine: String,
    /// Build of ours, or batching mode of a peer.
    pub(crate) kernel: Option<String>,
    pub(crate) model: String,
    /// Storage type of the weights.
    pub(crate) r#type: String,
    pub(crate) metric: String,
    #[serde(default)]
    pub(crate) unit: String,
    /// Absent if the engine was skipped.
    pub(crate) median: Option<f64>,
    pub(crate) other_cores: Option<f64>,
    pub(crate) reason: Option<String>,
}

impl Row {
    /// True if both rows have the same engine and model.
    pub(super) fn is_beside(&self, other: &Row) -> bool {
        let key = |row: &Row| {
            (
                row.group.clone(),
                row.engine.clone(),
                row.kernel.clone(),
                row.model.clone(),
                row.r#type.clone(),
            )
        };
        key(self) == key(other)
    }
}

/// The rows to look for; `kind` of `None` is any type.
#[derive(Clone, Copy)]
pub(super) struct RowFilter<'s> {
    pub(super) group: &'s str,
    pub(super) engine: &'s str,
    pub(super) kind: Option<&'s str>,
}

/// The rows of `metric`, in the order of the run.
pub(super) fn find<'r>(rows: &'r [Row], of: RowFilter, metric: &str) -> Vec<&'r Row> {
    rows.iter()
        .filter(|row| {
            row.group == of.group
                && row.engine == of.engine
                && of.kind.is_none_or(|kind| row.r#type == kind)
                && row.metric == metric
                && row.median.is_some()
        })
        .collect()
}

/// The kernel with the best `metric`: the highest speed, or the shortest time.
pub(super) fn best_kernel(rows: &[Row], of: RowFilter, metric: &str) -> Option<String> {
    let found = find(rows, of, metric);
    let rank = |row: &&&Row| {
        let value = row.median.unwrap_or_default();
        if row.unit == "ms" { -value } else { value }
    };
    let best = found.iter().max_by(|a, b| rank(a).total_cmp(&rank(b)))?;
    best.kernel.clone()
}

/// The median of `metric` for that kernel.
pub(super) fn median(
    rows: &[Row],
    of: RowFilter,
    kernel: Option<&str>,
    metric: &str,
) -> Option<f64> {
    find(rows, of, metric)
        .into_iter()
        .find(|row| row.kernel.as_deref() == kernel)?
        .median
}
