//! Cells of node tables: the value of a figure column for a node or group, its text, and whether it is a warning.
//! Each kind of node declares its own columns.

use super::numbers;
use super::numbers::group as group_name;
use crate::event::NodeKind;
use crate::metrics::fleet::in_groups;
use crate::metrics::summary::{NodeSummary, Summary, SummaryValue};
use crate::model::figure::{Aspect, FigureColumn};
use crate::model::part::DetailTable;

/// How counts are formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// In full: `12,345,678`.
    Full,
    /// Abbreviated: `12M`.
    Short,
}

/// The value of a table cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// A count.
    Count(u64),
    /// A mean.
    Mean(f64),
    /// A share, from 0 to 1.
    Share(f64),
    /// A count as a share of another count.
    Part {
        /// The count.
        part: u64,
        /// The count that it is a share of.
        whole: u64,
    },
    /// A time in seconds.
    Time(f64),
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// Whether it is shown as a warning.
    pub is_warning: bool,
}

/// The rows of a detail table of a kind, with their names: its groups, and its nodes in no group, or the things inside
/// them.
#[must_use]
pub fn detail_rows<'a>(
    summary: &'a Summary,
    kind: NodeKind,
    detail: &DetailTable,
) -> Vec<(String, &'a NodeSummary)> {
    let in_group = in_groups(summary);
    let groups = summary.groups.iter();
    let groups = groups.map(|(name, group)| (group_name(name, group.members.len()), &group.figures));
    let nodes = summary.nodes.iter().zip(&in_group).filter(|(_, in_group)| !**in_group);
    let all = groups.chain(nodes.map(|((name, node), _)| (name.clone(), node)));
    let of_kind = all.filter(|(_, node)| node.kind == kind);
    match detail.rows_of {
        None => of_kind.filter(|(_, node)| node.get(detail.columns[0].figure).is_some()).collect(),
        Some(figure) => of_kind
            .flat_map(|(name, node)| {
                node.rows(figure).map(move |(inside, row)| (format!("{name} {inside}"), row))
            })
            .collect(),
    }
}

impl Cell {
    /// The cell of a node or group in a column.
    #[must_use]
    pub fn of(node: &NodeSummary, column: &FigureColumn, counts: Counts) -> Self {
        let Some(quantity) = Quantity::of(node, column) else {
            return Self { text: numbers::NONE.to_owned(), is_warning: false };
        };
        Self { text: quantity.text(counts), is_warning: quantity.is_warning(column) }
    }
}

impl Quantity {
    /// The value of a node or group in a column, or `None` if it has none.
    #[must_use]
    pub fn of(node: &NodeSummary, column: &FigureColumn) -> Option<Self> {
        let value = node.get(column.figure)?;
        match column.aspect {
            Aspect::Number => match value {
                SummaryValue::Count(count) => Some(Self::Count(*count)),
                SummaryValue::Number(number) => number.map(Self::Mean),
                SummaryValue::Times(_) | SummaryValue::Table(_) | SummaryValue::Rows(_) => None,
            },
            Aspect::Percent => node.number(column.figure).map(Self::Share),
            Aspect::Seconds => node.number(column.figure).map(Self::Time),
            Aspect::Mean | Aspect::P50 | Aspect::P99 => time(value, column.aspect).map(Self::Time),
            Aspect::ShareOf(whole) => match (value, node.get(whole)?) {
                (SummaryValue::Count(part), SummaryValue::Count(whole)) => {
                    Some(Self::Part { part: *part, whole: *whole })
                }
                (_, _) => None,
            },
        }
    }

    /// The value as a number, for comparison with others in its column.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "used for comparison only")]
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(count as f64),
            Self::Mean(number) | Self::Share(number) | Self::Time(number) => Some(number),
            Self::Part { part, whole } => (whole > 0).then(|| part as f64 / whole as f64),
        }
    }

    /// Another number of the same quantity, such as the minimum of the column.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number was computed from counts"
    )]
    pub const fn with(self, number: f64) -> Self {
        match self {
            Self::Count(_) => Self::Count(number as u64),
            Self::Mean(_) => Self::Mean(number),
            Self::Share(_) | Self::Part { .. } => Self::Share(number),
            Self::Time(_) => Self::Time(number),
        }
    }

    /// The value as text.
    #[must_use]
    pub fn text(self, counts: Counts) -> String {
        match self {
            Self::Count(count) => match counts {
                Counts::Full => numbers::count(count),
                Counts::Short => numbers::short_count(count),
            },
            Self::Mean(mean) => numbers::mean(Some(mean)),
            Self::Share(share) => numbers::percent(Some(share)),
            Self::Part { part, whole } => numbers::share(part, whole),
            Self::Time(seconds) => numbers::time(Some(seconds)),
        }
    }

    /// Whether the value is a warning: only if the column shows the figure itself, not a statistic or a ratio of it.
    fn is_warning(self, column: &FigureColumn) -> bool {
        match column.aspect {
            Aspect::Number | Aspect::Percent => {
                let limit = column.figure.warns_from;
                self.number().zip(limit).is_some_and(|(number, limit)| number >= limit)
            }
            Aspect::Mean | Aspect::P50 | Aspect::P99 | Aspect::Seconds | Aspect::ShareOf(_) => false,
        }
    }
}

/// The statistic of a set of times that a column shows, in seconds.
fn time(value: &SummaryValue, aspect: Aspect) -> Option<f64> {
    let SummaryValue::Times(times) = value else { return None };
    match aspect {
        Aspect::Mean => times.mean,
        Aspect::P50 => times.p50,
        Aspect::P99 => times.p99,
        Aspect::Number | Aspect::Percent | Aspect::Seconds | Aspect::ShareOf(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::statistics::Tally;
    use crate::event::NodeKind;
    use crate::metrics::figures::{FigureValue, NodeFigures};
    use crate::model::figure::{
        ARRIVED, Figure, IN_SERVICE_MEAN, QUEUE_DEPTH_MEAN, REJECTED, SERVICE, SLOTS_MEAN, UTILIZATION, WAIT,
    };
    use crate::model::names::Names;

    fn node() -> NodeSummary {
        let mut wait = Tally::default();
        [100_000_000, 300_000_000].into_iter().for_each(|nanos| wait.record(nanos));
        let number = |number| Some(FigureValue::Number(Some(number)));
        let values = vec![
            (&ARRIVED, Some(FigureValue::Count(12_345_678))),
            (&REJECTED, Some(FigureValue::Count(1))),
            (&UTILIZATION, None),
            (&IN_SERVICE_MEAN, number(0.95)),
            (&SLOTS_MEAN, number(1.0)),
            (&QUEUE_DEPTH_MEAN, Some(FigureValue::Number(None))),
            (&WAIT, Some(FigureValue::Times(Box::new(wait)))),
        ];
        NodeSummary::of(&NodeFigures::new(NodeKind::ALL[0], values), &Names::default())
    }

    fn cell(figure: &'static Figure, aspect: Aspect) -> (String, bool) {
        let Cell { text, is_warning } =
            Cell::of(&node(), &FigureColumn::of("", figure, aspect), Counts::Short);
        (text, is_warning)
    }

    #[test]
    fn a_cell_has_the_format_and_the_warning_limit_of_its_figure() {
        let plain = |text: &str| (text.to_owned(), false);
        assert_eq!(cell(&ARRIVED, Aspect::Number), plain("12M"));
        assert_eq!(cell(&REJECTED, Aspect::Number), ("1".to_owned(), true));
        assert_eq!(cell(&REJECTED, Aspect::ShareOf(&ARRIVED)), plain("<0.1 %"));
        assert_eq!(cell(&UTILIZATION, Aspect::Percent), ("95.0 %".to_owned(), true));
        assert_eq!(cell(&IN_SERVICE_MEAN, Aspect::Number), plain("0.95"));
        assert_eq!(cell(&WAIT, Aspect::Mean), plain("200 ms"));
        assert_eq!(cell(&WAIT, Aspect::P99), plain("300 ms"));
        // A figure without a value, and one that the node does not have.
        assert_eq!(cell(&QUEUE_DEPTH_MEAN, Aspect::Number), plain("-"));
        assert_eq!(cell(&SERVICE, Aspect::P50), plain("-"));
        let full = Cell::of(&node(), &FigureColumn::new("", &ARRIVED), Counts::Full);
        assert_eq!(full.text, "12,345,678");
    }

    #[test]
    fn another_number_of_a_quantity_has_the_same_format() {
        let with = |figure, aspect, number: f64| {
            let quantity = Quantity::of(&node(), &FigureColumn::of("", figure, aspect)).expect("a value");
            quantity.with(number).text(Counts::Short)
        };
        assert_eq!(with(&ARRIVED, Aspect::Number, 1234.0), "1,234");
        assert_eq!(with(&UTILIZATION, Aspect::Percent, 0.5), "50.0 %");
        assert_eq!(with(&REJECTED, Aspect::ShareOf(&ARRIVED), 0.25), "25.0 %");
        assert_eq!(with(&WAIT, Aspect::P50, 0.001), "1 ms");
    }
}
