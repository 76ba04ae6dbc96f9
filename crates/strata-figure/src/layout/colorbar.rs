//! The scale of colours beside a plot.

use crate::Color;
use crate::axes::{Axis, Colorbar, Mapping, beside};
use crate::scale::View;
use crate::scene::{Item, Path, PlacedText, Rect, Stroke};
use crate::typeset::{Align, Block};

/// So many stripes look like one slope.
const STRIPES: usize = 128;
/// Stripes lie over their neighbours by so many points.
const OVERLAP: f64 = 0.3;

/// Where a bar stands.
pub(super) struct Room {
    /// The area that it is as high as.
    pub(super) area: Rect,
    pub(super) left: f64,
    /// Above this there is nothing yet.
    pub(super) top: f64,
    /// The most that its numbers may take.
    pub(super) widest: f64,
    /// The most lines of its label.
    pub(super) lines: usize,
}

/// The bar, and how far to the right it goes.
pub(super) fn draw(
    bar: &Colorbar,
    (mapping, levels): &(Mapping, Vec<f64>),
    room: Room,
    size: f64,
) -> (Vec<Item>, f64) {
    let Room { area, left, .. } = room;
    let mut items = Vec::new();
    let right = left + size * 1.1;
    let view = view(mapping, area);
    let place = Rect::new(left, area.top, right, area.bottom);
    let bounds: Vec<(f64, f64, f64)> = if levels.len() > 1 {
        levels
            .windows(2)
            .map(|pair| (pair[0], pair[1], f64::midpoint(pair[0], pair[1])))
            .collect()
    } else {
        let (low, high) = (view.scale.forward(view.low), view.scale.forward(view.high));
        let at = |stripe: usize| {
            view.scale
                .backward(low + (high - low) * stripe as f64 / STRIPES as f64)
        };
        (0..STRIPES)
            .map(|stripe| {
                let middle = f64::midpoint(
                    view.scale.forward(at(stripe)),
                    view.scale.forward(at(stripe + 1)),
                );
                (at(stripe), at(stripe + 1), view.scale.backward(middle))
            })
            .collect()
    };
    for (from, to, value) in bounds {
        let (bottom, top) = (view.at(from), view.at(to) - OVERLAP);
        let stripe = Rect::new(
            left,
            top.clamp(area.top, area.bottom),
            right,
            bottom.clamp(area.top, area.bottom),
        );
        items.push(Item::filled(Path::rect(stripe), mapping.color(value)));
    }
    let frame = Stroke::solid(Color::BLACK, size * 0.08);
    items.push(Item::stroked(Path::rect(place), frame.clone()));

    let mut axis = Axis::default();
    axis.format(bar.format).scale(mapping.scale.clone());
    let length = size * 0.35;
    let ticks = beside(
        &axis,
        &view,
        size * 0.9,
        right + length * 1.8,
        true,
        room.widest,
    );
    let mut end = right + length;
    let mut top = room.top;
    for value in &ticks.major {
        let y = view.at(*value);
        let path = Path::line((right, y), (right + length, y));
        items.push(Item::stroked(path, frame.clone()));
    }
    for label in ticks.labels {
        end = end.max(label.bounds().right);
        top = top.min(label.bounds().top);
        items.push(Item::Text(label));
    }
    if !ticks.offset.is_empty() {
        let block = Block::new(&ticks.offset, size * 0.9, Align::Left);
        let text = PlacedText {
            at: (left, top - size * 0.2 - block.bounds().bottom),
            rotation: 0.0,
            color: Color::BLACK,
            halo: None,
            block,
        };
        end = end.max(text.bounds().right);
        items.push(Item::Text(text));
    }
    let block = Block::wrapped(&bar.label, size, area.height(), room.lines);
    if !block.is_empty() {
        let bounds = block.bounds();
        let x = end + size * 0.4 - bounds.top;
        let text = PlacedText {
            at: (x, area.middle().1 + block.width / 2.0),
            rotation: 90.0,
            color: Color::BLACK,
            halo: None,
            block,
        };
        end = text.bounds().right;
        items.push(Item::Text(text));
    }
    (items, end)
}

fn view(mapping: &Mapping, area: Rect) -> View {
    let mut axis = Axis::default();
    axis.scale(mapping.scale.clone());
    let (mut low, mut high) = (mapping.low, mapping.high);
    if low >= high {
        let mut extent = crate::axes::Extent::default();
        extent.add([low]);
        (low, high) = axis.range(&extent);
    }
    View {
        scale: mapping.scale.clone(),
        low,
        high,
        from: area.bottom,
        to: area.top,
    }
}
