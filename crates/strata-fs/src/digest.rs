//! Digests of files and streams, as lower-case hex.

use std::io::{self, Read as _};
use std::path::Path;

use sha2::Digest as _;

/// SHA-256 (FIPS 180-4) of bytes that arrive in pieces.
///
/// ```
/// let mut sha256 = strata_fs::Sha256::new();
/// sha256.update(b"ab");
/// sha256.update(b"c");
/// assert!(sha256.hex().starts_with("ba7816bf8f01cfea"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// The digest of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The 64 hex digits of all bytes given so far.
    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// MD5 (RFC 1321) of bytes that arrive in pieces.
///
/// It names contents here (DVC's cache, the sums data sets publish); it protects nothing.
#[derive(Debug, Clone, Default)]
pub struct Md5(md5::Md5);

impl Md5 {
    /// The digest of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The 32 hex digits of all bytes given so far.
    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Passes bytes on to a writer, and knows the MD5 of all that went through.
///
/// ```
/// use std::io::Write as _;
/// let mut copy = Vec::new();
/// let mut writer = strata_fs::Md5Writer::new(&mut copy);
/// writer.write_all(b"abc")?;
/// assert_eq!(writer.hex(), "900150983cd24fb0d6963f7d28e17f72");
/// assert_eq!(copy, b"abc");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Md5Writer<W> {
    into: W,
    md5: Md5,
}

impl<W: io::Write> Md5Writer<W> {
    /// Passes on to `into`.
    pub fn new(into: W) -> Self {
        Self {
            into,
            md5: Md5::new(),
        }
    }

    /// The 32 hex digits of the MD5 of all that was written.
    pub fn hex(self) -> String {
        self.md5.hex()
    }
}

impl<W: io::Write> io::Write for Md5Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.md5.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// The 32 hex digits of the MD5 of a file's contents, read in pieces.
///
/// # Errors
/// Those of reading, with the path.
pub fn md5_of_file(path: &Path) -> io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut md5 = Md5::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(md5.hex()),
            n => md5.update(&buffer[..n]),
        }
    }
}

/// The 32 hex digits of the MD5 of some bytes.
pub fn md5_of_bytes(bytes: &[u8]) -> String {
    hex(&md5::Md5::digest(bytes))
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The bytes that [`hex`] wrote; what is no digit ends them.
pub fn bytes_of_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map_while(byte).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn digests_agree_with_the_published_vectors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs_err::write(&path, b"abc").unwrap();
        assert_eq!(
            md5_of_file(&path).unwrap(),
            "900150983cd24fb0d6963f7d28e17f72"
        );
        assert_eq!(bytes_of_hex(&hex(&[0, 144, 255])), [0, 144, 255]);
        let mut sha256 = Sha256::new();
        sha256.update(b"abc");
        assert_eq!(
            sha256.hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(
            md5_of_file(&folder.path().join("no"))
                .unwrap_err()
                .to_string()
                .contains("no")
        );
    }
}
