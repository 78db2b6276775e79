//! The page: everything that a report shows, as plain data, decided here once. `html` makes it a document
//! to be read in a browser, `svg` pictures for other documents, and `report.json` keeps it, so that both can
//! be made again.
//!
//! A page knows plots, tables and texts; it knows nothing of servers or clients, so that parts to come need no change in
//! whatever draws it.
//!
//! What says nothing is left out of `report.json`, and numbers are written short (`numbers`). [`downsample`] makes few samples
//! of many.

mod build;
pub mod downsample;
mod file;
mod numbers;

pub use build::{ReportInput, build};
pub use file::{FORMAT, Unreadable, as_kept, read, write};

use serde::{Deserialize, Serialize};

use numbers::is_default;

pub use crate::model::metric::Unit;

/// Everything that a report shows, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// The form of this data: what reads another form than its own refuses it.
    pub format: u32,
    /// Name of the scenario.
    pub title: String,
    /// Which run it was, in one line.
    #[serde(skip_serializing_if = "is_default")]
    pub subtitle: String,
    /// The story that the scenario opens with, by paragraphs.
    #[serde(skip_serializing_if = "is_default")]
    pub story: Vec<String>,
    /// The first figures to see: what was offered and what became of it.
    #[serde(skip_serializing_if = "is_default")]
    pub tiles: Vec<Tile>,
    /// Conclusions, the most important first; the first `leading` are shown at once, the others on demand.
    #[serde(skip_serializing_if = "is_default")]
    pub findings: Vec<FindingCard>,
    /// How many findings lead.
    #[serde(skip_serializing_if = "is_default")]
    pub leading: usize,
    /// Length of the run in seconds: the axis of all plots over time.
    #[serde(skip_serializing_if = "is_default")]
    pub seconds: f64,
    /// Spans of time that are shaded in all plots over time.
    #[serde(skip_serializing_if = "is_default")]
    pub spans: Vec<Span>,
    /// The plots, in sections.
    #[serde(skip_serializing_if = "is_default")]
    pub sections: Vec<Section>,
    /// The text of the scenario.
    #[serde(skip_serializing_if = "is_default")]
    pub scenario: String,
    /// Commands that make the run again.
    #[serde(skip_serializing_if = "is_default")]
    pub reproduce: Vec<String>,
    /// What was not done exactly, such as samples taken instead of all: one sentence each.
    #[serde(skip_serializing_if = "is_default")]
    pub remarks: Vec<String>,
}

/// A figure that is seen first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tile {
    /// What it is: `completed`.
    pub label: String,
    /// The figure: `3,824`.
    pub value: String,
    /// More about it: `96.8 %`.
    #[serde(skip_serializing_if = "is_default")]
    pub note: String,
    /// How it is to be taken.
    #[serde(skip_serializing_if = "is_default")]
    pub tone: Tone,
}

/// How something is to be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Well.
    Good,
    /// Badly.
    Bad,
}

/// A finding as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingCard {
    /// Its kind, in `snake_case`.
    pub kind: String,
    /// What it is about.
    #[serde(skip_serializing_if = "is_default")]
    pub subject: String,
    /// Seconds at which it begins and ends, where it has a time.
    #[serde(skip_serializing_if = "is_default")]
    pub from: Option<f64>,
    /// See `from`.
    #[serde(skip_serializing_if = "is_default")]
    pub to: Option<f64>,
    /// The finding in words.
    pub text: String,
    /// Its evidence: names with their values as text.
    #[serde(skip_serializing_if = "is_default")]
    pub evidence: Vec<(String, String)>,
    /// The plot in which it is seen best.
    #[serde(skip_serializing_if = "is_default")]
    pub plot: Option<String>,
    /// How it is to be taken.
    #[serde(skip_serializing_if = "is_default")]
    pub tone: Tone,
}

/// A span of time that is shaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Span {
    /// Seconds at which it begins.
    pub from: f64,
    /// Seconds at which it ends.
    pub to: f64,
    /// What happens then: `customer-1001: 150/s`.
    pub label: String,
}

/// Plots and tables under a heading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Whether it is folded away until somebody asks for it.
    #[serde(skip_serializing_if = "is_default")]
    pub folded: bool,
    /// Its plots.
    #[serde(skip_serializing_if = "is_default")]
    pub plots: Vec<Plot>,
    /// Its tables.
    #[serde(skip_serializing_if = "is_default")]
    pub tables: Vec<Table>,
}

/// A plot of lines, steps, areas or bars over a common axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plot {
    /// Its name in links and files: letters, digits and hyphens, unique in a page.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What is to be seen in it, or how it was made; may be empty.
    #[serde(skip_serializing_if = "is_default")]
    pub caption: String,
    /// The unit of its values; may be empty.
    #[serde(skip_serializing_if = "is_default")]
    pub unit: Unit,
    /// What its axis shows.
    #[serde(skip_serializing_if = "is_default")]
    pub axis: Axis,
    /// Places on the axis, ascending, in seconds. All lines have a value, or none, for each. Of bars these are the lower ends
    /// and, at last, the upper end of the last one, whose value is nothing.
    #[serde(with = "numbers::axis_values", skip_serializing_if = "is_default")]
    pub x: Vec<f64>,
    /// What is drawn.
    #[serde(skip_serializing_if = "is_default")]
    pub lines: Vec<Line>,
    /// Lines from the left to the right.
    #[serde(skip_serializing_if = "is_default")]
    pub thresholds: Vec<ReferenceLine>,
    /// Lines that are fetched on demand, over their own places on the axis: the other members of a large group.
    #[serde(skip_serializing_if = "is_default")]
    pub more: Vec<Line>,
    /// Places on the axis of `more`.
    #[serde(with = "numbers::axis_values", skip_serializing_if = "is_default")]
    pub more_x: Vec<f64>,
    /// The largest value that the axis of values has to show, even if no line gets there (1 for shares).
    #[serde(skip_serializing_if = "is_default")]
    pub top: Option<f64>,
}

/// What an axis shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Virtual time in seconds. All plots over time are linked.
    #[default]
    Time,
    /// Seconds on a logarithmic scale: a histogram of latencies.
    Latency,
}

/// One line of a plot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Which of the colours it has: the same thing has the same one in every plot.
    #[serde(skip_serializing_if = "is_default")]
    pub colour: usize,
    /// How it is drawn.
    #[serde(skip_serializing_if = "is_default")]
    pub style: Style,
    /// Whether it is hidden until the legend is used.
    #[serde(skip_serializing_if = "is_default")]
    pub hidden: bool,
    /// Its values; nothing where there is none.
    #[serde(with = "numbers::values")]
    pub y: Vec<Option<f32>>,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// From point to point.
    #[default]
    Line,
    /// From point to point, dashed: a belief beside a fact.
    Dashed,
    /// A value holds until the next place.
    Step,
    /// Bars from place to place, on top of the bars before them: parts of a whole.
    Bars,
    /// Lower end of a band; the next line is its upper end, and the room between them is filled.
    BandLow,
    /// Upper end of a band.
    BandHigh,
    /// Filled, on top of the areas before it: parts of a whole.
    Stacked,
}

impl Style {
    /// Whether values stand on those of the lines before.
    #[must_use]
    pub const fn is_stacked(self) -> bool {
        match self {
            Self::Bars | Self::Stacked => true,
            Self::Line | Self::Dashed | Self::Step | Self::BandLow | Self::BandHigh => false,
        }
    }
}

/// A line from the left to the right: a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReferenceLine {
    /// Where.
    pub value: f64,
    /// What it means.
    pub label: String,
}

/// A table. The first column holds names, the others figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// Heads of all columns.
    pub heads: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
    /// How many rows were left out.
    #[serde(skip_serializing_if = "is_default")]
    pub omitted: usize,
}
