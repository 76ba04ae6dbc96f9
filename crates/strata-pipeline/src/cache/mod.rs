//! The cache: contents by their MD5, and how they get there and back.
//!
//! * [`Cache`] holds the objects, `files/md5/xx/yyy…`.
//! * [`LinkType`] is how an object becomes a file of the workspace.

mod link;
mod objects;

pub use link::{LinkType, place};
pub use objects::{Cache, CacheError};
