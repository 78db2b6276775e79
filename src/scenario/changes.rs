//! From the changes that a scenario announces to those that happen in its world; also while a run is under way.

use bevy_ecs::prelude::*;

use super::check::{Checked, examine};
use super::directory::Directory;
use super::spawn::CHECKED;
use super::{Problem, Scenario};
use crate::engine::queue::EventQueue;
use crate::engine::time::SimTime;
use crate::event::{Event, PackedEvent};
use crate::model::change::{Alteration, Change, ChangeSpec, Changes, Setting};
use crate::model::client::{ClientSpec, RoutingSpec};
use crate::text::Path;

impl Scenario {
    /// Whether clients of this name remember loads at any time of the run.
    #[must_use]
    pub(super) fn remembers_loads(&self, name: &str, client: &ClientSpec) -> bool {
        let is_aware = |routing: &RoutingSpec| routing.memory().is_some();
        let becomes_aware = |change: &ChangeSpec| match &change.set {
            Setting::Routing(routing) => is_aware(routing) && change.of.0.iter().any(|of| is_of(of, name)),
            Setting::Down
            | Setting::Up
            | Setting::Concurrency(_)
            | Setting::Service(_)
            | Setting::Queue(_)
            | Setting::Arrivals(_)
            | Setting::Policy(_) => false,
        };
        is_aware(&client.routing) || self.changes.iter().any(becomes_aware)
    }
}

/// Whether `name` is `of`, or a member of the group `of`.
#[must_use]
pub fn is_of(name: &str, of: &str) -> bool {
    let number = name.strip_prefix(of).and_then(|rest| rest.strip_prefix('-'));
    name == of
        || number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The changes of a scenario that was checked, with everything resolved.
pub(super) fn changes(scenario: &Scenario, directory: &Directory) -> Vec<Change> {
    let change = |spec: &ChangeSpec| Change {
        rows: spec.of.0.iter().map(|name| directory.rows(name).expect(CHECKED)).collect(),
        to: alteration(&spec.set),
    };
    scenario.changes.iter().map(change).collect()
}

fn alteration(setting: &Setting) -> Alteration {
    match setting {
        Setting::Down => Alteration::Down,
        Setting::Up => Alteration::Up,
        Setting::Concurrency(slots) => Alteration::Concurrency(*slots),
        Setting::Service(time) => Alteration::Service(time.resolve().expect(CHECKED)),
        Setting::Queue(queue) => Alteration::Capacity(queue.capacity()),
        Setting::Arrivals(arrivals) => Alteration::Arrivals(arrivals.resolve(SimTime::ZERO).expect(CHECKED)),
        Setting::Routing(routing) => Alteration::Routing(routing.clone()),
        Setting::Policy(policy) => Alteration::Policy(policy.clone()),
    }
}

/// Schedules the changes from row `first` on.
pub(super) fn schedule(queue: &mut EventQueue<PackedEvent>, changes: &[ChangeSpec], first: usize) {
    for (row, change) in (0..).zip(changes).skip(first) {
        queue.schedule_first(SimTime::ZERO + change.at, Event::Change { row }.pack());
    }
}

/// Takes changes that were added behind the others of a scenario into a world that runs it: from then on the run is that
/// of the scenario with all its changes.
///
/// # Errors
/// All that is wrong with the scenario as it is now, or a change that is no later than what has happened; the world is left as it was.
pub fn adopt(scenario: &Scenario, world: &mut World) -> Result<(), Vec<Problem>> {
    let Checked { directory, .. } = examine(scenario)?;
    let all = changes(scenario, &directory);
    let first = world.resource::<Changes>().0.len();
    let now = world.resource::<EventQueue<PackedEvent>>().now();
    let too_late = |(row, change): (usize, &ChangeSpec)| {
        let message = format!("at {} it is too late for a change at {}", now, change.at);
        let path = Path::root().name("changes").index(row).name("at");
        (SimTime::ZERO + change.at <= now).then(|| Problem::new(path, message))
    };
    let problems: Vec<_> = (0..).zip(&scenario.changes).skip(first).filter_map(too_late).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut known = world.resource_mut::<Changes>();
    known.0.extend(all.into_iter().skip(first));
    schedule(&mut world.resource_mut::<EventQueue<PackedEvent>>(), &scenario.changes, first);
    Ok(())
}
