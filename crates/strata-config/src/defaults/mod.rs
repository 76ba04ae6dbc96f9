//! The defaults list: which files make up a configuration, in which order, placed where.
//!
//! * [`entry`] reads one item of a list, [`file`] a file with its header and list.
//! * [`choices`] are the overrides that choose options, from the command line and from files.
//! * [`tree`] expands the primary configuration into the ordered list of placed files.

pub(crate) mod choices;
pub(crate) mod entry;
pub(crate) mod file;
pub(crate) mod item;
pub(crate) mod list;
pub(crate) mod tree;
