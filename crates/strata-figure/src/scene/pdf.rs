//! A scene as PDF: vectors, and text that can be searched and copied, in a part of the font that is embedded.
//!
//! There is no date and no name by chance in the file: equal scenes are equal bytes.

use std::collections::BTreeMap;

use pdf_writer::types::{
    CidFontType, FontFlags, LineJoinStyle, SystemInfo, TextRenderingMode, UnicodeCmap,
};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Ref, Str, TextStr};
use subsetter::GlyphRemapper;

use super::{Image, Item, Path, PlacedText, Point, Rect, Scene, Segment, Stroke, rounded};
use crate::Color;
use crate::error::FigureError;
use crate::typeset::{Glyph, font};

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const INFO: Ref = Ref::new(5);
const FONT: Ref = Ref::new(6);
const CID_FONT: Ref = Ref::new(7);
const DESCRIPTOR: Ref = Ref::new(8);
const FONT_FILE: Ref = Ref::new(9);
const TO_UNICODE: Ref = Ref::new(10);
/// Images and states of opacity come after.
const FIRST_FREE: i32 = 11;

/// Six letters say that the font is a part of the one named.
const FONT_NAME: &[u8] = b"STRATA+DejaVuSans";
const IDENTITY: SystemInfo = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};
/// Readers smooth images; ours are enlarged to at least so many pixels across first.
const IMAGE_PIXELS: usize = 224;
/// miniz's usual effort.
const EFFORT: u8 = 6;

/// The bytes of a PDF file with one page.
pub(crate) fn write(scene: &Scene) -> Result<Vec<u8>, FigureError> {
    let mut page = Page {
        content: Content::new(),
        glyphs: GlyphRemapper::new(),
        characters: BTreeMap::new(),
        opacities: BTreeMap::new(),
        images: Vec::new(),
    };
    // From here on y goes downwards, as in the scene.
    page.content
        .transform([1.0, 0.0, 0.0, -1.0, 0.0, short(scene.height)]);
    for item in &scene.items {
        page.draw(item);
    }
    page.finish(scene)
}

struct Page {
    content: Content,
    glyphs: GlyphRemapper,
    /// What the glyphs of the embedded font stand for.
    characters: BTreeMap<u16, char>,
    /// Opacity of fills and strokes, and the number of its state.
    opacities: BTreeMap<(u8, u8), usize>,
    images: Vec<Image>,
}

impl Page {
    fn draw(&mut self, item: &Item) {
        match item {
            Item::Path {
                path,
                fill,
                stroke,
                clip,
            } => self.path(path, *fill, stroke.as_ref(), *clip),
            Item::Text(text) => self.text(text),
            Item::Image { area, image } => self.image(*area, image),
        }
    }

    fn path(
        &mut self,
        path: &Path,
        fill: Option<Color>,
        stroke: Option<&Stroke>,
        clip: Option<Rect>,
    ) {
        self.content.save_state();
        if let Some(clip) = clip {
            self.trace(&Path::rect(clip));
            self.content.clip_nonzero().end_path();
        }
        self.set_opacity(fill, stroke.map(|stroke| stroke.color));
        if let Some(color) = fill {
            let [red, green, blue] = parts(color);
            self.content.set_fill_rgb(red, green, blue);
        }
        if let Some(stroke) = stroke {
            let [red, green, blue] = parts(stroke.color);
            self.content
                .set_stroke_rgb(red, green, blue)
                .set_line_width(short(stroke.width))
                .set_line_join(LineJoinStyle::RoundJoin);
            if !stroke.dashes.is_empty() {
                let dashes = stroke.dashes.iter().map(|dash| short(*dash));
                self.content.set_dash_pattern(dashes, 0.0);
            }
        }
        self.trace(path);
        match (fill, stroke) {
            (Some(_), Some(_)) => self.content.fill_nonzero_and_stroke(),
            (Some(_), None) => self.content.fill_nonzero(),
            (None, Some(_)) => self.content.stroke(),
            (None, None) => self.content.end_path(),
        };
        self.content.restore_state();
    }

    fn set_opacity(&mut self, fill: Option<Color>, stroke: Option<Color>) {
        let alpha = |color: Option<Color>| color.map_or(255, |color| color.alpha);
        let key = (alpha(fill), alpha(stroke));
        if key != (255, 255) {
            let next = self.opacities.len();
            let index = *self.opacities.entry(key).or_insert(next);
            let name = format!("G{index}");
            self.content.set_parameters(Name(name.as_bytes()));
        }
    }

    fn trace(&mut self, path: &Path) {
        let mut last = (0.0, 0.0);
        for segment in &path.0 {
            match *segment {
                Segment::Move((x, y)) => {
                    self.content.move_to(short(x), short(y));
                    last = (x, y);
                }
                Segment::Line((x, y)) => {
                    self.content.line_to(short(x), short(y));
                    last = (x, y);
                }
                Segment::Quad(control, to) => {
                    let toward = |end: Point| {
                        (
                            end.0 + (control.0 - end.0) * 2.0 / 3.0,
                            end.1 + (control.1 - end.1) * 2.0 / 3.0,
                        )
                    };
                    self.cubic(toward(last), toward(to), to);
                    last = to;
                }
                Segment::Cubic(first, second, to) => {
                    self.cubic(first, second, to);
                    last = to;
                }
                Segment::Close => {
                    self.content.close_path();
                }
            }
        }
    }

    fn cubic(&mut self, first: Point, second: Point, to: Point) {
        self.content.cubic_to(
            short(first.0),
            short(first.1),
            short(second.0),
            short(second.1),
            short(to.0),
            short(to.1),
        );
    }

    fn text(&mut self, text: &PlacedText) {
        self.content.save_state();
        self.set_opacity(Some(text.color), None);
        if let Some(halo) = text.halo {
            let [red, green, blue] = parts(halo);
            self.content
                .set_stroke_rgb(red, green, blue)
                .set_line_width(short(text.block.size * 0.25))
                .set_line_join(LineJoinStyle::RoundJoin);
            self.runs(text, TextRenderingMode::Stroke);
        }
        let [red, green, blue] = parts(text.color);
        self.content.set_fill_rgb(red, green, blue);
        self.runs(text, TextRenderingMode::Fill);
        self.content.restore_state();
    }

    fn runs(&mut self, text: &PlacedText, mode: TextRenderingMode) {
        let (sin, cos) = text.turn();
        self.content.begin_text().set_text_rendering_mode(mode);
        let same =
            |a: &Glyph, b: &Glyph| a.size == b.size && a.y == b.y && a.is_italic == b.is_italic;
        for run in text.block.glyphs.chunk_by(same) {
            let first = run[0];
            let (x, y) = text.to_page((first.x, first.y));
            let lean = if first.is_italic { font::LEAN } else { 0.0 };
            self.content
                .set_font(Name(b"F0"), short(first.size))
                .set_text_matrix([
                    short(cos),
                    short(-sin),
                    short(lean * cos - sin),
                    short(-lean * sin - cos),
                    short(x),
                    short(y),
                ]);
            let mut shown = self.content.show_positioned();
            let mut items = shown.items();
            let mut pen = first.x;
            for glyph in run {
                // Thousandths of an em back to where the glyph stands.
                let back = ((pen - glyph.x) / first.size * 1000.0).round();
                if back != 0.0 {
                    items.adjust(back as f32);
                    pen -= back / 1000.0 * first.size;
                }
                let id = self.glyphs.remap(glyph.id);
                self.characters.entry(id).or_insert(glyph.character);
                items.show(Str(&id.to_be_bytes()));
                pen += font::advance(glyph.id) * first.size;
            }
        }
        self.content.end_text();
    }

    fn image(&mut self, area: Rect, image: &Image) {
        let name = format!("I{}", self.images.len());
        self.images
            .push(image.enlarged(IMAGE_PIXELS.div_ceil(image.width.max(1))));
        self.content
            .save_state()
            .transform([
                short(area.width()),
                0.0,
                0.0,
                short(-area.height()),
                short(area.left),
                short(area.bottom),
            ])
            .x_object(Name(name.as_bytes()))
            .restore_state();
    }

    fn finish(self, scene: &Scene) -> Result<Vec<u8>, FigureError> {
        let mut pdf = Pdf::new();
        pdf.catalog(CATALOG).pages(PAGES);
        pdf.pages(PAGES).kids([PAGE]).count(1);
        let mut info = pdf.document_info(INFO);
        if !scene.title.is_empty() {
            info.title(TextStr(&scene.title));
        }
        info.creator(TextStr("strata"));
        info.finish();

        let state = |index: usize| Ref::new(FIRST_FREE + index as i32);
        let first_image = self.opacities.len();
        let mut page = pdf.page(PAGE);
        page.media_box(pdf_writer::Rect::new(
            0.0,
            0.0,
            short(scene.width),
            short(scene.height),
        ))
        .parent(PAGES)
        .contents(CONTENT);
        let mut resources = page.resources();
        if !self.characters.is_empty() {
            resources.fonts().pair(Name(b"F0"), FONT);
        }
        let mut states = resources.ext_g_states();
        for index in self.opacities.values() {
            states.pair(Name(format!("G{index}").as_bytes()), state(*index));
        }
        states.finish();
        let mut objects = resources.x_objects();
        for index in 0..self.images.len() {
            objects.pair(
                Name(format!("I{index}").as_bytes()),
                state(first_image + index),
            );
        }
        objects.finish();
        resources.finish();
        page.finish();

        for (&(fill, stroke), index) in &self.opacities {
            pdf.ext_graphics(state(*index))
                .non_stroking_alpha(f32::from(fill) / 255.0)
                .stroking_alpha(f32::from(stroke) / 255.0);
        }
        for (index, image) in self.images.iter().enumerate() {
            let data = compressed(&image.gray);
            let mut object = pdf.image_xobject(state(first_image + index), &data);
            object.filter(Filter::FlateDecode);
            object
                .width(image.width as i32)
                .height(image.height as i32)
                .bits_per_component(8)
                .interpolate(false);
            object.color_space().device_gray();
        }
        if !self.characters.is_empty() {
            embed(&mut pdf, &self.glyphs, &self.characters)?;
        }
        pdf.stream(CONTENT, &compressed(&self.content.finish()))
            .filter(Filter::FlateDecode);
        Ok(pdf.finish())
    }
}

/// The font with the glyphs that are used, and what they stand for.
fn embed(
    pdf: &mut Pdf,
    glyphs: &GlyphRemapper,
    characters: &BTreeMap<u16, char>,
) -> Result<(), FigureError> {
    let name = Name(FONT_NAME);
    let thousandths = (1000.0 / font::units_per_em()) as f32;
    pdf.type0_font(FONT)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(CID_FONT)
        .to_unicode(TO_UNICODE);
    let mut cid_font = pdf.cid_font(CID_FONT);
    cid_font
        .subtype(CidFontType::Type2)
        .base_font(name)
        .system_info(IDENTITY)
        .font_descriptor(DESCRIPTOR)
        .cid_to_gid_map_predefined(Name(b"Identity"))
        .default_width(0.0);
    let advances = glyphs
        .remapped_gids()
        .map(|id| font::advance_units(id) as f32 * thousandths);
    cid_font.widths().consecutive(0, advances);
    cid_font.finish();
    let (area, ascent, descent, capitals) = font::description();
    let [left, bottom, right, top] = area.map(|side| side as f32 * thousandths);
    pdf.font_descriptor(DESCRIPTOR)
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(pdf_writer::Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(ascent as f32 * thousandths)
        .descent(descent as f32 * thousandths)
        .cap_height(capitals as f32 * thousandths)
        .stem_v(80.0)
        .font_file2(FONT_FILE);
    let part = subsetter::subset(font::DATA, 0, glyphs)
        .map_err(|error| FigureError::Font(error.to_string()))?;
    pdf.stream(FONT_FILE, &compressed(&part))
        .filter(Filter::FlateDecode)
        .pair(Name(b"Length1"), part.len() as i32);
    let mut cmap = UnicodeCmap::new(Name(b"Strata-UCS2"), IDENTITY);
    for (id, character) in characters {
        cmap.pair(*id, *character);
    }
    pdf.cmap(TO_UNICODE, &cmap.finish());
    Ok(())
}

fn compressed(data: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(data, EFFORT)
}

fn parts(color: Color) -> [f32; 3] {
    color
        .rgb
        .map(|channel| (f32::from(channel) / 255.0 * 1000.0).round() / 1000.0)
}

fn short(value: f64) -> f32 {
    rounded(value) as f32
}
