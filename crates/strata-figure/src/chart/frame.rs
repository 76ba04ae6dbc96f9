//! What stands around the data: title, axes with ticks and labels, grid, legend.

use super::svg::{Anchor, GRID, INK, Svg, TEXT_SIZE, TITLE_SIZE, fitted, width};

/// Between things.
const GAP: f64 = 8.0;
const TICK: f64 = 4.0;
/// Longer labels of ticks and legends are cut.
const LABEL_LIMIT: f64 = 160.0;

/// A tick: how far along its axis, and what it is called.
pub(super) type Tick = (f64, String);

/// The texts around a rectangle of data.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    /// From left to right.
    pub(super) x_ticks: Vec<Tick>,
    /// From below to above.
    pub(super) y_ticks: Vec<Tick>,
    pub(super) has_grid: bool,
    pub(super) legend: Vec<Key>,
}

/// A line of the legend.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) colour: &'static str,
    /// Dashes of a line; nothing for a filled square.
    pub(super) dash: Option<&'static str>,
}

/// Where the data stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    left: f64,
    top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    /// A point by its parts of the axes.
    pub(super) fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.left + x * self.width,
            self.top + (1.0 - y) * self.height,
        )
    }
}

impl Frame {
    /// A picture with all but the data, which go into an area of the given size.
    pub(super) fn draw(&self, data_width: f64, data_height: f64) -> (Svg, Area) {
        let label = |tick: &Tick| width(&tick.1, TEXT_SIZE).min(LABEL_LIMIT);
        let y_ticks = self.y_ticks.iter().map(label).fold(0.0, f64::max);
        let line = TEXT_SIZE + GAP;
        let is_tilted = self.is_crowded(data_width);
        let x_ticks = if is_tilted {
            self.x_ticks.iter().map(label).fold(0.0, f64::max)
        } else {
            TEXT_SIZE
        };
        let area = Area {
            left: GAP + line + y_ticks + GAP + TICK,
            top: GAP + TITLE_SIZE + GAP,
            width: data_width,
            height: data_height,
        };
        let keys = self
            .legend
            .iter()
            .map(|key| width(&key.name, TEXT_SIZE).min(LABEL_LIMIT));
        let legend = keys.fold(0.0, f64::max);
        let legend = if self.legend.is_empty() {
            0.0
        } else {
            legend + 28.0 + 2.0 * GAP
        };
        let total_width = area.left + data_width + legend + 2.0 * GAP;
        let rows = self.legend.len() as f64 * line;
        let total_height = area.top + data_height.max(rows) + TICK + GAP + x_ticks + line + GAP;
        let mut svg = Svg::new(total_width, total_height, &self.title);
        let title = fitted(&self.title, TITLE_SIZE, total_width - 2.0 * GAP);
        let middle = area.left + data_width / 2.0;
        let half = width(&title, TITLE_SIZE) / 2.0 + GAP;
        let middle = middle.clamp(half, (total_width - half).max(half));
        svg.write(
            (middle, GAP + TITLE_SIZE),
            Anchor::Middle,
            TITLE_SIZE,
            INK,
            &title,
        );
        self.axes(&mut svg, area, is_tilted);
        let below = area.top + data_height + TICK + GAP + x_ticks + line - GAP / 2.0;
        let x_label = fitted(&self.x_label, TEXT_SIZE, data_width);
        svg.write(
            (area.left + data_width / 2.0, below),
            Anchor::Middle,
            TEXT_SIZE,
            INK,
            &x_label,
        );
        let y_label = fitted(&self.y_label, TEXT_SIZE, data_height);
        svg.write_upwards((GAP + TEXT_SIZE, area.top + data_height / 2.0), &y_label);
        self.keys(&mut svg, area);
        (svg, area)
    }

    /// Whether labels below the axis would run into each other.
    fn is_crowded(&self, data_width: f64) -> bool {
        self.x_ticks.windows(2).any(|pair| {
            let space = (pair[1].0 - pair[0].0) * data_width;
            f64::midpoint(width(&pair[0].1, TEXT_SIZE), width(&pair[1].1, TEXT_SIZE)) + 4.0 > space
        })
    }

    fn axes(&self, svg: &mut Svg, area: Area, is_tilted: bool) {
        for (part, label) in &self.x_ticks {
            let (x, bottom) = area.point(*part, 0.0);
            if self.has_grid {
                svg.line((x, area.top), (x, bottom), GRID);
            }
            svg.line((x, bottom), (x, bottom + TICK), INK);
            let label = fitted(label, TEXT_SIZE, LABEL_LIMIT);
            if is_tilted {
                let half = width(&label, TEXT_SIZE) / 2.0;
                svg.write_upwards(
                    (x + TEXT_SIZE / 3.0, bottom + TICK + GAP / 2.0 + half),
                    &label,
                );
            } else {
                svg.write(
                    (x, bottom + TICK + GAP / 2.0 + TEXT_SIZE),
                    Anchor::Middle,
                    TEXT_SIZE,
                    INK,
                    &label,
                );
            }
        }
        for (part, label) in &self.y_ticks {
            let (left, y) = area.point(0.0, *part);
            if self.has_grid {
                svg.line((left, y), (left + area.width, y), GRID);
            }
            svg.line((left - TICK, y), (left, y), INK);
            let label = fitted(label, TEXT_SIZE, LABEL_LIMIT);
            let at = (left - TICK - GAP / 2.0, y + TEXT_SIZE / 3.0);
            svg.write(at, Anchor::End, TEXT_SIZE, INK, &label);
        }
        svg.line(area.point(0.0, 0.0), area.point(1.0, 0.0), INK);
        svg.line(area.point(0.0, 0.0), area.point(0.0, 1.0), INK);
    }

    fn keys(&self, svg: &mut Svg, area: Area) {
        let left = area.left + area.width + 2.0 * GAP;
        for (index, key) in self.legend.iter().enumerate() {
            let y = area.top + GAP + index as f64 * (TEXT_SIZE + GAP);
            match key.dash {
                Some(dash) => svg.path(&[(left, y), (left + 22.0, y)], key.colour, dash),
                None => svg.rectangle((left + 6.0, y - 5.0), (10.0, 10.0), key.colour, ""),
            }
            let name = fitted(&key.name, TEXT_SIZE, LABEL_LIMIT);
            svg.write(
                (left + 28.0, y + TEXT_SIZE / 3.0),
                Anchor::Start,
                TEXT_SIZE,
                INK,
                &name,
            );
        }
    }
}

/// Ticks in the middle of equal parts of an axis, one for each name; at most 30 of them are named.
pub(super) fn names_as_ticks(names: &[String]) -> Vec<Tick> {
    let every = names.len().div_ceil(30).max(1);
    let parts = names.len() as f64;
    let ticks = names.iter().enumerate().step_by(every);
    ticks
        .map(|(index, name)| ((index as f64 + 0.5) / parts, name.clone()))
        .collect()
}
