//! Elastic deformation: a smooth random field that bends the page under the pen.

use crate::random::Random;

/// Displacements at the nodes of a coarse grid over the alphabet's box, interpolated smoothly.
#[derive(Debug, Clone)]
pub(super) struct ElasticField {
    nodes: [[[f32; 2]; NODES]; NODES],
}

/// Nodes along a side: three waves at most across a character, so it bends and does not crumple.
const NODES: usize = 4;
/// The grid covers the box and a margin on each side.
const MARGIN: f32 = 20.0;

impl ElasticField {
    /// A field whose displacements have the deviation `sigma` at the nodes.
    pub(super) fn sample(sigma: f32, random: &mut Random) -> Self {
        let mut nodes = [[[0.0; 2]; NODES]; NODES];
        for displacement in nodes.as_flattened_mut() {
            *displacement = [random.normal(sigma), random.normal(sigma)];
        }
        Self { nodes }
    }

    /// Where the field moves a point to.
    pub(super) fn bend(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (column, u) = cell(x);
        let (row, v) = cell(y);
        let moved = |axis: usize| {
            let node = |r: usize, c: usize| self.nodes[r][c][axis];
            let top = node(row, column) * (1.0 - u) + node(row, column + 1) * u;
            let bottom = node(row + 1, column) * (1.0 - u) + node(row + 1, column + 1) * u;
            top * (1.0 - v) + bottom * v
        };
        [x + moved(0), y + moved(1)]
    }
}

/// The cell that a coordinate falls in and the place in it, eased so that cells join smoothly.
fn cell(coordinate: f32) -> (usize, f32) {
    let scaled = (coordinate + MARGIN) / (100.0 + 2.0 * MARGIN) * (NODES - 1) as f32;
    let scaled = scaled.clamp(0.0, (NODES - 1) as f32);
    let index = (scaled as usize).min(NODES - 2);
    let t = scaled - index as f32;
    (index, t * t * (3.0 - 2.0 * t))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Crossing from one cell into the next does not tear the page.
    #[test]
    fn the_field_is_continuous() {
        let field = ElasticField::sample(5.0, &mut Random::stream(1, 1, 1));
        let mut before = field.bend([-30.0, 40.0]);

        for i in 0..1600 {
            let after = field.bend([-30.0 + 0.1 * i as f32, 40.0]);
            let step = (after[0] - before[0]).abs() + (after[1] - before[1]).abs();
            assert!(step < 0.5, "a jump of {step} at {after:?}");
            before = after;
        }
    }
}
