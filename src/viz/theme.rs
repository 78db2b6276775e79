//! Colours of the light and the dark theme. The colours of series are those of Okabe and Ito ("Color universal design",
//! 2008), which people with colour blindness can distinguish.

use bevy_egui::egui::{Color32, Visuals};

/// The colouring of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colouring {
    /// By their source.
    #[default]
    Source,
    /// By their key.
    Key,
    /// By the time since they were created.
    Age,
    /// By whether a node has rejected them.
    Outcome,
}

impl Colouring {
    /// All colourings.
    pub const ALL: [Self; 4] = [Self::Source, Self::Key, Self::Age, Self::Outcome];

    /// The name, as shown in the window and in the file of [`remembered`](super::remembered) settings.
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

/// Colours of series, sources and keys.
pub const SERIES: [Color32; 7] = [
    Color32::from_rgb(0x56, 0xb4, 0xe9),
    Color32::from_rgb(0xe6, 0x9f, 0x00),
    Color32::from_rgb(0x00, 0x9e, 0x73),
    Color32::from_rgb(0xcc, 0x79, 0xa7),
    Color32::from_rgb(0xf0, 0xe4, 0x42),
    Color32::from_rgb(0x00, 0x72, 0xb2),
    Color32::from_rgb(0xd5, 0x5e, 0x00),
];
/// Colour of failures and of findings of severity "trouble".
pub const BAD: Color32 = Color32::from_rgb(0xe8, 0x5d, 0x3a);
/// Colour of completed requests and healthy servers.
pub const GOOD: Color32 = Color32::from_rgb(0x2f, 0xb3, 0x84);

/// A theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    /// Whether this is the dark theme.
    pub dark: bool,
    /// Background of the window.
    pub ground: Color32,
    /// Fill of boxes and panels.
    pub plate: Color32,
    /// Outline of boxes.
    pub edge: Color32,
    /// Text.
    pub ink: Color32,
    /// Secondary text.
    pub faint: Color32,
    /// Links.
    pub link: Color32,
    /// Free slots.
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

    /// The visuals of egui's panels and widgets in this theme.
    #[must_use]
    pub fn visuals(&self) -> Visuals {
        let base = if self.dark { Visuals::dark() } else { Visuals::light() };
        Visuals { panel_fill: self.plate, window_fill: self.plate, extreme_bg_color: self.ground, ..base }
    }
}
