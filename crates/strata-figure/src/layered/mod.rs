//! Layered drawings of directed graphs without circles, by Sugiyama's method.
//!
//! 1. `rank`: each node below all that lead to it; edges over several layers get a point in each between.
//! 2. `order`: nodes of a layer side by side so that few edges cross (barycentres; counting after Barth and Mutzel,
//!    "Simple and Efficient Bilayer Cross Counting", 2002).
//! 3. `place`: across, by the four alignments of Brandes and Köpf, "Fast and Simple Horizontal Coordinate
//!    Assignment", 2001.
//! 4. `route`: edges from border to border. `text`: all of it in letters.
//!
//! Where the papers leave a choice it is the one that makes `text` agree with what `dvc dag` prints.

mod order;
mod place;
mod rank;
mod route;
mod text;

pub use text::boxes;

/// A node of a layer: one of the graph's, or the point at which a long edge passes the layer.
#[derive(Debug, Clone)]
struct Node {
    layer: usize,
    /// From the left, in its layer.
    position: usize,
    /// The position as a fraction of the layer.
    barycentre: f64,
    width: f64,
    is_bend: bool,
    /// Neighbours in the layer above and in the one below.
    above: Vec<usize>,
    below: Vec<usize>,
}

/// A connected graph in layers.
#[derive(Debug, Clone)]
struct Layers {
    /// Those of the graph, then bends.
    nodes: Vec<Node>,
    /// From top to bottom; each from left to right.
    rows: Vec<Vec<usize>>,
    /// For each edge its nodes from top to bottom.
    paths: Vec<Vec<usize>>,
}

impl Layers {
    /// The neighbours towards the layer above (`-1`) or below (`1`).
    fn neighbours(&self, node: usize, direction: i64) -> &[usize] {
        if direction < 0 {
            &self.nodes[node].above
        } else {
            &self.nodes[node].below
        }
    }

    /// The layer above or below another, unless there is none.
    fn next(&self, layer: usize, direction: i64) -> Option<usize> {
        let next = layer.checked_add_signed(direction as isize)?;
        (next < self.rows.len()).then_some(next)
    }

    /// Takes down the places of a layer's nodes.
    fn number(&mut self, layer: usize) {
        let count = self.rows[layer].len();
        let step = if count > 1 {
            1.0 / (count - 1) as f64
        } else {
            1.0
        };
        for (position, &node) in self.rows[layer].iter().enumerate() {
            self.nodes[node].position = position;
            self.nodes[node].barycentre = position as f64 * step;
        }
    }
}
