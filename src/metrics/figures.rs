//! The figures of nodes: what each has come to, and what several of a kind come to together. How they are combined, each
//! figure says itself.

use indexmap::IndexMap;

use crate::engine::statistics::Tally;
use crate::event::{Node, NodeKind};
use crate::model::figure::{Aggregation, Figure};

/// What a figure has come to.
#[derive(Clone, Debug)]
pub enum FigureValue {
    /// A number of things.
    Count(u64),
    /// A mean, or a ratio of means; nothing where it has no value.
    Number(Option<f64>),
    /// Times in nanoseconds.
    Times(Tally),
    /// A number for each of some nodes.
    Table(IndexMap<Node, u64>),
}

/// The figures of a node, or of several of a kind taken together. Counts are of the whole run; the rest leaves out the
/// warm-up.
#[derive(Clone, Debug)]
pub struct NodeFigures {
    /// What kind of node it is.
    pub kind: NodeKind,
    values: Vec<(&'static Figure, FigureValue)>,
}

impl NodeFigures {
    /// Figures of a kind in the order in which they are reported; those without a value are ratios of others.
    #[must_use]
    pub fn new(kind: NodeKind, values: Vec<(&'static Figure, Option<FigureValue>)>) -> Self {
        let blank = FigureValue::Number(None);
        let values = values.into_iter().map(|(figure, value)| (figure, value.unwrap_or(blank.clone())));
        let mut figures = Self { kind, values: values.collect() };
        figures.work_out_ratios();
        figures
    }

    /// All figures, in the order in which they are reported.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Figure, &FigureValue)> {
        self.values.iter().map(|(figure, value)| (*figure, value))
    }

    /// A figure, if the node has it.
    #[must_use]
    pub fn get(&self, figure: &Figure) -> Option<&FigureValue> {
        self.values.iter().find(|(other, _)| *other == figure).map(|(_, value)| value)
    }

    /// A count; 0 if the node has no such figure.
    #[must_use]
    pub fn count(&self, figure: &Figure) -> u64 {
        match self.get(figure) {
            Some(FigureValue::Count(count)) => *count,
            Some(FigureValue::Number(_) | FigureValue::Times(_) | FigureValue::Table(_)) | None => 0,
        }
    }

    /// A number, if it has a value.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people, or to be compared")]
    pub fn number(&self, figure: &Figure) -> Option<f64> {
        match self.get(figure)? {
            FigureValue::Count(count) => Some(*count as f64),
            FigureValue::Number(number) => *number,
            FigureValue::Times(_) | FigureValue::Table(_) => None,
        }
    }

    /// A set of times, if the node has it.
    #[must_use]
    pub fn times(&self, figure: &Figure) -> Option<&Tally> {
        match self.get(figure)? {
            FigureValue::Times(tally) => Some(tally),
            FigureValue::Count(_) | FigureValue::Number(_) | FigureValue::Table(_) => None,
        }
    }

    /// The figures of nodes of a kind taken together; nothing of none.
    #[must_use]
    pub fn of_all(nodes: &[&Self]) -> Option<Self> {
        let first = *nodes.first()?;
        if nodes.len() == 1 {
            return Some(first.clone());
        }
        let combined = first.values.iter().enumerate().map(|(at, (figure, _))| {
            let values = nodes.iter().filter_map(|node| node.values.get(at)).map(|(_, value)| value);
            (*figure, combined(figure, values))
        });
        Some(Self::new(first.kind, combined.collect()))
    }

    fn work_out_ratios(&mut self) {
        for at in 0..self.values.len() {
            if let Aggregation::Ratio(part, whole) = self.values[at].0.combined {
                let ratio = self.number(part).zip(self.number(whole)).filter(|(_, whole)| *whole > 0.0);
                self.values[at].1 = FigureValue::Number(ratio.map(|(part, whole)| part / whole));
            }
        }
    }
}

/// The values of several nodes as one; nothing where it follows from others.
fn combined<'a>(figure: &Figure, mut values: impl Iterator<Item = &'a FigureValue>) -> Option<FigureValue> {
    let largest = match figure.combined {
        Aggregation::Ratio(..) => return None,
        Aggregation::Max => true,
        Aggregation::Sum | Aggregation::Mean | Aggregation::Merge => false,
    };
    let (mut sum, mut count) = (values.next()?.clone(), 1.0);
    for value in values {
        add(&mut sum, value, largest);
        count += 1.0;
    }
    if let (Aggregation::Mean, FigureValue::Number(Some(sum))) = (figure.combined, &mut sum) {
        *sum /= count;
    }
    Some(sum)
}

fn add(sum: &mut FigureValue, value: &FigureValue, largest: bool) {
    match (sum, value) {
        (FigureValue::Count(a), FigureValue::Count(b)) => *a = if largest { (*a).max(*b) } else { *a + b },
        (FigureValue::Number(a), FigureValue::Number(b)) => {
            *a = a.zip(*b).map(|(a, b)| if largest { a.max(b) } else { a + b });
        }
        (FigureValue::Times(a), FigureValue::Times(b)) => a.merge(b),
        (FigureValue::Table(a), FigureValue::Table(b)) => {
            b.iter().for_each(|(node, count)| *a.entry(*node).or_default() += count);
        }
        // A figure of a kind has the same sort of value at all of its nodes.
        (
            FigureValue::Count(_) | FigureValue::Number(_) | FigureValue::Times(_) | FigureValue::Table(_),
            _,
        ) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::figure::{
        ARRIVED, IN_FLIGHT_MEAN, QUEUE_DEPTH_MAX, QUEUE_DEPTH_MEAN, SLOTS_MEAN, UTILIZATION, WAIT,
    };

    fn figures(slots: u64, waits: &[u64]) -> NodeFigures {
        let mut wait = Tally::default();
        waits.iter().for_each(|&nanos| wait.record(nanos));
        let slots = slots as f64;
        NodeFigures::new(
            NodeKind::ALL[1],
            vec![
                (&ARRIVED, Some(FigureValue::Count(10))),
                (&UTILIZATION, None),
                (&IN_FLIGHT_MEAN, Some(FigureValue::Number(Some(0.5 * slots)))),
                (&SLOTS_MEAN, Some(FigureValue::Number(Some(slots)))),
                (&QUEUE_DEPTH_MEAN, Some(FigureValue::Number(Some(slots)))),
                (&QUEUE_DEPTH_MAX, Some(FigureValue::Count(5 * waits.len() as u64))),
                (&WAIT, Some(FigureValue::Times(wait))),
            ],
        )
    }

    #[test]
    fn a_group_is_the_sum_of_its_members_where_sums_mean_something() {
        let (a, b) = (figures(1, &[1]), figures(3, &[2, 3, 6]));
        let both = NodeFigures::of_all(&[&a, &b]).expect("there are two");
        assert_eq!(both.count(&ARRIVED), 20);
        let number = |figure| both.number(figure);
        assert_eq!((number(&IN_FLIGHT_MEAN), number(&UTILIZATION)), (Some(2.0), Some(0.5)));
        assert_eq!((number(&QUEUE_DEPTH_MEAN), both.count(&QUEUE_DEPTH_MAX)), (Some(2.0), 15));
        let wait = both.times(&WAIT).expect("they waited");
        assert_eq!((wait.count(), wait.sum()), (4, 12));
        assert!(NodeFigures::of_all(&[]).is_none());
    }

    #[test]
    fn a_ratio_has_no_value_where_there_is_no_whole() {
        let none = figures(0, &[]);
        assert_eq!(none.number(&UTILIZATION), None);
        let both = NodeFigures::of_all(&[&none, &figures(2, &[])]).expect("there are two");
        assert_eq!(both.number(&UTILIZATION), Some(0.5));
    }
}
