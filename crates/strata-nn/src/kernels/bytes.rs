//! Bytes of samples, to be turned into numbers.

use super::instruction_set::{InstructionSet, vectorised};

/// Writes `scale·byte + shift` for each byte; pixels are normalised with it.
///
/// # Panics
/// If `values` is shorter than `bytes`.
pub fn scale_bytes(bytes: &[u8], scale: f32, shift: f32, values: &mut [f32]) {
    let values = &mut values[..bytes.len()];
    let set = InstructionSet::detected();
    vectorised!(
        set,
        scale_body(bytes: &[u8], scale: f32, shift: f32, values: &mut [f32])
    );
}

/// Asks for the cache lines of some bytes that are to be read soon. Nothing but time depends on it.
#[inline]
pub fn prefetch_bytes(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        // SAFETY: a hint about memory that is borrowed here; every x86-64 processor has the instruction.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

#[inline(always)]
fn scale_body(bytes: &[u8], scale: f32, shift: f32, values: &mut [f32]) {
    for (value, &byte) in values.iter_mut().zip(bytes) {
        *value = scale * f32::from(byte) + shift;
    }
}
