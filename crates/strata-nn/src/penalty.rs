//! Penalties on the size of parameters: `l1·Σ|p| + ½·l2·Σp²`.

/// Penalties added to the objective, by layer.
///
/// A list shorter than the network means 0 for the layers after it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PenaltyConfig {
    /// Coefficient of the sum of absolute values, for each affine layer.
    pub l1: Vec<f64>,
    /// Coefficient of half the sum of squares, for each affine layer.
    pub l2: Vec<f64>,
    /// Whether biases are penalised, or only weights.
    pub biases: bool,
}

/// The penalties of one array of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Penalty {
    pub(crate) l1: f32,
    pub(crate) l2: f32,
}

impl PenaltyConfig {
    /// No penalty.
    pub fn is_none(&self) -> bool {
        self.l1.iter().chain(&self.l2).all(|&c| c == 0.0)
    }

    pub(crate) fn of_weights(&self, layer: usize) -> Penalty {
        let at = |list: &[f64]| list.get(layer).copied().unwrap_or(0.0) as f32;
        Penalty {
            l1: at(&self.l1),
            l2: at(&self.l2),
        }
    }

    pub(crate) fn of_biases(&self, layer: usize) -> Penalty {
        if self.biases {
            self.of_weights(layer)
        } else {
            Penalty::default()
        }
    }
}
