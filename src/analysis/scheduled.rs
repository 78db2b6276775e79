//! Scheduled periods: the phases of the workload, and the changes and faults of parts that a scenario specifies.

use std::cmp::Ordering;

use indexmap::IndexMap;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::NodeKind;
use crate::metrics::result::{FaultResult, FaultTime, RunResult};
use crate::model::change::ChangeSpec;
use crate::model::names::Names;
use crate::model::parts::SpecRef;
use crate::scenario::Scenario;

/// A scheduled period: a phase of the workload, or the time during which a change applies.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledPeriod {
    /// Its beginning, in seconds.
    pub from: f64,
    /// Its end, in seconds; `None` if it lasts until the end of the run.
    pub to: Option<f64>,
    /// Name of the source, node or group that changes.
    pub of: String,
    /// The new state: `150/s`, `down`.
    pub text: String,
    /// Whether it is a setting of a whole group: its size, which takes effect as members come and leave.
    pub is_of_group: bool,
    /// Whether it is the time of a fault.
    pub is_fault: bool,
}

/// Returns the times that lie in at least one of these spans (beginning and end), as spans in ascending order that neither
/// overlap nor touch. Plots shade these: shades of overlapping periods would add up.
#[must_use]
pub fn united<T: Copy + PartialOrd>(spans: impl IntoIterator<Item = (T, T)>) -> Vec<(T, T)> {
    let mut spans: Vec<(T, T)> = spans.into_iter().collect();
    spans.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal));
    let mut united: Vec<(T, T)> = Vec::new();
    for (from, to) in spans {
        match united.last_mut().filter(|last| from <= last.1) {
            Some(last) if last.1 < to => last.1 = to,
            Some(_) => {}
            None => united.push((from, to)),
        }
    }
    united
}

/// Returns the scheduled periods: those of each source, then those of the changes, in the order of the scenario.
pub(super) fn scheduled_periods(scenario: &Scenario, names: &Names) -> Vec<ScheduledPeriod> {
    let mut periods = Vec::new();
    for (name, source) in &scenario.sources {
        // A change of the arrivals replaces the remaining phases of the source.
        let own_settings = SpecRef::Source(source).settings();
        let is_change = |change: &&ChangeSpec| {
            own_settings.iter().any(|own| own.topic() == change.set.topic())
                && change.of.0.iter().any(|of| names.includes(of, name))
        };
        let until = scenario.changes.iter().filter(is_change).map(|change| change.at).min();
        let own = source.arrivals.phases();
        periods.extend(own.into_iter().filter(|(from, ..)| until.is_none_or(|until| *from < until)).map(
            |(from, to, text)| {
                let to = until.map_or(to, |until| Some(to.map_or(until, |to| to.min(until))));
                period((from, to), name, text)
            },
        ));
        let stop = source.stop.or(scenario.arrivals_until).filter(|stop| *stop < scenario.run_until);
        periods.extend(stop.map(|stop| period((stop, None), name, "stops".to_owned())));
    }
    let times = ChangeTimes::of(&scenario.changes);
    let changes = scenario.changes.iter().enumerate();
    for (index, change) in changes.filter(|(_, change)| !change.set.is_ordinary()) {
        for name in &change.of.0 {
            let to = times.next((change.at, index), change.set.topic(), name, names);
            periods.push(ScheduledPeriod {
                is_of_group: change.set.is_of_group(),
                ..period((change.at, to), name, change.set.to_string())
            });
            let later = change.set.phases().into_iter();
            let later = later.filter(|(from, ..)| *from > change.at && to.is_none_or(|to| *from < to));
            periods.extend(later.map(|(from, until, text)| period((from, until.or(to)), name, text)));
        }
    }
    for fault in scenario.faults.values() {
        if let Some(span) = fault.span() {
            let what = fault.what.to_string();
            let of_name =
                |name: &String| ScheduledPeriod { is_fault: true, ..period(span, name, what.clone()) };
            periods.extend(fault.of.0.iter().map(of_name));
        }
    }
    periods
}

/// Maximum number of times of faults that plots shade one by one.
const MAX_OCCURRED: usize = 100;

/// Returns the times at which faults were in effect that were not known in advance; none if there are too many to look at.
pub fn occurred_periods(scenario: &Scenario, result: &RunResult) -> Vec<ScheduledPeriod> {
    let is_random = |name: &str| scenario.faults.get(name).is_some_and(|fault| fault.span().is_none());
    let random = || result.faults.iter().filter(|fault| is_random(&fault.name));
    if random().map(|fault| fault.count).sum::<u64>() > MAX_OCCURRED as u64 {
        return Vec::new();
    }
    let of_fault = |fault: &FaultResult| -> Vec<ScheduledPeriod> {
        let period = |time: &FaultTime| ScheduledPeriod {
            from: time.from.as_seconds(),
            to: time.to.map(SimTime::as_seconds),
            of: time.of.clone(),
            text: fault.what.clone(),
            is_of_group: false,
            is_fault: true,
        };
        fault.times.iter().map(period).collect()
    };
    random().flat_map(of_fault).collect()
}

fn period((from, to): (SimDuration, Option<SimDuration>), of: &str, text: String) -> ScheduledPeriod {
    ScheduledPeriod {
        from: from.as_seconds(),
        to: to.map(SimDuration::as_seconds),
        of: of.to_owned(),
        text,
        is_of_group: false,
        is_fault: false,
    }
}

/// The changes of a scenario by the setting and the name that they change, with their times in ascending order.
struct ChangeTimes<'a>(IndexMap<((NodeKind, &'static str), &'a str), Vec<(SimDuration, usize)>>);

impl<'a> ChangeTimes<'a> {
    fn of(changes: &'a [ChangeSpec]) -> Self {
        let mut times: IndexMap<_, Vec<(SimDuration, usize)>> = IndexMap::new();
        for (index, change) in changes.iter().enumerate() {
            for name in &change.of.0 {
                times.entry((change.set.topic(), name.as_str())).or_default().push((change.at, index));
            }
        }
        times.values_mut().for_each(|times| times.sort_unstable());
        Self(times)
    }

    /// Returns the time of the first change after another one, of the same setting of the same part or of its group.
    fn next(
        &self,
        change: (SimDuration, usize),
        topic: (NodeKind, &'static str),
        name: &str,
        names: &Names,
    ) -> Option<SimDuration> {
        // A group of one member has two names.
        let node = names.node_named(name);
        let others = node.into_iter().flat_map(|node| [Some(names.name_of(node)), names.group_of(node)]);
        let later = |name: &str| {
            let times = self.0.get(&(topic, name))?;
            times.get(times.partition_point(|other| *other <= change)).map(|(at, _)| *at)
        };
        others.flatten().chain([name]).filter_map(later).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Draw, RandomStream};
    use crate::scenario::load;

    fn scenario(changes: &str) -> Scenario {
        let text = format!(
            "(name: \"x\", run_until: \"100s\", arrivals_until: \"90s\", sources: {{\"s\": (arrivals: Poisson(rate: \
             Spike(base: \"1/s\", peak: \"9/s\", from: \"50s\", to: \"70s\")), to: \"m-0\")}}, nodes: {{\"m\": \
             Server(count: 2, concurrency: 2, service: Exponential(mean: \"1s\"))}}, changes: [{changes}])"
        );
        load("test.ron", text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}")).scenario
    }

    #[test]
    fn a_change_lasts_until_the_same_setting_changes_again() {
        let changes = "(at: \"10s\", of: \"m-1\", set: Down), (at: \"20s\", of: \"m\", set: Up), \
             (at: \"10s\", of: \"m\", set: Concurrency(4)), (at: \"30s\", of: \"m-1\", set: Concurrency(5)), \
             (at: \"60s\", of: \"s\", set: Arrivals(Poisson(rate: \"7/s\")))";
        let scenario = scenario(changes);
        let text = |period: &ScheduledPeriod| {
            format!("{}: {} {} {:?}", period.of, period.text, period.from, period.to)
        };
        assert_eq!(
            scheduled_periods(&scenario, &scenario.names()).iter().map(text).collect::<Vec<_>>(),
            [
                "s: 9/s 50 Some(60.0)",
                "s: stops 90 None",
                "m-1: down 10 Some(20.0)",
                "m: concurrency 4 10 None",
                "m-1: concurrency 5 30 None",
                "s: 7/s 60 None",
            ]
        );
    }

    #[test]
    fn the_next_change_is_that_of_the_part_or_of_its_group() {
        let mut random = RandomStream::from_seed(11);
        let names = ["m", "m-0", "m-1", "m-2", "n", "n-0"];
        for _ in 0..300 {
            let changes: Vec<String> = (0..8)
                .map(|_| {
                    let set = ["Down", "Up", "Concurrency(2)", "Pause"][random.index(4)];
                    format!("(at: \"{}s\", of: \"{}\", set: {set})", random.index(5), names[random.index(6)])
                })
                .collect();
            let text = format!(
                "(name: \"x\", run_until: \"9s\", sources: {{\"s\": (arrivals: Poisson(rate: \"1/s\"), to: \"m-0\")}}, \
                 nodes: {{\"m\": Server(count: 3, service: Constant(\"1s\")), \"n\": Server(count: 1, service: \
                 Constant(\"1s\"))}}, changes: [{}])",
                changes.join(", ")
            );
            let scenario =
                load("test.ron", text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}")).scenario;
            let (table, times) = (scenario.names(), ChangeTimes::of(&scenario.changes));
            for (index, change) in scenario.changes.iter().enumerate() {
                let name = change.of.0[0].as_str();
                let is_later = |(other, later): &(usize, &ChangeSpec)| {
                    (later.at, *other) > (change.at, index)
                        && later.set.topic() == change.set.topic()
                        && later.of.0.iter().any(|of| table.includes(of, name))
                };
                let expected =
                    scenario.changes.iter().enumerate().filter(is_later).map(|(_, later)| later.at).min();
                let found = times.next((change.at, index), change.set.topic(), name, &table);
                assert_eq!(found, expected, "change {index} of {text}");
            }
        }
    }
}
