//! Which layer a node belongs to.

use super::{Layers, Node};

/// Puts the nodes of a connected graph into layers. `widths` are those of its nodes, `edges` lead from above to below.
///
/// Bends are as wide as the median node.
pub(super) fn ranked(widths: &[f64], edges: &[(usize, usize)]) -> Layers {
    let neighbours = |node: usize, of: fn(&(usize, usize)) -> (usize, usize)| {
        let edges = edges.iter().map(of);
        let edges = edges.filter(|(from, _)| *from == node).map(|(_, to)| to);
        edges.collect::<Vec<usize>>()
    };
    let all = 0..widths.len();
    let makers: Vec<Vec<usize>> = all
        .clone()
        .map(|node| neighbours(node, |&(from, to)| (to, from)))
        .collect();
    let readers: Vec<Vec<usize>> = all.map(|node| neighbours(node, |&edge| edge)).collect();
    let (mut rank, mut layers) = longest_paths(&makers, &readers);
    pull_down(&makers, &readers, &mut rank, &mut layers);
    let nodes = widths.iter().zip(&rank).map(|(&width, &layer)| Node {
        layer,
        position: 0,
        barycentre: 0.0,
        width,
        is_bend: false,
        above: Vec::new(),
        below: Vec::new(),
    });
    let mut layers = Layers {
        nodes: nodes.collect(),
        rows: layers,
        paths: Vec::new(),
    };
    let mut sorted = widths.to_vec();
    sorted.sort_by(f64::total_cmp);
    layers.bend(edges, sorted[sorted.len() / 2]);
    for layer in 0..layers.rows.len() {
        layers.number(layer);
    }
    layers
}

/// The layer of a node is the length of the longest path to it. Nodes come into their layers in waves: first those
/// without makers, then those whose makers have all been seen.
fn longest_paths(makers: &[Vec<usize>], readers: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut rank = vec![0; makers.len()];
    let mut seen = vec![false; makers.len()];
    let mut layers: Vec<Vec<usize>> = Vec::new();
    let mut wave: Vec<usize> = (0..makers.len())
        .filter(|&node| makers[node].is_empty())
        .collect();
    while !wave.is_empty() {
        let mut next = Vec::new();
        for node in wave {
            let above = makers[node].iter().map(|&maker| rank[maker] + 1);
            rank[node] = above.max().unwrap_or(0);
            if layers.len() <= rank[node] {
                layers.push(Vec::new());
            }
            layers[rank[node]].push(node);
            seen[node] = true;
            for &reader in &readers[node] {
                let is_ready = makers[reader].iter().all(|&maker| seen[maker]);
                if is_ready && !next.contains(&reader) {
                    next.push(reader);
                }
            }
        }
        wave = next;
    }
    (rank, layers)
}

/// Brings nodes right above the first of their readers, so that edges are short.
fn pull_down(
    makers: &[Vec<usize>],
    readers: &[Vec<usize>],
    rank: &mut [usize],
    layers: &mut [Vec<usize>],
) {
    for layer in (1..layers.len()).rev() {
        for node in layers[layer].clone() {
            for &maker in &makers[node] {
                let is_first = readers[maker].iter().all(|&reader| rank[reader] >= layer);
                if is_first {
                    layers[rank[maker]].retain(|&other| other != maker);
                    rank[maker] = layer - 1;
                    layers[layer - 1].push(maker);
                }
            }
        }
    }
}

impl Layers {
    /// Gives every edge a path with a node in each layer, and every node its neighbours.
    fn bend(&mut self, edges: &[(usize, usize)], width: f64) {
        for &(from, to) in edges {
            let mut path = vec![from];
            for layer in self.nodes[from].layer + 1..self.nodes[to].layer {
                let bend = self.nodes.len();
                self.nodes.push(Node {
                    layer,
                    position: 0,
                    barycentre: 0.0,
                    width,
                    is_bend: true,
                    above: Vec::new(),
                    below: Vec::new(),
                });
                self.rows[layer].push(bend);
                path.push(bend);
            }
            path.push(to);
            for pair in path.windows(2) {
                self.nodes[pair[0]].below.push(pair[1]);
                self.nodes[pair[1]].above.push(pair[0]);
            }
            self.paths.push(path);
        }
    }
}
