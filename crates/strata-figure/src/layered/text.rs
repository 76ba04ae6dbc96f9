//! Graphs in letters: boxes of `-`, `|` and `+`, edges of `*`.

use super::rank::ranked;
use super::route::{Placed, Point};

const BOX_HEIGHT: f64 = 3.0;
/// Between layers.
const SPACE: f64 = 3.0;

/// Draws a directed graph without circles as `dvc dag` does, each connected part below the one before.
///
/// `names` are those of the nodes, `edges` lead from a node to one that is drawn below it.
pub fn boxes(names: &[String], edges: &[(usize, usize)]) -> String {
    let parts = parts(names.len(), edges).into_iter().map(|part| {
        let place = |node: usize| part.iter().position(|&other| other == node);
        let edges: Vec<(usize, usize)> = edges
            .iter()
            .filter_map(|&(from, to)| Some((place(from)?, place(to)?)))
            .collect();
        let names: Vec<&str> = part.iter().map(|&node| names[node].as_str()).collect();
        part_in_letters(&names, &edges)
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// The connected parts, each with its nodes in the order in which its edges bring them together.
fn parts(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = (0..count).map(|node| vec![node]).collect();
    for &(from, to) in edges {
        let of = |node: usize| parts.iter().position(|part| part.contains(&node));
        if let (Some(first), Some(second)) = (of(from), of(to))
            && first != second
        {
            let moved = std::mem::take(&mut parts[second]);
            parts[first].extend(moved);
        }
    }
    parts.retain(|part| !part.is_empty());
    // By their first nodes, wherever these have ended up.
    parts.sort_by_key(|part| part.iter().min().copied());
    parts
}

fn part_in_letters(names: &[&str], edges: &[(usize, usize)]) -> String {
    let widths = names.iter().map(|name| name.chars().count() as f64 + 4.0);
    let widths: Vec<f64> = widths.collect();
    let across = widths.iter().copied().fold(f64::INFINITY, f64::min);
    let mut layers = ranked(&widths, edges);
    layers.reduce_crossings();
    let placed = layers.routed(BOX_HEIGHT, across, SPACE);
    let mut canvas = Canvas::around(&placed, &widths);
    for points in &placed.edges {
        for pair in points.windows(2) {
            canvas.line(pair[0], pair[1]);
        }
    }
    for (name, (&(x, y), &width)) in names.iter().zip(placed.nodes.iter().zip(&widths)) {
        canvas.boxed(name, (x - width / 2.0, y), width as usize);
    }
    canvas.to_text()
}

/// Letters in lines.
struct Canvas {
    lines: Vec<Vec<char>>,
    left: f64,
    top: f64,
}

impl Canvas {
    /// Large enough for all boxes and edges.
    fn around(placed: &Placed, widths: &[f64]) -> Self {
        let points = placed.edges.iter().flatten().copied();
        let corners = placed
            .nodes
            .iter()
            .zip(widths)
            .flat_map(|(&(x, y), width)| [(x - width / 2.0, y), (x + width / 2.0, y + BOX_HEIGHT)]);
        let (mut left, mut top) = (f64::INFINITY, f64::INFINITY);
        let (mut right, mut bottom) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for (x, y) in points.chain(corners) {
            (left, right) = (left.min(x), right.max(x));
            (top, bottom) = (top.min(y), bottom.max(y));
        }
        let columns = (right.ceil() - left.floor()) as usize + 1;
        let lines = rounded(bottom - top);
        Self {
            lines: vec![vec![' '; columns]; lines],
            left,
            top,
        }
    }

    /// A letter; outside nothing happens.
    fn put(&mut self, x: usize, y: usize, letter: char) {
        if let Some(place) = self.lines.get_mut(y).and_then(|line| line.get_mut(x)) {
            *place = letter;
        }
    }

    fn line(&mut self, from: Point, to: Point) {
        let on_canvas = |(x, y): Point| (rounded(x - self.left), rounded(y - self.top));
        let (mut start, mut end) = (on_canvas(from), on_canvas(to));
        if start.0 > end.0 {
            std::mem::swap(&mut start, &mut end);
        }
        let dx = end.0 as f64 - start.0 as f64;
        let dy = end.1 as f64 - start.1 as f64;
        if dx >= dy.abs() {
            for x in start.0..=end.0 {
                let part = if dx == 0.0 {
                    0.0
                } else {
                    (x - start.0) as f64 * dy / dx
                };
                self.put(x, (start.1 as f64 + part.round_ties_even()) as usize, '*');
            }
            return;
        }
        if start.1 > end.1 {
            std::mem::swap(&mut start, &mut end);
        }
        for y in start.1..=end.1 {
            let part = (y - start.1) as f64 * dx / dy;
            self.put((start.0 as f64 + part.round_ties_even()) as usize, y, '*');
        }
    }

    fn boxed(&mut self, name: &str, (x, y): Point, width: usize) {
        let (left, top) = (rounded(x - self.left), rounded(y - self.top));
        let rule: String = format!("+{}+", "-".repeat(width - 2));
        for (line, text) in [rule.clone(), format!("| {name} |"), rule]
            .iter()
            .enumerate()
        {
            for (column, letter) in text.chars().enumerate() {
                self.put(left + column, top + line, letter);
            }
        }
    }

    fn to_text(&self) -> String {
        let lines = self
            .lines
            .iter()
            .map(|line| line.iter().collect::<String>());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Python's `round`: halves go to even numbers. Nothing on the canvas is negative.
fn rounded(number: f64) -> usize {
    number.round_ties_even() as usize
}
