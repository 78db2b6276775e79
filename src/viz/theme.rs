//! Colours, for light and dark, told apart whatever one's eyes: those of Okabe and Ito ("Color universal design", 2008).

use bevy_egui::egui::{Color32, Visuals};

/// How requests are coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colouring {
    /// By their source.
    #[default]
    Source,
    /// By their key.
    Key,
    /// By how long they have been under way.
    Age,
    /// By whether a node turned them away.
    Outcome,
}

impl Colouring {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Source, Self::Key, Self::Age, Self::Outcome];

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Key => "key",
            Self::Age => "age",
            Self::Outcome => "outcome",
        }
    }
}

/// Colours that things are told apart by.
pub const SERIES: [Color32; 7] = [
    Color32::from_rgb(0x56, 0xb4, 0xe9),
    Color32::from_rgb(0xe6, 0x9f, 0x00),
    Color32::from_rgb(0x00, 0x9e, 0x73),
    Color32::from_rgb(0xcc, 0x79, 0xa7),
    Color32::from_rgb(0xf0, 0xe4, 0x42),
    Color32::from_rgb(0x00, 0x72, 0xb2),
    Color32::from_rgb(0xd5, 0x5e, 0x00),
];
/// What is wrong.
pub const BAD: Color32 = Color32::from_rgb(0xe8, 0x5d, 0x3a);
/// What is right.
pub const GOOD: Color32 = Color32::from_rgb(0x2f, 0xb3, 0x84);

/// A theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    /// Whether it is dark.
    pub dark: bool,
    /// Behind everything.
    pub ground: Color32,
    /// A box.
    pub plate: Color32,
    /// Around a box.
    pub edge: Color32,
    /// Text.
    pub ink: Color32,
    /// Text that may be overlooked.
    pub faint: Color32,
    /// A link.
    pub link: Color32,
    /// A free slot.
    pub free: Color32,
}

impl Theme {
    /// The dark theme.
    pub const DARK: Self = Self {
        dark: true,
        ground: Color32::from_rgb(0x12, 0x16, 0x1d),
        plate: Color32::from_rgb(0x1d, 0x24, 0x2f),
        edge: Color32::from_rgb(0x3a, 0x46, 0x58),
        ink: Color32::from_rgb(0xe8, 0xed, 0xf4),
        faint: Color32::from_rgb(0x8d, 0x9a, 0xad),
        link: Color32::from_rgb(0x2a, 0x33, 0x41),
        free: Color32::from_rgb(0x2d, 0x37, 0x46),
    };
    /// The light theme.
    pub const LIGHT: Self = Self {
        dark: false,
        ground: Color32::from_rgb(0xf5, 0xf7, 0xfa),
        plate: Color32::from_rgb(0xff, 0xff, 0xff),
        edge: Color32::from_rgb(0xb9, 0xc3, 0xd1),
        ink: Color32::from_rgb(0x1a, 0x22, 0x2e),
        faint: Color32::from_rgb(0x5f, 0x6c, 0x7e),
        link: Color32::from_rgb(0xdc, 0xe2, 0xea),
        free: Color32::from_rgb(0xe3, 0xe8, 0xef),
    };

    /// What panels look like in it.
    #[must_use]
    pub fn visuals(&self) -> Visuals {
        let base = if self.dark { Visuals::dark() } else { Visuals::light() };
        Visuals { panel_fill: self.plate, window_fill: self.plate, extreme_bg_color: self.ground, ..base }
    }
}
