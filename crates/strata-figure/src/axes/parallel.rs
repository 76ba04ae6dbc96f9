//! Parallel coordinates: an upright axis for each parameter, a line across them for each trial.

use crate::Colormap;
use crate::scale::{Scale, View};
use crate::scene::{Item, Path, PlacedText, Point, Stroke};
use crate::typeset::{Align, Block};
use crate::{Color, scene::Rect};

use super::axis::{Axis, Extent};
use super::norm::{Mapping, Norm};
use super::place::Place;
use super::tick_labels::beside;

/// One of the upright axes.
#[derive(Debug, Clone)]
pub struct Dimension {
    /// Below the axis.
    pub label: String,
    /// How it is divided.
    pub scale: Scale,
    /// A value for each line; of a category its number. A line is broken where a value has no place.
    pub values: Vec<f64>,
}

/// Lines across parallel axes.
#[derive(Debug, Clone)]
pub struct ParallelCoordinates {
    pub(crate) dimensions: Vec<Dimension>,
    /// What the colour of a line stands for.
    pub(crate) values: Vec<f64>,
    pub(crate) norm: Norm,
}

impl ParallelCoordinates {
    /// Colours of the lines.
    pub fn cmap(&mut self, cmap: Colormap) -> &mut Self {
        self.norm.cmap = cmap;
        self
    }

    /// The values at the ends of the colour map instead of the smallest and the largest.
    pub fn clim(&mut self, low: f64, high: f64) -> &mut Self {
        (self.norm.low, self.norm.high) = (Some(low), Some(high));
        self
    }

    pub(super) fn mapping(&self) -> Mapping {
        self.norm.resolved(self.values.iter().copied())
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        // Beside the first axis there is room for its labels.
        let ends = [-0.5, self.dimensions.len() as f64 - 0.9];
        x.add(ends);
        x.stick(ends);
        y.add([0.0, 1.0]);
        y.stick([0.0, 1.0]);
    }

    /// The axis of a dimension, and where it stands.
    fn axis(&self, index: usize, area: Rect) -> (Axis, View) {
        let dimension = &self.dimensions[index];
        let mut extent = Extent::default();
        extent.add(dimension.values.iter().copied());
        let mut axis = Axis::default();
        axis.scale(dimension.scale.clone());
        let (low, high) = axis.range(&extent);
        let view = View {
            scale: axis.scale.clone(),
            low,
            high,
            from: area.bottom,
            to: area.top,
        };
        (axis, view)
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let axes: Vec<(f64, (Axis, View))> = (0..self.dimensions.len())
            .map(|index| (place.x.at(index as f64), self.axis(index, place.area)))
            .collect();
        let mapping = self.mapping();
        let lines = self
            .dimensions
            .iter()
            .map(|dimension| dimension.values.len());
        for line in 0..lines.max().unwrap_or(0) {
            let points: Vec<Point> = self
                .dimensions
                .iter()
                .zip(&axes)
                .map(|(dimension, (x, (_, view)))| {
                    let value = dimension.values.get(line).copied().unwrap_or(f64::NAN);
                    (*x, view.at(value))
                })
                .collect();
            let value = self.values.get(line).copied().unwrap_or(f64::NAN);
            let color = mapping.color(value).with_alpha(0.75);
            place.line(&points, &Stroke::solid(color, place.size * 0.1), out);
        }
        for (x, (axis, view)) in &axes {
            upright(axis, view, *x, place, out);
        }
    }
}

/// An upright axis with its ticks, labels to the left.
fn upright(axis: &Axis, view: &View, x: f64, place: &Place, out: &mut Vec<Item>) {
    let stroke = Stroke::solid(Color::BLACK, place.size * 0.08);
    let line = Path::line((x, view.from), (x, view.to));
    out.push(Item::stroked(line, stroke.clone()));
    let size = place.size * 0.85;
    let length = place.size * 0.3;
    let room = (place.x.at(1.0) - place.x.at(0.0)) * 0.5 - length * 1.6;
    let ticks = beside(axis, view, size, x - length * 1.6, false, room);
    for value in &ticks.major {
        let y = view.at(*value);
        let tick = Path::line((x - length, y), (x, y));
        out.push(Item::stroked(tick, stroke.clone()));
    }
    let mut top = view.to;
    for mut label in ticks.labels {
        top = top.min(label.bounds().top);
        label.halo = Some(Color::WHITE);
        out.push(Item::Text(label));
    }
    if !ticks.offset.is_empty() {
        let block = Block::new(&ticks.offset, size, Align::Left);
        out.push(Item::Text(PlacedText {
            at: (x - block.width, top - size * 0.2 - block.bounds().bottom),
            rotation: 0.0,
            color: Color::BLACK,
            halo: None,
            block,
        }));
    }
}
