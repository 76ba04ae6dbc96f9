//! Writing a state dict, or a dictionary of tensors, as `torch.save` does.

use std::borrow::Cow;
use std::io::{self, Cursor, Write as _};
use std::path::Path;

use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

use super::PtError;
use crate::{Tensor, TypedTensor, Values};

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
    let records = tensors.iter().map(|tensor| {
        let values = tensor.data.iter();
        let is_integer = tensor.name.ends_with(INTEGER);
        Record {
            name: &tensor.name,
            shape: &tensor.shape,
            count: tensor.data.len(),
            storage: if is_integer { LONG } else { FLOAT },
            bytes: if is_integer {
                values.flat_map(|&x| (x as i64).to_le_bytes()).collect()
            } else {
                values.flat_map(|&x| x.to_le_bytes()).collect()
            },
        }
    });
    save(path, &records.collect::<Vec<_>>(), ORDERED_DICT)
}

/// Writes a `dict` of tensors that keep their types, whole or not at all; parent folders are created.
///
/// # Errors
/// As [`write`].
pub fn write_dictionary(path: &Path, tensors: &[TypedTensor]) -> Result<(), PtError> {
    let records = tensors.iter().map(|tensor| Record {
        name: &tensor.name,
        shape: &tensor.shape,
        count: tensor.values.len(),
        storage: match tensor.values {
            Values::U8(_) => "ByteStorage",
            Values::I64(_) => LONG,
            Values::F32(_) => FLOAT,
        },
        bytes: tensor.values.bytes(),
    });
    save(path, &records.collect::<Vec<_>>(), DICT)
}

/// A tensor on its way into a file.
struct Record<'a> {
    name: &'a str,
    shape: &'a [usize],
    /// Number of values.
    count: usize,
    /// torch's class.
    storage: &'static str,
    bytes: Cow<'a, [u8]>,
}

const FLOAT: &str = "FloatStorage";
const LONG: &str = "LongStorage";
/// Opcodes that leave an empty dictionary on the stack.
const DICT: &[u8] = b"}";
const ORDERED_DICT: &[u8] = b"ccollections\nOrderedDict\n)R";

fn save(path: &Path, records: &[Record<'_>], container: &[u8]) -> Result<(), PtError> {
    for record in records {
        let count = record
            .shape
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d));
        if count != Some(record.count) {
            return Err(PtError::Shape {
                name: record.name.to_owned(),
                shape: record.shape.to_vec(),
                len: record.count,
            });
        }
    }
    let io = |source| PtError::Io {
        path: path.to_owned(),
        source,
    };
    let bytes = archive(records, container).map_err(io)?;
    strata_fs::write_atomically(path, &bytes).map_err(io)
}

fn archive(records: &[Record<'_>], container: &[u8]) -> io::Result<Vec<u8>> {
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
    member("data.pkl", &pickle(records, container))?;
    member("byteorder", b"little")?;
    for (key, record) in records.iter().enumerate() {
        member(&format!("data/{key}"), &record.bytes)?;
    }
    member("version", b"3\n")?;
    Ok(zip.finish().map_err(io::Error::other)?.into_inner())
}

/// `{name: _rebuild_tensor_v2(storage, 0, shape, stride, False, OrderedDict()), …}` in protocol 2.
fn pickle(records: &[Record<'_>], container: &[u8]) -> Vec<u8> {
    let mut out = vec![0x80, 2];
    out.extend(container);
    out.push(b'(');
    for (key, record) in records.iter().enumerate() {
        text(&mut out, record.name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(format!("ctorch\n{}\n", record.storage).bytes());
        text(&mut out, &key.to_string());
        text(&mut out, "cpu");
        integer(&mut out, record.count);
        // The tuple of five, as a persistent id.
        out.extend(b"tQ");
        integer(&mut out, 0);
        tuple(&mut out, record.shape);
        tuple(&mut out, &strides(record.shape));
        // requires_grad, backward hooks.
        out.push(0x89);
        out.extend(ORDERED_DICT);
        out.extend(b"tR");
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
