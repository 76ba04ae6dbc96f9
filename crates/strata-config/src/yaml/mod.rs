//! YAML as `OmegaConf` reads and writes it.
//!
//! * [`parse`] makes nodes with places of a text; [`scalar`] gives plain scalars their types.
//! * [`dump`] writes nodes as `PyYAML` does for Hydra.
//!
//! The syntax, and the text of quoted scalars, are `strata-yaml`'s.

pub(crate) mod dump;
pub(crate) mod parse;
pub(crate) mod scalar;

pub use dump::to_yaml;
pub use parse::{from_named_yaml, from_yaml};
