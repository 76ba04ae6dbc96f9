//! What a file or folder is known by: the MD5 of its contents.
//!
//! * [`HashInfo`] is what lock files hold of one path.
//! * [`Tree`] lists the files of a folder; its JSON is an object of the cache, and names the folder.
//! * [`Hasher`] reads files, several at a time, and remembers them in a [`State`] between commands.
//! * [`Algorithm`] is MD5, or what DVC 2 made of it.

mod hasher;
mod info;
mod reading;
mod state;
mod tree;

pub use hasher::{Hashed, Hasher};
pub(crate) use hasher::{is_missing, metadata_of, normalized, of_file, of_folder, relative_text};
pub use info::HashInfo;
pub use reading::Algorithm;
pub(crate) use reading::{Digest, DigestWriter, PIECE, digest_of, digest_pieces, fill, steadily};
pub(crate) use state::Look;
pub use state::State;
pub use tree::{Tree, TreeError};
