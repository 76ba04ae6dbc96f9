//! A scene as SVG 1.1.
//!
//! Text is drawn by its outlines, as matplotlib does, so that it looks the same wherever the font is not installed; each
//! text is a group whose `aria-label` says what is written. Names of definitions follow from what they define, so pictures
//! can stand together in one page of HTML.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;

use super::{Image, Item, Path, PlacedText, Point, Rect, Scene, Segment, Stroke, rounded};
use crate::Color;
use crate::chart::escaped;
use crate::error::FigureError;
use crate::typeset::font;

/// Readers smooth images; ours are enlarged to at least so many pixels across first.
const IMAGE_PIXELS: usize = 224;

/// The text of an SVG file.
pub(crate) fn write(scene: &Scene) -> Result<String, FigureError> {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" \
         width=\"{width}pt\" height=\"{height}pt\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n"
    );
    if !scene.title.is_empty() {
        let _ = writeln!(out, "<title>{}</title>", escaped(&scene.title));
    }
    definitions(&mut out, scene);
    let _ = writeln!(
        out,
        "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
    );
    for item in &scene.items {
        match item {
            Item::Path {
                path,
                fill,
                stroke,
                clip,
            } => {
                out.push_str("<path");
                if let Some(clip) = clip {
                    let _ = write!(out, " clip-path=\"url(#{})\"", clip_name(*clip));
                }
                paint(&mut out, *fill, stroke.as_ref());
                let _ = writeln!(out, " d=\"{}\"/>", data(path));
            }
            Item::Text(text) => write_text(&mut out, text),
            Item::Image { area, image } => write_image(&mut out, *area, image)?,
        }
    }
    out.push_str("</svg>\n");
    Ok(out)
}

/// The outlines of all glyphs and the rectangles that items are shown in.
fn definitions(out: &mut String, scene: &Scene) {
    let mut glyphs = BTreeSet::new();
    let mut clips: Vec<Rect> = Vec::new();
    for item in &scene.items {
        match item {
            Item::Text(text) => glyphs.extend(text.block.glyphs.iter().map(|glyph| glyph.id)),
            Item::Path {
                clip: Some(clip), ..
            } if !clips.contains(clip) => clips.push(*clip),
            _ => {}
        }
    }
    out.push_str("<defs>\n");
    for id in glyphs {
        let outline = font::outline(id);
        if !outline.0.is_empty() {
            let _ = writeln!(
                out,
                "<path id=\"dejavu-{id}\" transform=\"scale({} {})\" d=\"{}\"/>",
                1.0 / font::units_per_em(),
                -1.0 / font::units_per_em(),
                data(&outline)
            );
        }
    }
    for clip in clips {
        let _ = writeln!(
            out,
            "<clipPath id=\"{}\"><path d=\"{}\"/></clipPath>",
            clip_name(clip),
            data(&Path::rect(clip))
        );
    }
    out.push_str("</defs>\n");
}

fn clip_name(clip: Rect) -> String {
    format!(
        "clip-{}-{}-{}-{}",
        number(clip.left),
        number(clip.top),
        number(clip.right),
        number(clip.bottom)
    )
}

fn paint(out: &mut String, fill: Option<Color>, stroke: Option<&Stroke>) {
    match fill {
        Some(color) => {
            let _ = write!(out, " fill=\"{}\"", hex(color));
            if color.alpha < 255 {
                let _ = write!(out, " fill-opacity=\"{}\"", opacity(color));
            }
        }
        None => out.push_str(" fill=\"none\""),
    }
    let Some(stroke) = stroke else {
        return;
    };
    let _ = write!(
        out,
        " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
        hex(stroke.color),
        number(stroke.width)
    );
    if stroke.color.alpha < 255 {
        let _ = write!(out, " stroke-opacity=\"{}\"", opacity(stroke.color));
    }
    if !stroke.dashes.is_empty() {
        let dashes: Vec<String> = stroke.dashes.iter().map(|dash| number(*dash)).collect();
        let _ = write!(out, " stroke-dasharray=\"{}\"", dashes.join(" "));
    }
}

fn write_text(out: &mut String, text: &PlacedText) {
    let (sin, cos) = text.turn();
    let _ = write!(
        out,
        "<g role=\"img\" aria-label=\"{}\" fill=\"{}\"",
        escaped(&text.block.text.replace('\n', " ")),
        hex(text.color)
    );
    if text.color.alpha < 255 {
        let _ = write!(out, " fill-opacity=\"{}\"", opacity(text.color));
    }
    let _ = write!(
        out,
        " transform=\"matrix({} {} {} {} {} {})\">",
        number(cos),
        number(-sin),
        number(sin),
        number(cos),
        number(text.at.0),
        number(text.at.1)
    );
    if let Some(halo) = text.halo {
        let _ = write!(
            out,
            "<g stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\">",
            hex(halo),
            // A quarter of an em in the units of the outlines.
            font::units_per_em() / 4.0
        );
        glyphs(out, text);
        out.push_str("</g>");
    }
    glyphs(out, text);
    out.push_str("</g>\n");
}

fn glyphs(out: &mut String, text: &PlacedText) {
    for glyph in &text.block.glyphs {
        if !font::outline(glyph.id).0.is_empty() {
            let (x, y, size) = (number(glyph.x), number(glyph.y), number(glyph.size));
            let place = if glyph.is_italic {
                let lean = number(-font::LEAN * glyph.size);
                format!("matrix({size} 0 {lean} {size} {x} {y})")
            } else {
                format!("translate({x} {y}) scale({size})")
            };
            let _ = write!(
                out,
                "<use xlink:href=\"#dejavu-{}\" transform=\"{place}\"/>",
                glyph.id
            );
        }
    }
}

fn write_image(out: &mut String, area: Rect, image: &Image) -> Result<(), FigureError> {
    let enlarged = image.enlarged(IMAGE_PIXELS.div_ceil(image.width.max(1)));
    let png = super::png::encode_gray(&enlarged)?;
    let _ = writeln!(
        out,
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" xlink:href=\"data:image/png;base64,{}\"/>",
        number(area.left),
        number(area.top),
        number(area.width()),
        number(area.height()),
        base64::engine::general_purpose::STANDARD.encode(png)
    );
    Ok(())
}

/// The `d` of a path.
fn data(path: &Path) -> String {
    let mut out = String::with_capacity(path.0.len() * 12);
    let mut add = |letter: char, points: &[Point]| {
        out.push(letter);
        for (index, (x, y)) in points.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            let _ = write!(out, "{space}{} {}", number(*x), number(*y));
        }
    };
    for segment in &path.0 {
        match *segment {
            Segment::Move(to) => add('M', &[to]),
            Segment::Line(to) => add('L', &[to]),
            Segment::Quad(control, to) => add('Q', &[control, to]),
            Segment::Cubic(first, second, to) => add('C', &[first, second, to]),
            Segment::Close => add('Z', &[]),
        }
    }
    out
}

fn hex(color: Color) -> String {
    let [red, green, blue] = color.rgb;
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn opacity(color: Color) -> String {
    number(f64::from(color.alpha) / 255.0)
}

fn number(value: f64) -> String {
    rounded(value).to_string()
}
