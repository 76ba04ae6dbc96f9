//! Colours, and the cycle that tells series apart.

/// A colour with its opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Color {
    /// Red, green and blue in sRGB.
    pub rgb: [u8; 3],
    /// From 0, which shows nothing, to 255.
    pub alpha: u8,
}

impl Color {
    /// Text and frames.
    pub const BLACK: Self = Self::rgb(0, 0, 0);
    /// Paper.
    pub const WHITE: Self = Self::rgb(255, 255, 255);
    /// Blue.
    pub const BLUE: Self = Self::rgb(0x00, 0x72, 0xb2);
    /// Vermilion.
    pub const VERMILION: Self = Self::rgb(0xd5, 0x5e, 0x00);
    /// Bluish green.
    pub const GREEN: Self = Self::rgb(0x00, 0x9e, 0x73);
    /// Reddish purple.
    pub const PURPLE: Self = Self::rgb(0xcc, 0x79, 0xa7);
    /// Orange.
    pub const ORANGE: Self = Self::rgb(0xe6, 0x9f, 0x00);
    /// Sky blue.
    pub const SKY: Self = Self::rgb(0x56, 0xb4, 0xe9);
    /// Okabe and Ito's colours ("Color Universal Design", 2008), which people with any kind of colour vision tell
    /// apart; black and yellow left out, since text is black and paper white.
    pub const CYCLE: [Self; 6] = [
        Self::BLUE,
        Self::VERMILION,
        Self::GREEN,
        Self::PURPLE,
        Self::ORANGE,
        Self::SKY,
    ];

    /// An opaque colour.
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self {
            rgb: [red, green, blue],
            alpha: 255,
        }
    }

    /// A gray from 0, black, to 255, white.
    pub const fn gray(level: u8) -> Self {
        Self::rgb(level, level, level)
    }

    /// The colour of the series with this number, matplotlib's `C0`, `C1` and so on; the cycle repeats.
    pub const fn cycle(index: usize) -> Self {
        Self::CYCLE[index % Self::CYCLE.len()]
    }

    /// The same with an opacity from 0 to 1; what is outside is taken to the nearer end, and NaN to 0.
    #[must_use]
    pub const fn with_alpha(self, alpha: f64) -> Self {
        Self {
            rgb: self.rgb,
            alpha: (alpha.clamp(0.0, 1.0) * 255.0).round() as u8,
        }
    }

    /// Whether white is read better on it than black: its relative luminance (WCAG 2.1) is below the one that has the
    /// same contrast to both.
    pub fn is_dark(self) -> bool {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                libm::pow((part + 0.055) / 1.055, 2.4)
            }
        };
        let [red, green, blue] = self.rgb.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179
    }

    /// Somewhere between this colour (0) and another (1).
    pub(crate) fn mixed(self, other: Self, part: f64) -> Self {
        let between = |from: u8, to: u8| {
            (f64::from(from) + (f64::from(to) - f64::from(from)) * part).round() as u8
        };
        let mut rgb = self.rgb;
        for (channel, to) in rgb.iter_mut().zip(other.rgb) {
            *channel = between(*channel, to);
        }
        Self {
            rgb,
            alpha: between(self.alpha, other.alpha),
        }
    }
}
