//! One plot: what is drawn between its two axes.
//!
//! The methods of [`Axes`] have matplotlib's names, and each gives back the thing that it has added, so that its looks can be
//! set in the same line. Series take colours, dashes and markers of the cycle by turns; data are copied.

mod artist;
mod axis;
mod bars;
mod contour;
mod maps;
mod marks;
mod norm;
mod parallel;
mod place;
mod plot;
mod scatter;
mod series;
mod style;
mod tick_labels;

pub(crate) use artist::{Artist, Handle};
pub use axis::Axis;
pub(crate) use axis::Extent;
pub use bars::Bars;
pub use contour::Contour;
pub use maps::{GrayImage, HeatMap};
pub use marks::{Note, Reference, Span};
pub(crate) use norm::Mapping;
pub use parallel::{Dimension, ParallelCoordinates};
pub(crate) use place::Place;
pub use scatter::{Band, Scatter};
pub(crate) use series::marked;
pub use series::{ErrorBar, Line, StepWhere};
pub use style::{LineStyle, Marker};
pub(crate) use tick_labels::{TickLabels, below, beside};

use crate::scale::Scale;
use crate::ticks::TickFormat;

/// Where a legend stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Location {
    /// Where it hides least of the data; below the plot if it does not fit in.
    #[default]
    Best,
    /// In a corner.
    UpperRight,
    /// In a corner.
    UpperLeft,
    /// In a corner.
    LowerLeft,
    /// In a corner.
    LowerRight,
    /// Beside the plot.
    Right,
    /// Below the plot, in as many columns as there is room for.
    Below,
}

/// A scale of the colours beside a plot.
#[derive(Debug, Clone, Default)]
pub struct Colorbar {
    pub(crate) label: String,
    pub(crate) format: TickFormat,
}

impl Colorbar {
    /// What the numbers look like.
    pub fn format(&mut self, format: TickFormat) -> &mut Self {
        self.format = format;
        self
    }
}

/// A plot.
///
/// ```
/// use strata_figure::{Figure, Location};
///
/// let mut figure = Figure::new(3.3, 2.4);
/// let axes = figure.axes();
/// axes.set_xlabel("epoch").set_ylabel("accuracy");
/// axes.plot(&[1.0, 2.0, 3.0], &[0.61, 0.75, 0.79]).label("training");
/// axes.plot(&[1.0, 2.0, 3.0], &[0.78, 0.81, 0.83]).label("validation");
/// axes.legend(Location::Best);
/// assert!(figure.to_svg()?.starts_with("<svg"));
/// # Ok::<(), strata_figure::FigureError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Axes {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) artists: Vec<Artist>,
    pub(crate) legend: Option<Location>,
    pub(crate) colorbar: Option<Colorbar>,
    pub(crate) grid: Option<bool>,
    pub(crate) is_equal: bool,
    pub(crate) is_off: bool,
    pub(crate) twin: Option<Box<Axes>>,
    /// How many series have taken a colour.
    series: usize,
}

impl Axes {
    /// The line above the plot.
    pub fn set_title(&mut self, title: impl Into<String>) -> &mut Self {
        self.title = title.into();
        self
    }

    /// What is measured across, with its unit.
    pub fn set_xlabel(&mut self, label: impl Into<String>) -> &mut Self {
        self.x.label(label);
        self
    }

    /// What is measured upwards, with its unit.
    pub fn set_ylabel(&mut self, label: impl Into<String>) -> &mut Self {
        self.y.label(label);
        self
    }

    /// How the lower axis is divided.
    pub fn set_xscale(&mut self, scale: Scale) -> &mut Self {
        self.x.scale(scale);
        self
    }

    /// How the left axis is divided.
    pub fn set_yscale(&mut self, scale: Scale) -> &mut Self {
        self.y.scale(scale);
        self
    }

    /// From where to where across; see [`Axis::limits`].
    pub fn set_xlim(&mut self, low: f64, high: f64) -> &mut Self {
        self.x.limits(low, high);
        self
    }

    /// From where to where upwards; see [`Axis::limits`].
    pub fn set_ylim(&mut self, low: f64, high: f64) -> &mut Self {
        self.y.limits(low, high);
        self
    }

    /// The lower axis.
    pub fn xaxis(&mut self) -> &mut Axis {
        &mut self.x
    }

    /// The left axis, of a twin the right one.
    pub fn yaxis(&mut self) -> &mut Axis {
        &mut self.y
    }

    /// Lines behind the data at the ticks, or none. Unless said, there are lines for numbers but not for names, nor behind
    /// maps and images.
    pub fn grid(&mut self, is_shown: bool) -> &mut Self {
        self.grid = Some(is_shown);
        self
    }

    /// A legend of all things that have a label.
    pub fn legend(&mut self, location: Location) -> &mut Self {
        self.legend = Some(location);
        self
    }

    /// A scale of the colours of the last thing whose colours stand for values.
    pub fn colorbar(&mut self, label: impl Into<String>) -> &mut Colorbar {
        self.colorbar.insert(Colorbar {
            label: label.into(),
            format: TickFormat::Scalar,
        })
    }

    /// One unit is as long across as it is upwards.
    pub fn set_aspect_equal(&mut self) -> &mut Self {
        self.is_equal = true;
        self
    }

    /// Nothing around the data but the title.
    pub fn axis_off(&mut self) -> &mut Self {
        self.is_off = true;
        self
    }

    /// A plot over this one with the same lower axis and its own axis at the right. Its colours go on where those of this
    /// one have ended, and its things are named in this one's legend.
    pub fn twinx(&mut self) -> &mut Self {
        let series = self.series;
        self.twin.get_or_insert_with(|| {
            Box::new(Self {
                series,
                ..Self::default()
            })
        })
    }

    /// Whether there is nothing to draw, not even empty axes.
    pub(crate) fn is_blank(&self) -> bool {
        self.is_off && self.artists.is_empty() && self.title.is_empty()
    }

    /// Where the data are, across and upwards, the twin's across among them.
    pub(crate) fn extents(&self) -> (Extent, Extent) {
        let (mut x, mut y) = (Extent::default(), Extent::default());
        for artist in &self.artists {
            artist.extend(&mut x, &mut y);
        }
        if let Some(twin) = &self.twin {
            x.merge(&twin.extents().0);
        }
        (x, y)
    }

    /// Whether there are lines of the grid from the lower and from the left axis.
    pub(crate) fn grids(&self) -> (bool, bool) {
        if let Some(is_shown) = self.grid {
            return (is_shown, is_shown);
        }
        let has = |test: &dyn Fn(&Artist) -> bool| self.artists.iter().any(test);
        if has(&|artist| artist.layer() == 0 || matches!(artist, Artist::Parallel(_))) {
            return (false, false);
        }
        let is_named = |axis: &Axis| matches!(axis.scale, Scale::Category(_));
        let has_bars = |lying: bool| {
            has(&|artist| matches!(artist, Artist::Bars(bars) if bars.is_horizontal == lying))
        };
        (
            !is_named(&self.x) && !has_bars(false),
            !is_named(&self.y) && !has_bars(true),
        )
    }

    /// Lines of the legend.
    pub(crate) fn entries(&self, size: f64) -> Vec<(String, Handle)> {
        let own = self.artists.iter().filter_map(|artist| artist.entry(size));
        let twin = self.twin.iter().flat_map(|twin| twin.entries(size));
        own.chain(twin).collect()
    }

    /// What the colour bar shows: the colours of the last thing that has some, and where they change at once.
    pub(crate) fn mapping(&self) -> Option<(Mapping, Vec<f64>)> {
        self.artists.iter().rev().find_map(Artist::mapping)
    }

    /// Whether the frame around the plot is drawn.
    pub(crate) fn has_frame(&self) -> bool {
        !self.is_off
            && !self
                .artists
                .iter()
                .any(|artist| matches!(artist, Artist::Parallel(_)))
    }
}
