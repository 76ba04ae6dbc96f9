//! Any text is a `dvc.lock` or a `.dvc` file that is read, written and merged, or refused, never a panic. What is
//! written is read again as the same.

#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use strata_pipeline::cache::Cache;
use strata_pipeline::definition::{DataFile, StageDefinition};
use strata_pipeline::merge::{Merged, Versions, data_file, lock_file};
use strata_pipeline::stage::Stage;
use strata_pipeline::value::Value;
use strata_pipeline::yaml::{Document, read, to_text};

const DEFINITION: &str = "cmd: x\ndeps: [a, b]\nouts: [c]\nparams: [lr, {p.yaml: }]\n";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (ours, theirs) = text.split_once("\n...\n").unwrap_or((text, ""));
    let Ok(mut document) = Document::parse("dvc.lock", ours) else {
        return;
    };
    let written = to_text(document.value());
    assert_eq!(
        to_text(&read("dvc.lock", &written).expect("it was written")),
        written
    );
    let _ = document.to_text();
    let definition = read("dvc.yaml", DEFINITION).expect("it is right");
    let definition =
        StageDefinition::from_value("a", &definition, "dvc.yaml").expect("it is right");
    let entry = document.get(&["stages", "a"]);
    let stage = Stage::of_pipeline(PathBuf::from("/p/dvc.yaml"), definition, entry);
    document.set(&["stages", "a"], stage.to_lock_entry());
    document.remove(&["stages", "b"]);
    let _ = document.to_text();
    if let Ok(data) = DataFile::from_value(&read("a.dvc", ours).unwrap_or(Value::Null), "a.dvc") {
        let _ = Stage::of_data(PathBuf::from("/p/a.dvc"), data);
    }
    let versions = Versions {
        base: "",
        ours,
        theirs,
    };
    if let Ok(Merged::Clean(text)) = lock_file("dvc.lock", versions) {
        read("dvc.lock", &text).expect("it was written");
    }
    let nothing = Cache::new(PathBuf::from("/nonexistent"));
    let _ = data_file("a.dvc", versions, &nothing);
});
