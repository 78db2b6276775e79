//! Capacity: how much a node that serves can do, from change to change.
//!
//! The node writes it down itself when it changes, whatever the reason, so that conclusions need not follow the same
//! changes a second time.

use crate::engine::time::SimTime;

/// What a node can do from a moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CapacityPeriod {
    /// When that begins; it ends when the next period does.
    pub from: SimTime,
    /// Whether the node is up.
    pub up: bool,
    /// How many requests it serves at the same time while it is up.
    pub slots: u32,
    /// Seconds that a request is served on average.
    pub service: f64,
}

impl CapacityPeriod {
    /// Requests a second that can be served.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        if self.up && self.service > 0.0 { f64::from(self.slots) / self.service } else { 0.0 }
    }

    /// 1 for a node that is up.
    #[must_use]
    pub fn availability(&self) -> f64 {
        f64::from(u8::from(self.up))
    }
}

/// What a node could do over a run: one period where it always could do the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CapacityLog(Vec<CapacityPeriod>);

impl CapacityLog {
    /// The log of a node that begins like this.
    #[must_use]
    pub fn new(slots: u32, service: f64) -> Self {
        Self(vec![CapacityPeriod { from: SimTime::ZERO, up: true, slots, service }])
    }

    /// Something may have changed.
    pub fn change(&mut self, now: SimTime, change: impl FnOnce(&mut CapacityPeriod)) {
        let Some(&last) = self.0.last() else { return };
        let mut next = CapacityPeriod { from: now, ..last };
        change(&mut next);
        if next == (CapacityPeriod { from: now, ..last }) {
            return;
        }
        // Of several changes in one moment only the last one lasts.
        if last.from == now {
            self.0.pop();
        }
        self.0.push(next);
    }

    /// The periods, in order.
    #[must_use]
    pub fn periods(&self) -> &[CapacityPeriod] {
        &self.0
    }

    /// Whether it always could do the same.
    #[must_use]
    pub const fn is_constant(&self) -> bool {
        self.0.len() <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_something_begins_a_period() {
        let mut log = CapacityLog::new(2, 0.5);
        log.change(SimTime::from_nanos(5), |period| period.slots = 2);
        log.change(SimTime::ZERO, |period| period.slots = 3);
        log.change(SimTime::ZERO, |period| period.slots = 2);
        assert_eq!(log, CapacityLog::new(2, 0.5));
        log.change(SimTime::from_nanos(7), |period| period.up = false);
        log.change(SimTime::from_nanos(9), |period| (period.up, period.slots) = (true, 4));
        let rates: Vec<f64> = log.periods().iter().map(CapacityPeriod::per_second).collect();
        assert_eq!(format!("{rates:?}"), "[4.0, 0.0, 8.0]");
        assert_eq!(log.periods()[2].from, SimTime::from_nanos(9));
    }
}
