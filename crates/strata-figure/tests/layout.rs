//! Nothing overlaps and nothing is cut off, whatever the labels, data and sizes.

use proptest::prelude::*;
use strata_figure::{
    Colormap, Dimension, Figure, Location, Marker, Scale, Share, TextBox, TickFormat,
};

/// Boxes may come as near as this to each other, in points: they are a little larger than the letters.
const TOUCH: f64 = 0.3;

type Corners = [(f64, f64); 4];

/// How far apart two boxes are along the sides of the first; negative if they overlap.
fn gap(a: &Corners, b: &Corners) -> f64 {
    let mut gap = f64::NEG_INFINITY;
    for side in 0..2 {
        let (dx, dy) = (a[side + 1].0 - a[side].0, a[side + 1].1 - a[side].1);
        let length = dx.hypot(dy).max(1e-9);
        let along = |corners: &Corners| {
            let places = corners.map(|(x, y)| (x * dx + y * dy) / length);
            let low = places.iter().copied().fold(f64::INFINITY, f64::min);
            let high = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (low, high)
        };
        let ((a_low, a_high), (b_low, b_high)) = (along(a), along(b));
        gap = gap.max(b_low - a_high).max(a_low - b_high);
    }
    gap
}

fn overlap(a: &TextBox, b: &TextBox) -> bool {
    gap(&a.corners, &b.corners).max(gap(&b.corners, &a.corners)) < -TOUCH
}

fn assert_tidy(figure: &Figure, (width, height): (f64, f64)) {
    let texts = figure.text_boxes();
    for (index, text) in texts.iter().enumerate() {
        for (x, y) in text.corners {
            assert!(
                (-TOUCH..=width * 72.0 + TOUCH).contains(&x)
                    && (-TOUCH..=height * 72.0 + TOUCH).contains(&y),
                "{text:?} is outside of {width} x {height} inches"
            );
        }
        for other in &texts[..index] {
            assert!(!overlap(text, other), "{text:?} lies over {other:?}");
        }
    }
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("validation accuracy".to_owned()),
        Just(r"$\lambda_1$ of the penalty $\times 10^{-3}$".to_owned()),
        "[a-zA-Z_.]{1,12}( [a-zäß漢Ω<&]{1,14}){0,6}",
        "[A-Za-z]{30,50}",
    ]
}

fn location() -> impl Strategy<Value = Location> {
    prop_oneof![
        Just(Location::Best),
        Just(Location::UpperLeft),
        Just(Location::Right),
        Just(Location::Below),
    ]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1.0, -1e3..1e4, 1e-9..1e-6, 1e7..1e9, 999.1..999.2,]
}

/// What a random plot is made of.
#[derive(Debug, Clone)]
struct Plot {
    labels: [String; 4],
    names: Vec<String>,
    x: Vec<f64>,
    y: Vec<f64>,
    kind: usize,
    scale: usize,
    legend: Option<Location>,
    has_twin: bool,
    has_colorbar: bool,
    is_percent: bool,
}

fn plot() -> impl Strategy<Value = Plot> {
    let texts = (
        [label(), label(), label(), label()],
        prop::collection::vec(label(), 1..9),
    );
    let data = (
        prop::collection::vec(value(), 0..12),
        prop::collection::vec(value(), 0..12),
    );
    let choices = (0..6_usize, 0..4_usize, prop::option::of(location()));
    let switches = (any::<bool>(), any::<bool>(), any::<bool>());
    (texts, data, choices, switches).prop_map(
        |((labels, names), (x, y), (kind, scale, legend), (twin, colorbar, percent))| Plot {
            labels,
            names,
            x,
            y,
            kind,
            scale,
            legend,
            has_twin: twin,
            has_colorbar: colorbar,
            is_percent: percent,
        },
    )
}

fn draw(axes: &mut strata_figure::Axes, plot: &Plot) {
    let [title, x_label, y_label, name] = &plot.labels;
    axes.set_title(title)
        .set_xlabel(x_label)
        .set_ylabel(y_label);
    match plot.scale {
        1 => {
            axes.set_xscale(Scale::Log).set_yscale(Scale::Log);
        }
        2 => {
            axes.xaxis().categories(plot.names.clone());
        }
        3 => {
            axes.yaxis().categories(plot.names.clone());
            axes.set_xscale(Scale::SymLog { linthresh: 0.1 });
        }
        _ => {}
    }
    if plot.is_percent {
        axes.yaxis().format(TickFormat::Percent);
    }
    let places: Vec<f64> = (0..plot.y.len()).map(|index| index as f64).collect();
    match plot.kind {
        0 => {
            for other in &plot.names {
                axes.plot(&plot.x, &plot.y)
                    .label(other)
                    .marker(Marker::Circle);
            }
        }
        1 => {
            axes.bar(&places, &plot.y).label(name);
        }
        2 => {
            axes.barh(&places, &plot.y).label(name);
        }
        3 => {
            axes.heatmap(&plot.y, 3).cmap(Colormap::Blues);
            axes.set_aspect_equal();
        }
        4 => {
            axes.scatter(&plot.x, &plot.y).c(&plot.x).label(name);
        }
        _ => {
            axes.contourf(&plot.x, &plot.y, &plot.x);
        }
    }
    if plot.has_colorbar {
        axes.colorbar(name);
    }
    if plot.has_twin {
        let twin = axes.twinx();
        twin.set_ylabel(title);
        twin.plot(&plot.x, &plot.x).label(x_label);
    }
    if let Some(location) = plot.legend {
        axes.legend(location);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_of_one_plot_are_apart_and_on_the_page(
        plot in plot(),
        width in 2.6_f64..7.0,
        height in 2.2_f64..6.0,
        font in 6.0_f64..9.0,
    ) {
        let mut figure = Figure::new(width, height);
        figure.font_size(font);
        draw(figure.axes(), &plot);
        assert_tidy(&figure, (width, height));
    }

    #[test]
    fn texts_of_several_plots_are_apart_and_on_the_page(
        plots in prop::collection::vec(plot(), 4),
        rows in 1..3_usize,
        columns in 1..3_usize,
        sharing in any::<(bool, bool, bool)>(),
        title in label(),
    ) {
        let size = (3.0 * columns as f64, 2.6 * rows as f64 + 0.8);
        let mut figure = Figure::subplots(rows, columns, size);
        figure.suptitle(title);
        if sharing.0 {
            figure.share_x(Share::Column);
        }
        if sharing.1 {
            figure.share_y(Share::Row);
        }
        if sharing.2 {
            figure.legend();
        }
        for (axes, plot) in figure.flat().zip(&plots) {
            let legend = plot.legend.filter(|_| !sharing.2);
            draw(axes, &Plot { legend, ..plot.clone() });
        }
        assert_tidy(&figure, size);
    }

    #[test]
    fn texts_of_parallel_coordinates_are_apart_and_on_the_page(
        labels in prop::collection::vec(label(), 1..7),
        values in prop::collection::vec(value(), 1..9),
        kinds in prop::collection::vec(0..3_usize, 7),
    ) {
        let mut figure = Figure::new(6.9, 3.0);
        let dimensions = labels.iter().zip(&kinds).enumerate().map(|(index, (label, kind))| Dimension {
            label: label.clone(),
            scale: match kind {
                0 => Scale::Linear,
                1 => Scale::Log,
                _ => Scale::Category(labels.clone()),
            },
            values: values.iter().map(|value| value * (index as f64 + 1.0)).collect(),
        });
        figure.axes().parallel_coordinates(dimensions.collect(), &values);
        figure.axes().colorbar("value");
        assert_tidy(&figure, (6.9, 3.0));
    }
}

/// Letters of classes stand beside a map of a page's width without one left out: 47 of EMNIST Balanced, 62 of `ByClass`.
#[test]
fn all_classes_of_a_confusion_matrix_are_named() {
    let letters: Vec<String> = ('0'..='9')
        .chain('A'..='Z')
        .chain('a'..='z')
        .map(String::from)
        .collect();
    for count in [10, 47, 62] {
        let classes = &letters[..count];
        let mut figure = Figure::new(6.9, 6.2);
        let axes = figure.axes();
        axes.heatmap(&vec![0.5; count * count], count);
        axes.xaxis().categories(classes.to_vec());
        axes.yaxis().categories(classes.to_vec());
        let texts = figure.text_boxes();
        for class in classes {
            let named = texts.iter().filter(|text| text.text == *class).count();
            assert_eq!(named, 2, "{class} of {count}");
        }
        assert_tidy(&figure, (6.9, 6.2));
    }
}
