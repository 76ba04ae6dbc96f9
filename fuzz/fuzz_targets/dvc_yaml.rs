//! Any text is a `dvc.yaml` that is read, filled in and taken apart, or refused, never a panic. What follows a line
//! of `...` is its `params.yaml`.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use strata_pipeline::definition::check_pipeline;
use strata_pipeline::template::{FileError, Files, Resolver, ResolverOptions};
use strata_pipeline::value::Value;
use strata_pipeline::yaml;

struct Params<'a>(&'a str);

impl Files for Params<'_> {
    fn read_value(&self, path: &str) -> Result<Option<Value>, FileError> {
        if path != "params.yaml" {
            return Ok(None);
        }
        let value = yaml::read(path, self.0);
        value
            .map(Some)
            .map_err(|error| Arc::new(error) as FileError)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (text, params) = text.split_once("\n...\n").unwrap_or((text, ""));
    let Ok(value) = yaml::read("dvc.yaml", text) else {
        return;
    };
    if check_pipeline(&value, "dvc.yaml").is_err() {
        return;
    }
    let files = Params(params);
    let Ok(resolver) = Resolver::new(&value, &files, ResolverOptions::default()) else {
        return;
    };
    let _ = resolver.top_level();
    let _ = resolver.groups();
    let names = resolver.stage_names().unwrap_or_default();
    for name in names.iter().take(100) {
        let _ = resolver.resolve(name);
        let _ = resolver.is_parametrized(name);
    }
    let _ = resolver.resolve("no@such@stage");
});
