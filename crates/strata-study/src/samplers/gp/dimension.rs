//! Parameters as the process sees them.

use std::sync::Arc;

use crate::Distribution;
use crate::samplers::unit_cube::Axis;

/// A parameter as a dimension of the process: a number from 0 to 1, or the index of a choice.
#[derive(Debug, Clone)]
pub(super) struct Dimension {
    pub(super) name: String,
    axis: Axis,
    pub(super) kind: Kind,
}

/// Which values there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// All.
    Continuous,
    /// `low + i · step` for `i` in `0..count`.
    Grid { low: f64, step: f64, count: u64 },
    /// So many choices.
    Categorical { count: u64 },
}

impl Dimension {
    pub(super) fn new(name: &str, distribution: &Arc<Distribution>) -> Self {
        let count = distribution.count().unwrap_or(1);
        let kind = match distribution.as_ref() {
            Distribution::Float { step: None, .. } => Kind::Continuous,
            Distribution::Float {
                low,
                step: Some(step),
                ..
            } => Kind::Grid {
                low: *low,
                step: *step,
                count,
            },
            Distribution::Int { low, step, .. } => Kind::Grid {
                low: *low as f64,
                step: *step as f64,
                count,
            },
            Distribution::Categorical { .. } => Kind::Categorical { count },
        };
        Self {
            name: name.to_owned(),
            axis: Axis::new(distribution),
            kind,
        }
    }

    pub(super) fn is_categorical(&self) -> bool {
        matches!(self.kind, Kind::Categorical { .. })
    }

    /// The coordinate of an internal number, whatever the number.
    pub(super) fn coordinate(&self, internal: f64) -> f64 {
        match self.kind {
            Kind::Categorical { .. } => self.axis.internal(self.axis.unit(internal)),
            _ => self.axis.unit(internal),
        }
    }

    /// The internal number of a coordinate, within the distribution whatever the coordinate.
    pub(super) fn internal(&self, coordinate: f64) -> f64 {
        match self.kind {
            Kind::Categorical { .. } => self.axis.internal(self.axis.unit(coordinate)),
            _ => self.axis.internal(coordinate),
        }
    }

    /// The coordinate of the value that a number from 0 to 1 falls to.
    pub(super) fn of_uniform(&self, uniform: f64) -> f64 {
        let internal = self.axis.internal(uniform);
        match self.kind {
            Kind::Continuous => uniform,
            Kind::Grid { .. } => self.axis.unit(internal),
            Kind::Categorical { .. } => internal,
        }
    }

    /// The coordinate of the value of an index; for grids and choices.
    pub(super) fn at_index(&self, index: u64) -> f64 {
        match self.kind {
            Kind::Grid { low, step, .. } => self.axis.unit(low + index as f64 * step),
            _ => index as f64,
        }
    }

    /// The index of a coordinate's value; for grids and choices.
    pub(super) fn index_of(&self, coordinate: f64) -> u64 {
        match self.kind {
            Kind::Grid { low, step, count } => {
                let index = (self.axis.internal(coordinate) - low) / step;
                (index.round() as u64).min(count - 1)
            }
            _ => coordinate as u64,
        }
    }
}
