//! Tree-structured Parzen estimators.

/// What TPE is told.
#[derive(Debug, Clone)]
pub struct TpeOptions {}

/// TPE.
#[derive(Debug, Clone)]
pub struct TpeSampler {}
