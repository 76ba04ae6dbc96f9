//! What the files of a figure have in common, and that no data make it fail.

use proptest::prelude::*;
use strata_figure::{
    Axes, Color, Dimension, Figure, FigureError, LineStyle, Location, Marker, Scale, Share,
    StepWhere,
};

fn curves() -> Figure {
    let mut figure = Figure::new(3.3, 2.4);
    figure.describe("a < b & \"c\"");
    let axes = figure.axes();
    axes.set_title("a title")
        .set_xlabel("epoch")
        .set_ylabel("accuracy");
    let epochs = [1.0, 2.0, 3.0, 4.0];
    axes.plot(&epochs, &[0.5, 0.7, 0.8, 0.85]).label("training");
    axes.fill_between(&epochs, &[0.4, 0.65, 0.78, 0.84], &[0.6, 0.75, 0.82, 0.86]);
    axes.plot(&epochs, &[0.6, 0.72, 0.75, 0.76])
        .label("validation")
        .marker(Marker::Square);
    axes.legend(Location::Best);
    figure
}

#[test]
fn equal_figures_are_equal_bytes() -> Result<(), FigureError> {
    assert_eq!(curves().to_svg()?, curves().to_svg()?);
    assert_eq!(curves().to_pdf()?, curves().to_pdf()?);
    assert_eq!(curves().to_png(100)?, curves().to_png(100)?);
    Ok(())
}

#[test]
fn a_png_has_the_pixels_and_the_resolution_that_were_asked_for()
-> Result<(), Box<dyn std::error::Error>> {
    let bytes = curves().to_png(200)?;
    let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    let reader = decoder.read_info()?;
    let info = reader.info();
    assert_eq!((info.width, info.height), (660, 480));
    assert_eq!(info.pixel_dims.map(|dims| dims.xppu), Some(7874));
    Ok(())
}

#[test]
fn a_png_that_would_be_too_large_is_refused() {
    let mut figure = Figure::new(100.0, 100.0);
    figure.axes().plot(&[0.0], &[0.0]);
    assert!(matches!(figure.to_png(1000), Err(FigureError::Size { .. })));
    assert!(matches!(figure.to_png(0), Err(FigureError::Size { .. })));
}

#[test]
fn an_svg_says_what_it_shows_and_needs_no_font() -> Result<(), FigureError> {
    let svg = curves().to_svg()?;
    assert!(svg.contains("<title>a &lt; b &amp; &quot;c&quot;</title>"));
    assert!(svg.contains("aria-label=\"validation\""));
    assert!(!svg.contains("<text") && !svg.contains("font-family"));
    for name in svg.split("href=\"#").skip(1) {
        let name = name.split('"').next().unwrap_or_default();
        assert!(
            svg.contains(&format!("id=\"{name}\"")),
            "{name} is not defined"
        );
    }
    for name in svg.split("url(#").skip(1) {
        let name = name.split(')').next().unwrap_or_default();
        assert!(
            svg.contains(&format!("id=\"{name}\"")),
            "{name} is not defined"
        );
    }
    Ok(())
}

#[test]
fn a_pdf_has_its_font_but_no_date() -> Result<(), FigureError> {
    let pdf = curves().to_pdf()?;
    let has = |text: &[u8]| pdf.windows(text.len()).any(|window| window == text);
    assert!(pdf.starts_with(b"%PDF-") && has(b"/FontFile2") && has(b"/ToUnicode"));
    assert!(!has(b"CreationDate") && !has(b"ModDate"));
    assert!(pdf.len() < 16_384, "{} bytes", pdf.len());
    Ok(())
}

#[test]
fn an_image_is_embedded_without_being_smoothed() -> Result<(), FigureError> {
    let mut figure = Figure::subplots(1, 2, (3.3, 1.8));
    let pixels: Vec<u8> = (0..28 * 28).map(|pixel| (pixel % 256) as u8).collect();
    figure
        .at(0, 0)
        .axis_off()
        .set_title("7 → 1")
        .imshow(&pixels, 28, 28);
    figure.at(0, 1).axis_off().imshow(&[], 0, 28);
    let svg = figure.to_svg()?;
    assert_eq!(svg.matches("data:image/png;base64,").count(), 1);
    assert!(svg.contains("image-rendering:pixelated"));
    Ok(())
}

fn texts(figure: &Figure) -> Vec<String> {
    figure
        .text_boxes()
        .into_iter()
        .map(|text| text.text)
        .collect()
}

#[test]
fn plots_with_a_common_range_are_labelled_once() {
    let mut figure = Figure::subplots(2, 2, (6.9, 4.0));
    figure.share_x(Share::Column).share_y(Share::Row);
    for (index, axes) in figure.flat().enumerate() {
        let end = 10_f64.powi(index as i32);
        axes.plot(&[0.0, end], &[0.0, end]);
        axes.set_xlabel("epoch").set_ylabel("loss");
    }
    let texts = texts(&figure);
    let count = |wanted: &str| texts.iter().filter(|text| *text == wanted).count();
    assert_eq!((count("epoch"), count("loss")), (2, 2));
    assert_eq!(count("1000"), 2, "{texts:?}");
}

#[test]
fn a_twin_is_named_in_the_legend_and_goes_on_in_the_cycle() -> Result<(), FigureError> {
    let mut figure = Figure::new(3.3, 2.4);
    let axes = figure.axes();
    axes.plot(&[0.0, 1.0], &[0.0, 1.0]).label("accuracy");
    axes.legend(Location::Below);
    let twin = axes.twinx();
    twin.set_ylabel("gap")
        .plot(&[0.0, 1.0], &[5.0, 4.0])
        .label("gap of both");
    let texts = texts(&figure);
    for wanted in ["accuracy", "gap", "gap of both"] {
        assert!(
            texts.iter().any(|text| text == wanted),
            "{wanted}: {texts:?}"
        );
    }
    let svg = figure.to_svg()?;
    assert!(svg.contains("stroke=\"#0072b2\"") && svg.contains("stroke=\"#d55e00\""));
    Ok(())
}

#[test]
fn a_map_names_its_cells_and_its_colours() {
    let mut figure = Figure::new(3.3, 3.0);
    let axes = figure.axes();
    axes.heatmap(&[0.0, 0.25, 0.5, 1.0], 2)
        .annotate(|value| format!("{value:.2}"));
    axes.xaxis().categories(["cat", "dog"]);
    axes.yaxis().categories(["cat", "dog"]);
    axes.colorbar("share");
    let texts = texts(&figure);
    for wanted in ["0.25", "share", "cat", "dog"] {
        assert!(
            texts.iter().any(|text| text == wanted),
            "{wanted}: {texts:?}"
        );
    }
    let boxes = figure.text_boxes();
    let top = |wanted: &str| {
        let found = boxes.iter().find(|text| text.text == wanted);
        found.map_or(f64::NAN, |text| text.corners[0].1)
    };
    assert!(top("0.00") < top("0.50"), "the first row is at the top");
}

/// All that can be drawn from two lists of numbers.
fn everything(axes: &mut Axes, x: &[f64], y: &[f64]) {
    let one = |list: &[f64]| list.first().copied().unwrap_or(f64::NAN);
    axes.plot(x, y).label("line").marker(Marker::Cross);
    axes.plot(y, x)
        .linewidth(one(x))
        .markersize(one(y))
        .linestyle(LineStyle::Dotted);
    axes.step(x, y, StepWhere::Mid).label("step");
    axes.fill_between(x, y, x).label("band");
    axes.scatter(x, y).c(y).markersize(one(y));
    axes.errorbar(x, y, x).horizontal();
    axes.errorbar_between(y, x, x, y).label("bars");
    axes.bar(x, y)
        .errors(y)
        .texts(["a", "b", "c"])
        .bottom(x)
        .width(one(y));
    axes.barh(x, y).texts(["a", "b", "c"]).shift(one(x));
    axes.pcolormesh(x, y, y)
        .log_norm()
        .annotate(|value| value.to_string());
    axes.heatmap(x, 2).clim(one(x), one(y));
    axes.contourf(x, y, x).levels(y);
    axes.contour(y, x, x).color(Color::BLACK);
    axes.axhline(one(x));
    axes.axvspan(one(y), one(x));
    axes.text(one(x), one(y), "note");
    axes.annotate("arrow", (one(y), one(x)), (one(x), one(y)));
    axes.twinx().plot(y, x).label("twin");
    axes.colorbar("colours");
    axes.legend(Location::Best);
}

fn has_no_number(svg: &str) -> bool {
    let drawn = svg
        .replace("aria-label=\"NaN\"", "")
        .replace("aria-label=\"inf\"", "");
    ["NaN", "inf "].iter().any(|text| drawn.contains(text))
}

fn hard_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN),
        Just(f64::MIN_POSITIVE),
        Just(-0.0),
        Just(0.0),
        Just(1e300),
        Just(-1e300),
        -10.0..10.0,
        any::<f64>(),
    ]
}

fn scale() -> impl Strategy<Value = Scale> {
    prop_oneof![
        Just(Scale::Linear),
        Just(Scale::Log),
        hard_number().prop_map(|linthresh| Scale::SymLog { linthresh }),
        (0..4_usize).prop_map(|count| Scale::Category(vec!["name".to_owned(); count])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_data_make_it_fail(
        x in prop::collection::vec(hard_number(), 0..7),
        y in prop::collection::vec(hard_number(), 0..7),
        limits in any::<Option<(f64, f64)>>(),
        scales in (scale(), scale()),
        size in (hard_number(), hard_number()),
        switches in any::<(bool, bool, bool)>(),
    ) {
        let mut figure = if switches.2 {
            Figure::new(size.0, size.1)
        } else {
            Figure::new(3.3, 2.4)
        };
        figure.font_size(size.0);
        let axes = figure.axes();
        axes.set_xscale(scales.0.clone()).set_yscale(scales.1.clone());
        if let Some((low, high)) = limits {
            axes.set_xlim(low, high).set_ylim(high, low);
        }
        if switches.0 {
            axes.set_aspect_equal();
        }
        if switches.1 {
            axes.xaxis().integer().ticks(&y, ["a", "b", "c", "d"]);
        }
        everything(axes, &x, &y);
        let svg = figure.to_svg().expect("an SVG");
        prop_assert!(!has_no_number(&svg));
        figure.to_pdf().expect("a PDF");
        match figure.to_png(72) {
            Ok(_) | Err(FigureError::Size { .. }) => {}
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }

    #[test]
    fn no_parallel_coordinates_make_it_fail(
        columns in prop::collection::vec((scale(), prop::collection::vec(hard_number(), 0..4)), 0..4),
        values in prop::collection::vec(hard_number(), 0..4),
    ) {
        let mut figure = Figure::new(6.9, 2.8);
        let dimensions = columns.into_iter().map(|(scale, values)| Dimension {
            label: "name".to_owned(),
            scale,
            values,
        });
        figure.axes().parallel_coordinates(dimensions.collect(), &values);
        figure.axes().colorbar("value");
        let svg = figure.to_svg().expect("an SVG");
        prop_assert!(!has_no_number(&svg));
        figure.to_png(72).expect("a PNG");
    }
}
