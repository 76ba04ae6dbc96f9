//! A scene as PNG, with smooth edges.

use tiny_skia::{
    FillRule, LineCap, LineJoin, Mask, Paint, PathBuilder, Pixmap, StrokeDash, Transform,
};

use super::{Image, Item, Path, PlacedText, Point, Rect, Scene, Segment, Stroke};
use crate::Color;
use crate::error::FigureError;
use crate::typeset::font;

/// Longer sides make viewers fail.
const SIDE_LIMIT: usize = 32_767;
/// What a figure may have of pixels.
const AREA_LIMIT: usize = 64 << 20;

/// The bytes of a PNG file with `dpi` pixels an inch.
pub(crate) fn write(scene: &Scene, dpi: u32) -> Result<Vec<u8>, FigureError> {
    let scale = f64::from(dpi) / 72.0;
    let (width, height) = (
        (scene.width * scale).round(),
        (scene.height * scale).round(),
    );
    let side = 1.0..=SIDE_LIMIT as f64;
    let fits = side.contains(&width) && side.contains(&height);
    if !fits || width * height > AREA_LIMIT as f64 {
        return Err(FigureError::Size {
            width,
            height,
            limit: SIDE_LIMIT,
            area: AREA_LIMIT,
        });
    }
    let mut pixmap = Pixmap::new(width as u32, height as u32).expect("the size was checked above");
    pixmap.fill(tiny_skia::Color::WHITE);
    let mut raster = Raster {
        pixmap,
        scale,
        mask: None,
    };
    for item in &scene.items {
        raster.draw(item);
    }
    encode(&raster.pixmap, dpi)
}

struct Raster {
    pixmap: Pixmap,
    /// Pixels of a point.
    scale: f64,
    /// The last rectangle that items were shown in, with its mask.
    mask: Option<(Rect, Mask)>,
}

impl Raster {
    fn draw(&mut self, item: &Item) {
        match item {
            Item::Path {
                path,
                fill,
                stroke,
                clip,
            } => {
                if let Some(clip) = clip {
                    self.set_mask(*clip);
                }
                let has_clip = clip.is_some();
                if let Some(color) = fill {
                    self.fill(self.built(path, 0.0).as_ref(), *color, has_clip);
                }
                if let Some(stroke) = stroke {
                    self.stroke(
                        self.built(path, stroke.width * self.scale).as_ref(),
                        stroke,
                        has_clip,
                    );
                }
            }
            Item::Text(text) => self.text(text),
            Item::Image { area, image } => self.image(*area, image),
        }
    }

    fn set_mask(&mut self, clip: Rect) {
        if self.mask.as_ref().is_some_and(|(area, _)| *area == clip) {
            return;
        }
        let Some(mut mask) = Mask::new(self.pixmap.width(), self.pixmap.height()) else {
            return;
        };
        if let Some(path) = self.built(&Path::rect(clip), 0.0) {
            mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
        }
        self.mask = Some((clip, mask));
    }

    fn fill(&mut self, path: Option<&tiny_skia::Path>, color: Color, has_clip: bool) {
        let Some(path) = path else {
            return;
        };
        let mask = self.mask.as_ref().filter(|_| has_clip);
        self.pixmap.fill_path(
            path,
            &paint(color),
            FillRule::Winding,
            Transform::identity(),
            mask.map(|(_, mask)| mask),
        );
    }

    fn stroke(&mut self, path: Option<&tiny_skia::Path>, stroke: &Stroke, has_clip: bool) {
        let Some(path) = path else {
            return;
        };
        let lengths = stroke.dashes.iter().map(|dash| (dash * self.scale) as f32);
        let how = tiny_skia::Stroke {
            width: (stroke.width * self.scale) as f32,
            line_cap: LineCap::Butt,
            line_join: LineJoin::Round,
            dash: StrokeDash::new(lengths.collect(), 0.0),
            ..tiny_skia::Stroke::default()
        };
        let mask = self.mask.as_ref().filter(|_| has_clip);
        self.pixmap.stroke_path(
            path,
            &paint(stroke.color),
            &how,
            Transform::identity(),
            mask.map(|(_, mask)| mask),
        );
    }

    fn text(&mut self, text: &PlacedText) {
        let mut all = Path::default();
        for glyph in &text.block.glyphs {
            let scale = glyph.size / font::units_per_em();
            let lean = if glyph.is_italic { font::LEAN } else { 0.0 };
            let place = |(x, y): Point| {
                let x = x + y * lean;
                let (x, y) = text.to_page((glyph.x + x * scale, glyph.y - y * scale));
                (x * self.scale, y * self.scale)
            };
            all.0.extend(
                font::outline(glyph.id)
                    .0
                    .iter()
                    .map(|segment| match *segment {
                        Segment::Move(to) => Segment::Move(place(to)),
                        Segment::Line(to) => Segment::Line(place(to)),
                        Segment::Quad(control, to) => Segment::Quad(place(control), place(to)),
                        Segment::Cubic(first, second, to) => {
                            Segment::Cubic(place(first), place(second), place(to))
                        }
                        Segment::Close => Segment::Close,
                    }),
            );
        }
        let path = path_of(&all, |point| point);
        if let Some(halo) = text.halo {
            let stroke = Stroke::solid(halo, text.block.size * 0.25);
            self.stroke(path.as_ref(), &stroke, false);
        }
        self.fill(path.as_ref(), text.color, false);
    }

    /// By nearest neighbour, to whole pixels.
    fn image(&mut self, area: Rect, image: &Image) {
        let pixel = |points: f64| (points * self.scale).round() as i64;
        let (left, top) = (pixel(area.left), pixel(area.top));
        let (across, down) = (pixel(area.right) - left, pixel(area.bottom) - top);
        let (width, height) = (
            i64::from(self.pixmap.width()),
            i64::from(self.pixmap.height()),
        );
        let pixels = self.pixmap.pixels_mut();
        for y in top.max(0)..(top + down).min(height) {
            let row = (y - top) as usize * image.height / down as usize;
            for x in left.max(0)..(left + across).min(width) {
                let column = (x - left) as usize * image.width / across as usize;
                let level = image.gray[row * image.width + column];
                pixels[(y * width + x) as usize] =
                    tiny_skia::ColorU8::from_rgba(level, level, level, 255).premultiply();
            }
        }
    }

    /// The path in pixels. One that runs along the axes only is moved to whole pixels, as matplotlib does, so that thin
    /// lines are crisp.
    fn built(&self, path: &Path, stroke_px: f64) -> Option<tiny_skia::Path> {
        let scaled = |(x, y): Point| (x * self.scale, y * self.scale);
        if !is_rectilinear(path) {
            return path_of(path, scaled);
        }
        let is_odd = (stroke_px.round() as i64) % 2 == 1 || (0.0 < stroke_px && stroke_px < 1.0);
        let shift = if is_odd { 0.5 } else { 0.0 };
        let snapped = |value: f64| (value * self.scale - shift).round() + shift;
        path_of(path, |(x, y)| (snapped(x), snapped(y)))
    }
}

fn is_rectilinear(path: &Path) -> bool {
    let mut last: Option<Point> = None;
    path.0.iter().all(|segment| match *segment {
        Segment::Move(to) => {
            last = Some(to);
            true
        }
        Segment::Line(to) => {
            let from = last.replace(to);
            from.is_some_and(|from| from.0 == to.0 || from.1 == to.1)
        }
        Segment::Close => true,
        Segment::Quad(..) | Segment::Cubic(..) => false,
    })
}

/// The path with all its points placed; nothing if it has none.
pub(crate) fn path_of(path: &Path, place: impl Fn(Point) -> Point) -> Option<tiny_skia::Path> {
    let mut builder = PathBuilder::new();
    let place = |point: Point| {
        let (x, y) = place(point);
        (x as f32, y as f32)
    };
    for segment in &path.0 {
        match *segment {
            Segment::Move(to) => {
                let (x, y) = place(to);
                builder.move_to(x, y);
            }
            Segment::Line(to) => {
                let (x, y) = place(to);
                builder.line_to(x, y);
            }
            Segment::Quad(control, to) => {
                let ((x1, y1), (x, y)) = (place(control), place(to));
                builder.quad_to(x1, y1, x, y);
            }
            Segment::Cubic(first, second, to) => {
                let ((x1, y1), (x2, y2), (x, y)) = (place(first), place(second), place(to));
                builder.cubic_to(x1, y1, x2, y2, x, y);
            }
            Segment::Close => builder.close(),
        }
    }
    builder.finish()
}

fn paint(color: Color) -> Paint<'static> {
    let [red, green, blue] = color.rgb;
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, color.alpha);
    paint.anti_alias = true;
    paint
}

/// The page is opaque, so three bytes a pixel say all.
fn encode(pixmap: &Pixmap, dpi: u32) -> Result<Vec<u8>, FigureError> {
    let pixels: Vec<u8> = pixmap
        .pixels()
        .iter()
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let per_metre = (f64::from(dpi) / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    encoder.add_text_chunk("Software".to_owned(), "strata".to_owned())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// A gray image by itself.
pub(crate) fn encode_gray(image: &Image) -> Result<Vec<u8>, FigureError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width as u32, image.height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&image.gray)?;
    writer.finish()?;
    Ok(bytes)
}
