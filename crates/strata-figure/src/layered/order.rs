//! Who stands beside whom.

use super::Layers;

impl Layers {
    /// Orders the nodes of all layers: a sweep down, one up if edges crossed, and again one down.
    pub(super) fn reduce_crossings(&mut self) {
        let bottom = self.rows.len() - 1;
        let crossings: usize = (0..=bottom).map(|layer| self.reorder(layer, -1)).sum();
        if crossings > 0 {
            for layer in (0..=bottom).rev() {
                self.reorder(layer, 1);
            }
        }
        for layer in 0..=bottom {
            self.reorder(layer, -1);
        }
    }

    /// Orders one layer by where its neighbours in a direction stand; gives the crossings that are left.
    fn reorder(&mut self, layer: usize, direction: i64) -> usize {
        if self.crossings(layer, direction) == 0 {
            return 0;
        }
        for node in self.rows[layer].clone() {
            let neighbours = self.neighbours(node, direction);
            if !neighbours.is_empty() {
                let sum: f64 = neighbours
                    .iter()
                    .map(|&other| self.nodes[other].barycentre)
                    .sum();
                self.nodes[node].barycentre = sum / neighbours.len() as f64;
            }
        }
        let mut row = std::mem::take(&mut self.rows[layer]);
        row.sort_by(|&a, &b| {
            let barycentre = |node: usize| self.nodes[node].barycentre;
            barycentre(a).total_cmp(&barycentre(b))
        });
        let left = self.swap_neighbours(&mut row, direction);
        self.rows[layer] = row;
        self.number(layer);
        left
    }

    /// Pairs of edges of a layer that cross: inversions of the ends of edges that are sorted by their beginnings.
    fn crossings(&self, layer: usize, direction: i64) -> usize {
        let mut seen: Vec<usize> = Vec::new();
        let mut count = 0;
        for &node in &self.rows[layer] {
            let neighbours = self.neighbours(node, direction).iter();
            let mut ends: Vec<usize> = neighbours
                .map(|&other| self.nodes[other].position)
                .collect();
            ends.sort_unstable();
            for end in ends {
                let before = seen.partition_point(|&other| other <= end);
                count += seen.len() - before;
                seen.insert(before, end);
            }
        }
        count
    }

    /// Exchanges neighbours of a row once, from left to right, where that saves crossings; gives those that are left.
    fn swap_neighbours(&self, row: &mut [usize], direction: i64) -> usize {
        let ends = |node: usize| {
            let neighbours = self.neighbours(node, direction).iter();
            neighbours.map(|&other| self.nodes[other].barycentre)
        };
        let mut crossings = 0;
        for index in 1..row.len() {
            let left: Vec<f64> = ends(row[index - 1]).collect();
            let (mut as_is, mut exchanged) = (0, 0);
            for end in ends(row[index]) {
                let crossed = left.iter().filter(|&&other| other > end).count();
                as_is += crossed;
                exchanged += left.len() - crossed;
            }
            if exchanged < as_is {
                row.swap(index - 1, index);
            }
            crossings += as_is.min(exchanged);
        }
        crossings
    }
}
