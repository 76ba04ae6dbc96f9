//! Contours of numbers on a grid, by marching squares.
//!
//! For one level each cell of the grid has a polygon in which the numbers are at least as high. Edges that two cells share
//! run there and back and cancel; what remains are the outlines of the region. Those of its edges that go through cells are
//! the contour line.

use std::collections::BTreeMap;

use crate::scene::{Item, Path, Point, Stroke};
use crate::{Color, Colormap};

use super::axis::Extent;
use super::norm::{Mapping, Norm};
use super::place::Place;

/// Lines of equal height, or the areas between them.
#[derive(Debug, Clone)]
pub struct Contour {
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    /// Row by row: `z[j * x.len() + i]` is at `(x[i], y[j])`.
    pub(crate) z: Vec<f64>,
    pub(crate) levels: Option<Vec<f64>>,
    pub(crate) is_filled: bool,
    pub(crate) color: Option<Color>,
    pub(crate) norm: Norm,
}

impl Contour {
    /// The heights of lines, or between areas, instead of about ten round numbers. Areas above the last height look like those
    /// right below it; those below the first are left blank.
    pub fn levels(&mut self, levels: &[f64]) -> &mut Self {
        let usable = levels.iter().copied().filter(|level| level.abs() <= 1e300);
        let mut levels: Vec<f64> = usable.collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        self.levels = Some(levels);
        self
    }

    /// Their colours by height.
    pub fn cmap(&mut self, cmap: Colormap) -> &mut Self {
        self.norm.cmap = cmap;
        self
    }

    /// One colour for all lines.
    pub fn color(&mut self, color: Color) -> &mut Self {
        self.color = Some(color);
        self
    }

    /// The heights at the ends of the colour map.
    pub fn clim(&mut self, low: f64, high: f64) -> &mut Self {
        (self.norm.low, self.norm.high) = (Some(low), Some(high));
        self
    }

    pub(super) fn mapping(&self) -> Mapping {
        let mut norm = self.norm.clone();
        let levels = self.heights();
        // Areas go from their first to their last level.
        if self.is_filled && levels.len() > 1 {
            norm.low = norm.low.or(levels.first().copied());
            norm.high = norm.high.or(levels.last().copied());
        }
        norm.resolved(self.z.iter().copied())
    }

    /// The levels, from below to above.
    pub(super) fn heights(&self) -> Vec<f64> {
        if let Some(levels) = &self.levels {
            return levels.clone();
        }
        let usable = self.z.iter().filter(|z| z.abs() <= 1e300);
        let (low, high) = usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), z| {
            (low.min(*z), high.max(*z))
        });
        if low >= high {
            return Vec::new();
        }
        crate::ticks::round_levels(low, high, 10)
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        for (extent, values) in [(x, &self.x), (y, &self.y)] {
            extent.add(values.iter().copied());
            extent.stick(values.first().copied());
            extent.stick(values.last().copied());
        }
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let mapping = self.mapping();
        let levels = self.heights();
        if !self.is_filled {
            for level in levels {
                let color = self.color.unwrap_or_else(|| mapping.color(level));
                let stroke = Stroke::solid(color, place.size * 0.1);
                for line in self.outlines(level, place, true) {
                    place.line(&line, &stroke, out);
                }
            }
            return;
        }
        // Each region is laid over those that are lower.
        for (index, level) in levels.iter().enumerate() {
            let next = levels.get(index + 1).copied().unwrap_or(*level);
            if index > 0 && index + 1 == levels.len() {
                break;
            }
            let color = mapping.color(f64::midpoint(*level, next));
            let mut path = Path::default();
            for outline in self.outlines(*level, place, false) {
                path.0.extend(place.polygon(&outline).0);
            }
            if !path.0.is_empty() {
                out.push(Item::filled(path, color).clipped(place.area));
            }
        }
    }

    /// Outlines of the region that is at least as high as `level`; or, of these, what is not the edge of the grid.
    fn outlines(&self, level: f64, place: &Place, is_line: bool) -> Vec<Vec<Point>> {
        let (columns, rows) = (self.x.len(), self.y.len());
        let mut edges: BTreeMap<Vertex, Vec<Vertex>> = BTreeMap::new();
        for row in 0..rows.saturating_sub(1) {
            for column in 0..columns.saturating_sub(1) {
                for polygon in self.cell(level, column, row) {
                    for (index, from) in polygon.iter().enumerate() {
                        add_edge(&mut edges, *from, polygon[(index + 1) % polygon.len()]);
                    }
                }
            }
        }
        if is_line {
            for (from, ends) in &mut edges {
                ends.retain(|to| matches!((from, to), (Vertex::Between(..), Vertex::Between(..))));
            }
            edges.retain(|_, ends| !ends.is_empty());
        }
        chained(edges)
            .into_iter()
            .map(|chain| {
                chain
                    .into_iter()
                    .map(|vertex| self.point(vertex, level, place))
                    .collect()
            })
            .collect()
    }

    fn z(&self, (column, row): Node) -> f64 {
        self.z[row * self.x.len() + column]
    }

    /// The polygons of one cell, all turning the same way round.
    fn cell(&self, level: f64, column: usize, row: usize) -> Vec<Vec<Vertex>> {
        let corners = [
            (column, row),
            (column + 1, row),
            (column + 1, row + 1),
            (column, row + 1),
        ];
        let heights = corners.map(|corner| self.z(corner));
        if heights.iter().any(|height| !height.is_finite()) {
            return Vec::new();
        }
        let mut polygon = Vec::new();
        for (index, corner) in corners.iter().enumerate() {
            let next = (index + 1) % 4;
            let (here, there) = (heights[index] >= level, heights[next] >= level);
            if here {
                polygon.push(Vertex::Corner(*corner));
            }
            if here != there {
                let (first, second) = ((*corner).min(corners[next]), (*corner).max(corners[next]));
                polygon.push(Vertex::Between(first, second));
            }
        }
        let is_saddle = polygon.len() == 6
            && polygon
                .iter()
                .filter(|vertex| matches!(vertex, Vertex::Corner(_)))
                .count()
                == 2;
        let middle = heights.iter().map(|height| height / 4.0).sum::<f64>();
        if is_saddle && middle < level {
            // The two high corners are apart: the polygon, whose high corners stand between two crossings each, is two.
            let start = polygon
                .iter()
                .position(|vertex| matches!(vertex, Vertex::Corner(_)))
                .unwrap_or(0);
            let around = |index: usize| polygon[(start + index + 5) % 6];
            return vec![
                vec![around(0), around(1), around(2)],
                vec![around(3), around(4), around(5)],
            ];
        }
        vec![polygon]
    }

    fn point(&self, vertex: Vertex, level: f64, place: &Place) -> Point {
        let at = |(column, row): Node| place.point(self.x[column], self.y[row]);
        match vertex {
            Vertex::Corner(node) => at(node),
            Vertex::Between(first, second) => {
                let (low, high) = (self.z(first), self.z(second));
                let part = ((level - low) / (high - low)).clamp(0.0, 1.0);
                let ((ax, ay), (bx, by)) = (at(first), at(second));
                (ax + (bx - ax) * part, ay + (by - ay) * part)
            }
        }
    }
}

/// Column and row of the grid.
type Node = (usize, usize);

/// A point of an outline, known without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Vertex {
    Corner(Node),
    /// Where the level is crossed between two neighbours.
    Between(Node, Node),
}

/// Adds an edge, or takes the one away that runs back.
fn add_edge(edges: &mut BTreeMap<Vertex, Vec<Vertex>>, from: Vertex, to: Vertex) {
    if let Some(ends) = edges.get_mut(&to)
        && let Some(index) = ends.iter().position(|end| *end == from)
    {
        ends.remove(index);
        if ends.is_empty() {
            edges.remove(&to);
        }
        return;
    }
    edges.entry(from).or_default().push(to);
}

/// Edges joined end to end; a closed chain ends where it began.
fn chained(mut edges: BTreeMap<Vertex, Vec<Vertex>>) -> Vec<Vec<Vertex>> {
    let mut chains = Vec::new();
    let ends: Vec<Vertex> = edges.values().flatten().copied().collect();
    let has_end: std::collections::BTreeSet<Vertex> = ends.into_iter().collect();
    loop {
        // Open chains from their beginning first.
        let start = edges
            .keys()
            .find(|vertex| !has_end.contains(vertex))
            .or_else(|| edges.keys().next())
            .copied();
        let Some(start) = start else {
            return chains;
        };
        let mut chain = vec![start];
        let mut at = start;
        while let Some(ends) = edges.get_mut(&at) {
            let next = ends.pop();
            if ends.is_empty() {
                edges.remove(&at);
            }
            let Some(next) = next else {
                break;
            };
            chain.push(next);
            at = next;
            if at == start {
                break;
            }
        }
        chains.push(chain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::{Scale, View};
    use crate::scene::Rect;

    fn place(size: f64) -> Place {
        let view = |from, to| View {
            scale: Scale::Linear,
            low: 0.0,
            high: size,
            from,
            to,
        };
        Place {
            area: Rect::new(0.0, 0.0, size, size),
            x: view(0.0, size),
            y: view(0.0, size),
            size: 8.0,
        }
    }

    fn contour(side: usize, height: impl Fn(f64, f64) -> f64) -> Contour {
        let line: Vec<f64> = (0..side).map(|index| index as f64).collect();
        let z = line
            .iter()
            .flat_map(|y| line.iter().map(|x| height(*x, *y)).collect::<Vec<_>>())
            .collect();
        Contour {
            x: line.clone(),
            y: line,
            z,
            levels: None,
            is_filled: true,
            color: None,
            norm: Norm::default(),
        }
    }

    /// Of all outlines, holes counted down (shoelace formula).
    fn area(outlines: &[Vec<Point>]) -> f64 {
        let twice: f64 = outlines
            .iter()
            .flat_map(|outline| outline.windows(2))
            .map(|pair| pair[0].0 * pair[1].1 - pair[1].0 * pair[0].1)
            .sum();
        twice.abs() / 2.0
    }

    #[test]
    fn a_hill_has_a_round_outline() {
        let hill = contour(41, |x, y| -((x - 20.0).powi(2) + (y - 20.0).powi(2)));
        let outlines = hill.outlines(-100.0, &place(40.0), false);
        assert_eq!(outlines.len(), 1);
        assert!((area(&outlines) - std::f64::consts::PI * 100.0).abs() < 1.0);
        let ring = contour(41, |x, y| -((x - 20.0).hypot(y - 20.0) - 10.0).abs());
        let outlines = ring.outlines(-2.0, &place(40.0), false);
        assert_eq!(outlines.len(), 2);
        let expected = std::f64::consts::PI * (144.0 - 64.0);
        assert!((area(&outlines) - expected).abs() < 2.0);
    }

    #[test]
    fn a_slope_is_cut_in_one_straight_line() {
        let slope = contour(5, |x, _| x);
        assert_eq!(area(&slope.outlines(1.5, &place(4.0), false)), 2.5 * 4.0);
        let lines = slope.outlines(1.5, &place(4.0), true);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].iter().all(|point| point.0 == 1.5) && lines[0].len() == 5);
    }

    #[test]
    fn high_corners_of_a_saddle_are_joined_only_if_its_middle_is_high() {
        let saddle = |middle: f64| {
            let mut saddle = contour(2, |x, y| if x == y { 1.0 } else { 0.0 });
            saddle.z[1] = middle;
            saddle.z[2] = middle;
            saddle.outlines(0.5, &place(1.0), false).len()
        };
        assert_eq!(saddle(-1.0), 2);
        assert_eq!(saddle(0.4), 1);
    }
}
