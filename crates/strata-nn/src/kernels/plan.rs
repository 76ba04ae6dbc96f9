//! What a step is made of: phases, one after the other, of parts that run side by side in chunks.
//!
//! Layers with few weights at the network's end form its *tail*: a block of rows goes through all of
//! them, through the loss, and back to the layer before, without waiting for anybody. Layers before the
//! tail are cut by rows and panels and take a phase each way. The gradient of a layer's weights needs all
//! rows, and is computed beside the next phase of the backward pass. Everything is decided by shapes
//! alone.

use super::gather::Gathering;
use super::product::Cut;
use crate::layer::Layer;
use crate::norm::Norm;

/// One kind of work on one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// The next batch.
    Gather,
    /// The affine part, and what follows if it needs no more than one row and column.
    Forward(usize),
    /// Normalisation and what follows.
    NormForward(usize),
    /// All layers from this one on, loss, and the derivatives back to the layer before it.
    Tail(usize),
    /// From the derivative by a layer's affine result to that by the result of the layer before.
    InputGradient(usize),
    /// Through a layer's normalisation.
    NormBackward(usize),
    /// A layer's gradients; and its new parameters, where no clipping needs all gradients first.
    WeightGradient(usize),
    /// A layer's new parameters.
    Update(usize),
}

/// A kind of work, cut into chunks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) work: Work,
    pub(crate) cut: Cut,
    /// Number of the first chunk's place for sums.
    pub(crate) first_sums: usize,
}

/// Parts that run side by side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Phase {
    parts: Vec<Part>,
    chunks: Vec<usize>,
}

impl Phase {
    fn new(parts: Vec<Part>) -> Self {
        Self {
            chunks: parts.iter().map(|part| part.cut.chunks()).collect(),
            parts,
        }
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Chunks of each part.
    pub(crate) fn chunks(&self) -> &[usize] {
        &self.chunks
    }
}

/// The phases of a step on so many rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) rows: usize,
    /// Up to the loss.
    pub(crate) forward: Vec<Phase>,
    /// From the loss to the gradients.
    pub(crate) backward: Vec<Phase>,
    /// The optimiser, if it comes after all gradients.
    pub(crate) update: Phase,
    /// Places for sums, by layer.
    pub(crate) sums: Vec<std::ops::Range<usize>>,
}

/// Weights of a tail, in f32: what stays in a core's second cache beside the rows.
const TAIL_WEIGHTS: usize = 64 << 10;

impl Plan {
    /// The phases of a training step; `clipped` if the update must wait for all gradients.
    pub(crate) fn training(
        layers: &[Layer],
        rows: usize,
        clipped: bool,
        gathering: Gathering,
    ) -> Self {
        let mut plan = Self {
            rows,
            ..Self::default()
        };
        let tail = tail_of(layers);
        plan.before_the_tail(layers, tail);
        let to_the_loss = part(Work::Tail(tail), Cut::of_rows(rows));
        plan.forward.push(Phase::new(vec![to_the_loss]));
        let mut gradients: Vec<usize> = (tail..layers.len()).collect();
        for layer in (0..tail).rev() {
            if let Some(norm) = norm_of(&layers[layer]) {
                let cut = norm_cut(norm, rows, layers[layer].output_panels());
                let work = part(Work::NormBackward(layer), cut);
                plan.push_backward(layers, vec![work], &mut gradients);
            }
            if layer > 0 {
                let cut = Cut::by_panels(rows, layers[layer].input_panels());
                let work = part(Work::InputGradient(layer), cut);
                plan.push_backward(layers, vec![work], &mut gradients);
            }
            gradients.push(layer);
        }
        let next = match gathering {
            Gathering::Together => vec![part(Work::Gather, Cut::of_rows(rows))],
            Gathering::Each(_) => vec![],
        };
        plan.push_backward(layers, next, &mut gradients);
        if clipped {
            let parts = layers
                .iter()
                .enumerate()
                .map(|(index, layer)| part(Work::Update(index), weight_cut(layer)));
            plan.update = Phase::new(parts.collect());
        }
        plan
    }

    /// The one phase of an evaluation: statistics are known, so every row goes its own way.
    pub(crate) fn evaluation(rows: usize) -> Self {
        Self {
            rows,
            forward: vec![Phase::new(vec![part(Work::Tail(0), Cut::of_rows(rows))])],
            ..Self::default()
        }
    }

    fn before_the_tail(&mut self, layers: &[Layer], tail: usize) {
        for (index, layer) in layers[..tail].iter().enumerate() {
            let cut = Cut::by_panels(self.rows, layer.output_panels());
            let affine = part(Work::Forward(index), cut);
            self.forward.push(Phase::new(vec![affine]));
            if let Some(norm) = norm_of(layer) {
                let cut = norm_cut(norm, self.rows, layer.output_panels());
                let norm = part(Work::NormForward(index), cut);
                self.forward.push(Phase::new(vec![norm]));
            }
        }
    }

    /// A phase of the backward pass, with the gradients that wait beside it.
    fn push_backward(&mut self, layers: &[Layer], mut phase: Vec<Part>, waiting: &mut Vec<usize>) {
        self.sums.resize(layers.len(), 0..0);
        for layer in waiting.drain(..) {
            let cut = weight_cut(&layers[layer]);
            let first_sums = self.sums.iter().map(|range| range.end).max().unwrap_or(0);
            self.sums[layer] = first_sums..first_sums + cut.chunks();
            phase.push(Part {
                work: Work::WeightGradient(layer),
                cut,
                first_sums,
            });
        }
        self.backward.push(Phase::new(phase));
    }

    /// Places for sums of all layers.
    pub(crate) fn sums_len(&self) -> usize {
        self.sums.iter().map(|range| range.end).max().unwrap_or(0)
    }
}

fn part(work: Work, cut: Cut) -> Part {
    Part {
        work,
        cut,
        first_sums: 0,
    }
}

fn norm_of(layer: &Layer) -> Option<Norm> {
    layer.norm.as_ref().map(|norm| norm.kind)
}

/// Gradient and update of weights, in panels of 16 outputs.
fn weight_cut(layer: &Layer) -> Cut {
    Cut::by_panels(layer.inputs, layer.output_panels())
}

/// Batch normalisation needs whole columns, layer normalisation whole rows.
fn norm_cut(norm: Norm, rows: usize, panels: usize) -> Cut {
    match norm {
        Norm::Batch => Cut::of_panels(panels),
        Norm::Layer => Cut::of_rows(rows),
    }
}

/// The first layer of the tail; at least the last layer is in it.
fn tail_of(layers: &[Layer]) -> usize {
    let (mut tail, mut weights) = (layers.len() - 1, 0);
    while let Some(before) = tail.checked_sub(1) {
        let layer = &layers[before];
        weights += layers[tail].inputs * layers[tail].outputs;
        let all = weights + layer.inputs * layer.outputs;
        if all > TAIL_WEIGHTS || norm_of(layer) == Some(Norm::Batch) {
            break;
        }
        tail = before;
    }
    tail
}
