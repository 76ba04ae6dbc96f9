//! The command line of strata.
fn main() {}
