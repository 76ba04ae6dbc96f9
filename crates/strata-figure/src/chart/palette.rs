//! Colours and dashes that people with any kind of colour vision can tell apart.

/// Okabe and Ito, "Color Universal Design", 2008; black and yellow left out, since text is black and paper white.
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

const DASHES: [&str; 4] = ["", "6 3", "2 2", "8 3 2 3"];

/// Of as many things as there may be; they repeat.
pub(super) fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

/// A pattern of dashes; empty for a solid line.
pub(super) fn dash(index: usize) -> &'static str {
    DASHES[index % DASHES.len()]
}

/// A shade of blue for a part of the whole, from 0, white, to 1, dark; and whether white is read better on it than black.
pub(super) fn shade(part: f64) -> (String, bool) {
    let part = part.clamp(0.0, 1.0);
    let between = |light: f64, dark: f64| (light + (dark - light) * part).round() as u8;
    let (red, green, blue) = (
        between(247.0, 8.0),
        between(251.0, 48.0),
        between(255.0, 107.0),
    );
    (format!("#{red:02x}{green:02x}{blue:02x}"), part > 0.55)
}
