//! What the processor can do, detected once.

use std::sync::OnceLock;

/// The instruction sets for which there are bodies of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// 512-bit fused multiply-adds.
    Avx512,
    /// 256-bit fused multiply-adds.
    Avx2,
    /// Plain Rust, vectorised by the compiler for the baseline of the target; products by the `gemm` crate.
    Portable,
}

impl InstructionSet {
    /// The best one that this processor has. The environment variable `STRATA_INSTRUCTION_SET`
    /// (`avx2`, `portable`) asks for a lesser one, to compare them.
    pub fn detected() -> Self {
        static DETECTED: OnceLock<InstructionSet> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let wanted = std::env::var("STRATA_INSTRUCTION_SET").unwrap_or_default();
            Self::available()
                .into_iter()
                .find(|set| wanted.is_empty() || set.name() == wanted)
                .unwrap_or(Self::Portable)
        })
    }

    /// All that this processor has, the best first; never empty.
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") {
                sets.push(Self::Avx512);
            }
            if avx2 {
                sets.push(Self::Avx2);
            }
        }
        sets.push(Self::Portable);
        sets
    }

    /// The name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }
}

/// Calls an `#[inline(always)]` body compiled for the instruction set at hand.
///
/// `vectorised!(set, body(arg: Type, …))` is `body(arg, …)`, with 512- or 256-bit registers where the
/// processor has them. Rust never fuses by itself, so every version gives the same bits.
macro_rules! vectorised {
    ($set:expr, $body:ident($($arg:ident: $type:ty),* $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx2,fma")]
        fn with_avx512($($arg: $type),*) { $body($($arg),*) }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn with_avx2($($arg: $type),*) { $body($($arg),*) }
        match $set {
            // SAFETY: an `InstructionSet` other than `Portable` comes from `available`, which has
            // seen that the processor has these features.
            #[cfg(target_arch = "x86_64")]
            $crate::InstructionSet::Avx512 => unsafe { with_avx512($($arg),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            $crate::InstructionSet::Avx2 => unsafe { with_avx2($($arg),*) },
            _ => $body($($arg),*),
        }
    }};
}
pub(crate) use vectorised;
