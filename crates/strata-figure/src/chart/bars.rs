//! Horizontal bars.

use super::frame::{Frame, Key, names_as_ticks};
use super::palette::colour;
use super::ticks::{Scale, short};

const WIDTH: f64 = 380.0;
const BAR: f64 = 14.0;
const GAP: f64 = 10.0;

/// Bars of one colour.
#[derive(Debug, Clone, PartialEq)]
pub struct BarGroup {
    /// For the legend.
    pub name: String,
    /// For each name of the chart, where there is one.
    pub lengths: Vec<Option<f64>>,
}

/// Bars for some names, from above to below; those of the groups side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Above them.
    pub title: String,
    /// Below the axis of lengths.
    pub x_label: String,
    /// Beside the names.
    pub y_label: String,
    /// What the bars stand for.
    pub names: Vec<String>,
    /// The legend names them if there are several.
    pub groups: Vec<BarGroup>,
}

impl Bars {
    /// The picture.
    pub fn to_svg(&self) -> String {
        let lengths = self
            .groups
            .iter()
            .flat_map(|group| group.lengths.iter().flatten());
        let scale = Scale::around(lengths.copied().chain([0.0]), 6);
        let row = BAR * self.groups.len() as f64 + GAP;
        let names: Vec<String> = self.names.iter().rev().cloned().collect();
        let several = self.groups.len() > 1;
        let keys = self.groups.iter().enumerate().map(|(index, group)| Key {
            name: group.name.clone(),
            colour: colour(index),
            dash: None,
        });
        let frame = Frame {
            title: self.title.clone(),
            x_label: self.x_label.clone(),
            y_label: self.y_label.clone(),
            x_ticks: scale
                .ticks
                .iter()
                .map(|(value, label)| (scale.part(*value), label.clone()))
                .collect(),
            y_ticks: names_as_ticks(&names),
            has_grid: false,
            legend: if several { keys.collect() } else { Vec::new() },
        };
        let height = (row * self.names.len() as f64).max(row);
        let (mut svg, area) = frame.draw(WIDTH, height);
        let zero = scale.part(0.0);
        for (index, name) in self.names.iter().enumerate() {
            for (place, group) in self.groups.iter().enumerate() {
                let length = group.lengths.get(index).copied().flatten();
                let Some(length) = length.filter(|length| length.is_finite()) else {
                    continue;
                };
                let top = row * index as f64 + GAP / 2.0 + BAR * place as f64;
                let (from, to) = (zero.min(scale.part(length)), zero.max(scale.part(length)));
                let corner = area.point(from, 1.0 - top / height);
                let note = format!("{name}: {}", short(length));
                svg.rectangle(
                    corner,
                    ((to - from) * area.width, BAR - 1.0),
                    colour(place),
                    &note,
                );
            }
        }
        svg.finish()
    }
}
