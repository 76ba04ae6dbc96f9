//! `OmegaConf`'s interpolation: `${key}`, `${.relative}`, `${resolver:arguments}`.
//!
//! * [`template`] takes a text apart.
//! * [`resolve`] evaluates it against the whole tree, following references and refusing cycles.
//! * [`resolvers`] are the functions.

pub(crate) mod resolve;
pub(crate) mod resolvers;
pub(crate) mod template;
