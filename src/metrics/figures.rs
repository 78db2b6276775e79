//! The figures of a node, and how the figures of several nodes of a kind are combined. Each [`Figure`] declares its
//! own [`Aggregation`].

use indexmap::IndexMap;

use crate::engine::statistics::Tally;
use crate::event::{Node, NodeKind};
use crate::model::figure::{Aggregation, Figure};

/// The value of a figure.
#[derive(Clone, Debug)]
pub enum FigureValue {
    /// A count.
    Count(u64),
    /// A mean, or a ratio of means; `None` if it has no value.
    Number(Option<f64>),
    /// A set of times in nanoseconds. Boxed, as most figures are numbers: a system may have a million nodes.
    Times(Box<Tally>),
    /// A count for each of several nodes.
    Table(Box<IndexMap<Node, u64>>),
    /// Figures of several things by name.
    Rows(Box<IndexMap<String, NodeFigures>>),
}

/// The figures of a node, or the combined figures of several nodes of a kind. Counts cover the whole run; all other
/// values exclude the warm-up.
#[derive(Clone, Debug)]
pub struct NodeFigures {
    /// The kind of the node.
    pub kind: NodeKind,
    values: Vec<(&'static Figure, FigureValue)>,
}

impl NodeFigures {
    /// Figures of a node of this kind, in the order of the report. Figures without a value are ratios of other figures
    /// and are computed here.
    #[must_use]
    pub fn new(
        kind: NodeKind,
        values: impl IntoIterator<Item = (&'static Figure, Option<FigureValue>)>,
    ) -> Self {
        let values = values.into_iter();
        let values = values.map(|(figure, value)| (figure, value.unwrap_or(FigureValue::Number(None))));
        let mut figures = Self { kind, values: values.collect() };
        figures.compute_ratios();
        figures
    }

    /// All figures, in the order of the report.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Figure, &FigureValue)> {
        self.values.iter().map(|(figure, value)| (*figure, value))
    }

    /// The value of a figure, or `None` if the node does not have it.
    #[must_use]
    pub fn get(&self, figure: &Figure) -> Option<&FigureValue> {
        self.values.iter().find(|(other, _)| *other == figure).map(|(_, value)| value)
    }

    /// The value of a count; 0 if the node has no such figure.
    #[must_use]
    pub fn count(&self, figure: &Figure) -> u64 {
        match self.get(figure) {
            Some(FigureValue::Count(count)) => *count,
            Some(
                FigureValue::Number(_) | FigureValue::Times(_) | FigureValue::Table(_) | FigureValue::Rows(_),
            )
            | None => 0,
        }
    }

    /// A count or number as a float, or `None` if it has no value.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the number is displayed or compared")]
    pub fn number(&self, figure: &Figure) -> Option<f64> {
        match self.get(figure)? {
            FigureValue::Count(count) => Some(*count as f64),
            FigureValue::Number(number) => *number,
            FigureValue::Times(_) | FigureValue::Table(_) | FigureValue::Rows(_) => None,
        }
    }

    /// A set of times, or `None` if the node does not have it.
    #[must_use]
    pub fn times(&self, figure: &Figure) -> Option<&Tally> {
        match self.get(figure)? {
            FigureValue::Times(tally) => Some(tally),
            FigureValue::Count(_) | FigureValue::Number(_) | FigureValue::Table(_) | FigureValue::Rows(_) => {
                None
            }
        }
    }

    /// The combined figures of several nodes of a kind, or `None` for no nodes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 nodes")]
    pub fn of_all(nodes: &[&Self]) -> Option<Self> {
        let first = *nodes.first()?;
        if nodes.len() == 1 {
            return Some(first.clone());
        }
        let mut combined = first.values.clone();
        for node in &nodes[1..] {
            for ((figure, combined), (_, value)) in combined.iter_mut().zip(&node.values) {
                combine(combined, value, figure.combined);
            }
        }
        for (index, (figure, value)) in combined.iter_mut().enumerate() {
            if let FigureValue::Rows(rows) = value {
                **rows = combine_rows(nodes, index);
            }
            if let (Aggregation::Mean, FigureValue::Number(Some(sum))) = (figure.combined, value) {
                *sum /= nodes.len() as f64;
            }
        }
        let mut figures = Self { kind: first.kind, values: combined };
        figures.compute_ratios();
        Some(figures)
    }

    fn compute_ratios(&mut self) {
        for index in 0..self.values.len() {
            if let Aggregation::Ratio(part, whole) = self.values[index].0.combined {
                let ratio = self.number(part).zip(self.number(whole)).filter(|(_, whole)| *whole > 0.0);
                self.values[index].1 = FigureValue::Number(ratio.map(|(part, whole)| part / whole));
            }
        }
    }
}

/// Combines the rows of a figure of several nodes, name by name.
fn combine_rows(nodes: &[&NodeFigures], figure: usize) -> IndexMap<String, NodeFigures> {
    let mut by_name: IndexMap<&str, Vec<&NodeFigures>> = IndexMap::new();
    for node in nodes {
        if let FigureValue::Rows(rows) = &node.values[figure].1 {
            rows.iter().for_each(|(name, row)| by_name.entry(name).or_default().push(row));
        }
    }
    let combined =
        by_name.into_iter().filter_map(|(name, rows)| Some((name.to_owned(), NodeFigures::of_all(&rows)?)));
    combined.collect()
}

/// Adds the value of a figure of another node, or takes the maximum. Ratios are computed from other figures.
fn combine(sum: &mut FigureValue, value: &FigureValue, aggregation: Aggregation) {
    let is_max = match aggregation {
        Aggregation::Ratio(..) => return,
        Aggregation::Max => true,
        Aggregation::Sum | Aggregation::Mean | Aggregation::Merge => false,
    };
    match (sum, value) {
        (FigureValue::Count(a), FigureValue::Count(b)) => *a = if is_max { (*a).max(*b) } else { *a + b },
        (FigureValue::Number(a), FigureValue::Number(b)) => {
            *a = a.zip(*b).map(|(a, b)| if is_max { a.max(b) } else { a + b });
        }
        (FigureValue::Times(a), FigureValue::Times(b)) => a.merge(b),
        (FigureValue::Table(a), FigureValue::Table(b)) => {
            b.iter().for_each(|(node, count)| *a.entry(*node).or_default() += count);
        }
        // A figure has the same variant of value at all nodes of a kind. Rows are combined by name.
        (
            FigureValue::Count(_)
            | FigureValue::Number(_)
            | FigureValue::Times(_)
            | FigureValue::Table(_)
            | FigureValue::Rows(_),
            _,
        ) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::figure::{
        ARRIVED, IN_SERVICE_MEAN, QUEUE_DEPTH_MAX, QUEUE_DEPTH_MEAN, SLOTS_MEAN, UTILIZATION, WAIT,
    };

    fn figures(slots: u64, waits: &[u64]) -> NodeFigures {
        let mut wait = Tally::default();
        waits.iter().for_each(|&nanos| wait.record(nanos));
        let slots = slots as f64;
        NodeFigures::new(
            NodeKind::ALL[1],
            [
                (&ARRIVED, Some(FigureValue::Count(10))),
                (&UTILIZATION, None),
                (&IN_SERVICE_MEAN, Some(FigureValue::Number(Some(0.5 * slots)))),
                (&SLOTS_MEAN, Some(FigureValue::Number(Some(slots)))),
                (&QUEUE_DEPTH_MEAN, Some(FigureValue::Number(Some(slots)))),
                (&QUEUE_DEPTH_MAX, Some(FigureValue::Count(5 * waits.len() as u64))),
                (&WAIT, Some(FigureValue::Times(Box::new(wait)))),
            ],
        )
    }

    #[test]
    fn figures_of_a_group_are_combined_from_its_members() {
        let (a, b) = (figures(1, &[1]), figures(3, &[2, 3, 6]));
        let both = NodeFigures::of_all(&[&a, &b]).expect("two nodes have combined figures");
        assert_eq!(both.count(&ARRIVED), 20);
        let number = |figure| both.number(figure);
        assert_eq!((number(&IN_SERVICE_MEAN), number(&UTILIZATION)), (Some(2.0), Some(0.5)));
        assert_eq!((number(&QUEUE_DEPTH_MEAN), both.count(&QUEUE_DEPTH_MAX)), (Some(2.0), 15));
        let wait = both.times(&WAIT).expect("waiting times are merged");
        assert_eq!((wait.count(), wait.sum()), (4, 12));
        assert!(NodeFigures::of_all(&[]).is_none());
    }

    #[test]
    fn a_ratio_with_a_denominator_of_zero_has_no_value() {
        let none = figures(0, &[]);
        assert_eq!(none.number(&UTILIZATION), None);
        let both = NodeFigures::of_all(&[&none, &figures(2, &[])]).expect("two nodes have combined figures");
        assert_eq!(both.number(&UTILIZATION), Some(0.5));
    }
}
