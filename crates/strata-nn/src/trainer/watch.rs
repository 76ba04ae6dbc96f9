//! Histograms of gradients and parameters while a network is trained, as `wandb.watch` makes them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::kernels::aligned::{AlignedBuffer, LANES};
use crate::kernels::pool::ThreadPool;
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
    pub(super) fn tell(
        &mut self,
        step: u64,
        pool: &mut ThreadPool,
        mlp: &Mlp,
        states: &[LayerState],
    ) {
        let mut tensors = Vec::new();
        for ((name, layer), state) in mlp.weight_names().iter().zip(&mlp.layers).zip(states) {
            let module = name.trim_end_matches(".weight");
            let mut add = |kind: &str, weight, bias| {
                let of = |tensor: &str| format!("{kind}/{module}.{tensor}");
                tensors.push(Tensor::of_weight(of("weight"), layer, weight));
                tensors.push(Tensor::of_bias(of("bias"), layer, bias));
            };
            if self.gradients {
                add("gradients", &state.weight.gradient, &state.bias.gradient);
            }
            if self.parameters {
                add("parameters", &layer.weight, &layer.bias);
            }
        }
        (self.told)(step, histograms(pool, &tensors));
    }
}

/// The values of a tensor, without the padding of its panels.
struct Tensor<'a> {
    name: String,
    pieces: Vec<Piece<'a>>,
}

/// Lines of 16 numbers, of which the first `columns` count.
#[derive(Clone, Copy)]
struct Piece<'a> {
    lines: &'a [f32],
    columns: usize,
}

/// Numbers that a thread looks at without stopping.
const NUMBERS_OF_A_PIECE: usize = 1 << 14;

impl<'a> Tensor<'a> {
    fn of_weight(name: String, layer: &Layer, panels: &'a [f32]) -> Self {
        let of_whole_panels = layer.outputs / LANES * layer.inputs * LANES;
        let (whole, last) = panels.split_at(of_whole_panels);
        let mut pieces = pieces_of(whole, LANES);
        pieces.extend(pieces_of(last, layer.outputs % LANES));
        Self { name, pieces }
    }

    fn of_bias(name: String, layer: &Layer, bias: &'a [f32]) -> Self {
        let (whole, last) = bias.split_at(layer.outputs / LANES * LANES);
        let mut pieces = pieces_of(whole, LANES);
        pieces.extend(pieces_of(last, layer.outputs % LANES));
        Self { name, pieces }
    }
}

fn pieces_of(lines: &[f32], columns: usize) -> Vec<Piece<'_>> {
    let pieces = lines.chunks(NUMBERS_OF_A_PIECE);
    pieces.map(|lines| Piece { lines, columns }).collect()
}

/// Those of all tensors that have a finite value. Which thread looks at a piece decides nothing.
fn histograms(pool: &mut ThreadPool, tensors: &[Tensor]) -> Vec<TensorHistogram> {
    let pieces: Vec<(usize, Piece)> = tensors
        .iter()
        .enumerate()
        .flat_map(|(index, tensor)| tensor.pieces.iter().map(move |piece| (index, *piece)))
        .collect();
    let ranges: Vec<Mutex<Range>> = tensors.iter().map(|_| Mutex::default()).collect();
    pool.run(&[pieces.len()], &|claim| {
        let (tensor, piece) = pieces[claim.chunk];
        let range = piece.range();
        lock(&ranges[tensor]).widen(range);
    });
    let ranges: Vec<Range> = ranges.iter().map(|range| lock(range).for_bins()).collect();
    let counts: Vec<Mutex<[u32; BINS]>> = tensors.iter().map(|_| Mutex::new([0; BINS])).collect();
    pool.run(&[pieces.len()], &|claim| {
        let (tensor, piece) = pieces[claim.chunk];
        let found = piece.counts(ranges[tensor]);
        for (count, found) in lock(&counts[tensor]).iter_mut().zip(found) {
            *count += found;
        }
    });
    let tensors = tensors.iter().zip(&ranges).zip(&counts);
    tensors
        .filter(|((_, range), _)| range.least <= range.greatest)
        .map(|((tensor, range), counts)| TensorHistogram {
            name: tensor.name.clone(),
            counts: lock(counts).to_vec(),
            least: range.least,
            greatest: range.greatest,
        })
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From the least to the greatest finite value; empty without any.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    least: f32,
    greatest: f32,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            least: f32::INFINITY,
            greatest: f32::NEG_INFINITY,
        }
    }
}

impl Range {
    fn widen(&mut self, other: Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }

    /// A tensor of one value gets bins around it, as `torch.histc` makes them.
    fn for_bins(self) -> Self {
        if self.least == self.greatest {
            Self {
                least: self.least - 1.0,
                greatest: self.greatest + 1.0,
            }
        } else {
            self
        }
    }
}

impl Piece<'_> {
    fn range(&self) -> Range {
        let (mut least, mut greatest) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        for line in self.lines.as_chunks::<LANES>().0 {
            for index in 0..LANES {
                let value = line[index];
                let (low, high) = if value.is_finite() && index < self.columns {
                    (value, value)
                } else {
                    (f32::INFINITY, f32::NEG_INFINITY)
                };
                least[index] = if low < least[index] {
                    low
                } else {
                    least[index]
                };
                greatest[index] = if high > greatest[index] {
                    high
                } else {
                    greatest[index]
                };
            }
        }
        Range {
            least: least.into_iter().fold(f32::INFINITY, f32::min),
            greatest: greatest.into_iter().fold(f32::NEG_INFINITY, f32::max),
        }
    }

    fn counts(&self, range: Range) -> [u32; BINS] {
        let scale = BINS as f32 / (range.greatest - range.least);
        // Most values fall into few bins: four counters of each do not wait for one another. The last is for what is
        // not finite.
        let mut counts = [[0; BINS + 1]; 4];
        for line in self.lines.as_chunks::<LANES>().0 {
            let mut bins = [BINS; LANES];
            for index in 0..LANES {
                let value = line[index];
                let bin = (((value - range.least) * scale) as i32).min(BINS as i32 - 1);
                let counts = value.is_finite() && index < self.columns;
                bins[index] = if counts { bin as usize } else { BINS };
            }
            for (index, bin) in bins.into_iter().enumerate() {
                counts[index % 4][bin] += 1;
            }
        }
        std::array::from_fn(|bin| counts.iter().map(|counts| counts[bin]).sum())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Of one row of values, in panels with other numbers behind them.
    fn of(values: &[f32]) -> Option<TensorHistogram> {
        let layer = Layer::zeros(1, values.len(), false);
        let mut padded = values.to_vec();
        padded.resize(values.len().next_multiple_of(LANES), 1e9);
        let tensor = Tensor::of_bias("a".to_owned(), &layer, &padded);
        let mut pool = ThreadPool::new(2);
        histograms(&mut pool, &[tensor]).pop()
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
    fn every_weight_is_counted_and_padding_is_none() {
        let mut layer = Layer::zeros(700, 50, false);
        let weights: Vec<f32> = (0..35_000).map(|i| (i % 64) as f32).collect();
        layer.set(&weights, &[0.0; 50]);
        let tensor = Tensor::of_weight("a".to_owned(), &layer, &layer.weight);
        let mut pool = ThreadPool::new(3);
        let found = histograms(&mut pool, &[tensor])
            .pop()
            .expect("there are values");
        assert_eq!((found.least, found.greatest), (0.0, 63.0));
        assert_eq!(found.counts.iter().sum::<u32>(), 35_000);
    }
}
