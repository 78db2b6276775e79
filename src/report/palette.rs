//! The colours and dashes of lines, shared by HTML reports and SVG plots.

use serde::Serialize;

/// A colour, for light and dark backgrounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Colour {
    /// Darker variant, for a light background.
    pub light: &'static str,
    /// Lighter variant, for a dark background.
    pub dark: &'static str,
}

/// The colours and dashes that distinguish lines.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Palette {
    /// The colours of Okabe and Ito, which colour-blind readers can distinguish.
    pub colours: [Colour; 8],
    /// Dash patterns of lines beyond the number of colours: lengths of dashes and gaps in pixels, alternating.
    pub dashes: [&'static [u8]; 4],
    /// The dash pattern of an estimate, such as perceived load beside actual load.
    pub dashed: &'static [u8],
}

const fn colour(light: &'static str, dark: &'static str) -> Colour {
    Colour { light, dark }
}

/// The palette of all reports.
pub const PALETTE: Palette = Palette {
    colours: [
        colour("#0072b2", "#5aaeea"),
        colour("#d55e00", "#ff9257"),
        colour("#00866a", "#35c7a3"),
        colour("#aa4f88", "#e79ccb"),
        colour("#3c93c9", "#9bd3f7"),
        colour("#b07a00", "#f0c04a"),
        colour("#5b6470", "#b9c2cd"),
        colour("#882255", "#e0759b"),
    ],
    dashes: [&[], &[9, 3], &[2, 3], &[9, 3, 2, 3]],
    dashed: &[6, 4],
};

impl Palette {
    /// Index of the colour of the line with this number.
    #[must_use]
    pub const fn colour_index(&self, number: usize) -> usize {
        number % self.colours.len()
    }

    /// The dash pattern of the line with this number; empty for a solid line.
    #[must_use]
    pub const fn dash(&self, number: usize) -> &'static [u8] {
        self.dashes[number / self.colours.len() % self.dashes.len()]
    }
}
