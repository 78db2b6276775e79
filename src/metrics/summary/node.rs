//! The figures of a node, or of several of a kind taken together, as people and programs get to read them.

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::DurationStats;
use crate::event::NodeKind;
use crate::metrics::figures::{FigureValue, NodeFigures};
use crate::model::figure::{Figure, Visibility};
use crate::model::names::Names;

/// The figures of a node or a group.
#[derive(Clone, Debug)]
pub struct NodeSummary {
    /// What kind of node it is.
    pub kind: NodeKind,
    values: Vec<(&'static Figure, SummaryValue)>,
}

/// What a figure has come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SummaryValue {
    /// A number of things.
    Count(u64),
    /// A mean, or a ratio of means; nothing where it has no value.
    Number(Option<f64>),
    /// A set of times.
    Times(Box<DurationStats>),
    /// A number for each of some nodes.
    Table(IndexMap<String, u64>),
}

impl NodeSummary {
    /// The figures of a node, or of several taken together.
    #[must_use]
    pub fn of(figures: &NodeFigures, names: &Names) -> Self {
        let value = |value: &FigureValue| match value {
            FigureValue::Count(count) => SummaryValue::Count(*count),
            FigureValue::Number(number) => SummaryValue::Number(*number),
            FigureValue::Times(tally) => SummaryValue::Times(Box::new(DurationStats::of(tally))),
            FigureValue::Table(table) => SummaryValue::Table(
                table.iter().map(|(node, count)| (names.name_of(*node).to_owned(), *count)).collect(),
            ),
        };
        let values = figures.iter().map(|(figure, of)| (figure, value(of))).collect();
        Self { kind: figures.kind, values }
    }

    /// All figures, in the order in which they are reported.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Figure, &SummaryValue)> {
        self.values.iter().map(|(figure, value)| (*figure, value))
    }

    /// A figure, if the node has it.
    #[must_use]
    pub fn get(&self, figure: &Figure) -> Option<&SummaryValue> {
        self.iter().find(|(other, _)| *other == figure).map(|(_, value)| value)
    }

    /// A number, if it has a value.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people, or to be compared")]
    pub fn number(&self, figure: &Figure) -> Option<f64> {
        match self.get(figure)? {
            SummaryValue::Count(count) => Some(*count as f64),
            SummaryValue::Number(number) => *number,
            SummaryValue::Times(_) | SummaryValue::Table(_) => None,
        }
    }

    /// The tables among its figures.
    pub fn tables(&self) -> impl Iterator<Item = (&'static Figure, &IndexMap<String, u64>)> {
        self.iter().filter_map(|(figure, value)| match value {
            SummaryValue::Table(table) => Some((figure, table)),
            SummaryValue::Count(_) | SummaryValue::Number(_) | SummaryValue::Times(_) => None,
        })
    }
}

impl Serialize for NodeSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind.name().replace(' ', "_"))?;
        for (figure, value) in self.iter() {
            let written = match figure.written {
                Visibility::Always => true,
                Visibility::NotZero => *value != SummaryValue::Count(0),
                Visibility::Never => false,
            };
            if written {
                map.serialize_entry(figure.name, value)?;
            }
        }
        map.end()
    }
}
