//! The chunks that change parameters.

use std::ops::Range;

use super::aligned::LANES;
use super::instruction_set::{InstructionSet, vectorised};
use super::step::{LayerView, ParameterView, Step};
use crate::optimizer::{Stretch, Update, apply_update};

impl Step<'_> {
    /// Some inputs' weights to some panels of outputs; with the first inputs the panels' biases and
    /// normalisation too.
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
            transpose(layer, panel, inputs);
        }
    }

    /// A panel of biases or of a normalisation's parameters, from its stored gradient.
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
fn transpose(layer: &LayerView, panel: usize, rows: Range<usize>) {
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
        for (j, copy) in copy.chunks_exact_mut(LANES).enumerate() {
            for (i, row) in block.chunks_exact(LANES).enumerate() {
                copy[i] = row[j];
            }
        }
    }
}
