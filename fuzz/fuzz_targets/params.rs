//! Any text is a file of parameters that is read or refused, never a panic. Its first character chooses the format.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use strata_pipeline::definition::ParamsRequest;
use strata_pipeline::params::{read, select};
use strata_pipeline::template::FileError;
use strata_pipeline::value::Order;
use strata_pipeline::yaml;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Some(format) = text.chars().next() else {
        return;
    };
    let text = &text[format.len_utf8()..];
    let file = match format {
        'j' => "p.json",
        't' => "p.toml",
        'p' => "p.py",
        _ => "p.yaml",
    };
    let yaml = |file: &str, text: &str| {
        yaml::read(file, text).map_err(|error| Arc::new(error) as FileError)
    };
    match read(file, text, yaml) {
        Ok(value) => {
            let _ = value.to_json(Order::Kept);
            for keys in [
                None,
                Some(vec!["a".to_owned(), "a.b.0".to_owned(), "-1".to_owned()]),
            ] {
                let path = file.to_owned();
                let _ = select(&value, &ParamsRequest { path, keys });
            }
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
});
