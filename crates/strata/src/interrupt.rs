//! Ctrl-C: the first asks the work to stop in order, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use strata_pipeline::PipelineError;
use strata_pipeline::project::reproduce::{Interruption, StopSignal, Stopping};

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

/// Lets the signals from now on stop a reproduction; a thread of its own waits for them.
pub(crate) fn stop_reproduction(interruption: Arc<Interruption>) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for Ctrl-C")?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let signal = if signal == SIGTERM {
                StopSignal::Terminate
            } else {
                StopSignal::Interrupt
            };
            match interruption.request(signal) {
                Stopping::Soon => {}
                Stopping::Waits => anstream::eprintln!(
                    "interrupted: waiting for what runs to end; Ctrl-C again kills it"
                ),
                Stopping::Killed => anstream::eprintln!("killed what was running"),
                // Whatever is written is written to a file of another name first.
                Stopping::Now => std::process::exit(PipelineError::INTERRUPTED.into()),
            }
        }
    });
    Ok(())
}
