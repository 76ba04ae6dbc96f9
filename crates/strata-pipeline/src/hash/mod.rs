//! What a file or folder is known by: the MD5 of its contents.
//!
//! * [`HashInfo`] is what lock files hold of one path.
//! * [`Tree`] lists the files of a folder; its JSON is an object of the cache, and names the folder.
//! * [`Hasher`] reads files, several at a time, and remembers them in a [`State`] between commands.

mod hasher;
mod info;
mod state;
mod tree;

pub use hasher::{Hashed, Hasher};
pub(crate) use hasher::{is_missing, normalized, relative_text};
pub use info::HashInfo;
pub use state::State;
pub use tree::{Tree, TreeError};
