//! Applies a function to many items at once, on all cores if there are threads.

/// The result of `turn` for each item, in order.
pub(super) fn each<I: Sync, T: Send>(items: &[I], turn: impl Fn(&I) -> T + Sync + Send) -> Vec<T> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        items.par_iter().map(turn).collect()
    }
    #[cfg(target_arch = "wasm32")]
    items.iter().map(turn).collect()
}
