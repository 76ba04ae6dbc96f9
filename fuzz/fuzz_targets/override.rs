//! Any bytes are an override that is understood or refused, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let understood = strata_config::json::override_to_json(text).is_ok();
    let space = strata_config::SearchSpace::from_overrides(&[text]);
    assert!(
        understood || space.is_err(),
        "{text:?} is refused once only"
    );
});
