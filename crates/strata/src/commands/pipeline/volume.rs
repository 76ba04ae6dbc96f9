//! `-q` and `-v`, which every command of DVC has.

use clap::Args;

use crate::output;

/// How much a command says.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Volume {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Taken for the sake of scripts; there is nothing more to say
    #[arg(short, long, global = true, action = clap::ArgAction::Count, hide = true)]
    pub(crate) verbose: u8,
}

impl Volume {
    /// From here on.
    pub(crate) fn apply(self) {
        if self.quiet {
            output::silence();
        }
    }
}
