//! Any bytes are a state dict that is read or refused, never a panic. Zips are hard to come by, so that the
//! bytes are tried as the pickle within one as well.

#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use zip::write::{SimpleFileOptions, ZipWriter};

fuzz_target!(|bytes: &[u8]| {
    let _ = strata_tensorfile::pt::read_bytes(bytes);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in [("a/data.pkl", bytes), ("a/data/0", &[0; 64][..])] {
        zip.start_file(name, stored).expect("a member");
        zip.write_all(content).expect("memory");
    }
    let archive = zip.finish().expect("an archive").into_inner();
    if let Ok(tensors) = strata_tensorfile::pt::read_bytes(&archive) {
        for tensor in tensors {
            assert_eq!(tensor.shape.iter().product::<usize>(), tensor.data.len());
        }
    }
});
