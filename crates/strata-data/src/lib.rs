//! Data sets, splits and batches.
//!
//! ```text
//! DataRequest ──load──▶ Splits { train, validation, test: Subset } ──gather──▶ rows of f32
//! ```
//!
//! * [`load`] finds EMNIST on disk ([`emnist`]'s IDX files, then the course's [`course`] npz files), or
//!   downloads the official archive ([`fetch`]); [`load_glyphs`] draws the procedural [`glyphs`].
//! * [`Dataset`] holds images as one array of u8, [`Subset`] is a list of indices into it, and
//!   [`Subset::pixels`] are the bytes of an image, a [`Normalizer`] says what numbers they become.
//! * [`describe`] counts and checks, [`contact_sheet`] picks images to look at, [`read_picture`] takes in
//!   a PNG of the user's.
//! * [`transforms`] are random changes with torchvision's meaning, [`synthetic`] sets of changed copies.
//!
//! Images are upright here, whatever the files do. Bad files are errors with the path, never panics.

mod class_names;
mod contact_sheet;
mod course;
mod dataset;
mod description;
mod emnist;
mod error;
mod fetch;
pub mod glyphs;
mod idx;
mod load;
mod picture;
mod random;
mod shared;
mod split;
pub mod synthetic;
mod torch_random;
pub mod transforms;

pub use class_names::{BALANCED_CLASSES, class_names};
pub use contact_sheet::contact_sheet;
pub use dataset::{Dataset, Normalizer, PIXELS, SIDE, Splits, Subset};
pub use description::{Description, SubsetDescription, describe};
pub use error::DataError;
pub use fetch::{EMNIST_MD5, EMNIST_URL, fetch};
pub use load::{DataRequest, Events, load, load_glyphs};
pub use picture::{PictureError, read_picture};
