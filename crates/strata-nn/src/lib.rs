//! The training engine: layers, losses, optimisers, the training loop.
