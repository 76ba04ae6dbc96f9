//! Charts as SVG: what a reader of the text can tell.

use strata_figure::chart::{BarGroup, Bars, Chart, HeatMap, Mark, Series};

fn chart(series: Vec<Series>) -> Chart {
    Chart {
        title: "a < b & \"c\"".to_owned(),
        x_label: "step".to_owned(),
        y_label: "loss".to_owned(),
        names: Vec::new(),
        mark: Mark::Line,
        series,
    }
}

fn series(name: &str, points: &[(f64, f64)]) -> Series {
    Series {
        name: name.to_owned(),
        points: points.to_vec(),
        colour: 0,
        dash: 0,
    }
}

/// All numbers of attributes with a place or a size.
fn numbers(svg: &str) -> Vec<f64> {
    let mut numbers = Vec::new();
    for name in [
        " x=\"",
        " y=\"",
        " x1=\"",
        " y1=\"",
        " cx=\"",
        " cy=\"",
        " width=\"",
        " height=\"",
    ] {
        for part in svg.split(name).skip(1) {
            let text = part.split('"').next().expect("an end of the attribute");
            numbers.push(text.parse().unwrap_or_else(|_| panic!("{name}{text}")));
        }
    }
    numbers
}

#[test]
fn texts_are_escaped_and_numbers_are_finite() {
    let hard = [
        (0.0, f64::NAN),
        (1.0, f64::MAX),
        (2.0, f64::MIN),
        (f64::INFINITY, 0.0),
    ];
    for series in [
        vec![series("<s>", &hard)],
        Vec::new(),
        vec![series("s", &[(1.0, 1.0)])],
    ] {
        let svg = chart(series).to_svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b &amp; &quot;c&quot;"));
        assert!(
            numbers(&svg).iter().all(|number| number.is_finite()),
            "{svg}"
        );
    }
}

#[test]
fn a_line_is_interrupted_where_a_number_is_missing() {
    let points = [
        (0.0, 0.0),
        (1.0, 1.0),
        (2.0, f64::NAN),
        (3.0, 1.0),
        (4.0, 2.0),
        (5.0, f64::NAN),
        (6.0, 0.0),
    ];
    let svg = chart(vec![series("s", &points)]).to_svg();
    assert_eq!(svg.matches("<polyline ").count(), 2, "{svg}");
    assert_eq!(svg.matches("<circle ").count(), 1, "{svg}");
}

#[test]
fn several_series_have_a_legend_one_has_none() {
    let one = series("only", &[(0.0, 0.0), (1.0, 1.0)]);
    assert!(!chart(vec![one.clone()]).to_svg().contains(">only<"));
    let other = Series {
        name: "other & more".to_owned(),
        colour: 1,
        dash: 1,
        ..one.clone()
    };
    let svg = chart(vec![one, other]).to_svg();
    assert!(svg.contains(">only<") && svg.contains(">other &amp; more<"));
    assert_eq!(
        svg.matches("stroke-dasharray=\"6 3\"").count(),
        2,
        "the line and its key"
    );
}

#[test]
fn a_heat_map_shows_its_numbers_and_names() {
    let map = HeatMap {
        title: String::new(),
        x_label: "actual".to_owned(),
        y_label: "predicted".to_owned(),
        columns: vec!["cat".to_owned(), "dog".to_owned()],
        rows: vec!["cat".to_owned()],
        values: vec![vec![3.0, 1.0]],
        darkest: None,
    };
    let svg = map.to_svg();
    assert!(svg.contains("<title>cat, dog: 1</title>"));
    assert!(
        svg.contains("fill=\"#ffffff\">3</text>"),
        "white on the darkest cell: {svg}"
    );
    let empty = HeatMap {
        columns: Vec::new(),
        rows: Vec::new(),
        values: Vec::new(),
        ..map
    };
    assert!(
        numbers(&empty.to_svg())
            .iter()
            .all(|number| number.is_finite())
    );
}

#[test]
fn bars_go_to_both_sides_of_zero() {
    let bars = Bars {
        title: "bars".to_owned(),
        x_label: String::new(),
        y_label: String::new(),
        names: vec!["a".to_owned(), "b".to_owned()],
        groups: vec![BarGroup {
            name: "g".to_owned(),
            lengths: vec![Some(2.0), Some(-1.0)],
        }],
    };
    let svg = bars.to_svg();
    let ends = |name: &str| {
        let before = svg.split(&format!("<title>{name}")).next().expect("a part");
        let rect = before.rsplit("<rect ").next().expect("a bar");
        let value = |key: &str| -> f64 {
            let text = rect
                .split(&format!("{key}=\""))
                .nth(1)
                .expect("an attribute");
            text.split('"')
                .next()
                .and_then(|text| text.parse().ok())
                .expect("a number")
        };
        (value("x"), value("x") + value("width"))
    };
    let (positive, negative) = (ends("a: 2"), ends("b: -1"));
    assert!(
        (positive.0 - negative.1).abs() < 0.02,
        "{positive:?} {negative:?}"
    );
    assert!(positive.1 - positive.0 > negative.1 - negative.0);
}
