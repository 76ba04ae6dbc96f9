//! The override grammar: `[+|++|~]key[@package][=value]`.
//!
//! * [`ast`]: what an override is.
//! * [`parser`]: the grammar, `key` side and `value` side.
//! * [`element`]: what a single value becomes in the tree, and its canonical text.
//! * [`apply`]: overrides of the composed tree.

pub(crate) mod apply;
pub(crate) mod ast;
pub(crate) mod element;
pub(crate) mod parser;
