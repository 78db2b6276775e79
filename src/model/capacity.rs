//! Capacity: the number of requests per second that a node can serve, as a log over the run.
//!
//! A node that serves requests logs its capacity whenever it changes, for whatever reason. So the analysis of a run
//! does not have to derive it from the scheduled changes.

use crate::engine::distribution::Sampler;
use crate::engine::time::SimTime;
use crate::model::node_state::NodeState;

/// A period of constant capacity of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CapacityPeriod {
    /// Start of the period. It ends when the next period starts.
    pub from: SimTime,
    /// The state of the node.
    pub state: NodeState,
    /// Whether the node is paused: it serves nothing, and requests wait.
    pub paused: bool,
    /// Number of slots while the node serves and is not paused.
    pub slots: u32,
    /// The maximum throughput as a share of that of the same slots if requests did not slow each other down.
    pub efficiency: f64,
    /// Mean service time in seconds.
    pub service: f64,
    /// Relative variance of the service time: its squared coefficient of variation. Infinite for a distribution without
    /// a finite variance.
    pub service_variance: f64,
}

impl CapacityPeriod {
    /// Capacity in requests per second; 0 while the node is not up or is paused, or if the service time is 0.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        let serves = self.state == NodeState::Up && !self.paused && self.service > 0.0;
        if serves { self.efficiency * f64::from(self.slots) / self.service } else { 0.0 }
    }

    /// The same period with another service time, in nanoseconds.
    #[must_use]
    pub fn serving(self, time: &Sampler) -> Self {
        let (mean, sd) = (time.mean(), time.sd());
        let relative = if mean > 0.0 { sd / mean } else { 0.0 };
        Self { service: mean / 1e9, service_variance: relative * relative, ..self }
    }

    /// Activity: 1 if the node is up and not paused, and 0 if not.
    #[must_use]
    pub fn activity(&self) -> f64 {
        f64::from(u8::from(self.state == NodeState::Up && !self.paused))
    }

    /// Availability: 1 if the node is up, and 0 if not.
    #[must_use]
    pub fn availability(&self) -> f64 {
        f64::from(u8::from(self.state == NodeState::Up))
    }
}

/// Maximum number of periods of a log. A node that changes more often, such as one that pauses every second, has a log of less
/// detail: its memory does not grow with the run.
const MAX_PERIODS: usize = 4096;

/// The capacity of a node over a run: a single period if it never changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CapacityLog(Vec<CapacityPeriod>);

impl CapacityLog {
    /// The log of a node that is in this state at the start of the run.
    #[must_use]
    pub fn new(state: NodeState, slots: u32, service: &Sampler) -> Self {
        let period = CapacityPeriod {
            from: SimTime::ZERO,
            state,
            paused: false,
            slots,
            efficiency: 1.0,
            service: 0.0,
            service_variance: 0.0,
        };
        Self(vec![period.serving(service)])
    }

    /// The same log of a node whose requests slow each other down.
    #[must_use]
    pub fn with_efficiency(mut self, efficiency: f64) -> Self {
        self.0.iter_mut().for_each(|period| period.efficiency = efficiency);
        self
    }

    /// Applies a change, which starts a new period if it alters the capacity.
    pub fn change(&mut self, now: SimTime, change: impl FnOnce(&mut CapacityPeriod)) {
        let Some(&last) = self.0.last() else { return };
        let mut next = CapacityPeriod { from: now, ..last };
        change(&mut next);
        if next == (CapacityPeriod { from: now, ..last }) {
            return;
        }
        // Of several changes at the same time, only the result of the last one is kept.
        if last.from == now {
            self.0.pop();
        }
        if self.0.last().is_none_or(|before| next != CapacityPeriod { from: now, ..*before }) {
            self.0.push(next);
        }
        if self.0.len() > MAX_PERIODS {
            self.coarsen();
        }
    }

    /// Halves the number of periods before the present one: replaces each two by one of the same mean capacity, and otherwise
    /// like the longer one.
    #[cold]
    fn coarsen(&mut self) {
        let Some(last) = self.0.pop() else { return };
        let ends = self.0.iter().skip(1).map(|next| next.from).chain([last.from]);
        let spans: Vec<(CapacityPeriod, f64)> = self
            .0
            .iter()
            .zip(ends)
            .map(|(period, end)| (*period, end.since(period.from).as_seconds()))
            .collect();
        let merged = spans.chunks(2).map(|pair| {
            let [(a, of_a), (b, of_b)] = *pair else { return pair[0].0 };
            let longer = if of_a >= of_b { a } else { b };
            let mean = (a.per_second() * of_a + b.per_second() * of_b) / (of_a + of_b);
            let full = longer.per_second();
            let share = if full > 0.0 { mean / full } else { 1.0 };
            CapacityPeriod { from: a.from, efficiency: longer.efficiency * share, ..longer }
        });
        self.0 = merged.chain([last]).collect();
    }

    /// The periods, in order of time.
    #[must_use]
    pub fn periods(&self) -> &[CapacityPeriod] {
        &self.0
    }

    /// Whether the node was up all the time, with the same capacity.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.0.len() <= 1 && self.0.iter().all(|period| period.state == NodeState::Up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_that_alter_the_capacity_start_a_period() {
        let half_a_second = Sampler::exponential(0.5e9);
        let mut log = CapacityLog::new(NodeState::Up, 2, &half_a_second);
        log.change(SimTime::from_nanos(5), |period| period.slots = 2);
        log.change(SimTime::ZERO, |period| period.slots = 3);
        log.change(SimTime::ZERO, |period| period.slots = 2);
        assert_eq!(log, CapacityLog::new(NodeState::Up, 2, &half_a_second));
        log.change(SimTime::from_nanos(6), |period| period.slots = 3);
        log.change(SimTime::from_nanos(6), |period| period.slots = 2);
        assert!(log.is_constant(), "a change that is undone at once is none");
        log.change(SimTime::from_nanos(7), |period| period.state = NodeState::Down);
        log.change(SimTime::from_nanos(9), |period| (period.state, period.slots) = (NodeState::Up, 4));
        let rates: Vec<f64> = log.periods().iter().map(CapacityPeriod::per_second).collect();
        assert_eq!(format!("{rates:?}"), "[4.0, 0.0, 8.0]");
        assert_eq!(log.periods()[2].from, SimTime::from_nanos(9));
    }

    #[test]
    fn a_log_of_many_changes_keeps_the_mean_capacity() {
        let mut log = CapacityLog::new(NodeState::Up, 1, &Sampler::constant(1e9));
        let changes = 10 * MAX_PERIODS as u64;
        for change in 1..=changes {
            // Paused for one nanosecond in four.
            log.change(SimTime::from_nanos(2 * change + change % 2), |period| {
                period.paused = change % 2 == 1;
            });
        }
        assert!(log.periods().len() <= MAX_PERIODS, "{} periods", log.periods().len());
        let end = SimTime::from_nanos(2 * changes + 1);
        let ends = log.periods().iter().skip(1).map(|next| next.from).chain([end]);
        let served: f64 = log
            .periods()
            .iter()
            .zip(ends)
            .map(|(p, end)| p.per_second() * end.since(p.from).as_seconds())
            .sum();
        let share = served / end.as_seconds();
        assert!((share - 0.75).abs() < 0.001, "{share}");
    }
}
