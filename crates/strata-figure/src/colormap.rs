//! From numbers to colours.

use crate::Color;

/// 256 colours of matplotlib's `viridis` (van der Walt and Smith, CC0), red, green and blue by turns.
static VIRIDIS: &[u8; 768] = include_bytes!("../assets/viridis.rgb");
/// The same of `cividis` (Nuñez, Anderton and Renslow, "Optimizing colormaps with consideration for color vision
/// deficiency", 2018).
static CIVIDIS: &[u8; 768] = include_bytes!("../assets/cividis.rgb");

/// A row of colours for the numbers from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colormap {
    /// From dark blue over green to yellow, even in lightness.
    #[default]
    Viridis,
    /// From dark blue to yellow, the same for the colour-blind.
    Cividis,
    /// Viridis from its end.
    ViridisReversed,
    /// From white to dark blue: counts, where nothing should look like nothing.
    Blues,
    /// From black to white: images.
    Gray,
}

impl Colormap {
    /// The colour of a part; below 0 that of 0, above 1 that of 1, and a light gray for NaN.
    pub fn color(self, part: f64) -> Color {
        if part.is_nan() {
            return Color::gray(0xdd);
        }
        let part = part.clamp(0.0, 1.0);
        // As matplotlib has it, 256 steps of equal length.
        let index = ((part * 256.0) as usize).min(255);
        let of = |table: &[u8; 768], index: usize| {
            Color::rgb(table[3 * index], table[3 * index + 1], table[3 * index + 2])
        };
        match self {
            Self::Viridis => of(VIRIDIS, index),
            Self::Cividis => of(CIVIDIS, index),
            Self::ViridisReversed => of(VIRIDIS, 255 - index),
            Self::Blues => {
                let middle = Color::rgb(0x6b, 0xae, 0xd6);
                if part < 0.5 {
                    Color::rgb(0xf7, 0xfb, 0xff).mixed(middle, part * 2.0)
                } else {
                    middle.mixed(Color::rgb(0x08, 0x30, 0x6b), part * 2.0 - 1.0)
                }
            }
            Self::Gray => Color::gray(index as u8),
        }
    }
}
