//! Edges from border to border.

use super::Layers;

/// A point; `y` grows downwards.
pub(super) type Point = (f64, f64);

/// A layered graph with places.
#[derive(Debug)]
pub(super) struct Placed {
    /// The centre of each node of the graph across, and its upper border.
    pub(super) nodes: Vec<Point>,
    /// The points of each edge.
    pub(super) edges: Vec<Vec<Point>>,
}

impl Layers {
    /// Places all nodes, which are of one height, and leads the edges from one border to the other.
    pub(super) fn routed(&self, height: f64, across: f64, down: f64) -> Placed {
        let centres = self.centres(across);
        let point = |node: usize| {
            (
                centres[node],
                self.nodes[node].layer as f64 * (height + down),
            )
        };
        let border = |node: usize, towards: Point| {
            border(
                point(node),
                (self.nodes[node].width / 2.0).floor(),
                (height / 2.0).floor(),
                towards,
            )
        };
        let edges = self.paths.iter().map(|path| {
            let mut points: Vec<Point> = path.iter().map(|&node| point(node)).collect();
            let (first, last) = (path[0], path[path.len() - 1]);
            let tail = border(first, points[1]);
            let head = border(last, points[points.len() - 2]);
            points[0] = tail;
            let end = points.len() - 1;
            points[end] = head;
            points
        });
        let edges = edges.collect();
        let of_graph = self.nodes.iter().filter(|node| !node.is_bend).count();
        Placed {
            nodes: (0..of_graph).map(point).collect(),
            edges,
        }
    }
}

/// Where the line from the centre of a box to a point outside of it leaves the box.
fn border(centre: Point, half_width: f64, half_height: f64, towards: Point) -> Point {
    let (dx, dy) = (towards.0 - centre.0, towards.1 - centre.1);
    let through_side = dy.abs() * half_width < dx.abs() * half_height;
    let part = if through_side {
        half_width / dx.abs()
    } else {
        half_height / dy.abs()
    };
    (centre.0 + part * dx, centre.1 + part * dy)
}
