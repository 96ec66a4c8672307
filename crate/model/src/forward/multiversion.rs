//! Compiles a loop once per instruction set, and runs the version for the widest set that the processor has.
//!
//! There are several versions natively on x86-64, whose baseline has neither AVX nor a fused multiply-add; elsewhere a
//! loop is compiled once, for the target. The loops are [`super::vector`]'s, those of attention, and the quantising of
//! activations. Versions differ only in the rounding of `a * b + c` and in the order of a sum's lanes, so results stay
//! within the bounds of the loops' twins.

#[cfg(target_arch = "x86_64")]
use std::arch::is_x86_feature_detected;

/// An instruction set that loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// The target's baseline.
    Target,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The widest set on this processor.
    pub(super) fn best() -> Self {
        #[cfg(test)]
        if let Some(level) = tests::FORCED.get() {
            return level;
        }
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if has_avx2
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                return Self::Avx512;
            }
            if has_avx2 {
                return Self::Avx2;
            }
        }
        Self::Target
    }
}

/// Defines a function in several versions. `FMA` is true in those whose set has a fused multiply-add. Functions that
/// the body calls must be `#[inline(always)]`, or they are not compiled for the same set.
macro_rules! multiversion {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident<const FMA: bool>($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    )*) => {$(
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn version<const FMA: bool>($($argument: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($argument: $type),*) $(-> $result)? {
                version::<true>($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $result)? {
                version::<true>($($argument),*)
            }
            match $crate::forward::multiversion::Level::best() {
                // SAFETY: the processor has the set.
                #[cfg(target_arch = "x86_64")]
                $crate::forward::multiversion::Level::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: the processor has the set.
                #[cfg(target_arch = "x86_64")]
                $crate::forward::multiversion::Level::Avx2 => unsafe { avx2($($argument),*) },
                $crate::forward::multiversion::Level::Target => version::<
                    { cfg!(any(target_feature = "fma", target_arch = "aarch64")) },
                >($($argument),*),
            }
        }
    )*};
}
pub(super) use multiversion;

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use super::Level;

    thread_local! {
        pub(in crate::forward) static FORCED: Cell<Option<Level>> = const { Cell::new(None) };
    }

    /// Runs `test` once for each level of this processor, and passes it the level.
    pub(in crate::forward) fn on_every_level(test: impl Fn(Level)) {
        #[cfg(target_arch = "x86_64")]
        let levels = match Level::best() {
            Level::Avx512 => vec![Level::Target, Level::Avx2, Level::Avx512],
            Level::Avx2 => vec![Level::Target, Level::Avx2],
            Level::Target => vec![Level::Target],
        };
        #[cfg(not(target_arch = "x86_64"))]
        let levels = vec![Level::Target];
        for level in levels {
            FORCED.set(Some(level));
            assert_eq!(Level::best(), level, "the level that runs");
            test(level);
        }
        FORCED.set(None);
    }
}
