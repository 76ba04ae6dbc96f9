//! The chunks that change parameters.

use std::ops::Range;

use super::aligned::LANES;
use super::instruction_set::{InstructionSet, vectorised};
use super::step::{LayerView, ParameterView, Step};
use crate::optimizer::{Stretch, Update, apply_update};

impl Step<'_> {
    /// Some inputs' weights to some panels of outputs; with the first inputs the panels' biases and
    /// normalisation too.
    #[inline(always)]
    pub(super) fn update(&self, index: usize, inputs: Range<usize>, panels: Range<usize>) {
        let layer = &self.layers[index];
        for panel in panels {
            if inputs.start == 0 {
                let columns = panel * LANES..(panel + 1) * LANES;
                self.update_vector(&layer.bias, columns.clone());
                if let Some(norm) = &layer.norm {
                    self.update_vector(&norm.gamma, columns.clone());
                    self.update_vector(&norm.beta, columns);
                }
            }
            let at = |input: usize| (panel * layer.inputs + input) * LANES;
            // SAFETY: gradients are complete, and nobody writes them in this phase.
            let gradient = unsafe { layer.weight.gradient.read(at(inputs.start)..at(inputs.end)) };
            self.update_weights(layer, panel, inputs.clone(), gradient);
        }
    }

    /// The weights of some inputs to one panel, and their copies for the input gradient; nothing while the
    /// update has to wait.
    #[inline(always)]
    pub(super) fn update_weights(
        &self,
        layer: &LayerView,
        panel: usize,
        inputs: Range<usize>,
        gradient: &[f32],
    ) {
        let Some([of_weights, _]) = self.updates else {
            return;
        };
        let at = |input: usize| (panel * layer.inputs + input) * LANES;
        let places = at(inputs.start)..at(inputs.end);
        // SAFETY: the cut gives these weights and all that belongs to them to this chunk.
        unsafe {
            layer
                .weight
                .apply(self.config.set, of_weights, places, gradient);
        };
        if !layer.transposed.is_empty() {
            transpose(self.config.set, layer, panel, inputs);
        }
    }

    /// A panel of biases or of a normalisation's parameters, from its stored gradient.
    #[inline(always)]
    pub(super) fn update_vector(&self, parameter: &ParameterView, columns: Range<usize>) {
        let Some([_, of_vectors]) = self.updates else {
            return;
        };
        // SAFETY: the chunk with the first inputs has the panel's vectors to itself.
        unsafe {
            let gradient = parameter.gradient.read(columns.clone());
            parameter.apply(self.config.set, of_vectors, columns, gradient);
        }
    }
}

impl ParameterView<'_> {
    /// # Safety
    /// No other chunk of the phase touches `range` of the value or of the optimiser's arrays.
    unsafe fn apply(
        &self,
        set: InstructionSet,
        update: Update,
        range: Range<usize>,
        gradient: &[f32],
    ) {
        // SAFETY: the caller's promise, for arrays of the same layout.
        let parameters = unsafe {
            Stretch {
                value: self.value.range(range.clone()),
                gradient,
                states: self.states.each_ref().map(|array| {
                    if array.is_empty() {
                        Default::default()
                    } else {
                        array.range(range.clone())
                    }
                }),
            }
        };
        vectorised!(set, apply_update(update: Update, parameters: Stretch));
    }
}

/// Copies rows of a panel of 16 outputs to where the panels of 16 inputs have them.
#[inline(always)]
fn transpose(set: InstructionSet, layer: &LayerView, panel: usize, rows: Range<usize>) {
    let outputs = panel * LANES..((panel + 1) * LANES).min(layer.outputs);
    for first in rows.clone().step_by(LANES) {
        let inputs = first..(first + LANES).min(rows.end);
        let from = (panel * layer.inputs + inputs.start) * LANES;
        let to = (inputs.start / LANES * layer.outputs + outputs.start) * LANES;
        // SAFETY: the cut gives these weights to this chunk, and their copies to nobody else: rows are
        // cut at multiples of 16, so that a block of 16 inputs is never shared.
        let (block, copy) = unsafe {
            (
                layer.weight.value.read(from..from + inputs.len() * LANES),
                layer.transposed.range(to..to + outputs.len() * LANES),
            )
        };
        let (block, copy) = (
            block.as_chunks::<LANES>().0,
            copy.as_chunks_mut::<LANES>().0,
        );
        if let (Some(block), Some(copy)) = (block.first_chunk(), copy.first_chunk_mut()) {
            transpose_block(set, block, copy);
            continue;
        }
        for (j, copy) in copy.iter_mut().enumerate() {
            for (i, row) in block.iter().enumerate() {
                copy[i] = row[j];
            }
        }
    }
}

type Block = [[f32; LANES]; LANES];

/// A whole block of 16 times 16.
fn transpose_block(set: InstructionSet, block: &Block, copy: &mut Block) {
    match set {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `InstructionSet` other than `Portable` comes from `available`, which has seen that
        // the processor has these instructions.
        InstructionSet::Avx512 => unsafe { x86::avx512(block, copy) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        InstructionSet::Avx2 => unsafe { x86::avx2(block, copy) },
        _ => {
            for (j, copy) in copy.iter_mut().enumerate() {
                for (i, row) in block.iter().enumerate() {
                    copy[i] = row[j];
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm256_castpd_ps, _mm256_castps_pd, _mm256_loadu_ps, _mm256_permute2f128_ps,
        _mm256_storeu_ps, _mm256_unpackhi_pd, _mm256_unpackhi_ps, _mm256_unpacklo_pd,
        _mm256_unpacklo_ps, _mm512_castpd_ps, _mm512_castps_pd, _mm512_loadu_ps,
        _mm512_shuffle_f32x4, _mm512_storeu_ps, _mm512_unpackhi_pd, _mm512_unpackhi_ps,
        _mm512_unpacklo_pd, _mm512_unpacklo_ps,
    };

    use super::Block;

    /// Pairs of rows, pairs of pairs, then quarters: four rounds of 16 shuffles.
    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(block: &Block, copy: &mut Block) {
        // SAFETY: each row is 16 f32.
        let rows: [_; 16] = std::array::from_fn(|i| unsafe { _mm512_loadu_ps(block[i].as_ptr()) });
        // Within each quarter of a register: elements 0 to 3 of rows 2i and 2i+1, interleaved.
        let pairs: [_; 16] = std::array::from_fn(|i| {
            let (a, b) = (rows[i / 2 * 2], rows[i / 2 * 2 + 1]);
            if i % 2 == 0 {
                _mm512_unpacklo_ps(a, b)
            } else {
                _mm512_unpackhi_ps(a, b)
            }
        });
        // Element e of rows 4k to 4k+3, in each quarter.
        let fours: [_; 16] = std::array::from_fn(|i| {
            let (k, e) = (i / 4, i % 4);
            let a = _mm512_castps_pd(pairs[4 * k + e / 2]);
            let b = _mm512_castps_pd(pairs[4 * k + 2 + e / 2]);
            _mm512_castpd_ps(if e % 2 == 0 {
                _mm512_unpacklo_pd(a, b)
            } else {
                _mm512_unpackhi_pd(a, b)
            })
        });
        // Quarters 0 and 2 (or 1 and 3) of rows 0 to 7 and of rows 8 to 15.
        for e in 0..4 {
            let low_even = _mm512_shuffle_f32x4::<0b10_00_10_00>(fours[e], fours[4 + e]);
            let low_odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(fours[e], fours[4 + e]);
            let high_even = _mm512_shuffle_f32x4::<0b10_00_10_00>(fours[8 + e], fours[12 + e]);
            let high_odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(fours[8 + e], fours[12 + e]);
            let columns = [
                (
                    e,
                    _mm512_shuffle_f32x4::<0b10_00_10_00>(low_even, high_even),
                ),
                (
                    4 + e,
                    _mm512_shuffle_f32x4::<0b10_00_10_00>(low_odd, high_odd),
                ),
                (
                    8 + e,
                    _mm512_shuffle_f32x4::<0b11_01_11_01>(low_even, high_even),
                ),
                (
                    12 + e,
                    _mm512_shuffle_f32x4::<0b11_01_11_01>(low_odd, high_odd),
                ),
            ];
            for (column, values) in columns {
                // SAFETY: each row is 16 f32.
                unsafe { _mm512_storeu_ps(copy[column].as_mut_ptr(), values) };
            }
        }
    }

    /// Four blocks of eight times eight.
    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(block: &Block, copy: &mut Block) {
        for (i, j) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
            transpose_eight(block, copy, i, j);
        }
    }

    /// Rows `i..i+8` and columns `j..j+8`: pairs of rows, pairs of pairs, then halves.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn transpose_eight(block: &Block, copy: &mut Block, i: usize, j: usize) {
        // SAFETY: `i` and `j` are at most 8, and rows are 16 f32.
        let rows: [_; 8] =
            std::array::from_fn(|r| unsafe { _mm256_loadu_ps(block[i + r].as_ptr().add(j)) });
        // Within each half of a register: elements 0 to 3 of rows 2r and 2r+1, interleaved.
        let pairs: [_; 8] = std::array::from_fn(|r| {
            let (a, b) = (rows[r / 2 * 2], rows[r / 2 * 2 + 1]);
            if r % 2 == 0 {
                _mm256_unpacklo_ps(a, b)
            } else {
                _mm256_unpackhi_ps(a, b)
            }
        });
        // Element e of rows 4k to 4k+3, in each half.
        let fours: [_; 8] = std::array::from_fn(|r| {
            let (k, e) = (r / 4, r % 4);
            let a = _mm256_castps_pd(pairs[4 * k + e / 2]);
            let b = _mm256_castps_pd(pairs[4 * k + 2 + e / 2]);
            _mm256_castpd_ps(if e % 2 == 0 {
                _mm256_unpacklo_pd(a, b)
            } else {
                _mm256_unpackhi_pd(a, b)
            })
        });
        for e in 0..4 {
            let low = _mm256_permute2f128_ps::<0x20>(fours[e], fours[4 + e]);
            let high = _mm256_permute2f128_ps::<0x31>(fours[e], fours[4 + e]);
            for (column, values) in [(e, low), (4 + e, high)] {
                // SAFETY: as above.
                unsafe { _mm256_storeu_ps(copy[j + column].as_mut_ptr().add(i), values) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_transposed() {
        let block: Block = std::array::from_fn(|i| std::array::from_fn(|j| (16 * i + j) as f32));
        for set in InstructionSet::available() {
            let mut copy = [[0.0; LANES]; LANES];
            transpose_block(set, &block, &mut copy);
            for (j, row) in copy.iter().enumerate() {
                let expected: [f32; LANES] = std::array::from_fn(|i| (16 * i + j) as f32);
                assert_eq!(*row, expected, "{set:?}, column {j}");
            }
        }
    }
}
