//! Several objectives at once: what dominates what, and how much of the space is dominated.
//!
//! A point is its losses: one number for each objective, less is better. Infinities are losses like others;
//! NaN counts as the worst, plus infinity.

mod crowding;
mod dominance;
mod hypervolume;
mod pareto;
mod subset;

pub use crowding::crowding_distances;
pub use dominance::{dominates, nondominated_ranks};
pub use hypervolume::hypervolume;
pub use pareto::pareto_front;
pub use subset::best_subset;
