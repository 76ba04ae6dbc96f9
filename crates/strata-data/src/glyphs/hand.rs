//! The hand: how one writer, on one occasion, departs from the alphabet's ideal forms.
//!
//! Lengths are in units of the alphabet's box, which is 100 wide and high, unless said otherwise.

use crate::random::Random;

/// The habits with which one picture is written.
#[derive(Debug, Clone)]
pub(super) struct Hand {
    /// Shear: how far the top leans to the right for each unit of height.
    pub(super) slant: f32,
    /// Turn of the whole character, radians.
    pub(super) rotation: f32,
    /// Width over height, relative to the ideal form.
    pub(super) aspect: f32,
    /// How much wider the foot is than the head (or narrower, if negative).
    pub(super) foot: f32,
    /// Deviation of every control point.
    pub(super) jitter: f32,
    /// Deviation of the place of every stroke as a whole.
    pub(super) stroke_shift: f32,
    /// Deviation of the logarithm of the size of every stroke.
    pub(super) stroke_scale: f32,
    /// Deviation of the direction of every stroke, radians.
    pub(super) stroke_turn: f32,
    /// Deviation of how far a straight line bends, relative to its length.
    pub(super) bow: f32,
    /// Chance that a corner is rounded off.
    pub(super) rounding: f32,
    /// Deviation of how far a stroke goes on past its end, or stops short of it.
    pub(super) overshoot: f32,
    /// Chance that a stroke begins or ends with a small hook.
    pub(super) hook: f32,
    /// Chance that the pen stays on the paper between two strokes.
    pub(super) drag: f32,
    /// Amplitude of the tremor along a stroke.
    pub(super) tremor: f32,
    /// Deviation of the elastic field that bends the whole character.
    pub(super) elastic: f32,
    /// Width of the ink in pixels of the finished picture.
    pub(super) ink_width: f32,
    /// Deviation of the width between strokes, relative.
    pub(super) pressure: f32,
}

impl Hand {
    /// A hand drawn at random: most are tidy, some are hasty.
    pub(super) fn sample(random: &mut Random) -> Self {
        // One number makes a writer tidy or hasty in everything at once.
        let haste = random.log_normal(0.4);
        Self {
            slant: 0.16 + random.normal(0.24),
            rotation: random.normal(0.09),
            aspect: random.log_normal(0.2),
            foot: random.normal(0.12),
            jitter: 3.2 * haste,
            stroke_shift: 2.4 * haste,
            stroke_scale: 0.08 * haste,
            stroke_turn: 0.07 * haste,
            bow: 0.05 * haste,
            rounding: random.uniform() * random.uniform() * 1.2,
            overshoot: 5.0 * haste,
            hook: 0.05 * haste,
            drag: 0.03 * haste,
            tremor: 1.2 * random.log_normal(0.5),
            elastic: 4.5 * haste,
            ink_width: (2.75 * random.log_normal(0.32)).clamp(1.3, 5.5),
            pressure: 0.07,
        }
    }
}
