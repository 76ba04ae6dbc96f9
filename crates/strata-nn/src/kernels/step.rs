//! A step in progress: what its chunks read and write, and who does what.
//!
//! [`Step::run`] works through the phases of a [`super::plan::Plan`]. Chunks of a phase write disjoint places; the
//! `SAFETY` notes of [`super::forward`], [`super::backward`] and [`super::update`] say which. Within a
//! phase nothing is read that another of its chunks writes: a phase holds one kind of work on one layer,
//! gradients of layers whose derivatives are complete, and the gathering of a batch that is not computed yet.

use std::ops::Range;

use super::aligned::{AlignedBuffer, LANES};
use super::gather::{Batch, Inputs};
use super::instruction_set::{InstructionSet, vectorised};
use super::plan::{Part, Phase, Work};
use super::pool::ThreadPool;
use super::product::Rows;
use super::shared::SharedSlice;
use super::workspace::{LayerWorkspace, Workspace};
use crate::activation::Activation;
use crate::dropout::{Mask, Masks};
use crate::layer::Layer;
use crate::loss::{Criterion, RowOutcome};
use crate::norm::Norm;
use crate::optimizer::Update;
use crate::penalty::{Penalty, PenaltyConfig};

/// The gradient of one array of parameters, and the arrays of the optimiser.
#[derive(Clone)]
pub(crate) struct ParameterState {
    /// Empty for weights whose update does not wait for other gradients.
    pub(crate) gradient: AlignedBuffer,
    /// As many as the optimiser has; the others are empty.
    pub(crate) states: [AlignedBuffer; 3],
}

/// The states of a layer's parameters, in the layouts of [`Layer`].
#[derive(Clone)]
pub(crate) struct LayerState {
    pub(crate) weight: ParameterState,
    pub(crate) bias: ParameterState,
    /// Of a normalisation; else empty.
    pub(crate) gamma: ParameterState,
    /// Of a normalisation; else empty.
    pub(crate) beta: ParameterState,
}

impl LayerState {
    /// States for an optimiser with `states` arrays, the first of which begins as `initial`; `clipped` if
    /// the weights' gradients are kept until all are known.
    pub(crate) fn new(layer: &Layer, states: usize, initial: f32, clipped: bool) -> Self {
        let arrays = |len: usize| {
            let mut arrays = [0, 1, 2].map(|index| {
                let len = if index < states { len } else { 0 };
                AlignedBuffer::zeros(len)
            });
            arrays[0].fill(initial);
            arrays
        };
        let state = |len: usize, gradient: usize| ParameterState {
            gradient: AlignedBuffer::zeros(gradient),
            states: arrays(len),
        };
        let (weights, outputs) = (layer.weight.len(), layer.bias.len());
        let normed = if layer.norm.is_some() { outputs } else { 0 };
        Self {
            weight: state(weights, if clipped { weights } else { 0 }),
            bias: state(outputs, outputs),
            gamma: state(normed, normed),
            beta: state(normed, normed),
        }
    }
}

/// Sums over the gradients of one chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sums {
    /// Squares of the weights' gradients.
    pub(crate) weight_squares: f64,
    /// Sizes of the weights' gradients.
    pub(crate) weight_sizes: f64,
    /// Squares of the gradients of biases and normalisation.
    pub(crate) other_squares: f64,
    /// The penalty of the parameters.
    pub(crate) penalty: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, other: &Self) {
        self.weight_squares += other.weight_squares;
        self.weight_sizes += other.weight_sizes;
        self.other_squares += other.other_squares;
        self.penalty += other.penalty;
    }
}

/// One array of parameters, as the chunks see it.
pub(super) struct ParameterView<'a> {
    pub(super) value: SharedSlice<'a, f32>,
    pub(super) gradient: SharedSlice<'a, f32>,
    pub(super) states: [SharedSlice<'a, f32>; 3],
}

impl<'a> ParameterView<'a> {
    fn new(value: &'a mut [f32], state: &'a mut ParameterState) -> Self {
        Self {
            value: SharedSlice::new(value),
            gradient: SharedSlice::new(&mut state.gradient),
            states: state.states.each_mut().map(|array| SharedSlice::new(array)),
        }
    }
}

/// One layer, as the chunks see it: see [`Layer`] and [`super::workspace::LayerWorkspace`].
pub(super) struct LayerView<'a> {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) weight: ParameterView<'a>,
    pub(super) bias: ParameterView<'a>,
    pub(super) transposed: SharedSlice<'a, f32>,
    pub(super) norm: Option<NormView<'a>>,
    pub(super) stride: usize,
    pub(super) y: SharedSlice<'a, f32>,
    pub(super) y_panels: SharedSlice<'a, f32>,
    pub(super) slope_panels: SharedSlice<'a, f32>,
    pub(super) dz: SharedSlice<'a, f32>,
    pub(super) dz_panels: SharedSlice<'a, f32>,
    pub(super) mask: Option<Mask>,
}

/// A layer's normalisation.
pub(super) struct NormView<'a> {
    pub(super) kind: Norm,
    pub(super) gamma: ParameterView<'a>,
    pub(super) beta: ParameterView<'a>,
    pub(super) running_mean: SharedSlice<'a, f32>,
    pub(super) running_var: SharedSlice<'a, f32>,
    pub(super) normalized: SharedSlice<'a, f32>,
    pub(super) dn: SharedSlice<'a, f32>,
    pub(super) inverse_std: SharedSlice<'a, f32>,
}

/// What a step is to do.
#[derive(Clone, Copy)]
pub(crate) struct StepConfig<'a> {
    pub(crate) set: InstructionSet,
    pub(crate) activation: Activation,
    /// In evaluation, what units are multiplied by before the activation.
    pub(crate) evaluation_scale: f32,
    pub(crate) training: bool,
    pub(crate) criterion: Criterion<'a>,
    /// What the loss of each sample is divided by.
    pub(crate) batch_weight: f64,
    pub(crate) penalty: &'a PenaltyConfig,
}

/// A step whose phases are to be run.
pub(crate) struct Step<'a> {
    pub(super) config: StepConfig<'a>,
    pub(super) layers: Vec<LayerView<'a>>,
    pub(super) rows: usize,
    /// Distance between two panels of derivatives, in rows.
    pub(super) panel_rows: usize,
    inputs: Inputs<'a>,
    pub(super) labels: &'a [u32],
    pub(super) outcomes: SharedSlice<'a, RowOutcome>,
    pub(super) sums: SharedSlice<'a, Sums>,
    /// The update of weights and that of biases and normalisation, as soon as it may be made.
    pub(crate) updates: Option<[Update; 2]>,
}

/// What a step needs of a network and its workspace.
pub(crate) struct StepParts<'a> {
    pub(crate) layers: &'a mut [Layer],
    pub(crate) states: &'a mut [LayerState],
    pub(crate) workspace: &'a mut Workspace,
    pub(crate) sums: &'a mut [Sums],
    pub(crate) masks: &'a Masks,
    pub(crate) batch: Batch<'a>,
    pub(crate) next: Option<Batch<'a>>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(config: StepConfig<'a>, parts: StepParts<'a>) -> Self {
        let StepParts {
            layers,
            states,
            workspace,
            sums,
            masks,
            batch,
            next,
        } = parts;
        let views = layers.iter_mut().zip(states).zip(&mut workspace.layers);
        let views = views.enumerate().map(|(index, ((layer, state), buffers))| {
            let mask = masks.hidden.get(index).copied().flatten();
            LayerView::new(layer, state, buffers, mask)
        });
        Self {
            config,
            layers: views.collect(),
            rows: batch.indices.len(),
            panel_rows: workspace.rows,
            inputs: workspace.inputs.inputs(batch, next),
            labels: &workspace.labels,
            outcomes: SharedSlice::new(&mut workspace.outcomes),
            sums: SharedSlice::new(sums),
            updates: None,
        }
    }

    /// Runs phases one after the other.
    pub(crate) fn run(&self, pool: &mut ThreadPool, phases: &[Phase]) {
        for phase in phases {
            self.run_phase(pool, phase);
        }
    }

    /// Runs the parts of one phase side by side.
    pub(crate) fn run_phase(&self, pool: &mut ThreadPool, phase: &Phase) {
        pool.run(phase.chunks(), &|claim| {
            self.chunk(claim.thread, &phase.parts()[claim.part], claim.chunk);
        });
    }

    /// Sum of the losses and number of hits, once the forward phases are run.
    pub(crate) fn training_outcome(&self) -> (f64, usize) {
        // SAFETY: no phase is running: phases are run through `&self` by one thread at a time, which
        // returns from a phase when all of its chunks are done.
        let outcomes = unsafe { self.outcomes.read(0..self.rows) };
        let losses = outcomes.iter().map(|outcome| f64::from(outcome.loss));
        let labelled = outcomes.iter().zip(self.labels);
        let hits = labelled.filter(|(outcome, label)| outcome.predicted == **label);
        (losses.sum(), hits.count())
    }

    /// Sums over all gradients, once the backward phases are run.
    pub(crate) fn gradient_sums(&self, len: usize) -> Sums {
        let mut total = Sums::default();
        // SAFETY: as above.
        let sums = unsafe { self.sums.read(0..len) };
        for sums in sums {
            total.add(sums);
        }
        total
    }

    /// One chunk, compiled for each instruction set as a whole: what runs between the products of tiles
    /// takes as many elements at a time as they do.
    fn chunk(&self, thread: usize, part: &Part, chunk: usize) {
        let step = self;
        vectorised!(
            self.config.set,
            chunk_body(step: &Step, thread: usize, part: &Part, chunk: usize)
        );
    }

    #[inline(always)]
    fn work_on(&self, thread: usize, part: &Part, chunk: usize) {
        let (rows, panels) = part.cut.chunk(chunk);
        match part.work {
            Work::Gather => self.inputs.gather_next(chunk),
            Work::Forward(layer) => self.forward(thread, layer, rows, panels),
            Work::NormForward(layer) => self.norm_forward(layer, rows, panels),
            Work::Tail(first) => self.tail(thread, first, rows),
            Work::InputGradient(layer) => self.input_gradient(layer, rows, panels),
            Work::NormBackward(layer) => self.norm_backward(layer, rows, panels),
            Work::WeightGradient(layer) => {
                let sums = self.weight_gradient(thread, layer, rows, panels);
                let place = part.first_sums + chunk;
                // SAFETY: each chunk has a place of its own.
                unsafe { self.sums.range(place..place + 1)[0] = sums };
            }
            Work::Update(layer) => self.update(layer, rows, panels),
        }
    }

    pub(super) fn penalty_of_weights(&self, layer: usize) -> Penalty {
        self.config.penalty.of_weights(layer)
    }

    pub(super) fn penalty_of_biases(&self, layer: usize) -> Penalty {
        self.config.penalty.of_biases(layer)
    }

    /// The layer's inputs for some rows: the outputs of the layer before, or the samples.
    ///
    /// # Safety
    /// No chunk of the phase writes these rows, but the one that asks before it asks. `thread` is the number of
    /// the thread that asks.
    pub(super) unsafe fn inputs_of(
        &self,
        thread: usize,
        layer: usize,
        rows: Range<usize>,
    ) -> Rows<'_> {
        let (data, stride) = match layer.checked_sub(1) {
            // SAFETY: the caller's promise.
            None => unsafe { self.inputs.rows_from(thread, rows.start) },
            Some(before) => {
                let before = &self.layers[before];
                let range = rows.start * before.stride..rows.end * before.stride;
                // SAFETY: the caller's promise.
                (unsafe { before.y.read(range) }, before.stride)
            }
        };
        Rows { data, stride }
    }

    /// Some elements of the panels of the layer's inputs.
    ///
    /// # Safety
    /// No chunk of the phase writes them. `thread` is the number of the thread that asks.
    pub(super) unsafe fn input_panel_of(
        &self,
        thread: usize,
        layer: usize,
        range: Range<usize>,
    ) -> &[f32] {
        match layer.checked_sub(1) {
            // SAFETY: the caller's promise.
            None => unsafe { self.inputs.of_panels(thread, range) },
            // SAFETY: the caller's promise.
            Some(before) => unsafe { self.layers[before].y_panels.read(range) },
        }
    }
}

#[inline(always)]
fn chunk_body(step: &Step, thread: usize, part: &Part, chunk: usize) {
    step.work_on(thread, part, chunk);
}

impl<'a> LayerView<'a> {
    fn new(
        layer: &'a mut Layer,
        state: &'a mut LayerState,
        buffers: &'a mut LayerWorkspace,
        mask: Option<Mask>,
    ) -> Self {
        let norm = layer.norm.as_mut().map(|norm| NormView {
            kind: norm.kind,
            gamma: ParameterView::new(&mut norm.gamma, &mut state.gamma),
            beta: ParameterView::new(&mut norm.beta, &mut state.beta),
            running_mean: SharedSlice::new(&mut norm.running_mean),
            running_var: SharedSlice::new(&mut norm.running_var),
            normalized: SharedSlice::new(&mut buffers.normalized),
            dn: SharedSlice::new(&mut buffers.dn),
            inverse_std: SharedSlice::new(&mut buffers.inverse_std),
        });
        Self {
            inputs: layer.inputs,
            outputs: layer.outputs,
            weight: ParameterView::new(&mut layer.weight, &mut state.weight),
            bias: ParameterView::new(&mut layer.bias, &mut state.bias),
            transposed: SharedSlice::new(&mut layer.transposed),
            norm,
            stride: buffers.stride,
            y: SharedSlice::new(&mut buffers.y),
            y_panels: SharedSlice::new(&mut buffers.y_panels),
            slope_panels: SharedSlice::new(&mut buffers.slope_panels),
            dz: SharedSlice::new(&mut buffers.dz),
            dz_panels: SharedSlice::new(&mut buffers.dz_panels),
            mask,
        }
    }

    pub(super) fn output_panels(&self) -> usize {
        self.outputs.div_ceil(LANES)
    }

    pub(super) fn input_panels(&self) -> usize {
        self.inputs.div_ceil(LANES)
    }
}
