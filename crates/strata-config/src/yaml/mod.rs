//! YAML as `OmegaConf` reads and writes it.
//!
//! * [`parse`] makes nodes with places of a text; [`scalar`] gives plain scalars their types.
//! * [`dump`] writes nodes as `PyYAML` does for Hydra; [`scalar_style`] chooses how a text is written,
//!   [`scalar_text`] writes it.

pub(crate) mod dump;
pub(crate) mod parse;
pub(crate) mod scalar;
mod scalar_style;
mod scalar_text;

pub use dump::to_yaml;
pub use parse::{from_named_yaml, from_yaml};
