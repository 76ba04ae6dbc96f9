//! From data to charts.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use strata_figure::chart::{BarGroup, Bars, Chart, HeatMap, Mark, Series, smoothed};
use strata_pipeline::PipelineError;
use strata_pipeline::plots::data::Content;
use strata_pipeline::plots::series::{self, Labels, series};
use strata_pipeline::value::Value;

use super::super::warn;
use super::gather::Plot;

/// The share of points that a smoothed one depends on, as in DVC's template.
const BANDWIDTH: f64 = 0.3;

/// How a plot is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Template {
    Simple,
    Linear,
    Confusion,
    ConfusionNormalized,
    Scatter,
    ScatterJitter,
    Smooth,
    BarHorizontalSorted,
    BarHorizontal,
}

impl Template {
    /// In DVC's order.
    pub(super) const ALL: [Self; 9] = [
        Self::Simple,
        Self::Linear,
        Self::Confusion,
        Self::ConfusionNormalized,
        Self::Scatter,
        Self::ScatterJitter,
        Self::Smooth,
        Self::BarHorizontalSorted,
        Self::BarHorizontal,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Linear => "linear",
            Self::Confusion => "confusion",
            Self::ConfusionNormalized => "confusion_normalized",
            Self::Scatter => "scatter",
            Self::ScatterJitter => "scatter_jitter",
            Self::Smooth => "smooth",
            Self::BarHorizontalSorted => "bar_horizontal_sorted",
            Self::BarHorizontal => "bar_horizontal",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Simple | Self::Linear => "y over x, joined by lines",
            Self::Confusion => "how often each x comes with each y",
            Self::ConfusionNormalized => "which share of each y has which x",
            Self::Scatter | Self::ScatterJitter => "y over x, a dot for each",
            Self::Smooth => {
                "y over x, joined by lines after local regression over the nearest 30 % of the points"
            }
            Self::BarHorizontal => "a bar as long as x for each y",
            Self::BarHorizontalSorted => "a bar as long as x for each y, the longest first",
        }
    }

    /// # Errors
    /// There is no such template; files of Vega's language are none.
    pub(super) fn named(name: &str) -> Result<Self, PipelineError> {
        let found = Self::ALL
            .into_iter()
            .find(|template| template.name() == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|template| template.name()).collect();
            PipelineError::CannotEdit {
                why: format!(
                    "there is no template '{name}'. Choose one of {}; templates in Vega's language are not drawn.",
                    names.join(", ")
                ),
            }
        })
    }
}

/// A plot as it goes to the page.
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) pictures: Vec<Picture>,
}

/// A part of a plot.
pub(super) enum Picture {
    Svg(String),
    Image {
        caption: String,
        file: String,
        bytes: Vec<u8>,
    },
}

/// Series of one revision.
struct Version {
    revision: String,
    series: Vec<series::Series>,
}

/// Draws a plot. Revisions whose data do not fit are told and left out.
pub(super) fn figure(plot: &Plot) -> Result<Figure, PipelineError> {
    let title = plot.text("title").unwrap_or_else(|| plot.id.clone());
    let template = match plot.text("template") {
        Some(name) => Template::named(&name)?,
        None => Template::Linear,
    };
    let images = plot.versions.iter().flat_map(|(revision, files)| {
        let images = files
            .iter()
            .filter_map(move |(file, content)| match content {
                Content::Image(bytes) => Some(Picture::Image {
                    caption: revision.clone(),
                    file: file.clone(),
                    bytes: bytes.clone(),
                }),
                Content::Rows(_) => None,
            });
        images.collect::<Vec<_>>()
    });
    let mut pictures: Vec<Picture> = images.collect();
    let (versions, labels) = versions(plot);
    if !versions.is_empty() {
        let charts = match template {
            Template::Confusion | Template::ConfusionNormalized => confusions(
                &title,
                &labels,
                &versions,
                template == Template::ConfusionNormalized,
            ),
            Template::BarHorizontal | Template::BarHorizontalSorted => {
                vec![bars(
                    &title,
                    &labels,
                    &versions,
                    template == Template::BarHorizontalSorted,
                )]
            }
            _ => vec![chart(&title, &labels, &versions, template)],
        };
        pictures.extend(charts.into_iter().map(Picture::Svg));
    }
    Ok(Figure { title, pictures })
}

fn versions(plot: &Plot) -> (Vec<Version>, Labels) {
    let mut versions = Vec::new();
    let mut labels = None;
    for (revision, files) in &plot.versions {
        let rows = files.iter().filter_map(|(file, content)| match content {
            Content::Rows(rows) => Some((file.clone(), rows.clone())),
            Content::Image(_) => None,
        });
        let rows: IndexMap<_, _> = rows.collect();
        if rows.is_empty() {
            continue;
        }
        match series(&plot.own_id, &plot.properties, &rows) {
            Ok((series, found)) => {
                labels.get_or_insert(found);
                versions.push(Version {
                    revision: revision.clone(),
                    series,
                });
            }
            Err(why) => warn(&format!("In '{revision}', {}: {why}", plot.id)),
        }
    }
    let labels = labels.unwrap_or(Labels {
        x: String::new(),
        y: String::new(),
    });
    (versions, labels)
}

/// What tells the series apart: revisions, files, fields, as far as there are several.
struct Naming {
    several_revisions: bool,
    several_files: bool,
    fields: IndexSet<(String, String)>,
}

impl Naming {
    fn of(versions: &[Version]) -> Self {
        let all = || versions.iter().flat_map(|version| &version.series);
        let files: BTreeSet<&str> = all().map(|series| series.file.as_str()).collect();
        Self {
            several_revisions: versions.len() > 1,
            several_files: files.len() > 1,
            fields: all()
                .map(|series| (series.file.clone(), series.field.clone()))
                .collect(),
        }
    }

    fn name(&self, revision: &str, series: &series::Series) -> String {
        let mut parts = Vec::new();
        if self.several_revisions || self.fields.len() < 2 {
            parts.push(revision);
        }
        if self.several_files {
            parts.push(series.file.as_str());
        }
        if self.fields.len() > 1 {
            parts.push(series.field.as_str());
        }
        parts.join(": ")
    }

    fn number(&self, series: &series::Series) -> usize {
        let field = (series.file.clone(), series.field.clone());
        self.fields.get_index_of(&field).unwrap_or(0)
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn chart(title: &str, labels: &Labels, versions: &[Version], template: Template) -> String {
    let naming = Naming::of(versions);
    let all = || versions.iter().flat_map(|version| &version.series);
    let xs = || all().flat_map(|series| series.pairs.iter().map(|(x, _)| x));
    let is_named = xs().any(|x| number(x).is_none());
    let names: IndexSet<String> = if is_named {
        xs().map(Value::python_str).collect()
    } else {
        IndexSet::new()
    };
    let horizontal = |x: &Value| {
        if is_named {
            names
                .get_index_of(&x.python_str())
                .map_or(f64::NAN, |at| at as f64)
        } else {
            number(x).unwrap_or(f64::NAN)
        }
    };
    let mut drawn = Vec::new();
    for (index, version) in versions.iter().enumerate() {
        for series in &version.series {
            let points = series.pairs.iter();
            let points = points.map(|(x, y)| (horizontal(x), number(y).unwrap_or(f64::NAN)));
            let mut points: Vec<(f64, f64)> = points.collect();
            if template == Template::Smooth {
                points = smoothed(&points, BANDWIDTH);
            }
            let field = naming.number(series);
            let (colour, dash) = if naming.several_revisions {
                (index, field)
            } else {
                (field, 0)
            };
            drawn.push(Series {
                name: naming.name(&version.revision, series),
                points,
                colour,
                dash,
            });
        }
    }
    let is_scatter = matches!(template, Template::Scatter | Template::ScatterJitter);
    let chart = Chart {
        title: title.to_owned(),
        x_label: labels.x.clone(),
        y_label: labels.y.clone(),
        names: names.into_iter().collect(),
        mark: if is_scatter { Mark::Points } else { Mark::Line },
        series: drawn,
    };
    chart.to_svg()
}

/// A matrix for each revision and field.
fn confusions(
    title: &str,
    labels: &Labels,
    versions: &[Version],
    is_normalized: bool,
) -> Vec<String> {
    let naming = Naming::of(versions);
    let mut charts = Vec::new();
    for version in versions {
        for series in &version.series {
            let columns = sorted_names(series.pairs.iter().map(|(x, _)| x));
            let rows = sorted_names(series.pairs.iter().map(|(_, y)| y));
            let mut values = vec![vec![0.0; columns.len()]; rows.len()];
            for (x, y) in &series.pairs {
                let column = columns.get_index_of(&x.python_str());
                let row = rows.get_index_of(&y.python_str());
                if let (Some(row), Some(column)) = (row, column) {
                    values[row][column] += 1.0;
                }
            }
            if is_normalized {
                for row in &mut values {
                    let total: f64 = row.iter().sum();
                    for value in row {
                        *value /= total;
                    }
                }
            }
            let several = versions.len() * naming.fields.len() > 1;
            let name = naming.name(&version.revision, series);
            let map = HeatMap {
                title: if several {
                    format!("{title} ({name})")
                } else {
                    title.to_owned()
                },
                x_label: labels.x.clone(),
                y_label: labels.y.clone(),
                columns: columns.into_iter().collect(),
                rows: rows.into_iter().collect(),
                values,
                darkest: is_normalized.then_some(1.0),
            };
            charts.push(map.to_svg());
        }
    }
    charts
}

/// Numbers by their size, before other texts.
fn sorted_names<'v>(values: impl Iterator<Item = &'v Value>) -> IndexSet<String> {
    let mut names: Vec<(Option<f64>, String)> = values
        .map(|value| (number(value), value.python_str()))
        .collect();
    names.sort_by(|a, b| match (a.0, b.0) {
        (Some(first), Some(second)) => first.total_cmp(&second),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => a.1.cmp(&b.1),
    });
    names.into_iter().map(|(_, name)| name).collect()
}

/// `x` is how long the bar of `y` is.
fn bars(title: &str, labels: &Labels, versions: &[Version], is_sorted: bool) -> String {
    let naming = Naming::of(versions);
    let all = || versions.iter().flat_map(|version| &version.series);
    let ys = all().flat_map(|series| series.pairs.iter().map(|(_, y)| y.python_str()));
    let mut names: Vec<String> = ys.collect::<IndexSet<String>>().into_iter().collect();
    let length = |series: &series::Series, name: &str| {
        let pair = series.pairs.iter().find(|(_, y)| y.python_str() == name);
        pair.and_then(|(x, _)| number(x))
    };
    if is_sorted && let Some(first) = all().next() {
        names.sort_by(|a, b| {
            let of = |name: &str| length(first, name).unwrap_or(f64::NEG_INFINITY);
            of(b).total_cmp(&of(a))
        });
    }
    let groups = versions.iter().flat_map(|version| {
        let groups = version.series.iter().map(|series| BarGroup {
            name: naming.name(&version.revision, series),
            lengths: names.iter().map(|name| length(series, name)).collect(),
        });
        groups.collect::<Vec<_>>()
    });
    let bars = Bars {
        title: title.to_owned(),
        x_label: labels.x.clone(),
        y_label: labels.y.clone(),
        groups: groups.collect(),
        names,
    };
    bars.to_svg()
}
