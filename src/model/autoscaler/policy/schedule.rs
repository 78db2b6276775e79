//! Follows a schedule: a number of members from each of some times on, once or in every period.

use serde::{Deserialize, Serialize};

use super::{Known, Policy};
use crate::engine::time::SimDuration;
use crate::model::check::Checker;
use crate::text::Path;

/// The parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The numbers of members, in ascending order of their times. Before the first time, the group stays as it is; in a period,
    /// it then has the last number.
    pub counts: Vec<ScheduledCount>,
    /// The time after which the schedule repeats, such as a day; by default, it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<SimDuration>,
}

/// A number of members from a time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduledCount {
    /// The time, counted from the start of the run or of the period.
    pub at: SimDuration,
    /// Number of members.
    pub count: u32,
}

impl Policy for Schedule {
    fn desired(&self, known: Known) -> u32 {
        let now = known.now.as_nanos();
        let (at, has_passed) = match self.period.map(SimDuration::as_nanos) {
            Some(period) => (now % period, now >= period),
            None => (now, false),
        };
        let reached = self.counts.iter().take_while(|one| one.at.as_nanos() <= at).last();
        let reached = reached.or(if has_passed { self.counts.last() } else { None });
        reached.map_or(known.members, |one| one.count)
    }

    fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        let counts = path.clone().name("counts");
        if self.counts.is_empty() {
            checker.add(counts, "the schedule is empty", "add a time: `(at: \"8h\", count: 10)`");
            return;
        }
        if self.period.is_some_and(SimDuration::is_zero) {
            checker.add(
                path.clone().name("period"),
                "a period of 0 s never passes",
                "make it longer, such as \"24h\"",
            );
            return;
        }
        for (index, one) in self.counts.iter().enumerate() {
            let path = counts.clone().index(index).name("at");
            if index > 0 && self.counts[index - 1].at >= one.at {
                checker.add(path.clone(), "the times of a schedule ascend", "sort them, and name each once");
            }
            if let Some(period) = self.period.filter(|period| *period <= one.at) {
                let message = format!("{} is not within the period of {period}", one.at);
                checker.add(path, message, "make it earlier, or the period longer");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimTime;

    #[test]
    fn a_schedule_holds_until_its_next_time_and_repeats() {
        let hours = |hours: u64| SimDuration::from_nanos(hours * 3_600_000_000_000);
        let counts =
            vec![ScheduledCount { at: hours(8), count: 10 }, ScheduledCount { at: hours(20), count: 3 }];
        let once = Schedule { counts: counts.clone(), period: None };
        let daily = Schedule { counts, period: Some(hours(24)) };
        for (hour, expected) in
            [(0, [5, 5]), (7, [5, 5]), (8, [10, 10]), (20, [3, 3]), (31, [3, 3]), (32, [3, 10])]
        {
            let known = Known { now: SimTime::ZERO + hours(hour), members: 5, measured: None };
            assert_eq!([once.desired(known), daily.desired(known)], expected, "at {hour} h");
        }
    }
}
