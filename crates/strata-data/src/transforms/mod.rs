//! Random changes of images, by torchvision's names and with its meaning.
//!
//! ```text
//! Transforms ──check──▶ Augmenter ──augment(seed, epoch, position)──▶ a changed copy
//! ```
//!
//! * [`Transforms`] says which changes there are and how strong, as the configuration has it.
//! * [`Augmenter`] draws the parameters of each image from a random stream of its own and applies them in
//!   the order crop, flip, affine map, elastic warp, noise.
//! * The changes at fixed parameters: [`InverseAffine`], [`Crop`], [`flip_horizontally`],
//!   [`ElasticWarp`], [`GaussianNoise`]. The first three are those of torchvision on PIL images, byte for
//!   byte: `conformance/nn/torchvision_cases.jsonl` holds cases made by running it.
//!
//! Nothing is allocated per image.

mod affine;
mod augmenter;
mod config;
mod crop;
mod elastic;
mod noise;

pub use affine::InverseAffine;
pub use augmenter::Augmenter;
pub use config::{ElasticConfig, InvalidTransform, Transforms, deserialize_elastic};
pub use crop::Crop;
pub use elastic::ElasticWarp;
pub use noise::GaussianNoise;

use crate::dataset::{PIXELS, SIDE};

/// The pixels of an image, row by row.
pub type Pixels = [u8; PIXELS];

/// Mirrors left and right (`torchvision.transforms.functional.hflip`).
pub fn flip_horizontally(pixels: &mut Pixels) {
    for row in pixels.as_chunks_mut::<SIDE>().0 {
        row.reverse();
    }
}
