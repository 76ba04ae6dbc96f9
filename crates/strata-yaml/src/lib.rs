//! What the dialects of YAML have in common: the syntax that is read, and the text of scalars that is written.
//!
//! * [`Events`] takes a text apart; every [`Event`] knows where it stands. Types, merge keys and aliases are
//!   left to who reads them.
//! * [`Analysis`] says in which styles a text can be written, [`Writer`] writes and folds it; [`Dialect`] has
//!   what `PyYAML` and ruamel do differently there.

mod damaged_tag;
mod events;
mod style;
mod writer;

pub use events::{Beginning, DEEPEST, Event, Events, SyntaxError};
pub use libyaml_safer::{EventData, MappingStyle, ScalarStyle, SequenceStyle};
pub use style::{Analysis, Dialect, is_break};
pub use writer::{Folding, Writer};
