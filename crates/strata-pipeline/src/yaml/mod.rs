//! YAML 1.2 as DVC reads and writes it, which is as ruamel.yaml 0.18 does.
//!
//! * [`read`] gives the plain value of a text, [`to_text`] the text of a plain value.
//! * [`Document`] is read, changed and written with its comments and styles.
//!
//! Inside: `compose` makes a tree (`node`) of the events of a text with the help of `trivia` for what stands
//! between values; `resolve` makes a plain value of the tree; `emit` makes a text of it; `scalar` knows the
//! types of plain scalars. The events, and the text of quoted scalars, are `strata-yaml`'s.

mod compose;
mod document;
mod emit;
mod error;
mod node;
mod resolve;
mod scalar;
mod trivia;

pub use document::{Document, read, to_text};
pub use error::YamlError;
