//! Dropout: torch's form and the coursework's.

use crate::random::Stream;

/// Which units are dropped while training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutConfig {
    /// For hidden units: the probability of dropping one in torch's form (0 for no dropout), the
    /// probability of keeping one in the coursework's (1 for no dropout).
    pub hidden: f32,
    /// For inputs, in the same form; none for no dropout.
    pub input: Option<f32>,
    /// Which of the two.
    pub form: DropoutForm,
    /// Whether one mask is shared by all samples of a batch.
    pub share_mask: bool,
}

/// Where units are dropped and what makes up for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropoutForm {
    /// torch's: after the activation, those kept scaled by `1/(1 - p)` (Srivastava et al. 2014, inverted).
    Inverted,
    /// The coursework's: before the activation, nothing scaled; in evaluation all are scaled by the
    /// probability of being kept.
    Course,
}

impl DropoutConfig {
    /// No dropout.
    pub const NONE: Self = Self {
        hidden: 0.0,
        input: None,
        form: DropoutForm::Inverted,
        share_mask: false,
    };

    /// torch's `Dropout(p)` after each hidden layer.
    pub fn inverted(p: f32) -> Self {
        Self {
            hidden: p,
            ..Self::NONE
        }
    }

    /// Probability of keeping a hidden unit, in 0..=1.
    pub fn kept(&self) -> f32 {
        self.kept_of(self.hidden)
    }

    /// Probability of keeping an input, in 0..=1.
    pub fn input_kept(&self) -> f32 {
        self.input.map_or(1.0, |p| self.kept_of(p))
    }

    /// What hidden units are multiplied by before the activation in evaluation.
    pub(crate) fn evaluation_scale(&self) -> f32 {
        match self.form {
            DropoutForm::Inverted => 1.0,
            DropoutForm::Course => self.kept(),
        }
    }

    /// The same for inputs.
    pub(crate) fn input_evaluation_scale(&self) -> f32 {
        match self.form {
            DropoutForm::Inverted => 1.0,
            DropoutForm::Course => self.input_kept(),
        }
    }

    /// Whether both probabilities make sense.
    pub(crate) fn is_valid(&self) -> bool {
        let valid = |p: f32| match self.form {
            DropoutForm::Inverted => (0.0..1.0).contains(&p),
            DropoutForm::Course => p > 0.0 && p <= 1.0,
        };
        valid(self.hidden) && self.input.is_none_or(valid)
    }

    fn kept_of(&self, p: f32) -> f32 {
        match self.form {
            DropoutForm::Inverted => 1.0 - p,
            DropoutForm::Course => p,
        }
    }

    /// The masks of one step; the inputs' first, then those of the hidden layers.
    pub(crate) fn masks(&self, seed: u64, epoch: usize, batch: usize, layers: usize) -> Masks {
        let mut words = Stream::new(seed, "dropout").at(epoch, batch);
        let mut mask = |kept: f32| {
            let key = [words.next_u32(), words.next_u32()];
            (kept < 1.0).then(|| Mask {
                key,
                threshold: ((1.0 - f64::from(kept)) * 4_294_967_296.0) as u32,
                scale: match self.form {
                    DropoutForm::Inverted => 1.0 / kept,
                    DropoutForm::Course => 1.0,
                },
                shared: self.share_mask,
                before_activation: self.form == DropoutForm::Course,
            })
        };
        // Hidden layers come first in the stream: a network without input dropout draws the same masks.
        let hidden = (0..layers).map(|_| mask(self.kept())).collect();
        Masks {
            hidden,
            input: mask(self.input_kept()),
        }
    }
}

/// The masks of one step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masks {
    pub(crate) hidden: Vec<Option<Mask>>,
    pub(crate) input: Option<Mask>,
}

/// Which units of one layer are dropped in one step: a hash of the step's random words and of the unit's
/// place, so that nothing is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask {
    /// Random words of the step.
    key: [u32; 2],
    /// A unit stays if its random word is at least this.
    threshold: u32,
    /// What those that stay are multiplied by.
    scale: f32,
    /// Whether all rows have the same mask.
    shared: bool,
    /// Whether units are dropped before the activation.
    pub(crate) before_activation: bool,
}

impl Mask {
    /// The number of the first place of a row that begins at `first` and is `row` rows further.
    #[inline(always)]
    pub(crate) fn place(&self, (row, column): (usize, usize), stride: usize) -> u32 {
        let row = if self.shared { 0 } else { row };
        (row * stride + column) as u32
    }

    /// Whether all rows have the same mask.
    #[inline(always)]
    pub(crate) fn shared(&self) -> bool {
        self.shared
    }

    /// What the unit at a place is multiplied by.
    #[inline(always)]
    pub(crate) fn factor(&self, place: u32) -> f32 {
        if random_word(place, self.key) >= self.threshold {
            self.scale
        } else {
            0.0
        }
    }
}

/// A random word for each place: two rounds of multiply and shift (Wellons' `lowbias32`), the step's
/// random words mixed in before each. Philox would cost a tenth of a step here.
#[inline(always)]
fn random_word(place: u32, key: [u32; 2]) -> u32 {
    let x = place.wrapping_mul(0x9e37_79b1) ^ key[0];
    let x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
    let x = (x ^ x >> 15).wrapping_add(key[1]);
    let x = x.wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}
