//! Synthetic data sets: augmented copies of drawn images, made, kept in files, and added to training.
//!
//! ```text
//! Dataset ──synthesize──▶ Synthetic ──tensors──▶ synthetic_emnist.pt ──read_artifact──▶ Artifact
//!                                                 Splits + Artifact ──Splits::add──▶ training set
//! ```
//!
//! * [`synthesize`] draws images of each class and makes the copies, on any number of threads the same.
//! * [`read_artifact`] takes its files, and those that torch wrote.
//! * [`Splits::add`](crate::Splits::add) keeps copies of validation images out of the training set.

mod artifact;
mod join;
mod make;

pub use artifact::{Artifact, ArtifactError, PixelKind, read_artifact};
pub use join::{Added, fingerprint_of};
pub use make::{SynthError, SynthRequest, Synthetic, synthesize};
