//! What the plots of a project are to show; how they are drawn is no matter of this crate.
//!
//! 1. [`definition`]: the plots that stages and `dvc.yaml` files define, and those that the user names.
//! 2. [`data`]: the files of a plot at one revision, as rows or as an image.
//! 3. [`series`]: columns of the rows, matched as DVC matches them.

pub mod data;
pub mod definition;
mod separated;
pub mod series;
