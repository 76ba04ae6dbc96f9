//! Ctrl-C: the first asks the work to stop in order, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The flag that the first SIGINT or SIGTERM sets; a second one ends the process with 130 or 143.
pub(crate) fn flag() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for (signal, exit_code) in [(SIGINT, 130), (SIGTERM, 143)] {
        // Registered first, so that it sees the flag as the signals before this one left it.
        flag::register_conditional_shutdown(signal, exit_code, Arc::clone(&interrupted))
            .and_then(|_| flag::register(signal, Arc::clone(&interrupted)))
            .context("cannot listen for Ctrl-C")?;
    }
    Ok(interrupted)
}
