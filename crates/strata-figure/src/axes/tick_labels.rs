//! Ticks with labels that do not run into each other.

use crate::Color;
use crate::scale::{Scale, View};
use crate::scene::{PlacedText, Point};
use crate::ticks::{Request, Ticks, ticks};
use crate::typeset::{Align, Block, font};

use super::axis::Axis;

/// Free space between labels side by side, in ems.
const GAP: f64 = 0.7;
/// From label to label upwards, in ems: matplotlib leaves twice the font size for one.
const PITCH: f64 = 2.0;
/// Names may stand as near as this, in ems.
const NAME_PITCH: f64 = 1.15;
/// More steps than matplotlib's are none.
const MOST_STEPS: f64 = 9.0;
/// Names are written smaller down to this part of the size before some are left out.
const SMALLEST_NAMES: f64 = 0.7;
/// Names up to so many ems are thinned out rather than turned.
const SHORT: f64 = 1.6;

/// Ticks of an axis with their labels on the page.
#[derive(Debug, Clone, Default)]
pub(crate) struct TickLabels {
    pub(crate) major: Vec<f64>,
    pub(crate) minor: Vec<f64>,
    pub(crate) labels: Vec<PlacedText>,
    pub(crate) offset: String,
}

/// Below a plot, tops at `top`, turned ones at most `longest` long.
pub(crate) fn below(axis: &Axis, view: &View, size: f64, top: f64, longest: f64) -> TickLabels {
    seen(below_any(axis, view, size, top, longest))
}

/// Beside a plot, the ends next to it at `edge`, at most `widest` wide.
pub(crate) fn beside(
    axis: &Axis,
    view: &View,
    size: f64,
    edge: f64,
    is_right: bool,
    widest: f64,
) -> TickLabels {
    seen(beside_any(axis, view, size, edge, is_right, widest))
}

/// Without labels that say nothing.
fn seen(mut ticks: TickLabels) -> TickLabels {
    ticks.labels.retain(|label| !label.block.is_empty());
    ticks
}

fn below_any(axis: &Axis, view: &View, size: f64, top: f64, longest: f64) -> TickLabels {
    let mut out = TickLabels::default();
    if axis.has_no_ticks {
        return out;
    }
    let length = (view.to - view.from).abs();
    let flat = |value: f64, label: &str| {
        let block = Block::new(label, size, Align::Middle);
        let at = (view.at(value) - block.width / 2.0, top - block.bounds().top);
        placed(block, at, 0.0)
    };
    if let Some(names) = names(axis, view) {
        out.major = names.iter().map(|name| name.0).collect();
        out.labels = below_names(&names, view, size, top, longest);
        return out;
    }
    let mut steps = (length / (size * 3.0)).clamp(1.0, MOST_STEPS) as usize;
    loop {
        let ticks = numbers(axis, view, steps);
        let labels: Vec<PlacedText> = ticks
            .major
            .iter()
            .map(|(value, label)| flat(*value, label))
            .collect();
        if steps > 1 && !are_apart(&labels, size) {
            steps -= 1;
            continue;
        }
        out = with_minor(ticks, labels, size, flat);
        return out;
    }
}

fn beside_any(
    axis: &Axis,
    view: &View,
    size: f64,
    edge: f64,
    is_right: bool,
    widest: f64,
) -> TickLabels {
    let mut out = TickLabels::default();
    if axis.has_no_ticks {
        return out;
    }
    let length = (view.to - view.from).abs();
    let flat_of_size = |value: f64, label: &str, size: f64| {
        let block = Block::fitted(label, size, widest);
        let left = if is_right { edge } else { edge - block.width };
        let base = view.at(value) + size * font::DIGIT_HEIGHT / 2.0;
        placed(block, (left, base), 0.0)
    };
    let flat = |value: f64, label: &str| flat_of_size(value, label, size);
    if let Some(names) = names(axis, view) {
        let size = size_for_names(&names, view, size);
        let every = thinning(&names, view, size * NAME_PITCH);
        out.major = names.iter().map(|name| name.0).collect();
        out.labels = names
            .iter()
            .step_by(every)
            .map(|(value, label)| flat_of_size(*value, label, size))
            .collect();
        return out;
    }
    let steps = (length / (size * PITCH)).clamp(1.0, MOST_STEPS) as usize;
    let ticks = numbers(axis, view, steps);
    let labels = ticks
        .major
        .iter()
        .map(|(value, label)| flat(*value, label))
        .collect();
    with_minor(ticks, labels, size, flat)
}

/// Ticks that are given, or names; nothing if the axis finds its ticks itself.
fn names(axis: &Axis, view: &View) -> Option<Vec<(f64, String)>> {
    let (low, high) = view.range();
    let inside = |value: &f64| (low..=high).contains(value) && view.at(*value).is_finite();
    let mut names = match (&axis.ticks, &view.scale) {
        (Some(ticks), _) => ticks.clone(),
        (None, Scale::Category(names)) => names
            .iter()
            .enumerate()
            .map(|(index, name)| (index as f64, name.clone()))
            .collect(),
        _ => return None,
    };
    names.retain(|(value, _)| inside(value));
    names.sort_by(|a, b| view.at(a.0).total_cmp(&view.at(b.0)));
    Some(names)
}

fn numbers(axis: &Axis, view: &View, steps: usize) -> Ticks {
    let (low, high) = view.range();
    let request = Request {
        steps,
        is_integer: axis.is_integer,
        format: axis.format,
    };
    ticks(&view.scale, low, high, request)
}

/// Those of the labels of minor ticks that are free of all others.
fn with_minor(
    ticks: Ticks,
    labels: Vec<PlacedText>,
    size: f64,
    flat: impl Fn(f64, &str) -> PlacedText,
) -> TickLabels {
    let mut kept: Vec<PlacedText> = Vec::new();
    let named = ticks.minor.iter().filter(|tick| !tick.1.is_empty());
    let minor = named.map(|(value, label)| flat(*value, label));
    for label in labels.into_iter().chain(minor) {
        let room = label.bounds().grown(size * GAP / 2.0);
        let is_free = kept
            .iter()
            .all(|other| !other.bounds().grown(-size * 0.2).overlaps(&room));
        if is_free && label.at.0.is_finite() && label.at.1.is_finite() {
            kept.push(label);
        }
    }
    TickLabels {
        major: ticks.major.iter().map(|tick| tick.0).collect(),
        minor: ticks.minor.iter().map(|tick| tick.0).collect(),
        labels: kept,
        offset: ticks.offset,
    }
}

fn are_apart(labels: &[PlacedText], size: f64) -> bool {
    let mut places: Vec<(f64, f64)> = labels
        .iter()
        .map(|label| (label.bounds().left, label.bounds().right))
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places
        .windows(2)
        .all(|pair| pair[0].1 + size * GAP <= pair[1].0)
}

fn nearest(names: &[(f64, String)], view: &View) -> f64 {
    names
        .windows(2)
        .map(|pair| (view.at(pair[1].0) - view.at(pair[0].0)).abs())
        .fold(f64::INFINITY, f64::min)
}

/// Every how many names one can be written, if they need `pitch`.
fn thinning(names: &[(f64, String)], view: &View, pitch: f64) -> usize {
    ((pitch / nearest(names, view).max(1e-3)).ceil() as usize).max(1)
}

/// A smaller size, if with it no name has to be left out.
fn size_for_names(names: &[(f64, String)], view: &View, size: f64) -> f64 {
    let fitting = nearest(names, view) / NAME_PITCH * (1.0 - 1e-9);
    if (size * SMALLEST_NAMES..size).contains(&fitting) {
        fitting
    } else {
        size
    }
}

/// Level if there is room, else leaning, else upright, else not all of them.
fn below_names(
    names: &[(f64, String)],
    view: &View,
    size: f64,
    top: f64,
    longest: f64,
) -> Vec<PlacedText> {
    let level = |every: usize, size: f64| -> Vec<PlacedText> {
        let blocks = names.iter().step_by(every).map(|(value, label)| {
            let block = Block::fitted(label, size, (view.to - view.from).abs());
            let at = (
                view.at(*value) - block.width / 2.0,
                top - block.bounds().top,
            );
            placed(block, at, 0.0)
        });
        blocks.collect()
    };
    let labels = level(1, size);
    if are_apart(&labels, size * 0.6) {
        return labels;
    }
    let widest = labels.iter().map(|label| label.block.width);
    let widest = widest.fold(0.0, f64::max);
    if widest <= size * SHORT {
        // Single letters are told apart however near they are, and are rather small than missing.
        let near = size * 0.2;
        let sizes = [1.0, 0.9, 0.8, SMALLEST_NAMES].map(|part| level(1, size * part));
        if let Some(all) = sizes.into_iter().find(|labels| are_apart(labels, near)) {
            return all;
        }
        let every = (2..names.len()).find(|every| are_apart(&level(*every, size), near));
        return level(every.unwrap_or(names.len()).max(1), size);
    }
    let root = std::f64::consts::SQRT_2;
    let leaning = thinning(names, view, size * NAME_PITCH * root) == 1 && widest / root <= longest;
    let (rotation, size, longest) = if leaning {
        (45.0, size, longest * root)
    } else {
        (90.0, size_for_names(names, view, size), longest)
    };
    let every = if leaning {
        1
    } else {
        thinning(names, view, size * NAME_PITCH)
    };
    let turned = names.iter().step_by(every).map(|(value, label)| {
        let block = Block::fitted(label, size, longest);
        // The middle of the text's end is below the tick, a leaning text's upper corner as near to it as a level one's top.
        let half = size * font::DIGIT_HEIGHT / 2.0;
        let below = if leaning {
            top + (size * font::ASCENT - half) / root
        } else {
            top
        };
        let mut text = placed(block, (0.0, 0.0), rotation);
        let (x, y) = text.to_page((text.block.width, -half));
        text.at = (view.at(*value) - x, below - y);
        text
    });
    turned.collect()
}

fn placed(block: Block, at: Point, rotation: f64) -> PlacedText {
    PlacedText {
        block,
        at,
        rotation,
        color: Color::BLACK,
        halo: None,
    }
}
