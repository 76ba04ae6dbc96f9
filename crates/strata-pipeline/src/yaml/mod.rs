//! YAML 1.2 as DVC reads and writes it, which is as ruamel.yaml 0.18 does.
//!
//! * [`read`] gives the plain value of a text, [`to_text`] the text of a plain value.
//! * [`Document`] is read, changed and written with its comments and styles.
//!
//! Inside: `compose` makes a tree (`node`) of a text with the help of `trivia` for what stands between
//! values; `resolve` makes a plain value of the tree; `emit` makes a text of it, where `scalar_style` chooses
//! how a text is quoted, `scalar_text` writes and folds it, and `scalar` knows the types of plain scalars.

mod compose;
mod document;
mod emit;
mod error;
mod node;
mod resolve;
mod scalar;
mod scalar_style;
mod scalar_text;
mod trivia;

pub use document::{Document, read, to_text};
pub use error::YamlError;
