//! Spreads loops over rows, and over parts of a result, across all cores: natively by rayon, whose idle threads park;
//! in wasm everything runs on the one thread there is.
//!
//! Each value is computed by one thread, in the same order as without threads, so results don't depend on their number.

/// How many threads a pass may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    One,
    #[cfg(not(target_arch = "wasm32"))]
    All,
}

/// Operations, such as multiply-adds of bytes, below which another thread costs more than it saves.
#[cfg(not(target_arch = "wasm32"))]
const MIN_OPERATIONS: usize = 1 << 17;

/// Rough cost per value, in the unit of [`MIN_OPERATIONS`].
pub(super) mod cost {
    /// Unpacking from a matrix of quantised blocks.
    pub(in crate::forward) const UNPACK: usize = 64;
    /// Norm of a row.
    pub(in crate::forward) const NORM: usize = 16;
    /// Rotation of a pair.
    pub(in crate::forward) const ROTATE: usize = 16;
    /// An exponential.
    pub(in crate::forward) const EXP: usize = 32;
}

impl Threads {
    /// Runs a pass with all threads of the pool, or with the current one alone if it belongs to the pool: its caller is
    /// then running several passes at once.
    pub(crate) fn enter<T: Send>(pass: impl FnOnce(Threads) -> T + Send) -> T {
        #[cfg(not(target_arch = "wasm32"))]
        if rayon::current_thread_index().is_none() && rayon::current_num_threads() > 1 {
            // Enter the pool once: each loop started from inside saves a thread switch.
            return rayon::scope(|_| pass(Threads::All));
        }
        pass(Threads::One)
    }

    /// Calls `task(scratch, i)` for every `i` below `n`, each of which takes about `operations`. `scratch` is created
    /// once for several tasks that run one after the other.
    #[cfg_attr(
        target_arch = "wasm32",
        expect(
            unused_variables,
            reason = "the costs of tasks, which one thread runs anyway"
        )
    )]
    pub(super) fn for_each<S>(
        self,
        n: usize,
        operations: usize,
        scratch: impl Fn() -> S + Sync,
        task: impl Fn(&mut S, usize) + Sync,
    ) {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::All if n > 1 && n * operations >= 2 * MIN_OPERATIONS => {
                use rayon::prelude::*;
                // A few tasks per thread balance the load; each must be worth starting.
                let even = n.div_ceil(4 * rayon::current_num_threads());
                let least = MIN_OPERATIONS.div_ceil(operations.max(1));
                let tasks = (0..n).into_par_iter().with_min_len(even.max(least));
                tasks.for_each_init(&scratch, &task);
            }
            _ => {
                let mut scratch = scratch();
                (0..n).for_each(|i| task(&mut scratch, i));
            }
        }
    }

    /// Calls `work` for every item, each of which takes about `operations`.
    #[cfg_attr(
        target_arch = "wasm32",
        expect(
            unused_variables,
            reason = "the costs of items, which one thread takes anyway"
        )
    )]
    pub(super) fn for_items<I: Send>(
        self,
        items: impl Iterator<Item = I>,
        operations: usize,
        work: impl Fn(I) + Sync,
    ) {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::All => {
                use rayon::prelude::*;
                let items: Vec<I> = items.collect();
                if items.len() * operations < 2 * MIN_OPERATIONS {
                    return items.into_iter().for_each(work);
                }
                let least = MIN_OPERATIONS.div_ceil(operations.max(1));
                items.into_par_iter().with_min_len(least).for_each(&work);
            }
            _ => items.for_each(work),
        }
    }

    /// Calls `work` for all rows of `x`, `[T, width]`, a few at a time, with the index of the first; each value takes
    /// about `operations`.
    pub(super) fn for_rows(
        self,
        x: &mut [f32],
        width: usize,
        operations: usize,
        work: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        /// Rows taken at a time, so that no two parts share a cache line.
        const ROWS: usize = 8;
        if self == Self::One {
            return work(0, x);
        }
        let parts = x.chunks_mut(ROWS * width).enumerate();
        let operations = ROWS * width * operations;
        self.for_items(parts, operations, |(idx, part)| work(idx * ROWS, part));
    }
}

/// A matrix, `[T, width]`, that several threads write, each in its own columns.
pub(super) struct SharedColumns<'y> {
    start: *mut f32,
    n_rows: usize,
    width: usize,
    borrowed: std::marker::PhantomData<&'y mut [f32]>,
}

// SAFETY: all access is through writes, whose callers promise that no two threads write the same place.
unsafe impl Sync for SharedColumns<'_> {}

impl<'y> SharedColumns<'y> {
    pub(super) fn new(y: &'y mut [f32], width: usize) -> Self {
        Self {
            start: y.as_mut_ptr(),
            n_rows: y.len() / width,
            width,
            borrowed: std::marker::PhantomData,
        }
    }

    /// Copies all of `values` to a row, from a column on. Compiles to register stores, where [`SharedColumns::write`] makes a
    /// call.
    ///
    /// # Safety
    /// As [`SharedColumns::write`].
    #[inline(always)]
    pub(super) unsafe fn write_array<const N: usize>(
        &self,
        row: usize,
        column: usize,
        values: &[f32; N],
    ) {
        // SAFETY: the place is inside the matrix, which is borrowed, and no other thread writes it.
        unsafe {
            let place: *mut [f32; N] = self.place(row, column, N).cast();
            place.write_unaligned(*values);
        }
    }

    /// Copies `values` to a row, from a column on.
    ///
    /// # Safety
    /// No other thread writes these places.
    #[inline(never)]
    pub(super) unsafe fn write(&self, row: usize, column: usize, values: &[f32]) {
        let place = self.place(row, column, values.len());
        // SAFETY: the place is inside the matrix, which is borrowed, and no other thread writes it.
        unsafe { place.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    }

    /// A bounds-checked pointer to `n` values.
    #[inline(always)]
    fn place(&self, row: usize, column: usize, n: usize) -> *mut f32 {
        assert!(
            row < self.n_rows && column + n <= self.width,
            "{n} values at row {row}, column {column} of {} x {}",
            self.n_rows,
            self.width
        );
        // SAFETY: the place is inside the matrix.
        unsafe { self.start.add(row * self.width + column) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_task_and_row_has_its_turn_once() {
        for n in [0, 1, 2, 7, 64, 1000] {
            let counts: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
            let mut rows = vec![0.0; n * 3];
            Threads::enter(|threads| {
                threads.for_each(
                    n,
                    MIN_OPERATIONS,
                    || (),
                    |(), i| {
                        counts[i].fetch_add(1, Ordering::Relaxed);
                    },
                );
                threads.for_rows(&mut rows, 3, MIN_OPERATIONS, |first, rows| {
                    for (idx, row) in rows.chunks_exact_mut(3).enumerate() {
                        row.iter_mut().for_each(|x| *x += (first + idx) as f32);
                    }
                });
            });
            assert!(
                counts.iter().all(|n| n.load(Ordering::Relaxed) == 1),
                "{n} tasks: {counts:?}"
            );
            let expected: Vec<f32> = (0..n).flat_map(|row| [row as f32; 3]).collect();
            assert_eq!(rows, expected, "{n} rows");
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn a_thread_of_the_pool_works_alone() {
        let found = rayon::scope(|_| Threads::enter(|threads| threads));
        assert_eq!(
            found,
            Threads::One,
            "its caller runs other passes beside it"
        );
    }

    #[test]
    #[should_panic(expected = "2 values at row 1, column 3 of 2 x 4")]
    fn does_not_write_past_a_row() {
        let mut y = [0.0; 8];
        // SAFETY: this is the only thread.
        unsafe { SharedColumns::new(&mut y, 4).write(1, 3, &[1.0, 2.0]) };
    }
}
