//! Files that other rooms rely on to be whole.
//!
//! * [`write_atomically`]: contents appear at a path completely or not at all; [`remove_temporary_files`] removes what a
//!   process that was killed meanwhile has left.
//! * [`md5_of_file`], [`md5_of_bytes`], [`Md5`], [`Md5Writer`], [`Sha256`]: digests as hex.
//! * [`download`]: a file from the network, resumed after interruptions, checked before it gets its name.

mod atomic;
mod digest;
mod download;

pub use atomic::{
    remove_temporary_files, temporary_file_in, temporary_file_of_mode, write_atomically,
    write_atomically_with, write_privately,
};
pub use digest::{Md5, Md5Writer, Sha256, bytes_of_hex, hex, md5_of_bytes, md5_of_file};
pub use download::{DownloadError, DownloadEvents, DownloadRequest, download};
