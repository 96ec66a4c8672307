//! Selects the few best of many scores, in order.
//!
//! One plain loop for every ranking: each general sort that is linked adds some kilobytes to the page's module, and
//! only about a hundred of many thousands of scores are needed.

/// The `depth` highest scores with their ids, best first; ties by increasing id.
pub(crate) fn top(scores: impl IntoIterator<Item = (u32, f32)>, depth: usize) -> Vec<(u32, f32)> {
    let mut best: Vec<(u32, f32)> = Vec::new();
    for (idx, score) in scores {
        let is_before =
            |&(other, higher): &(u32, f32)| higher.total_cmp(&score).then(idx.cmp(&other)).is_ge();
        if best.len() == depth && best.last().is_none_or(is_before) {
            continue;
        }
        let place = best.partition_point(is_before);
        best.truncate(depth.saturating_sub(1));
        best.insert(place.min(best.len()), (idx, score));
    }
    best
}

#[cfg(test)]
mod tests {
    use super::top;

    #[test]
    fn the_best_come_first_and_ties_in_order() {
        let scores = [(3, 1.0), (1, 2.0), (2, 1.0), (0, 0.5), (9, 3.0)];
        assert_eq!(top(scores, 3), [(9, 3.0), (1, 2.0), (2, 1.0)]);
        assert_eq!(
            top(scores, 9),
            [(9, 3.0), (1, 2.0), (2, 1.0), (3, 1.0), (0, 0.5)]
        );
        assert_eq!(top(scores, 0), []);
        assert_eq!(top(scores, 1), [(9, 3.0)]);
    }
}
