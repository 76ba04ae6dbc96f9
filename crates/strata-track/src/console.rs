//! The console: lines on standard error that do not tear the progress bar.

use std::io::{IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

/// Standard error, shared by the logs and the bars of all jobs of this process; clones are the same console.
#[derive(Clone, Debug)]
pub struct Console {
    bars: MultiProgress,
    terminal: bool,
    coloured: bool,
    silent: bool,
}

impl Console {
    /// Standard error: bars if it is a terminal, colours if moreover `NO_COLOR` is unset or empty.
    pub fn stderr() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            terminal,
            coloured: terminal && !no_color,
            silent: false,
        }
    }

    /// A console that shows nothing.
    pub fn silent() -> Self {
        Self {
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            terminal: false,
            coloured: false,
            silent: true,
        }
    }

    /// Whether bars are shown; else long work tells itself in plain lines.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether nothing is shown.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether lines may hold colours.
    pub fn is_coloured(&self) -> bool {
        self.coloured
    }

    /// Prints a line above the bars.
    pub fn line(&self, text: &str) {
        if self.silent {
            return;
        }
        self.bars.suspend(|| {
            // A closed standard error must not end the run, and there is nowhere left to tell it.
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        });
    }

    /// Shows a bar below those that are there; invisible where there is no terminal.
    pub fn add_bar(&self, bar: ProgressBar) -> ProgressBar {
        self.bars.add(bar)
    }
}
