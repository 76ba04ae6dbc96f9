//! Building what stands around an area, from the inside to the outside.

use crate::Color;
use crate::axes::{Axis, Location, Place, TickLabels, below, beside};
use crate::scale::View;
use crate::scene::{Item, Path, PlacedText, Rect, Stroke};
use crate::typeset::{Align, Block};

use super::arrange::Cell;
use super::colorbar;
use super::furniture::{LEGEND_SIZE, Setting};
use super::legend::Legend;

/// Measures in ems, mostly matplotlib's.
const TICK: f64 = 0.35;
const MINOR_TICK: f64 = 0.2;
const TICK_GAP: f64 = 0.3;
const LABEL_GAP: f64 = 0.35;
const TITLE_GAP: f64 = 0.5;
const LINE: f64 = 0.08;
const GRID: f64 = 0.07;
/// Sizes of texts.
const TICK_SIZE: f64 = 0.9;
const TITLE_SIZE: f64 = 1.1;

/// What has been put around an area.
pub(super) struct Surroundings {
    /// The rectangle that holds all of it.
    pub(super) outer: Rect,
    /// Behind and before the data.
    pub(super) under: Vec<Item>,
    pub(super) over: Vec<Item>,
    /// The legend that is to stand in the plot.
    pub(super) legend: Option<(Legend, Location)>,
}

/// Puts axes, labels, colour bar, legend and title around an area, in this order: what is long goes last, past all that
/// sticks out before it.
pub(super) fn surround(
    setting: &Setting,
    cell: Cell,
    place: &Place,
    twin: Option<&Place>,
) -> Surroundings {
    let area = place.area;
    let mut builder = Builder {
        setting,
        cell,
        area,
        outer: area,
        right: area.right,
        under: Vec::new(),
        over: Vec::new(),
    };
    let axes = setting.axes;
    let below = if axes.has_frame() {
        builder.axes(place, twin)
    } else if axes.is_off {
        None
    } else {
        Some(builder.names(place))
    };
    builder.colorbar();
    let legend = builder.legend();
    if let Some((bounds, offset)) = below {
        builder.below_label(&axes.x, bounds, &offset);
    }
    let is_below = |legend: &(Legend, Location)| legend.1 == Location::Below;
    if legend.as_ref().is_some_and(is_below) {
        builder.legend_below();
    }
    builder.title();
    Surroundings {
        outer: builder.outer,
        under: builder.under,
        over: builder.over,
        legend: legend.filter(|legend| !is_below(legend)),
    }
}

struct Builder<'a> {
    setting: &'a Setting<'a>,
    cell: Cell,
    area: Rect,
    /// All that has been placed so far.
    outer: Rect,
    /// Where there is nothing yet beside the area, whatever sticks out above and below it.
    right: f64,
    under: Vec<Item>,
    over: Vec<Item>,
}

impl Builder<'_> {
    fn size(&self) -> f64 {
        self.setting.size
    }

    fn add(&mut self, text: PlacedText) {
        if !text.block.is_empty() {
            self.outer = self.outer.union(&text.bounds());
            self.over.push(Item::Text(text));
        }
    }

    /// Adds a line above or below the area. It may go beyond it to the sides, since it is kept within the cell.
    fn add_across(&mut self, text: PlacedText) {
        if !text.block.is_empty() {
            let bounds = text.bounds();
            self.outer.top = self.outer.top.min(bounds.top);
            self.outer.bottom = self.outer.bottom.max(bounds.bottom);
            self.over.push(Item::Text(text));
        }
    }

    /// Boxes of the texts that stand above or below something between two places, or nearly so.
    fn texts_between(&self, left: f64, right: f64) -> impl Iterator<Item = Rect> {
        let gap = self.size() * 0.3;
        let texts = self.over.iter().filter_map(|item| match item {
            Item::Text(text) => Some(text.bounds()),
            _ => None,
        });
        texts.filter(move |bounds| bounds.left - gap < right && left < bounds.right + gap)
    }

    /// The upper end of all texts that stand above the area, or stick out of it, between two places.
    fn top_above(&self, left: f64, right: f64) -> f64 {
        self.texts_between(left, right)
            .fold(self.area.top, |top, bounds| top.min(bounds.top))
    }

    /// The same at the lower end.
    fn bottom_below(&self, left: f64, right: f64) -> f64 {
        self.texts_between(left, right)
            .fold(self.area.bottom, |bottom, bounds| bottom.max(bounds.bottom))
    }

    fn frame_stroke(&self) -> Stroke {
        Stroke::solid(Color::BLACK, self.size() * LINE)
    }

    /// All but the label below, for which the box around the ticks and their common factor are given back.
    fn axes(&mut self, place: &Place, twin: Option<&Place>) -> Option<(Rect, String)> {
        let setting = self.setting;
        let size = self.size();
        let tick_size = size * TICK_SIZE;
        let reach = size * (TICK + TICK_GAP);
        let widest = self.cell.outer.width() * self.setting.limits.label;
        let highest = self.cell.outer.height() * self.setting.limits.label;
        let axes = setting.axes;
        let below = below(
            &axes.x,
            &place.x,
            tick_size,
            self.area.bottom + reach,
            highest,
        );
        let left = beside(
            &axes.y,
            &place.y,
            tick_size,
            self.area.left - reach,
            false,
            widest,
        );
        self.grid(place, &below.major, &left.major);
        self.ticks_below(&below, place);
        self.ticks_beside(&left, &place.y, false);
        let right = twin.zip(axes.twin.as_ref()).map(|(twin, axes)| {
            let edge = self.area.right + reach;
            let right = beside(&axes.y, &twin.y, tick_size, edge, true, widest);
            self.ticks_beside(&right, &twin.y, true);
            (axes, right)
        });
        let frame = Item::stroked(Path::rect(self.area), self.frame_stroke());
        self.over.push(frame);

        let x_bounds = setting.has_x_labels.then(|| self.labels(&below));
        let y_bounds = setting.has_y_labels.then(|| self.labels(&left));
        if let Some(bounds) = y_bounds {
            self.beside_label(&axes.y, bounds, false);
            self.offset_above(&left.offset, false);
        }
        if let Some((twin, right)) = right {
            let bounds = self.labels(&right);
            self.right = self.right.max(bounds.right);
            self.beside_label(&twin.y, bounds, true);
            self.offset_above(&right.offset, true);
        }
        x_bounds.map(|bounds| (bounds, below.offset))
    }

    /// The names below parallel coordinates, whose axes stand in the plot.
    fn names(&mut self, place: &Place) -> (Rect, String) {
        let size = self.size();
        let top = self.area.bottom + size * TICK_GAP * 2.0;
        let highest = self.cell.outer.height() * self.setting.limits.label;
        let labels = below(&self.setting.axes.x, &place.x, size, top, highest);
        let bounds = self.labels(&labels);
        // Above the axes there may be a power of ten.
        self.outer.top -= size * 1.2;
        // And half of the lowest number stands below.
        self.outer.bottom = self.outer.bottom.max(self.area.bottom + size * 0.7);
        (bounds, String::new())
    }

    fn grid(&mut self, place: &Place, x: &[f64], y: &[f64]) {
        let (has_x, has_y) = self.setting.axes.grids();
        let stroke = Stroke::solid(Color::gray(0xd8), self.size() * GRID);
        let area = self.area;
        let mut path = Path::default();
        for value in x.iter().filter(|_| has_x) {
            let x = place.x.at(*value);
            path.add_polyline(&[(x, area.bottom), (x, area.top)]);
        }
        for value in y.iter().filter(|_| has_y) {
            let y = place.y.at(*value);
            path.add_polyline(&[(area.left, y), (area.right, y)]);
        }
        if !path.0.is_empty() {
            self.under.push(Item::stroked(path, stroke));
        }
    }

    fn ticks_below(&mut self, ticks: &TickLabels, place: &Place) {
        let bottom = self.area.bottom;
        for (values, length) in [(&ticks.major, TICK), (&ticks.minor, MINOR_TICK)] {
            let length = length * self.size();
            for value in values {
                let x = place.x.at(*value);
                let path = Path::line((x, bottom), (x, bottom + length));
                self.over.push(Item::stroked(path, self.frame_stroke()));
                self.outer.bottom = self.outer.bottom.max(bottom + length);
            }
        }
    }

    fn ticks_beside(&mut self, ticks: &TickLabels, view: &View, is_right: bool) {
        let (edge, outwards) = if is_right {
            (self.area.right, 1.0)
        } else {
            (self.area.left, -1.0)
        };
        for (values, length) in [(&ticks.major, TICK), (&ticks.minor, MINOR_TICK)] {
            let end = edge + length * self.size() * outwards;
            for value in values {
                let y = view.at(*value);
                let path = Path::line((edge, y), (end, y));
                self.over.push(Item::stroked(path, self.frame_stroke()));
                self.outer.left = self.outer.left.min(end);
                self.outer.right = self.outer.right.max(end);
            }
        }
    }

    /// Writes labels of ticks; they and the area are in the rectangle given back.
    fn labels(&mut self, ticks: &TickLabels) -> Rect {
        let mut bounds = self.area;
        for label in &ticks.labels {
            bounds = bounds.union(&label.bounds());
            self.add(label.clone());
        }
        if !ticks.major.is_empty() {
            bounds = bounds.grown(self.size() * MINOR_TICK);
        }
        bounds
    }

    /// What the lower axis measures, and at its end what its numbers are to be multiplied with.
    fn below_label(&mut self, axis: &Axis, bounds: Rect, offset: &str) {
        let size = self.size();
        let width = self.cell.outer.width();
        let lines = self.setting.limits.lines;
        let label = Block::wrapped(&axis.label, size, width, lines);
        let left = centred(&label, self.area, self.cell.outer);
        if !offset.is_empty() {
            let block = Block::new(offset, size * TICK_SIZE, Align::Left);
            let x = self.area.right - block.width;
            let mut top = bounds.bottom + size * 0.1;
            // In one line with the label if there is room.
            if left + label.width + size > x {
                top = top.max(self.bottom_below(x, self.area.right));
            }
            self.add(PlacedText {
                at: (x, top - block.bounds().top),
                rotation: 0.0,
                color: Color::BLACK,
                halo: None,
                block,
            });
        }
        let top = bounds
            .bottom
            .max(self.bottom_below(left, left + label.width))
            + size * LABEL_GAP;
        self.add_across(PlacedText {
            at: (left, top - label.bounds().top),
            rotation: 0.0,
            color: Color::BLACK,
            halo: None,
            block: label,
        });
    }

    /// What an upright axis measures; upwards on both sides.
    fn beside_label(&mut self, axis: &Axis, bounds: Rect, is_right: bool) {
        let size = self.size();
        let lines = self.setting.limits.lines;
        let block = Block::wrapped(&axis.label, size, self.area.height(), lines);
        let inner = block.bounds();
        let x = if is_right {
            bounds.right + size * LABEL_GAP - inner.top
        } else {
            bounds.left - size * LABEL_GAP - inner.bottom
        };
        let text = PlacedText {
            at: (x, self.area.middle().1 + block.width / 2.0),
            rotation: 90.0,
            color: Color::BLACK,
            halo: None,
            block,
        };
        if is_right && !text.block.is_empty() {
            self.right = text.bounds().right;
        }
        self.add(text);
    }

    fn offset_above(&mut self, offset: &str, is_right: bool) {
        if offset.is_empty() {
            return;
        }
        let size = self.size();
        let block = Block::new(offset, size * TICK_SIZE, Align::Left);
        let x = if is_right {
            self.area.right - block.width
        } else {
            self.area.left
        };
        let top = self.top_above(x, x + block.width);
        self.add(PlacedText {
            at: (x, top - size * 0.3 - block.bounds().bottom),
            rotation: 0.0,
            color: Color::BLACK,
            halo: None,
            block,
        });
    }

    fn title(&mut self) {
        let size = self.size();
        let width = self.cell.outer.width();
        let title = &self.setting.axes.title;
        let lines = self.setting.limits.lines;
        let block = Block::wrapped(title, size * TITLE_SIZE, width, lines);
        let left = centred(&block, self.area, self.cell.outer);
        let top = self.top_above(left, left + block.width);
        let at = (left, top - size * TITLE_GAP - block.bounds().bottom);
        self.add_across(PlacedText {
            at,
            rotation: 0.0,
            color: Color::BLACK,
            halo: None,
            block,
        });
    }

    fn colorbar(&mut self) {
        let axes = self.setting.axes;
        let Some(bar) = &axes.colorbar else {
            return;
        };
        let Some(mapping) = axes.mapping() else {
            return;
        };
        let size = self.size();
        let left = self.right + size * 0.8;
        let widest = self.cell.outer.width() * self.setting.limits.label;
        let room = colorbar::Room {
            area: self.area,
            left,
            top: self.top_above(left, left + size * 4.0),
            widest,
            lines: self.setting.limits.lines,
        };
        let (items, end) = colorbar::draw(bar, &mapping, room, size);
        for item in items {
            match item {
                Item::Text(text) => self.add(text),
                other => self.over.push(other),
            }
        }
        self.outer.right = self.outer.right.max(end);
        self.right = end;
    }

    /// Draws a legend beside the plot. One that is to stand in the plot or below it is given back.
    fn legend(&mut self) -> Option<(Legend, Location)> {
        let location = self.setting.legend?;
        let size = self.size() * LEGEND_SIZE;
        let entries = self.setting.axes.entries(self.size());
        if entries.is_empty() {
            return None;
        }
        if location == Location::Right {
            let widest = self.cell.outer.width() * self.setting.limits.legend;
            let legend = Legend::in_height(&entries, size, self.area.height(), widest);
            let corner = (self.right + size * 0.6, self.area.top);
            self.outside(&legend, corner);
            return None;
        }
        let inside = self.area.grown(-size * 0.5);
        let legend = Legend::in_height(&entries, size, inside.height(), inside.width());
        let fits =
            legend.width() <= inside.width() * 0.9 && legend.height() <= inside.height() * 0.8;
        let location = if fits { location } else { Location::Below };
        Some((legend, location))
    }

    fn legend_below(&mut self) {
        let size = self.size() * LEGEND_SIZE;
        let entries = self.setting.axes.entries(self.size());
        let outer = self.cell.outer;
        let highest = outer.height() * self.setting.limits.legend;
        let legend = Legend::in_width(&entries, size, outer.width(), highest);
        let left = (self.area.middle().0 - legend.width() / 2.0)
            .min(outer.right - legend.width())
            .max(outer.left);
        let corner = (left, self.outer.bottom + size * 0.6);
        self.outside(&legend, corner);
    }

    fn outside(&mut self, legend: &Legend, (left, top): (f64, f64)) {
        self.over.append(&mut legend.draw((left, top), false));
        let bounds = Rect::new(left, top, left + legend.width(), top + legend.height());
        self.outer = self.outer.union(&bounds);
    }
}

/// Where a block begins that stands in the middle of an area, or as near to it as keeps it in its cell.
fn centred(block: &Block, area: Rect, outer: Rect) -> f64 {
    (area.middle().0 - block.width / 2.0)
        .min(outer.right - block.width)
        .max(outer.left)
}
