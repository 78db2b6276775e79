//! The colours of lines, in one place for documents and pictures: the same thing looks the same in both.

use serde::Serialize;

/// A colour on white and on black.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Colour {
    /// On white: darker.
    pub light: &'static str,
    /// On black: lighter.
    pub dark: &'static str,
}

/// What tells lines from each other.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Palette {
    /// Okabe and Ito's colours, which are told apart whatever one's eyes.
    pub colours: [Colour; 8],
    /// Beyond the colours, lines differ by their dashes: pixels that are drawn and left out, in turn.
    pub dashes: [&'static [u8]; 4],
    /// The dashes of a belief beside a fact.
    pub dashed: &'static [u8],
}

const fn colour(light: &'static str, dark: &'static str) -> Colour {
    Colour { light, dark }
}

/// The only one.
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
    /// Which of the colours a number has.
    #[must_use]
    pub const fn place(&self, number: usize) -> usize {
        number % self.colours.len()
    }

    /// The dashes of a number.
    #[must_use]
    pub const fn dash(&self, number: usize) -> &'static [u8] {
        self.dashes[number / self.colours.len() % self.dashes.len()]
    }
}
