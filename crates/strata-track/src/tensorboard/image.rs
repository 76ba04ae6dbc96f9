//! Pictures from files, as browsers read them.

use std::io;
use std::path::{Path, PathBuf};

use png::{BitDepth, ColorType, Decoder, Encoder, Transformations};

use super::messages::EncodedImage;

/// Why a picture could not be taken from its file.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file could not be read.
    #[error("cannot read the image `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a PNG, but damaged.
    #[error("`{}` is not a whole PNG: {source}", path.display())]
    Png {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: png::DecodingError,
    },
    /// It is something else.
    #[error("`{}` is not an image that browsers show: it must be a PNG, JPEG, GIF or BMP", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a picture. PNGs other than 8-bit RGB and RGBA become that, as `SummaryWriter` writes every picture;
/// other formats stay as they are.
pub(super) fn read(path: &Path) -> Result<EncodedImage, ImageError> {
    let bytes = fs_err::read(path).map_err(|source| ImageError::Read {
        path: path.to_owned(),
        source,
    })?;
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return colour_png(bytes).map_err(|source| ImageError::Png {
            path: path.to_owned(),
            source,
        });
    }
    let size = gif_size(&bytes)
        .or_else(|| bmp_size(&bytes))
        .or_else(|| jpeg_size(&bytes));
    let (width, height) = size.ok_or_else(|| ImageError::Unknown {
        path: path.to_owned(),
    })?;
    Ok(encoded(width, height, 3, bytes))
}

fn encoded(width: u32, height: u32, channels: i32, bytes: Vec<u8>) -> EncodedImage {
    EncodedImage {
        height: i32::try_from(height).unwrap_or(i32::MAX),
        width: i32::try_from(width).unwrap_or(i32::MAX),
        colorspace: channels,
        encoded: bytes,
    }
}

fn colour_png(bytes: Vec<u8>) -> Result<EncodedImage, png::DecodingError> {
    let mut decoder = Decoder::new(io::Cursor::new(&bytes));
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info()?;
    let header = reader.info();
    let (width, height) = (header.width, header.height);
    let as_it_is = header.bit_depth == BitDepth::Eight && header.trns.is_none();
    match header.color_type {
        ColorType::Rgb if as_it_is => return Ok(encoded(width, height, 3, bytes)),
        ColorType::Rgba if as_it_is => return Ok(encoded(width, height, 4, bytes)),
        _ => {}
    }
    let size = reader.output_buffer_size();
    let mut pixels = vec![0; size.ok_or(png::DecodingError::LimitsExceeded)?];
    let frame = reader.next_frame(&mut pixels)?;
    pixels.truncate(frame.buffer_size());
    let (channels, color_type, pixels) = match frame.color_type {
        ColorType::Grayscale => (3, ColorType::Rgb, repeated(&pixels, 1)),
        ColorType::GrayscaleAlpha => (4, ColorType::Rgba, repeated(&pixels, 2)),
        ColorType::Rgba => (4, ColorType::Rgba, pixels),
        _ => (3, ColorType::Rgb, pixels),
    };
    let written = written_png(width, height, color_type, &pixels);
    let written = written.map_err(|error| png::DecodingError::IoError(error.into()))?;
    Ok(encoded(width, height, channels, written))
}

/// Pixels of `channels` with the first one three times.
fn repeated(pixels: &[u8], channels: usize) -> Vec<u8> {
    pixels
        .chunks_exact(channels)
        .flat_map(|pixel| [&[pixel[0], pixel[0], pixel[0]], &pixel[1..]].concat())
        .collect()
}

fn written_png(
    width: u32,
    height: u32,
    color_type: ColorType,
    pixels: &[u8],
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(color_type);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn gif_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes
        .strip_prefix(b"GIF87a")
        .or_else(|| bytes.strip_prefix(b"GIF89a"))?;
    let size: &[u8; 4] = rest.first_chunk()?;
    let [width, height] = [[size[0], size[1]], [size[2], size[3]]].map(u16::from_le_bytes);
    Some((width.into(), height.into()))
}

fn bmp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header: &[u8; 8] = bytes.strip_prefix(b"BM")?.get(16..)?.first_chunk()?;
    let [a, b, c, d, e, f, g, h] = *header;
    let [width, height] = [[a, b, c, d], [e, f, g, h]].map(i32::from_le_bytes);
    // A negative height says that the rows go from top to bottom.
    Some((width.unsigned_abs(), height.unsigned_abs()))
}

/// Walks the segments up to the frame header (ITU-T T.81, B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let (&[mark, kind, long, short], _) = rest.split_first_chunk()?;
        if mark != 0xff {
            return None;
        }
        // Start of frame, without the tables that share its range.
        if matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc) {
            let &[a, b, c, d] = rest.get(5..)?.first_chunk()?;
            let [height, width] = [[a, b], [c, d]].map(u16::from_be_bytes);
            return Some((width.into(), height.into()));
        }
        let length = usize::from(u16::from_be_bytes([long, short]));
        rest = rest.get(2 + length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_becomes_colour() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("grey.png");
        let grey = written_png(2, 1, ColorType::Grayscale, &[7, 250]).expect("a PNG");
        std::fs::write(&path, grey).expect("written");
        let image = read(&path).expect("read");
        assert_eq!((image.width, image.height, image.colorspace), (2, 1, 3));
        let mut reader = Decoder::new(io::Cursor::new(&image.encoded))
            .read_info()
            .expect("a PNG");
        let mut pixels = [0; 6];
        reader.next_frame(&mut pixels).expect("a frame");
        assert_eq!(pixels, [7, 7, 7, 250, 250, 250]);
    }

    #[test]
    fn sizes_stand_in_headers() {
        assert_eq!(gif_size(b"GIF89a\x03\x00\x02\x01"), Some((3, 258)));
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x05\x01\x00";
        assert_eq!(jpeg_size(jpeg), Some((256, 5)));
        assert_eq!(jpeg_size(b"\xff\xd8\xff\xe0\xff\xff"), None);
        let mut bmp = b"BM".to_vec();
        bmp.extend([0; 16]);
        bmp.extend(9i32.to_le_bytes());
        bmp.extend((-4i32).to_le_bytes());
        assert_eq!(bmp_size(&bmp), Some((9, 4)));
    }

    #[test]
    fn what_is_no_picture_is_refused_with_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "hello").expect("written");
        let message = read(&path).expect_err("no picture").to_string();
        assert!(
            message.ends_with("must be a PNG, JPEG, GIF or BMP"),
            "{message}"
        );
        let message = read(&folder.path().join("b.png")).expect_err("no file");
        assert!(message.to_string().contains("b.png"));
    }
}
