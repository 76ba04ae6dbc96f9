//! Data on stdout.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

/// Set by `--quiet`, once and for the whole process.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Nothing is printed from here on; errors still are.
pub(crate) fn silence() {
    SILENT.store(true, Ordering::Relaxed);
}

/// Whether [`silence`] was asked for.
pub(crate) fn is_silent() -> bool {
    SILENT.load(Ordering::Relaxed)
}

/// Writes text to stdout; a reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    if is_silent() {
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}
