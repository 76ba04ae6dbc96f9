//! Hydra-compatible composition of configuration trees.
