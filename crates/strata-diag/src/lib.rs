//! The one printer of errors: what is wrong, where, and what would mend it.
//!
//! * [`Source`] is a text with a name: a file, or an override from the command line. [`Span`] is a
//!   stretch of it.
//! * [`Diagnostic`] is an error with the places it concerns, notes and remedies;
//!   [`Diagnostic::render`] prints it with source lines and carets.
//! * [`closest`] finds the choice that a misspelt name was meant to be.

mod closest;
mod diagnostic;
mod render;
mod source;

pub use closest::closest;
pub use diagnostic::{Annotation, Diagnostic};
pub use source::{Source, Span};
