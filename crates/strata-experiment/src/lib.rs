//! One run, from a composed configuration to its run directory.
