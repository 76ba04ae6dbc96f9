//! What lines, areas and points stand for.

use crate::Color;
use crate::axes::{Handle, Location, marked};
use crate::scene::{Item, Path, PlacedText, Point, Rect, Segment, Stroke};
use crate::typeset::{Block, font};

/// Matplotlib's measures, in ems of the legend's text.
const HANDLE: f64 = 2.0;
const HANDLE_GAP: f64 = 0.8;
const COLUMN_GAP: f64 = 1.6;
const LINE_GAP: f64 = 0.45;
const PADDING: f64 = 0.4;
/// Names are cut to this before some are left out.
const NARROWEST: f64 = 3.0;
/// Data are looked for at steps of so many points.
const STEP: f64 = 3.0;

/// A legend, not yet placed.
#[derive(Debug, Clone)]
pub(crate) struct Legend {
    entries: Vec<(Block, Handle)>,
    columns: Vec<f64>,
    rows: usize,
    size: f64,
}

impl Legend {
    /// In so many columns, names at most `widest` wide.
    fn new(entries: &[(String, Handle)], size: f64, columns: usize, widest: f64) -> Self {
        let widest = (widest - (HANDLE + HANDLE_GAP + 2.0 * PADDING) * size).max(0.0);
        let entries: Vec<(Block, Handle)> = entries
            .iter()
            .map(|(label, handle)| (Block::fitted(label, size, widest), handle.clone()))
            .collect();
        let rows = entries.len().div_ceil(columns.max(1)).max(1);
        let columns = entries
            .chunks(rows)
            .map(|column| column.iter().map(|entry| entry.0.width).fold(0.0, f64::max))
            .collect();
        Self {
            entries,
            columns,
            rows,
            size,
        }
    }

    /// One column, or more if it is too high.
    pub(crate) fn in_height(
        entries: &[(String, Handle)],
        size: f64,
        height: f64,
        widest: f64,
    ) -> Self {
        let single = Self::new(entries, size, 1, widest);
        let line = single.line();
        let rows = ((height - 2.0 * PADDING * size) / line).max(1.0) as usize;
        let columns = entries.len().div_ceil(rows);
        if columns <= 1 {
            return single;
        }
        Self::new(entries, size, columns, widest / columns as f64)
    }

    /// As many columns as go into the width; more, with names cut, if it would be too high, and in the end not all names.
    pub(crate) fn in_width(
        entries: &[(String, Handle)],
        size: f64,
        width: f64,
        highest: f64,
    ) -> Self {
        let natural = (1..=entries.len())
            .rev()
            .map(|columns| Self::new(entries, size, columns, width))
            .find(|legend| legend.width() <= width);
        if let Some(legend) = natural
            && legend.height() <= highest
        {
            return legend;
        }
        let single = Self::new(entries, size, 1, width);
        let rows = ((highest - 2.0 * PADDING * size) / single.line()).max(1.0) as usize;
        let narrowest = (HANDLE + HANDLE_GAP + COLUMN_GAP + NARROWEST) * size;
        let most = ((width / narrowest) as usize).max(1);
        let columns = entries.len().div_ceil(rows).clamp(1, most);
        let shown = &entries[..entries.len().min(rows * columns)];
        let widest = (width + COLUMN_GAP * size) / columns as f64 - COLUMN_GAP * size;
        Self::new(shown, size, columns, widest)
    }

    fn line(&self) -> f64 {
        (font::ASCENT + font::DESCENT + LINE_GAP) * self.size
    }

    pub(crate) fn width(&self) -> f64 {
        let texts: f64 = self.columns.iter().sum();
        let columns = self.columns.len() as f64;
        let ems = (HANDLE + HANDLE_GAP) * columns + COLUMN_GAP * (columns - 1.0) + PADDING * 2.0;
        texts + ems * self.size
    }

    pub(crate) fn height(&self) -> f64 {
        self.line() * self.rows as f64 + (2.0 * PADDING - LINE_GAP) * self.size
    }

    /// Its things with its upper left corner at a point.
    pub(crate) fn draw(&self, (left, top): Point, has_frame: bool) -> Vec<Item> {
        let mut items = Vec::new();
        if has_frame {
            let frame = Rect::new(left, top, left + self.width(), top + self.height());
            items.push(Item::Path {
                path: rounded(frame, self.size * 0.25),
                fill: Some(Color::WHITE.with_alpha(0.85)),
                stroke: Some(Stroke::solid(Color::gray(0xcc), self.size * 0.09)),
                clip: None,
            });
        }
        let mut x = left + PADDING * self.size;
        for (column, entries) in self.columns.iter().zip(self.entries.chunks(self.rows)) {
            let mut base = top + (PADDING + font::ASCENT) * self.size;
            for (block, handle) in entries {
                self.handle(handle, (x, base), &mut items);
                items.push(Item::Text(PlacedText {
                    block: block.clone(),
                    at: (x + (HANDLE + HANDLE_GAP) * self.size, base),
                    rotation: 0.0,
                    color: Color::BLACK,
                    halo: None,
                }));
                base += self.line();
            }
            x += column + (HANDLE + HANDLE_GAP + COLUMN_GAP) * self.size;
        }
        items
    }

    fn handle(&self, handle: &Handle, (x, base): Point, items: &mut Vec<Item>) {
        let end = x + HANDLE * self.size;
        let middle = base - font::DIGIT_HEIGHT / 2.0 * self.size;
        let half = self.size * 0.35;
        if let Some(color) = handle.patch {
            let patch = Rect::new(x, middle - half, end, middle + half);
            items.push(Item::filled(Path::rect(patch), color));
        }
        if let Some(stroke) = &handle.line {
            let stroke = Stroke {
                width: stroke.width.min(self.size),
                ..stroke.clone()
            };
            items.push(Item::stroked(
                Path::line((x, middle), (end, middle)),
                stroke,
            ));
        }
        if let Some((marker, size, color)) = handle.marker {
            items.push(marked(
                marker,
                (f64::midpoint(x, end), middle),
                size.min(self.size),
                color,
            ));
        }
    }

    /// The upper left corner in an area, where it is asked for or where it hides least of `data`; and how much it hides.
    pub(crate) fn corner(&self, location: Location, area: Rect, data: &[Item]) -> (Point, usize) {
        let gap = self.size * 0.5;
        let (width, height) = (self.width(), self.height());
        let left = area.left + gap;
        let right = area.right - gap - width;
        let centre = area.middle().0 - width / 2.0;
        let top = area.top + gap;
        let bottom = area.bottom - gap - height;
        let middle = area.middle().1 - height / 2.0;
        match location {
            Location::UpperRight => return ((right, top), 0),
            Location::UpperLeft => return ((left, top), 0),
            Location::LowerLeft => return ((left, bottom), 0),
            Location::LowerRight => return ((right, bottom), 0),
            Location::Best | Location::Right | Location::Below => {}
        }
        // Matplotlib's places in its order.
        let places = [
            (right, top),
            (left, top),
            (left, bottom),
            (right, bottom),
            (right, middle),
            (left, middle),
            (centre, bottom),
            (centre, top),
            (centre, middle),
        ];
        let samples = samples(data);
        let mut best = (usize::MAX, places[0]);
        for (x, y) in places {
            let rect = Rect::new(x, y, x + width, y + height).grown(gap * 0.5);
            let hidden = samples
                .iter()
                .filter(|point| rect.contains(**point))
                .count()
                + covered(data, rect);
            if hidden < best.0 {
                best = (hidden, (x, y));
            }
        }
        (best.1, best.0)
    }
}

/// Points along all lines and edges, and in all texts.
fn samples(data: &[Item]) -> Vec<Point> {
    let mut points = Vec::new();
    let mut along = |from: Point, to: Point| {
        let length = libm::hypot(to.0 - from.0, to.1 - from.1);
        let steps = (length / STEP).clamp(1.0, 1000.0) as usize;
        points.extend((1..=steps).map(|step| {
            let part = step as f64 / steps as f64;
            (
                from.0 + (to.0 - from.0) * part,
                from.1 + (to.1 - from.1) * part,
            )
        }));
    };
    for item in data {
        match item {
            Item::Path { path, .. } => {
                let mut last = (0.0, 0.0);
                for segment in &path.0 {
                    match *segment {
                        Segment::Move(to) => last = to,
                        Segment::Line(to) | Segment::Quad(_, to) | Segment::Cubic(_, _, to) => {
                            along(last, to);
                            last = to;
                        }
                        Segment::Close => {}
                    }
                }
            }
            Item::Text(text) => {
                let bounds = text.bounds();
                let middle = bounds.middle().1;
                along((bounds.left, middle), (bounds.right, middle));
            }
            Item::Image { .. } => {}
        }
    }
    points
}

/// How much of the rectangle lies in filled areas, as a number of samples.
fn covered(data: &[Item], rect: Rect) -> usize {
    let inside = |points: &[Point], (x, y): Point| {
        let mut is_inside = false;
        for (index, b) in points.iter().enumerate() {
            let a = points[(index + points.len() - 1) % points.len()];
            if (a.1 > y) != (b.1 > y) && x < a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0) {
                is_inside = !is_inside;
            }
        }
        is_inside
    };
    let mut count = 0;
    for item in data {
        let Item::Path {
            path,
            fill: Some(_),
            ..
        } = item
        else {
            continue;
        };
        let points: Vec<Point> = path
            .0
            .iter()
            .filter_map(|segment| match *segment {
                Segment::Move(to) | Segment::Line(to) => Some(to),
                _ => None,
            })
            .collect();
        for (column, row) in (0..9).map(|index| (index % 3, index / 3)) {
            let point = (
                rect.left + rect.width() * (f64::from(column) + 0.5) / 3.0,
                rect.top + rect.height() * (f64::from(row) + 0.5) / 3.0,
            );
            if inside(&points, point) {
                count += 3;
            }
        }
    }
    count
}

fn rounded(rect: Rect, radius: f64) -> Path {
    let Rect {
        left,
        top,
        right,
        bottom,
    } = rect;
    let corner = |at: Point, to: Point| Segment::Quad(at, to);
    Path(vec![
        Segment::Move((left + radius, top)),
        Segment::Line((right - radius, top)),
        corner((right, top), (right, top + radius)),
        Segment::Line((right, bottom - radius)),
        corner((right, bottom), (right - radius, bottom)),
        Segment::Line((left + radius, bottom)),
        corner((left, bottom), (left, bottom - radius)),
        Segment::Line((left, top + radius)),
        corner((left, top), (left + radius, top)),
        Segment::Close,
    ])
}
