//! Where the nodes of a layer stand, across.
//!
//! Four times (leftmost and rightmost, from above and from below) nodes are aligned with their median neighbours to
//! blocks, which are moved together as far as they go. A node's place is the mean of the two middle ones of the four.

use super::Layers;

/// One of the four ways to align.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// 1 from the left, -1 from the right.
    across: i64,
    /// -1 by the layers above, 1 by those below.
    down: i64,
}

const WAYS: [Way; 4] = [
    Way {
        across: 1,
        down: -1,
    },
    Way {
        across: -1,
        down: -1,
    },
    Way { across: 1, down: 1 },
    Way {
        across: -1,
        down: 1,
    },
];

impl Layers {
    /// The centre of each node, across; `space` is what stays between neighbours.
    pub(super) fn centres(&self, space: f64) -> Vec<f64> {
        let conflicts = self.conflicts();
        let four = WAYS.map(|way| {
            let blocks = self.aligned(way, &conflicts);
            Placement::new(self, way, blocks, space).placed()
        });
        let centre = |node: usize| {
            let mut places = four.each_ref().map(|places| places[node]);
            places.sort_by(f64::total_cmp);
            f64::midpoint(places[1], places[2])
        };
        (0..self.nodes.len()).map(centre).collect()
    }

    /// Links between layers that a link between two bends crosses: the latter are to be straight. Upper node first.
    fn conflicts(&self) -> Vec<(usize, usize)> {
        let mut conflicts = Vec::new();
        for pair in self.rows.windows(2) {
            let (upper, lower) = (&pair[0], &pair[1]);
            let (mut done, mut left) = (0, 0);
            for (index, &node) in lower.iter().enumerate() {
                if !self.nodes[node].is_bend {
                    continue;
                }
                let above = self.nodes[node].above.first();
                let inner = above.filter(|&&above| self.nodes[above].is_bend);
                if inner.is_none() && index != lower.len() - 1 {
                    continue;
                }
                let right = inner.map_or(upper.len() - 1, |&above| self.nodes[above].position);
                for &low in &lower[done..=index] {
                    for &up in &self.nodes[low].above {
                        if !(left..=right).contains(&self.nodes[up].position) {
                            conflicts.push((up, low));
                        }
                    }
                }
                done = index + 1;
                left = right;
            }
        }
        conflicts
    }

    fn aligned(&self, way: Way, conflicts: &[(usize, usize)]) -> Blocks {
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        let mut blocks = Blocks {
            root: all.clone(),
            next: all,
        };
        for layer in ordered(0..self.rows.len(), -way.down) {
            let Some(before) = self.next(layer, way.down) else {
                continue;
            };
            let mut last: Option<usize> = None;
            for node in ordered(self.rows[layer].iter().copied(), way.across) {
                for median in self.medians(node, way) {
                    let neighbour = self.rows[before][median];
                    let link = if way.down == 1 {
                        (node, neighbour)
                    } else {
                        (neighbour, node)
                    };
                    let is_free = last.is_none_or(|last| {
                        if way.across == 1 {
                            last < median
                        } else {
                            last > median
                        }
                    });
                    if blocks.next[node] == node && is_free && !conflicts.contains(&link) {
                        blocks.next[neighbour] = node;
                        blocks.root[node] = blocks.root[neighbour];
                        blocks.next[node] = blocks.root[node];
                        last = Some(median);
                    }
                }
            }
        }
        blocks
    }

    /// The positions of the middle neighbours: one, two of an even number, none.
    fn medians(&self, node: usize, way: Way) -> Vec<usize> {
        let neighbours = self.neighbours(node, way.down).iter();
        let mut positions: Vec<usize> = neighbours
            .map(|&other| self.nodes[other].position)
            .collect();
        positions.sort_unstable();
        if way.across == -1 {
            positions.reverse();
        }
        match positions.len() {
            0 => Vec::new(),
            odd if odd % 2 == 1 => vec![positions[odd / 2]],
            even => positions[even / 2 - 1..=even / 2].to_vec(),
        }
    }
}

/// Things from the first to the last, or from the last to the first.
fn ordered<T>(things: impl DoubleEndedIterator<Item = T>, direction: i64) -> Vec<T> {
    if direction == 1 {
        things.collect()
    } else {
        things.rev().collect()
    }
}

/// Nodes that stand one below the other, each block a circle with a root.
#[derive(Debug)]
struct Blocks {
    root: Vec<usize>,
    next: Vec<usize>,
}

/// Blocks on their way to their places.
struct Placement<'a> {
    layers: &'a Layers,
    way: Way,
    blocks: Blocks,
    space: f64,
    /// Of roots alone.
    place: Vec<Option<f64>>,
    /// Blocks that are moved together.
    class: Vec<usize>,
    shift: Vec<f64>,
}

impl<'a> Placement<'a> {
    fn new(layers: &'a Layers, way: Way, blocks: Blocks, space: f64) -> Self {
        let count = layers.nodes.len();
        Self {
            layers,
            way,
            blocks,
            space,
            place: vec![None; count],
            class: (0..count).collect(),
            shift: vec![f64::INFINITY; count],
        }
    }

    fn placed(mut self) -> Vec<f64> {
        for layer in ordered(0..self.layers.rows.len(), -self.way.down) {
            let row = self.layers.rows[layer].iter().copied();
            for node in ordered(row, self.way.across) {
                if self.blocks.root[node] == node {
                    self.place_block(node);
                }
            }
        }
        let across = self.way.across as f64;
        let places = (0..self.layers.nodes.len()).map(|node| {
            let root = self.blocks.root[node];
            let place = across * self.place[root].unwrap_or_default();
            let shift = self.shift[self.class[root]];
            if shift.is_finite() {
                place + across * shift
            } else {
                place
            }
        });
        places.collect()
    }

    fn place_block(&mut self, root: usize) {
        if self.place[root].is_some() {
            return;
        }
        self.place[root] = Some(0.0);
        let mut node = root;
        loop {
            if let Some(before) = self.before(node) {
                let nodes = &self.layers.nodes;
                let distance = self.space + f64::midpoint(nodes[before].width, nodes[node].width);
                let other = self.blocks.root[before];
                self.place_block(other);
                self.keep_distance(root, other, distance);
            }
            node = self.blocks.next[node];
            if node == root {
                return;
            }
        }
    }

    /// The neighbour that is placed before a node.
    fn before(&self, node: usize) -> Option<usize> {
        let node = &self.layers.nodes[node];
        let position = node
            .position
            .checked_add_signed(-self.way.across as isize)?;
        self.layers.rows[node.layer].get(position).copied()
    }

    fn keep_distance(&mut self, root: usize, other: usize, distance: f64) {
        let place = |root: usize| self.place[root].unwrap_or_default();
        let (own, least) = (place(root), place(other) + distance);
        if self.class[root] == root {
            self.class[root] = self.class[other];
        }
        let class = self.class[other];
        if self.class[root] == class {
            self.place[root] = Some(own.max(least));
        } else {
            self.shift[class] = self.shift[class].min(own - least);
        }
    }
}
