//! Glyphs: a handwriting data set made from nothing but a seed.
//!
//! Pictures of the 47 classes of EMNIST Balanced, as many and as large, drawn from our own
//! descriptions of how characters are written. The way of a picture:
//!
//! 1. [`alphabet`]: a class has several allographs, each a few strokes of control points.
//! 2. [`hand`]: a writer is drawn, tidy or hasty, with a slant, a pen and habits.
//! 3. [`pen`]: the hand draws the strokes, on a page bent by an [`elastic`] field.
//! 4. [`emnist_pipeline`]: centred, drawn finely by [`raster`], blurred, resampled to 28×28.
//!
//! [`generate()`] makes the whole set; [`cached`] makes it once and reads it from then on. Every
//! picture has a [`random`] stream of its own, so the set is the same for any number of threads, and
//! no function of the platform's mathematics library is used, so it is the same on every machine.

mod alphabet;
mod cache;
mod elastic;
mod emnist_pipeline;
mod generate;
mod hand;
mod pen;
mod random;
mod raster;

pub use alphabet::CLASSES;
pub use cache::{CacheError, Cached, Source, cached};
pub use generate::{Glyphs, GlyphsConfig, Images, VERSION, generate};
