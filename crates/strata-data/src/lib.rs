//! Data sets, splits and batches: IDX, npz, glyphs.
