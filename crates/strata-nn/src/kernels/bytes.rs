//! Bytes to numbers.

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

#[inline(always)]
fn scale_body(bytes: &[u8], scale: f32, shift: f32, values: &mut [f32]) {
    for (value, &byte) in values.iter_mut().zip(bytes) {
        *value = scale * f32::from(byte) + shift;
    }
}
