//! Data sets, splits and batches: IDX, npz, glyphs.

pub mod glyphs;
