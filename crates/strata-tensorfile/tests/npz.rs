//! The public face of the npy and npz readers.
#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use strata_tensorfile::{Array, Elements, NpyError, NpzError, NpzFile, npy};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

fn npy_bytes(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    if version == 1 {
        bytes.extend((header.len() as u16).to_le_bytes());
    } else {
        bytes.extend((header.len() as u32).to_le_bytes());
    }
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn header(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}   \n")
}

fn parse(descr: &str, shape: &str, data: &[u8]) -> Result<Array, NpyError> {
    npy::parse(&npy_bytes(1, &header(descr, "False", shape), data))
}

fn write_npz(path: &Path, members: &[(&str, CompressionMethod, Vec<u8>)]) {
    let mut zip = ZipWriter::new(fs_err::File::create(path).unwrap());
    for (name, method, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(*method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn every_type_is_read_in_both_byte_orders() {
    let one = |descr: &str, data: &[u8]| parse(descr, "(1,)", data).unwrap().elements;
    assert_eq!(one("|b1", &[7]), Elements::U8(vec![1]));
    assert_eq!(one("|u1", &[7]), Elements::U8(vec![7]));
    assert_eq!(one("|i1", &[0xff]), Elements::F64(vec![-1.0]));
    assert_eq!(one("<u2", &[1, 2]), Elements::F64(vec![513.0]));
    assert_eq!(one(">u2", &[1, 2]), Elements::F64(vec![258.0]));
    assert_eq!(
        one(">i4", &(-5_i32).to_be_bytes()),
        Elements::F64(vec![-5.0])
    );
    assert_eq!(one("<u4", &7_u32.to_le_bytes()), Elements::F64(vec![7.0]));
    assert_eq!(
        one("<i8", &(-9_i64).to_le_bytes()),
        Elements::F64(vec![-9.0])
    );
    assert_eq!(one("<u8", &9_u64.to_le_bytes()), Elements::F64(vec![9.0]));
    assert_eq!(one("<f4", &0.5_f32.to_le_bytes()), Elements::F32(vec![0.5]));
    assert_eq!(
        one(">f8", &0.25_f64.to_be_bytes()),
        Elements::F64(vec![0.25])
    );
}

#[test]
fn all_versions_scalars_and_fortran_order_are_read() {
    for version in 1..=3 {
        let bytes = npy_bytes(
            version,
            &header("|u1", "True", "(2, 3)"),
            &[1, 4, 2, 5, 3, 6],
        );
        let array = npy::parse(&bytes).unwrap();
        assert_eq!(array.shape, [2, 3]);
        assert_eq!(array.elements, Elements::U8(vec![1, 2, 3, 4, 5, 6]));
    }
    assert_eq!(parse("|u1", "()", &[9]).unwrap().shape, [0; 0]);
    assert_eq!(parse("|u1", "(0, 5)", &[]).unwrap().shape, [0, 5]);
}

#[test]
fn what_is_not_an_array_of_numbers_is_refused() {
    assert_eq!(npy::parse(b"PK"), Err(NpyError::Magic));
    assert_eq!(
        npy::parse(&npy_bytes(4, "", b"")),
        Err(NpyError::Version { major: 4, minor: 0 })
    );
    for descr in ["|O", "<c8", "<U4", "<f2", "|S3", "<i16", ""] {
        let error = parse(descr, "(1,)", &[0; 8]).unwrap_err();
        assert!(matches!(error, NpyError::Dtype { .. }), "{descr}: {error}");
    }
    let lengths = parse("<f4", "(2,)", &[0; 7]).unwrap_err().to_string();
    assert!(lengths.contains('8') && lengths.contains('7'), "{lengths}");
    let huge = parse("<f8", "(4294967296, 4294967296)", &[]).unwrap_err();
    assert!(matches!(huge, NpyError::Shape { .. }), "{huge}");
    for shape in [
        "(1",
        "(-1,)",
        "(1.5,)",
        "1",
        "(99999999999999999999999,)",
        "(,)",
    ] {
        assert!(
            matches!(parse("|u1", shape, &[0]), Err(NpyError::Header(_))),
            "{shape}"
        );
    }
    let twice = "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}";
    assert!(npy::parse(&npy_bytes(1, twice, &[0])).is_err());
}

#[test]
fn stored_and_deflated_members_are_read_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emnist.npz");
    let inputs = npy_bytes(1, &header("|u1", "False", "(2, 2)"), &[1, 2, 3, 4]);
    let targets = npy_bytes(1, &header("<i8", "False", "(1,)"), &5_i64.to_le_bytes());
    write_npz(
        &path,
        &[
            ("inputs.npy", CompressionMethod::Stored, inputs),
            ("targets.npy", CompressionMethod::Deflated, targets),
        ],
    );
    let mut file = NpzFile::open(&path).unwrap();
    assert_eq!(file.names(), ["inputs", "targets"]);
    assert_eq!(
        file.array("inputs").unwrap().elements,
        Elements::U8(vec![1, 2, 3, 4])
    );
    assert_eq!(file.array("targets").unwrap().elements.to_f64(), [5.0]);
    let missing = file.array("labels").unwrap_err();
    assert!(matches!(missing, NpzError::Missing { .. }));
    assert!(missing.to_string().contains("inputs, targets"), "{missing}");
}

#[test]
fn damaged_and_ambiguous_archives_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emnist.npz");
    let bytes = npy_bytes(1, &header("|u1", "False", "(4,)"), b"WXYZ");
    let stored = CompressionMethod::Stored;
    write_npz(
        &path,
        &[("a.npy", stored, bytes.clone()), ("b.npy", stored, bytes)],
    );
    let whole = fs_err::read(&path).unwrap();

    let mut renamed = whole.clone();
    for at in 0..renamed.len() - 5 {
        if &renamed[at..at + 5] == b"b.npy" {
            renamed[at] = b'a';
        }
    }
    fs_err::write(&path, &renamed).unwrap();
    assert!(matches!(
        NpzFile::open(&path),
        Err(NpzError::DuplicateNames { .. })
    ));

    let mut flipped = whole.clone();
    let at = whole.windows(4).position(|w| w == b"WXYZ").unwrap();
    flipped[at] ^= 1;
    fs_err::write(&path, &flipped).unwrap();
    let error = NpzFile::open(&path).unwrap().array("a").unwrap_err();
    assert!(matches!(error, NpzError::Damaged { .. }), "{error}");

    fs_err::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = NpzFile::open(&path).unwrap_err().to_string();
    assert!(error.contains("emnist.npz"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_the_npy_reader_panic(
        version in 0_u8..5,
        text in ".{0,80}",
        data in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        prop_assert!(npy::parse(&npy_bytes(version, &text, &data)).is_err());
        prop_assert!(npy::parse(&data).is_err());
    }

    #[test]
    fn fortran_order_is_the_transpose(rows in 0_usize..6, columns in 0_usize..6, deep in 1_usize..4) {
        let data: Vec<u8> = (0..rows * columns * deep).map(|i| i as u8).collect();
        let shape = format!("({rows}, {columns}, {deep})");
        let array = npy::parse(&npy_bytes(1, &header("|u1", "True", &shape), &data)).unwrap();
        let Elements::U8(values) = array.elements else { panic!("u8 in, u8 out") };
        for (at, &value) in values.iter().enumerate() {
            let (r, c, d) = (at / deep / columns, at / deep % columns, at % deep);
            prop_assert_eq!(usize::from(value), r + rows * (c + columns * d));
        }
    }
}
