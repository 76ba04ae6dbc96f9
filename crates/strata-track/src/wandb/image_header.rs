//! Format and size of a picture, from the first bytes of its file.

/// What the beginning of a picture tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ImageHeader {
    /// As wandb names it, and the file's extension: `png`, `jpg`, `gif`, `bmp`.
    pub(super) format: &'static str,
    /// Pixels.
    pub(super) width: u32,
    /// Pixels.
    pub(super) height: u32,
}

impl ImageHeader {
    /// Reads the header of a PNG, JPEG, GIF or BMP; `None` for anything else.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        png(bytes)
            .or_else(|| gif(bytes))
            .or_else(|| bmp(bytes))
            .or_else(|| jpeg(bytes))
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn png(bytes: &[u8]) -> Option<ImageHeader> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") || array(bytes, 12)? != *b"IHDR" {
        return None;
    }
    Some(ImageHeader {
        format: "png",
        width: u32::from_be_bytes(array(bytes, 16)?),
        height: u32::from_be_bytes(array(bytes, 20)?),
    })
}

fn gif(bytes: &[u8]) -> Option<ImageHeader> {
    if !bytes.starts_with(b"GIF87a") && !bytes.starts_with(b"GIF89a") {
        return None;
    }
    Some(ImageHeader {
        format: "gif",
        width: u16::from_le_bytes(array(bytes, 6)?).into(),
        height: u16::from_le_bytes(array(bytes, 8)?).into(),
    })
}

/// A negative height means that the rows go downwards.
fn bmp(bytes: &[u8]) -> Option<ImageHeader> {
    if !bytes.starts_with(b"BM") {
        return None;
    }
    Some(ImageHeader {
        format: "bmp",
        width: i32::from_le_bytes(array(bytes, 18)?).unsigned_abs(),
        height: i32::from_le_bytes(array(bytes, 22)?).unsigned_abs(),
    })
}

/// Segments follow each other up to the frame header, `SOF0` to `SOF15` without the tables among them.
fn jpeg(bytes: &[u8]) -> Option<ImageHeader> {
    if !bytes.starts_with(b"\xFF\xD8") {
        return None;
    }
    let mut at = 2;
    loop {
        let [mark, kind] = array(bytes, at)?;
        if mark != 0xFF {
            return None;
        }
        match kind {
            0xFF => at += 1,
            0xC4 | 0xC8 | 0xCC => at += segment_length(bytes, at)?,
            0xC0..=0xCF => {
                return Some(ImageHeader {
                    format: "jpg",
                    height: u16::from_be_bytes(array(bytes, at + 5)?).into(),
                    width: u16::from_be_bytes(array(bytes, at + 7)?).into(),
                });
            }
            0x01 | 0xD0..=0xD9 => at += 2,
            _ => at += segment_length(bytes, at)?,
        }
    }
}

fn segment_length(bytes: &[u8], at: usize) -> Option<usize> {
    Some(2 + usize::from(u16::from_be_bytes(array(bytes, at + 2)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(format: &'static str, width: u32, height: u32) -> ImageHeader {
        ImageHeader {
            format,
            width,
            height,
        }
    }

    #[test]
    fn the_size_is_read_from_each_format() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x76\0\0\0\x3c\x08\0\0\0\0";
        let gif = b"GIF89a\x14\0\x10\0";
        let bmp = b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x14\0\0\0\xF0\xFF\xFF\xFF";
        let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xC0\0\x11\x08\0\x10\0\x14";
        assert_eq!(ImageHeader::of(png), Some(header("png", 118, 60)));
        assert_eq!(ImageHeader::of(gif), Some(header("gif", 20, 16)));
        assert_eq!(ImageHeader::of(bmp), Some(header("bmp", 20, 16)));
        assert_eq!(ImageHeader::of(jpeg), Some(header("jpg", 20, 16)));
        for length in 0..png.len() {
            assert!(length >= 24 || ImageHeader::of(&png[..length]).is_none());
        }
    }
}
