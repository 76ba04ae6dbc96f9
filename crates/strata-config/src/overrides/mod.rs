//! The override grammar: `[+|++|~]key[@package][=value]`.
//!
//! * [`ast`]: what an override is.
//! * [`lexer`], [`number`]: the tokens. [`parser`]: the grammar, `key` side and `value` side.
//! * [`functions`], [`casts`], [`order`]: what is called. [`sweep`]: the values of a sweep, one by one.
//! * [`element`]: what a single value becomes in the tree, and its canonical text.
//! * [`apply`]: overrides of the composed tree.

pub(crate) mod apply;
pub(crate) mod ast;
pub(crate) mod casts;
pub(crate) mod element;
pub(crate) mod functions;
pub(crate) mod lexer;
pub(crate) mod number;
mod order;
pub(crate) mod parser;
pub(crate) mod sweep;
