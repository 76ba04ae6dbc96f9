//! The only `unsafe` of the workspace: aligned memory, the thread pool, and the products.
//!
//! * [`aligned`]: buffers that start on a cache line.
//! * [`instruction_set`]: what the processor can do, detected once.
//! * [`pool`]: threads that claim numbered chunks of work.
//! * [`shared`]: one buffer written by several chunks in disjoint places.
//! * [`tile`]: the product of a few rows with one panel of 16 columns, by instruction set.
//! * [`product`]: the products of a layer, put together from tiles.
//! * [`workspace`]: the buffers of a batch.
//! * [`bytes`]: pixels to numbers.
//! * [`plan`]: the phases of a step, and how each is cut into chunks.
//! * [`gather`]: the next batch, gathered from the samples.
//! * [`step`]: a step in progress: everything its chunks touch. The chunks are in [`forward`],
//!   [`backward`] and [`update`].
//!
//! Every element of a product is one chain of fused multiply-adds in the order of the inner index,
//! whichever tile, thread or instruction set computes it. That is why results do not depend on the
//! number of threads, and why AVX2 and AVX-512 agree to the last bit.

pub(crate) mod aligned;
mod backward;
pub(crate) mod bytes;
mod forward;
pub(crate) mod gather;
pub(crate) mod instruction_set;
pub(crate) mod plan;
pub(crate) mod pool;
pub(crate) mod product;
pub(crate) mod shared;
pub(crate) mod step;
pub(crate) mod tile;
mod update;
pub(crate) mod workspace;
