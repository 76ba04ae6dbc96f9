//! Words on stderr that are neither results nor errors.

use strata_config::Composition;

/// What was odd while a configuration was composed or resolved, each said once.
pub(crate) fn of_composition(composition: &Composition) {
    for warning in composition.take_warnings() {
        anstream::eprintln!("warning: {warning}");
    }
}
