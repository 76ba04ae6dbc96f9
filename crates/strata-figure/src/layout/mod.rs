//! Where everything around the data stands, so that nothing overlaps and nothing is cut off.
//!
//! * [`furniture`] furnishes a plot: [`surround`] puts axes, labels, title, colour bar and outside legend around a given area.
//! * [`arrange`] finds the areas: it furnishes them, measures what sticks out, and makes room for it, until all fits.
//! * [`legend`] and [`colorbar`] draw what their names say.

pub(crate) mod arrange;
mod colorbar;
pub(crate) mod furniture;
pub(crate) mod legend;
mod surround;
