//! What a scenario announces: changes of the workload and of its parts, and what servers can do in the meantime.
//!
//! A server that is down is not overloaded and does not carry too little: whoever comes is turned away, and while it
//! lasts the server does not count.

use crate::engine::time::SimDuration;
use crate::engine::whole;
use crate::model::change::{ChangeSpec, Setting};
use crate::scenario::{NodeSpec, Scenario, is_of};

/// An announced change.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Seconds at which it begins.
    pub from: f64,
    /// Seconds at which it is over; nothing if it lasts.
    pub to: Option<f64>,
    /// What changes: a source, a node or a group.
    pub of: String,
    /// What it changes to: `150/s`, `down`.
    pub text: String,
}

/// The announced changes, source by source, then those of all parts in the order in which they are written.
pub(super) fn phases(scenario: &Scenario) -> Vec<Phase> {
    let mut phases = Vec::new();
    for (name, source) in &scenario.sources {
        // What was announced for later than a change of the arrivals does not come.
        let is_change = |change: &&ChangeSpec| change.set.name() == "Arrivals" && change.of.0.contains(name);
        let until = scenario.changes.iter().filter(is_change).map(|change| change.at).min();
        let own = source.arrivals.phases();
        phases.extend(own.into_iter().filter(|(from, ..)| until.is_none_or(|until| *from < until)).map(
            |(from, to, text)| {
                let to = until.map_or(to, |until| Some(to.map_or(until, |to| to.min(until))));
                phase((from, to), name, text)
            },
        ));
        let stop = source.stop.or(scenario.arrivals_until).filter(|stop| *stop < scenario.run_until);
        phases.extend(stop.map(|stop| phase((stop, None), name, "stops".to_owned())));
    }
    for (index, change) in scenario.changes.iter().enumerate().filter(|(_, change)| change.set != Setting::Up)
    {
        for name in &change.of.0 {
            let to = ends(&scenario.changes, index, name);
            phases.push(phase((change.at, to), name, change.set.to_string()));
            if let Setting::Arrivals(arrivals) = &change.set {
                let later = arrivals
                    .phases()
                    .into_iter()
                    .filter(|(from, ..)| *from > change.at && to.is_none_or(|to| *from < to));
                phases.extend(later.map(|(from, until, text)| phase((from, until.or(to)), name, text)));
            }
        }
    }
    phases
}

fn phase((from, to): (SimDuration, Option<SimDuration>), of: &str, text: String) -> Phase {
    Phase { from: from.as_seconds(), to: to.map(SimDuration::as_seconds), of: of.to_owned(), text }
}

/// When the next change sets the same of the same node, or of a group that it belongs to.
fn ends(changes: &[ChangeSpec], index: usize, name: &str) -> Option<SimDuration> {
    let what = |setting: &Setting| if *setting == Setting::Up { "Down" } else { setting.name() };
    let is_later = |(other, change): &(usize, &ChangeSpec)| {
        (change.at, *other) > (changes[index].at, index)
            && what(&change.set) == what(&changes[index].set)
            && change.of.0.iter().any(|of| is_of(name, of))
    };
    changes.iter().enumerate().filter(is_later).map(|(_, change)| change.at).min()
}

/// What a server can do from a moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ability {
    /// Seconds at which it begins.
    from: f64,
    /// Whether the server is up.
    up: bool,
    slots: u32,
    /// Seconds that a request is served on average.
    service: f64,
}

impl Ability {
    /// Requests a second that can be served.
    pub(super) fn capacity(&self) -> f64 {
        if self.up && self.service > 0.0 { f64::from(self.slots) / self.service } else { 0.0 }
    }

    /// 1 for a server that is up.
    pub(super) fn presence(&self) -> f64 {
        f64::from(u8::from(self.up))
    }
}

/// What a server can do, from change to change; nothing if it always can do the same.
pub(super) fn abilities(scenario: &Scenario, name: &str, group: Option<&str>) -> Vec<Ability> {
    let Some(NodeSpec::Server(spec)) = scenario.nodes.get(group.unwrap_or(name)) else { return Vec::new() };
    let is_meant =
        |change: &&ChangeSpec| change.of.0.iter().any(|of| of == name || Some(of.as_str()) == group);
    let mut changes: Vec<_> = scenario.changes.iter().filter(is_meant).collect();
    changes.sort_by_key(|change| change.at);
    let mean = |law: &crate::engine::distribution::DistributionSpec<SimDuration>| {
        law.resolve().map_or(0.0, |law| law.mean() / 1e9)
    };
    let mut now = Ability { from: 0.0, up: true, slots: spec.concurrency, service: mean(&spec.service) };
    let mut abilities = vec![now];
    for change in changes {
        let before = now;
        match &change.set {
            Setting::Down => now.up = false,
            Setting::Up => now.up = true,
            Setting::Concurrency(slots) => now.slots = *slots,
            Setting::Service(law) => now.service = mean(law),
            Setting::Queue(_) | Setting::Arrivals(_) | Setting::Routing(_) | Setting::Policy(_) => {}
        }
        if now != before {
            now.from = change.at.as_seconds();
            abilities.push(now);
        }
    }
    if abilities.len() > 1 { abilities } else { Vec::new() }
}

/// The mean in each of some slices of what abilities come to.
pub(super) fn course(abilities: &[Ability], slices: usize, step: f64, of: fn(&Ability) -> f64) -> Vec<f64> {
    let mut course = vec![0.0; slices];
    let ends = abilities.iter().skip(1).map(|next| next.from).chain([step * slices as f64]);
    for (ability, end) in abilities.iter().zip(ends) {
        let first = whole(ability.from / step).min(slices);
        for (slice, mean) in course.iter_mut().enumerate().skip(first) {
            let (from, to) = (step * slice as f64, step * (slice + 1) as f64);
            if from >= end {
                break;
            }
            *mean += of(ability) * ((end.min(to) - ability.from.max(from)) / step).clamp(0.0, 1.0);
        }
    }
    course
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    fn scenario(changes: &str) -> Scenario {
        let text = format!(
            "(name: \"x\", run_until: \"100s\", arrivals_until: \"90s\", sources: {{\"s\": (arrivals: Poisson(rate: \
             Spike(base: \"1/s\", peak: \"9/s\", from: \"50s\", to: \"70s\")), to: \"m-0\")}}, nodes: {{\"m\": \
             Server(count: 2, concurrency: 2, service: Exponential(mean: \"1s\"))}}, changes: [{changes}])"
        );
        load("test.ron", text.as_bytes(), &[]).unwrap_or_else(|wrong| panic!("{wrong}")).scenario
    }

    #[test]
    fn changes_last_until_the_same_changes_again() {
        let changes = "(at: \"10s\", of: \"m-1\", set: Down), (at: \"20s\", of: \"m\", set: Up), \
             (at: \"10s\", of: \"m\", set: Concurrency(4)), (at: \"30s\", of: \"m-1\", set: Concurrency(5)), \
             (at: \"60s\", of: \"s\", set: Arrivals(Poisson(rate: \"7/s\")))";
        let told = |phase: &Phase| format!("{}: {} {} {:?}", phase.of, phase.text, phase.from, phase.to);
        assert_eq!(
            phases(&scenario(changes)).iter().map(told).collect::<Vec<_>>(),
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
    fn what_a_server_can_do_is_told_slice_by_slice() {
        let scenario = scenario(
            "(at: \"15s\", of: \"m-1\", set: Down), (at: \"25s\", of: \"m\", set: Up), \
             (at: \"40s\", of: \"m\", set: Service(Constant(\"500ms\")))",
        );
        let of = |name| abilities(&scenario, name, Some("m"));
        let capacity = course(&of("m-1"), 10, 10.0, Ability::capacity);
        let expected = [2.0, 1.0, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0];
        assert!(
            capacity.iter().zip(expected).all(|(found, wanted)| (found - wanted).abs() < 1e-9),
            "{capacity:?}"
        );
        assert_eq!(of("m-0").len(), 2);
        let up = course(&of("m-1"), 10, 10.0, Ability::presence);
        assert!((up.iter().sum::<f64>() - 9.0).abs() < 1e-9, "{up:?}");
    }
}
