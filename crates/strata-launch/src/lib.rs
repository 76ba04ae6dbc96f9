//! Where the jobs of a multirun execute.
