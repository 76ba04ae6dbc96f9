//! The lines of `strata track`: JSON objects, one a line, that tell events.
//!
//! `json` reads a line, `object` takes its members out with their types checked, `media` finds pictures,
//! histograms, tables and texts in rows, `event` knows what a line may be about.

mod error;
mod event;
mod json;
mod media;
mod object;

pub use error::LineError;
pub use event::parse_event;
pub(crate) use json::parse as parse_json;
