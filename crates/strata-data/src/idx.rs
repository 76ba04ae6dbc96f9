//! The IDX format: a magic number, big-endian sizes, bytes.

use std::fmt;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// What is wrong with a file in IDX format.
#[derive(Debug, PartialEq, Eq)]
pub enum IdxError {
    /// Another magic number: not this kind of file.
    Magic {
        /// What was expected.
        expected: u32,
        /// What stands there.
        found: u32,
    },
    /// Images of another size.
    ImageSize {
        /// Rows.
        rows: u32,
        /// Columns.
        columns: u32,
    },
    /// Fewer or more bytes than the header says.
    Length {
        /// What the header asks for.
        expected: u64,
        /// What there is, at least.
        found: u64,
    },
    /// The header is cut off.
    NoHeader,
    /// The header announces more than any split of EMNIST has.
    TooLarge {
        /// The number of items.
        items: u32,
    },
    /// The compressed data are damaged or cannot be read.
    Read(String),
}

impl fmt::Display for IdxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic { expected, found } => {
                write!(
                    f,
                    "the magic number is {found:#010x}, not {expected:#010x}: this is another kind of file"
                )
            }
            Self::ImageSize { rows, columns } => {
                write!(f, "images are {rows}x{columns}, not 28x28")
            }
            Self::Length { expected, found } if found < expected => {
                write!(
                    f,
                    "truncated: {expected} bytes are expected, {found} are there"
                )
            }
            Self::Length { expected, .. } => {
                write!(f, "more than the expected {expected} bytes are there")
            }
            Self::NoHeader => write!(f, "truncated: the header is not complete"),
            Self::TooLarge { items } => write!(
                f,
                "the header announces {items} items, more than EMNIST has"
            ),
            Self::Read(problem) => write!(f, "cannot be read: {problem}"),
        }
    }
}

impl std::error::Error for IdxError {}

/// EMNIST has 814,255 images in all.
const MOST_ITEMS: u32 = 2_000_000;
const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;

/// Reads images as they are stored, `[n, 784]`.
pub(crate) fn images(reader: impl Read) -> Result<Vec<u8>, IdxError> {
    read(reader, IMAGES)
}

/// Reads labels, `[n]`.
pub(crate) fn labels(reader: impl Read) -> Result<Vec<u8>, IdxError> {
    read(reader, LABELS)
}

/// Inflates gzip, however many members there are; reading is bounded by the header.
pub(crate) fn gunzip<R: io::BufRead>(reader: R) -> MultiGzDecoder<io::BufReader<R>> {
    MultiGzDecoder::new(io::BufReader::with_capacity(1 << 17, reader))
}

fn read(mut reader: impl Read, magic: u32) -> Result<Vec<u8>, IdxError> {
    let found = number(&mut reader)?;
    if found != magic {
        return Err(IdxError::Magic {
            expected: magic,
            found,
        });
    }
    let items = number(&mut reader)?;
    if items > MOST_ITEMS {
        return Err(IdxError::TooLarge { items });
    }
    let mut expected = u64::from(items);
    if magic == IMAGES {
        let (rows, columns) = (number(&mut reader)?, number(&mut reader)?);
        if (rows, columns) != (28, 28) {
            return Err(IdxError::ImageSize { rows, columns });
        }
        expected *= 28 * 28;
    }
    let mut bytes = Vec::with_capacity(expected as usize + 1);
    // One more than expected, to notice what is too long.
    let ended = reader.take(expected + 1).read_to_end(&mut bytes);
    if let Err(error) = ended
        && error.kind() != io::ErrorKind::UnexpectedEof
    {
        return Err(IdxError::Read(error.to_string()));
    }
    if bytes.len() as u64 != expected {
        return Err(IdxError::Length {
            expected,
            found: bytes.len() as u64,
        });
    }
    Ok(bytes)
}

fn number(reader: &mut impl Read) -> Result<u32, IdxError> {
    let mut bytes = [0; 4];
    match reader.read_exact(&mut bytes) {
        Ok(()) => Ok(u32::from_be_bytes(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(IdxError::NoHeader),
        Err(error) => Err(IdxError::Read(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(magic: u32, sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = magic.to_be_bytes().to_vec();
        for size in sizes {
            file.extend(size.to_be_bytes());
        }
        file.extend(bytes);
        file
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            labels(&file(LABELS, &[3], &[1, 2, 3])[..]),
            Ok(vec![1, 2, 3])
        );
        assert_eq!(
            labels(&file(LABELS, &[3], &[1, 2])[..]),
            Err(IdxError::Length {
                expected: 3,
                found: 2
            })
        );
        assert_eq!(
            labels(&file(LABELS, &[1], &[1, 2])[..]),
            Err(IdxError::Length {
                expected: 1,
                found: 2
            })
        );
        assert_eq!(
            labels(&file(IMAGES, &[1], &[])[..]),
            Err(IdxError::Magic {
                expected: LABELS,
                found: IMAGES
            })
        );
        assert_eq!(
            images(&file(IMAGES, &[1, 28, 27], &[])[..]),
            Err(IdxError::ImageSize {
                rows: 28,
                columns: 27
            })
        );
        assert_eq!(
            images(&file(IMAGES, &[u32::MAX, 28, 28], &[])[..]),
            Err(IdxError::TooLarge { items: u32::MAX })
        );
        assert_eq!(images(&[][..]), Err(IdxError::NoHeader));
    }

    #[test]
    fn a_truncated_gzip_file_says_how_much_there_was() {
        use std::io::Write;

        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder
            .write_all(&file(LABELS, &[1000], &[7; 1000]))
            .expect("memory takes everything");
        let gzip = encoder.finish().expect("memory takes everything");
        let truncated = labels(gunzip(&gzip[..600]));
        assert!(
            matches!(
                truncated,
                Err(IdxError::Length {
                    expected: 1000,
                    found: 1..1000
                })
            ),
            "{truncated:?}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), is_images: bool) {
            let mut file = if is_images { IMAGES } else { LABELS }.to_be_bytes().to_vec();
            file.extend(&bytes);
            let _ = images(&file[..]);
            let _ = labels(&file[..]);
            let _ = labels(gunzip(&bytes[..]));
        }
    }
}
