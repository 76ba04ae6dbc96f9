//! The cache: contents by their MD5, and how they get there and back.
//!
//! * [`Cache`] holds the objects, `files/md5/xx/yyy…`.
//! * [`intake`] puts files into it that are not known yet; [`LinkType`] is how an object becomes a file of the workspace.
//! * [`scratch`] is where either lies until it is complete.

mod intake;
mod link;
mod objects;
mod scratch;

pub(crate) use intake::{Before, Intake};
pub use link::LinkType;
pub(crate) use link::{Placing, Wanted, duplicate};
pub use objects::{Cache, CacheError};
pub(crate) use scratch::Scratch;
