//! The figures of a node or a group in the summary: node names instead of rows, times in seconds.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::DurationStats;
use crate::engine::statistics::Tally;
use crate::event::{Node, NodeKind};
use crate::metrics::figures::{FigureValue, NodeFigures};
use crate::model::figure::{Figure, Visibility};
use crate::model::names::Names;

/// The figures of a node, or the combined figures of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSummary {
    /// The kind of the node.
    pub kind: NodeKind,
    /// Whether these are the figures of a thing inside a node.
    is_inside: bool,
    values: Vec<(&'static Figure, SummaryValue)>,
}

/// The value of a figure in the summary.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SummaryValue {
    /// A count.
    Count(u64),
    /// A mean, or a ratio of means; `None` if it has no value.
    Number(Option<f64>),
    /// Statistics of a set of times. Shared by all that are empty: a system may have a million idle nodes.
    Times(Arc<DurationStats>),
    /// A count for each of several nodes, by name.
    Table(Box<IndexMap<String, u64>>),
    /// Figures of several things by name.
    Rows(Box<IndexMap<String, NodeSummary>>),
}

impl NodeSummary {
    /// The summary of the figures of a node or a group.
    #[must_use]
    pub fn of(figures: &NodeFigures, names: &Names) -> Self {
        let value = |value: &FigureValue| match value {
            FigureValue::Count(count) => SummaryValue::Count(*count),
            FigureValue::Number(number) => SummaryValue::Number(*number),
            FigureValue::Times(tally) => SummaryValue::Times(statistics(tally)),
            FigureValue::Table(table) => {
                let by_name = |(node, count): (&Node, &u64)| (names.name_of(*node).to_owned(), *count);
                SummaryValue::Table(Box::new(table.iter().map(by_name).collect()))
            }
            FigureValue::Rows(rows) => {
                let row = |(name, row): (&String, &NodeFigures)| (name.clone(), Self::inside(row, names));
                SummaryValue::Rows(Box::new(rows.iter().map(row).collect()))
            }
        };
        let values = figures.iter().map(|(figure, result)| (figure, value(result))).collect();
        Self { kind: figures.kind, is_inside: false, values }
    }

    /// The summary of the figures of a thing inside a node.
    fn inside(figures: &NodeFigures, names: &Names) -> Self {
        Self { is_inside: true, ..Self::of(figures, names) }
    }

    /// The rows of a figure by name; none if the node does not have it.
    pub fn rows(&self, figure: &Figure) -> impl Iterator<Item = (&str, &Self)> {
        let rows = self.get(figure).and_then(|value| match value {
            SummaryValue::Rows(rows) => Some(rows.iter()),
            SummaryValue::Count(_)
            | SummaryValue::Number(_)
            | SummaryValue::Times(_)
            | SummaryValue::Table(_) => None,
        });
        rows.into_iter().flatten().map(|(name, row)| (name.as_str(), row))
    }

    /// All figures, in the order of the report.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Figure, &SummaryValue)> {
        self.values.iter().map(|(figure, value)| (*figure, value))
    }

    /// The value of a figure, or `None` if the node does not have it.
    #[must_use]
    pub fn get(&self, figure: &Figure) -> Option<&SummaryValue> {
        self.iter().find(|(other, _)| *other == figure).map(|(_, value)| value)
    }

    /// A count or number as a float, or `None` if it has no value.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the number is displayed or compared")]
    pub fn number(&self, figure: &Figure) -> Option<f64> {
        match self.get(figure)? {
            SummaryValue::Count(count) => Some(*count as f64),
            SummaryValue::Number(number) => *number,
            SummaryValue::Times(_) | SummaryValue::Table(_) | SummaryValue::Rows(_) => None,
        }
    }

    /// The figures that are tables.
    pub fn tables(&self) -> impl Iterator<Item = (&'static Figure, &IndexMap<String, u64>)> {
        self.iter().filter_map(|(figure, value)| match value {
            SummaryValue::Table(table) => Some((figure, &**table)),
            SummaryValue::Count(_)
            | SummaryValue::Number(_)
            | SummaryValue::Times(_)
            | SummaryValue::Rows(_) => None,
        })
    }
}

/// Statistics of a tally.
fn statistics(tally: &Tally) -> Arc<DurationStats> {
    static EMPTY: LazyLock<Arc<DurationStats>> = LazyLock::new(Arc::default);
    if tally.count() == 0 { Arc::clone(&EMPTY) } else { Arc::new(DurationStats::of(tally)) }
}

impl Serialize for NodeSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.is_inside {
            map.serialize_entry("kind", &self.kind.name().replace(' ', "_"))?;
        }
        for (figure, value) in self.iter() {
            let is_written = match figure.written {
                Visibility::Always => true,
                Visibility::NotZero => *value != SummaryValue::Count(0),
                Visibility::Never => false,
            };
            if is_written {
                map.serialize_entry(figure.name, value)?;
            }
        }
        map.end()
    }
}
