//! A file's contents, read from the start to the end while it stays as it is.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::path::Path;

use strata_fs::Md5;

use super::state::Look;

/// DVC 2 looked for texts in pieces of this size.
pub(crate) const PIECE: usize = 1 << 20;

/// How often a file is read again that changes meanwhile.
const TRIES: usize = 3;

/// How the contents of a file are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// MD5 of the bytes.
    Md5,
    /// DVC 2's: of each piece of [`PIECE`] bytes that looks like text, with its CRLF as LF.
    Md5Dos2Unix,
}

/// A hash being computed.
#[derive(Debug)]
pub(crate) struct Digest {
    algorithm: Algorithm,
    md5: Md5,
}

impl Digest {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            md5: Md5::new(),
        }
    }

    /// Appends the next [`PIECE`] bytes, or those that are left.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        if self.algorithm == Algorithm::Md5 || !looks_like_text(piece) {
            return self.md5.update(piece);
        }
        let mut rest = piece;
        while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
            self.md5.update(&rest[..at]);
            rest = &rest[at + 1..];
        }
        self.md5.update(rest);
    }

    pub(crate) fn hex(self) -> String {
        self.md5.hex()
    }
}

/// Writes on to another writer, and hashes what went there.
#[derive(Debug)]
pub(crate) struct DigestWriter<W> {
    into: W,
    digest: Digest,
    /// What is still to be hashed, less than [`PIECE`] bytes; always empty where pieces do not count.
    piece: Vec<u8>,
}

impl<W: Write> DigestWriter<W> {
    pub(crate) fn new(into: W, algorithm: Algorithm) -> Self {
        Self {
            into,
            digest: Digest::new(algorithm),
            piece: Vec::new(),
        }
    }

    pub(crate) fn hex(mut self) -> String {
        if !self.piece.is_empty() {
            self.digest.update(&self.piece);
        }
        self.digest.hex()
    }
}

impl<W: Write> Write for DigestWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.into.write(bytes)?;
        let mut rest = &bytes[..count];
        if self.digest.algorithm == Algorithm::Md5 {
            self.digest.update(rest);
            return Ok(count);
        }
        while !rest.is_empty() {
            let room = PIECE - self.piece.len();
            let (now, later) = rest.split_at(rest.len().min(room));
            self.piece.extend_from_slice(now);
            if self.piece.len() == PIECE {
                self.digest.update(&self.piece);
                self.piece.clear();
            }
            rest = later;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// `istextblock` of DVC on the first 512 bytes: no NUL, at most 30 % of bytes that texts do not have.
fn looks_like_text(piece: &[u8]) -> bool {
    let block = &piece[..piece.len().min(512)];
    let is_text = |byte: &u8| matches!(byte, 32..=126 | b'\n' | b'\r' | b'\t' | 0x0c | 0x08);
    let odd = block.iter().filter(|byte| !is_text(byte)).count();
    !block.contains(&0) && odd * 10 <= block.len() * 3
}

thread_local! {
    /// One for each thread, whatever the number of files.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends the thread's buffer of [`PIECE`] bytes.
pub(crate) fn with_buffer<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(PIECE, 0);
        work(buffer)
    })
}

/// Reads until the buffer is full, `most` bytes are there, or the file ends.
pub(crate) fn fill(file: &mut impl Read, buffer: &mut [u8], most: u64) -> io::Result<usize> {
    let length = buffer
        .len()
        .min(usize::try_from(most).unwrap_or(usize::MAX));
    let mut filled = 0;
    while filled < length {
        match file.read(&mut buffer[filled..length]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// What `read` makes of an open file of `look.size` bytes, and how the file looked before and after. It is asked again
/// if the file has changed meanwhile: what was read then was of no one file.
///
/// # Errors
/// Those of reading; the file keeps changing.
pub(crate) fn steadily<R>(
    path: &Path,
    mut read: impl FnMut(&mut fs_err::File, Look) -> io::Result<R>,
) -> io::Result<(R, Look)> {
    for _ in 0..TRIES {
        let mut file = fs_err::File::open(path)?;
        let before = Look::of(&file.metadata()?);
        let made = read(&mut file, before)?;
        if Look::of(&file.metadata()?) == before {
            return Ok((made, before));
        }
    }
    Err(io::Error::other(format!(
        "'{}' changes while it is being read; try again when nothing writes to it",
        path.display()
    )))
}

/// Hashes the first `size` bytes of an open file, and hands each piece on: at most [`PIECE`] bytes.
///
/// # Errors
/// Those of reading, and those of `each`.
pub(crate) fn digest_pieces(
    file: &mut impl Read,
    size: u64,
    algorithm: Algorithm,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<String> {
    with_buffer(|buffer| {
        let mut digest = Digest::new(algorithm);
        let mut left = size;
        while left > 0 {
            let n = fill(file, buffer, left)?;
            if n == 0 {
                break;
            }
            digest.update(&buffer[..n]);
            each(&buffer[..n])?;
            left -= n as u64;
        }
        Ok(digest.hex())
    })
}

/// The hash of a file's contents, and how it looked.
///
/// # Errors
/// As [`steadily`].
pub(crate) fn digest_of(
    path: &Path,
    algorithm: Algorithm,
    tell: &dyn Fn(u64),
) -> io::Result<(String, Look)> {
    steadily(path, |file, look| {
        digest_pieces(file, look.size, algorithm, |piece| {
            tell(piece.len() as u64);
            Ok(())
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use strata_fs::md5_of_bytes;

    use super::*;

    fn dos2unix(bytes: &[u8]) -> String {
        let mut digest = Digest::new(Algorithm::Md5Dos2Unix);
        bytes.chunks(PIECE).for_each(|piece| digest.update(piece));
        digest.hex()
    }

    #[test]
    fn the_line_ends_of_texts_do_not_count_for_dvc_2() {
        assert_eq!(dos2unix(b"a\r\nb\r\r\n\r"), md5_of_bytes(b"a\nb\r\n\r"));
        assert_eq!(dos2unix(b""), md5_of_bytes(b""));
        assert_eq!(dos2unix(b"a\0\r\n"), md5_of_bytes(b"a\0\r\n"), "a NUL");
        let (three, four) = (b"\x80\x80\x80aaaaa\r\n", b"\x80\x80\x80\x80aaaa\r\n");
        assert_eq!(dos2unix(three), md5_of_bytes(b"\x80\x80\x80aaaaa\n"));
        assert_eq!(dos2unix(four), md5_of_bytes(four), "more than 30 %");
        // DVC looks at each piece on its own, and at a line end across two of them not at all.
        let mut long = vec![b'a'; PIECE - 1];
        long.extend(b"\r\n\r\n");
        let mut expected = long.clone();
        expected.truncate(PIECE + 1);
        expected.push(b'\n');
        assert_eq!(dos2unix(&long), md5_of_bytes(&expected));
    }

    #[test]
    fn a_file_that_changes_is_read_again_and_refused_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs_err::write(&path, "x").unwrap();
        let mut reads = 0;
        let change = |times: usize| {
            let path = path.clone();
            move |reads: &mut usize| {
                *reads += 1;
                if *reads <= times {
                    fs_err::write(&path, "x".repeat(*reads + 1)).unwrap();
                }
            }
        };
        let once = change(1);
        let (size, _) = steadily(&path, |_, look| {
            once(&mut reads);
            Ok(look.size)
        })
        .unwrap();
        assert_eq!((size, reads), (2, 2));
        let always = change(usize::MAX);
        let error = steadily(&path, |_, _| {
            always(&mut reads);
            Ok(())
        });
        assert!(error.unwrap_err().to_string().contains("changes while"));
    }
}
