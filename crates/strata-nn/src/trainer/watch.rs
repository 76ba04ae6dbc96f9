//! Histograms of gradients and parameters while a network is trained, as `wandb.watch` makes them.

use crate::kernels::aligned::{AlignedBuffer, LANES};
use crate::kernels::step::LayerState;
use crate::layer::Layer;
use crate::mlp::Mlp;

/// What is watched, and who is told.
pub struct Watch<'a> {
    /// Every so many steps of the training; at least 1.
    pub every: u64,
    /// Gradients: of the loss with its penalties, before clipping.
    pub gradients: bool,
    /// Parameters, after the step.
    pub parameters: bool,
    /// Gets the step and the histograms, layer by layer.
    pub told: &'a mut dyn FnMut(u64, Vec<TensorHistogram>),
}

/// How often the values of a tensor fall into equal bins.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorHistogram {
    /// `gradients/0.weight` or `parameters/0.weight`, with the names of the state dict.
    pub name: String,
    /// Values in each of [`BINS`] equal bins.
    pub counts: Vec<u32>,
    /// Where the first bin begins, the least value.
    pub least: f32,
    /// Where the last bin ends, the greatest value.
    pub greatest: f32,
}

/// As `torch.histc` in `wandb.watch`.
pub const BINS: usize = 64;

/// Gradients that the optimiser would not keep: lent to the layers for a step that is watched.
#[derive(Default)]
pub(super) struct GradientRoom {
    buffers: Vec<AlignedBuffer>,
}

impl Watch<'_> {
    pub(super) fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every.max(1))
    }

    /// Tells the histograms of a step that was just taken.
    pub(super) fn tell(&mut self, step: u64, mlp: &Mlp, states: &[LayerState]) {
        let mut histograms = Vec::new();
        for ((name, layer), state) in mlp.weight_names().iter().zip(&mlp.layers).zip(states) {
            let module = name.trim_end_matches(".weight");
            let mut add = |kind: &str, weight: &[f32], bias: &[f32]| {
                let of_weight = histogram(&|take| each_weight(layer, weight, take));
                let of_bias = histogram(&|take| take(&bias[..layer.outputs]));
                for (tensor, found) in [("weight", of_weight), ("bias", of_bias)] {
                    let name = format!("{kind}/{module}.{tensor}");
                    histograms.extend(found.map(|found| TensorHistogram { name, ..found }));
                }
            };
            if self.gradients {
                add("gradients", &state.weight.gradient, &state.bias.gradient);
            }
            if self.parameters {
                add("parameters", &layer.weight, &layer.bias);
            }
        }
        (self.told)(step, histograms);
    }
}

impl GradientRoom {
    /// Gives room to the layers that keep no gradients.
    pub(super) fn lend(&mut self, states: &mut [LayerState], layers: &[Layer]) {
        if self.buffers.is_empty() && states.iter().all(|state| state.weight.gradient.is_empty()) {
            let room = |layer: &Layer| AlignedBuffer::zeros(layer.weight.len());
            self.buffers = layers.iter().map(room).collect();
        }
        self.exchange(states);
    }

    /// Takes it back.
    pub(super) fn take_back(&mut self, states: &mut [LayerState]) {
        self.exchange(states);
    }

    fn exchange(&mut self, states: &mut [LayerState]) {
        for (state, buffer) in states.iter_mut().zip(&mut self.buffers) {
            std::mem::swap(&mut state.weight.gradient, buffer);
        }
    }
}

/// Panels without their padding.
fn each_weight(layer: &Layer, panels: &[f32], take: &mut dyn FnMut(&[f32])) {
    let of_whole_panels = layer.outputs / LANES * layer.inputs * LANES;
    let (whole, last) = panels.split_at(of_whole_panels);
    take(whole);
    let columns = layer.outputs % LANES;
    if columns > 0 {
        for row in last.chunks_exact(LANES) {
            take(&row[..columns]);
        }
    }
}

/// Calls its argument with the values, in pieces.
type Pieces<'a> = dyn Fn(&mut dyn FnMut(&[f32])) + 'a;

/// Without a name; none if no value is finite. A tensor of one value gets bins around it, as `torch.histc` makes them.
fn histogram(pieces: &Pieces) -> Option<TensorHistogram> {
    let mut lanes = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    pieces(&mut |values| {
        let (chunks, rest) = values.as_chunks::<LANES>();
        for values in chunks {
            widen(&mut lanes, values);
        }
        widen(&mut lanes, rest);
    });
    let least = lanes.0.into_iter().fold(f32::INFINITY, f32::min);
    let greatest = lanes.1.into_iter().fold(f32::NEG_INFINITY, f32::max);
    if least > greatest {
        return None;
    }
    let (least, greatest) = if least < greatest {
        (least, greatest)
    } else {
        (least - 1.0, greatest + 1.0)
    };
    let scale = BINS as f32 / (greatest - least);
    // Most values fall into few bins: four counters of each do not wait for one another.
    let mut counts = [[0; BINS + 1]; 4];
    pieces(&mut |values| {
        for (index, &value) in values.iter().enumerate() {
            let bin = ((value - least) * scale) as usize;
            let bin = if value.is_finite() {
                bin.min(BINS - 1)
            } else {
                BINS
            };
            counts[index % 4][bin] += 1;
        }
    });
    let of_bin = |bin: usize| counts.iter().map(|counts| counts[bin]).sum();
    Some(TensorHistogram {
        name: String::new(),
        counts: (0..BINS).map(of_bin).collect(),
        least,
        greatest,
    })
}

/// Lane by lane; what is not finite changes nothing.
fn widen((least, greatest): &mut ([f32; LANES], [f32; LANES]), values: &[f32]) {
    for ((least, greatest), &value) in least.iter_mut().zip(greatest).zip(values) {
        let (low, high) = if value.is_finite() {
            (value, value)
        } else {
            (f32::INFINITY, f32::NEG_INFINITY)
        };
        *least = if low < *least { low } else { *least };
        *greatest = if high > *greatest { high } else { *greatest };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f32]) -> Option<TensorHistogram> {
        histogram(&|take| take(values))
    }

    #[test]
    fn values_fall_into_equal_bins() {
        let values: Vec<f32> = (0..=64).map(|i| i as f32).collect();
        let found = of(&values).expect("there are values");
        assert_eq!((found.least, found.greatest), (0.0, 64.0));
        assert_eq!(found.counts[..63], [1; 63]);
        assert_eq!(found.counts[63], 2);
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let found = of(&[f32::NAN, 3.0, f32::INFINITY]).expect("there is a value");
        assert_eq!((found.least, found.greatest), (2.0, 4.0));
        assert_eq!(found.counts.iter().sum::<u32>(), 1);
        assert_eq!(of(&[f32::NAN]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn padding_is_no_weight() {
        let mut layer = Layer::zeros(3, 18, false);
        layer.set(&[1.0; 54], &[0.0; 18]);
        let mut count = 0;
        each_weight(&layer, &layer.weight, &mut |values| {
            assert!(values.iter().all(|&value| value == 1.0));
            count += values.len();
        });
        assert_eq!(count, 54);
    }
}
