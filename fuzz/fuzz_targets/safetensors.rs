//! Any bytes are a safetensors file that is read or refused, never a panic.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((tensors, _)) = strata_tensorfile::safetensors::read_bytes(Path::new("bytes"), bytes)
    {
        for tensor in tensors {
            assert_eq!(tensor.shape.iter().product::<usize>(), tensor.data.len());
        }
    }
});
