//! Parallel coordinates: an upright axis for each parameter, a line across them for each trial.

use crate::Colormap;
use crate::scale::{Scale, View};
use crate::scene::{Item, Path, PlacedText, Point, Stroke};
use crate::ticks::{Request, TickFormat, ticks};
use crate::typeset::{Align, Block, font};
use crate::{Color, scene::Rect};

use super::axis::{Axis, Extent};
use super::norm::{Mapping, Norm};
use super::place::Place;

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

    fn view(&self, index: usize, area: Rect) -> View {
        let dimension = &self.dimensions[index];
        let mut extent = Extent::default();
        extent.add(dimension.values.iter().copied());
        let mut axis = Axis::default();
        axis.scale(dimension.scale.clone());
        let (low, high) = axis.range(&extent);
        View {
            scale: axis.scale,
            low,
            high,
            from: area.bottom,
            to: area.top,
        }
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let views: Vec<(f64, View)> = (0..self.dimensions.len())
            .map(|index| (place.x.at(index as f64), self.view(index, place.area)))
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
                .zip(&views)
                .map(|(dimension, (x, view))| {
                    let value = dimension.values.get(line).copied().unwrap_or(f64::NAN);
                    (*x, view.at(value))
                })
                .collect();
            let value = self.values.get(line).copied().unwrap_or(f64::NAN);
            let color = mapping.color(value).with_alpha(0.75);
            place.line(&points, &Stroke::solid(color, place.size * 0.1), out);
        }
        for (x, view) in &views {
            self.axis(place, *x, view, out);
        }
    }

    /// An upright axis with its ticks, labels to the left.
    fn axis(&self, place: &Place, x: f64, view: &View, out: &mut Vec<Item>) {
        let stroke = Stroke::solid(Color::BLACK, place.size * 0.08);
        out.push(Item::stroked(
            Path::line((x, view.from), (x, view.to)),
            stroke.clone(),
        ));
        let size = place.size * 0.8;
        let room = (place.x.at(1.0) - place.x.at(0.0)) * 0.5;
        let steps = ((view.from - view.to) / (size * 3.0)).clamp(1.0, 6.0) as usize;
        let request = Request {
            steps,
            is_integer: false,
            format: TickFormat::Scalar,
        };
        let (low, high) = view.range();
        let ticks = ticks(&view.scale, low, high, request);
        let every = (ticks.major.len() as f64 * size * 1.2 / (view.from - view.to).max(1.0)).ceil();
        let length = place.size * 0.3;
        for (value, label) in ticks.major.iter().step_by(every.max(1.0) as usize) {
            let y = view.at(*value);
            out.push(Item::stroked(
                Path::line((x - length, y), (x, y)),
                stroke.clone(),
            ));
            let block = Block::fitted(label, size, room);
            out.push(Item::Text(PlacedText {
                at: (
                    x - length * 1.6 - block.width,
                    y + size * font::DIGIT_HEIGHT / 2.0,
                ),
                rotation: 0.0,
                color: Color::BLACK,
                halo: Some(Color::WHITE),
                block,
            }));
        }
        if !ticks.offset.is_empty() {
            let block = Block::new(&ticks.offset, size, Align::Left);
            out.push(Item::Text(PlacedText {
                at: (x - block.width / 2.0, view.to - size * 0.5),
                rotation: 0.0,
                color: Color::BLACK,
                halo: Some(Color::WHITE),
                block,
            }));
        }
    }
}
