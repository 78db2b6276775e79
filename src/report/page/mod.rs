//! The page: the content of a report as plain data. `html` renders it as a document for browsers, `svg` renders its
//! plots for other documents. It is stored in `report.json`, so that both can be created again.
//!
//! A page consists of plots, tables and texts, and does not depend on kinds of nodes: a new part needs no change in the
//! renderers.
//!
//! `report.json` leaves out default values and rounds numbers (`numbers`). [`downsample`] reduces long series.

mod build;
pub mod downsample;
mod file;
mod numbers;

pub use build::{ReportInput, build};
pub use file::{FORMAT, Unreadable, as_kept, read, write};

use serde::{Deserialize, Serialize};

use crate::engine::is_default;

pub use crate::model::metric::Unit;

/// Everything that a report shows, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// Version of the file format. Readers reject other versions than their own.
    pub format: u32,
    /// Name of the scenario.
    pub title: String,
    /// Seed, length and version of the run, in one line.
    #[serde(skip_serializing_if = "is_default")]
    pub subtitle: String,
    /// The comment at the top of the scenario, by paragraphs.
    #[serde(skip_serializing_if = "is_default")]
    pub story: Vec<String>,
    /// Key figures: requests offered, their outcomes, latency.
    #[serde(skip_serializing_if = "is_default")]
    pub tiles: Vec<Tile>,
    /// Findings, the most important first. The first `leading` are visible, the others on demand.
    #[serde(skip_serializing_if = "is_default")]
    pub findings: Vec<FindingCard>,
    /// Number of findings that are visible at first.
    #[serde(skip_serializing_if = "is_default")]
    pub leading: usize,
    /// Length of the run in seconds: the range of all time axes.
    #[serde(skip_serializing_if = "is_default")]
    pub seconds: f64,
    /// Time spans shaded in all plots over time.
    #[serde(skip_serializing_if = "is_default")]
    pub spans: Vec<Span>,
    /// Sections with plots and tables.
    #[serde(skip_serializing_if = "is_default")]
    pub sections: Vec<Section>,
    /// The text of the scenario.
    #[serde(skip_serializing_if = "is_default")]
    pub scenario: String,
    /// Commands that reproduce the run.
    #[serde(skip_serializing_if = "is_default")]
    pub reproduce: Vec<String>,
    /// Notes on accuracy, such as sampling: one sentence each.
    #[serde(skip_serializing_if = "is_default")]
    pub remarks: Vec<String>,
}

/// A key figure at the top of the report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tile {
    /// Its name: `completed`.
    pub label: String,
    /// Its value: `3,824`.
    pub value: String,
    /// A detail: `96.8 %`.
    #[serde(skip_serializing_if = "is_default")]
    pub note: String,
    /// Whether it is good or bad.
    #[serde(skip_serializing_if = "is_default")]
    pub tone: Tone,
}

/// Whether a figure or a finding is good or bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Neither.
    #[default]
    Plain,
    /// Good.
    Good,
    /// Bad.
    Bad,
}

/// A finding as shown in the report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingCard {
    /// Its kind, in `snake_case`.
    pub kind: String,
    /// Its subject: a node, a group, a source or a link.
    #[serde(skip_serializing_if = "is_default")]
    pub subject: String,
    /// Start in seconds, or `None` if it has no time.
    #[serde(skip_serializing_if = "is_default")]
    pub from: Option<f64>,
    /// End in seconds, or `None` if it has none.
    #[serde(skip_serializing_if = "is_default")]
    pub to: Option<f64>,
    /// The finding as text.
    pub text: String,
    /// Its evidence: names and values.
    #[serde(skip_serializing_if = "is_default")]
    pub evidence: Vec<(String, String)>,
    /// Id of the plot that shows it best.
    #[serde(skip_serializing_if = "is_default")]
    pub plot: Option<String>,
    /// Whether it is good or bad.
    #[serde(skip_serializing_if = "is_default")]
    pub tone: Tone,
}

/// A shaded time span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Span {
    /// Start in seconds.
    pub from: f64,
    /// End in seconds.
    pub to: f64,
    /// Its label: `customer-1001: 150/s`.
    pub label: String,
}

/// Plots and tables under a heading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Whether it is collapsed at first.
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
    /// Its id in links and file names: letters, digits and hyphens, unique in the page.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Explains the plot; may be empty.
    #[serde(skip_serializing_if = "is_default")]
    pub caption: String,
    /// The unit of its values.
    #[serde(skip_serializing_if = "is_default")]
    pub unit: Unit,
    /// The quantity on its x axis.
    #[serde(skip_serializing_if = "is_default")]
    pub axis: Axis,
    /// The x values of all lines, ascending, in seconds. For bars, these are their lower bounds, followed by the upper
    /// bound of the last bar, which has no value.
    #[serde(with = "numbers::axis_values", skip_serializing_if = "is_default")]
    pub x: Vec<f64>,
    /// The lines of the plot.
    #[serde(skip_serializing_if = "is_default")]
    pub lines: Vec<Line>,
    /// Horizontal reference lines.
    #[serde(skip_serializing_if = "is_default")]
    pub thresholds: Vec<ReferenceLine>,
    /// Lines that the reader can add, such as single members of a large group. Their x values are `more_x`.
    #[serde(skip_serializing_if = "is_default")]
    pub more: Vec<Line>,
    /// The x values of `more`.
    #[serde(with = "numbers::axis_values", skip_serializing_if = "is_default")]
    pub more_x: Vec<f64>,
    /// Minimum upper end of the y axis (1 for shares), or `None` if it depends on the values only.
    #[serde(skip_serializing_if = "is_default")]
    pub top: Option<f64>,
}

/// The quantity on an x axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Virtual time in seconds. All plots over time share a zoom range and a cursor.
    #[default]
    Time,
    /// Latency in seconds on a logarithmic scale, for histograms.
    Latency,
}

/// One line of a plot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Number of its colour. The same subject has the same colour in every plot.
    #[serde(skip_serializing_if = "is_default")]
    pub colour: usize,
    /// Its style.
    #[serde(skip_serializing_if = "is_default")]
    pub style: Style,
    /// Whether it is hidden until the reader selects it in the legend.
    #[serde(skip_serializing_if = "is_default")]
    pub hidden: bool,
    /// Its values; `None` at a gap.
    #[serde(with = "numbers::values")]
    pub y: Vec<Option<f32>>,
}

/// The style of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A line from point to point.
    #[default]
    Line,
    /// A dashed line from point to point: an estimate beside an actual value.
    Dashed,
    /// A step: each value holds until the next x value.
    Step,
    /// Bars between consecutive x values, stacked on the previous bars: parts of a whole.
    Bars,
    /// Lower bound of a band. The next line is its upper bound; the area between them is filled.
    BandLow,
    /// Upper bound of a band.
    BandHigh,
    /// A filled area, stacked on the previous areas: parts of a whole.
    Stacked,
}

impl Style {
    /// Whether values are stacked on those of the previous lines.
    #[must_use]
    pub const fn is_stacked(self) -> bool {
        match self {
            Self::Bars | Self::Stacked => true,
            Self::Line | Self::Dashed | Self::Step | Self::BandLow | Self::BandHigh => false,
        }
    }
}

/// A horizontal reference line: a limit or a threshold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReferenceLine {
    /// Its value.
    pub value: f64,
    /// Its label.
    pub label: String,
}

/// A table. The first column contains names, the others figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// Headings of all columns.
    pub heads: Vec<String>,
    /// Rows, with one cell per column.
    pub rows: Vec<Vec<String>>,
    /// Number of rows left out.
    #[serde(skip_serializing_if = "is_default")]
    pub omitted: usize,
}
