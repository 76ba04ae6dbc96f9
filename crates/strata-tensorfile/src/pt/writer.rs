//! Writing a state dict as `torch.save` does.

use std::io::{self, Cursor, Write as _};
use std::path::Path;

use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

use super::PtError;
use crate::Tensor;

/// torch aligns storages, so that they can be mapped.
const ALIGNMENT: u16 = 64;
/// The name's end of the one integer of batch normalisation.
const INTEGER: &str = "num_batches_tracked";

/// Writes an `OrderedDict` of tensors, whole or not at all; parent folders are created. Names that end
/// with `num_batches_tracked` become 64-bit integers, as in torch.
///
/// # Errors
/// A shape that does not match its data, or those of the file system; what stood at `path` is then
/// untouched.
pub fn write(path: &Path, tensors: &[Tensor]) -> Result<(), PtError> {
    for tensor in tensors {
        let count = tensor
            .shape
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d));
        if count != Some(tensor.data.len()) {
            return Err(PtError::Shape {
                name: tensor.name.clone(),
                shape: tensor.shape.clone(),
                len: tensor.data.len(),
            });
        }
    }
    let bytes = archive(tensors).map_err(|source| PtError::Io {
        path: path.to_owned(),
        source,
    })?;
    strata_fs::write_atomically(path, &bytes).map_err(|source| PtError::Io {
        path: path.to_owned(),
        source,
    })
}

fn archive(tensors: &[Tensor]) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // A fixed time: the bytes depend on the tensors alone.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .with_alignment(ALIGNMENT);
    let mut member = |name: &str, bytes: &[u8]| -> io::Result<()> {
        zip.start_file(format!("archive/{name}"), options)
            .map_err(io::Error::other)?;
        zip.write_all(bytes)
    };
    member("data.pkl", &pickle(tensors))?;
    member("byteorder", b"little")?;
    for (key, tensor) in tensors.iter().enumerate() {
        let bytes: Vec<u8> = if is_integer(tensor) {
            let values = tensor.data.iter();
            values.flat_map(|&x| (x as i64).to_le_bytes()).collect()
        } else {
            let values = tensor.data.iter();
            values.flat_map(|&x| x.to_le_bytes()).collect()
        };
        member(&format!("data/{key}"), &bytes)?;
    }
    member("version", b"3\n")?;
    Ok(zip.finish().map_err(io::Error::other)?.into_inner())
}

fn is_integer(tensor: &Tensor) -> bool {
    tensor.name.ends_with(INTEGER)
}

/// `OrderedDict([(name, _rebuild_tensor_v2(storage, 0, shape, stride, False, OrderedDict())), …])` in
/// protocol 2.
fn pickle(tensors: &[Tensor]) -> Vec<u8> {
    let mut out = vec![0x80, 2];
    out.extend(b"ccollections\nOrderedDict\n)R(");
    for (key, tensor) in tensors.iter().enumerate() {
        text(&mut out, &tensor.name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(b"ctorch\n");
        out.extend(if is_integer(tensor) {
            &b"LongStorage\n"[..]
        } else {
            &b"FloatStorage\n"[..]
        });
        text(&mut out, &key.to_string());
        text(&mut out, "cpu");
        integer(&mut out, tensor.data.len());
        // The tuple of five, as a persistent id.
        out.extend(b"tQ");
        integer(&mut out, 0);
        tuple(&mut out, &tensor.shape);
        tuple(&mut out, &strides(&tensor.shape));
        // requires_grad, backward hooks.
        out.push(0x89);
        out.extend(b"ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"u.");
    out
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i].max(1);
    }
    strides
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn integer(out: &mut Vec<u8>, value: usize) {
    if let Ok(value) = i32::try_from(value) {
        out.push(b'J');
        out.extend(value.to_le_bytes());
    } else {
        out.extend([0x8a, 8]);
        out.extend((value as u64).to_le_bytes());
    }
}

fn tuple(out: &mut Vec<u8>, values: &[usize]) {
    out.push(b'(');
    for &value in values {
        integer(out, value);
    }
    out.push(b't');
}
