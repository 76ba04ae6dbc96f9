//! Tensor files: safetensors, npy and npz, read with bounds checked.
