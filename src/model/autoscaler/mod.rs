//! Autoscalers: they make a group of servers grow and shrink during the run.
//!
//! An autoscaler evaluates its policy at regular times, after all other events of the instant. It reads the mean of a gauge
//! over the members that are up and over the time since its last evaluation, which it learns after a delay. What it wants is
//! limited to its bounds, and it waits for its cool-down. The group then changes as by a change of its `Count`: members boot
//! and drain as written there.
//!
//! `policy` has the policies, `spec` the scenario format.

mod measure;
pub mod policy;
mod spec;

use std::collections::VecDeque;

use bevy_ecs::prelude::*;
use serde::Serialize;

use self::measure::Meter;
use self::policy::{Known, Measured, ScalingPolicy};
pub use self::spec::{AutoscalerSpec, CoolDown, check};
use super::build::CHECKED;
use super::names::Names;
use super::parts::{PartViews, Setting};
use super::probe::GaugeSpec;
use crate::engine::queue::EventQueue;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, NodeRange, PackedEvent};

/// Maximum number of changes that are recorded of an autoscaler; later ones are only counted, so that memory stays bounded.
const MAX_RECORDED: usize = 2_000;

/// A change of the number of members by an autoscaler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// When it was decided.
    pub at: SimTime,
    /// Number of members before it.
    pub from: u32,
    /// Number of members that it wants.
    pub to: u32,
    /// The value of the gauge that it was decided by, if the policy reads one.
    pub value: Option<f64>,
}

/// What an autoscaler has done.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalingRecord {
    /// Its name.
    pub name: String,
    /// The name of its group.
    pub of: String,
    /// How often it has done what.
    pub counts: ScalingCounts,
    /// The changes in order: the first ones, if there were very many.
    pub changes: Vec<Scaling>,
}

/// How often an autoscaler has done what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScalingCounts {
    /// Number of decisions.
    pub decisions: u64,
    /// How often it has added members.
    pub ups: u64,
    /// How often it has removed members.
    pub downs: u64,
    /// Number of members that it has added.
    pub added: u64,
    /// Number of members that it has removed.
    pub removed: u64,
}

/// All autoscalers of a run, in the order of the scenario. Events refer to them by row.
#[derive(Resource, Clone, Debug, Default)]
pub struct Autoscalers(Vec<Autoscaler>);

/// An autoscaler during a run.
#[derive(Clone, Debug)]
struct Autoscaler {
    nodes: NodeRange,
    min: u32,
    max: u32,
    every: SimDuration,
    metric_delay: SimDuration,
    cool_down: CoolDown,
    policy: ScalingPolicy,
    /// What it reads, if its policy reads a gauge.
    meter: Option<Meter>,
    /// The values that it has not learned yet.
    on_their_way: VecDeque<Option<Measured>>,
    changed_at: Option<SimTime>,
    record: ScalingRecord,
}

impl Autoscalers {
    /// Adds an autoscaler, and schedules its first event.
    ///
    /// # Panics
    /// If it is invalid, which the checks of a scenario report.
    pub fn add(
        &mut self,
        (name, spec): (&str, &AutoscalerSpec),
        names: &Names,
        queue: &mut EventQueue<PackedEvent>,
    ) {
        let nodes = names.range(&spec.of).expect(CHECKED);
        let metric = spec.policy.gauge().map(GaugeSpec::metric);
        let meter = metric.map(|metric| Meter::new(nodes, nodes.kind.index_of(metric).expect(CHECKED)));
        let row = u32::try_from(self.0.len()).expect("there are fewer autoscalers than groups");
        let every = spec.every;
        queue.schedule_last(SimTime::ZERO + every, Event::Scale { autoscaler: row, decides: false }.pack());
        self.0.push(Autoscaler {
            nodes,
            min: spec.min,
            max: spec.max.unwrap_or(nodes.count),
            every,
            metric_delay: spec.metric_delay,
            cool_down: spec.cool_down,
            policy: spec.policy.clone(),
            meter,
            on_their_way: VecDeque::new(),
            changed_at: None,
            record: ScalingRecord {
                name: name.to_owned(),
                of: spec.of.clone(),
                counts: ScalingCounts::default(),
                changes: Vec::new(),
            },
        });
    }

    /// Lets an autoscaler read its gauge, or decide by what it has read. Schedules its next event. Returns the change of its
    /// group, if there is one.
    pub fn act(
        &mut self,
        (row, decides): (u32, bool),
        now: SimTime,
        parts: &mut PartViews<'_>,
        queue: &mut EventQueue<PackedEvent>,
    ) -> Option<(NodeRange, Setting)> {
        let autoscaler = &mut self.0[row as usize];
        if !decides {
            let measured = autoscaler.meter.as_mut().and_then(|meter| meter.read(now, parts));
            autoscaler.on_their_way.push_back(measured);
            let event = Event::Scale { autoscaler: row, decides: false };
            queue.schedule_last(now + autoscaler.every, event.pack());
            if !autoscaler.metric_delay.is_zero() {
                let event = Event::Scale { autoscaler: row, decides: true };
                queue.schedule_last(now + autoscaler.metric_delay, event.pack());
                return None;
            }
        }
        let measured = autoscaler.on_their_way.pop_front().flatten();
        autoscaler.decide(now, measured, parts)
    }

    /// Prepares for the reset of statistics at the end of the warm-up.
    pub fn before_reset(&mut self, now: SimTime, parts: &mut PartViews<'_>) {
        let meters = self.0.iter_mut().filter_map(|autoscaler| autoscaler.meter.as_mut());
        meters.for_each(|meter| meter.before_reset(now, parts));
    }

    /// What the autoscalers have done, in the order of the scenario.
    #[must_use]
    pub fn records(&self) -> Vec<ScalingRecord> {
        self.0.iter().map(|autoscaler| autoscaler.record.clone()).collect()
    }
}

impl Autoscaler {
    /// Decides how many members the group should have. Returns the change, if it is to change.
    fn decide(
        &mut self,
        now: SimTime,
        measured: Option<Measured>,
        parts: &PartViews<'_>,
    ) -> Option<(NodeRange, Setting)> {
        let states = self.nodes.nodes().filter_map(|node| parts.state(node));
        let members = u32::try_from(states.filter(|state| state.is_member()).count()).unwrap_or(u32::MAX);
        let desired = self.policy.desired(Known { now, members, measured }).clamp(self.min, self.max);
        self.record.counts.decisions += 1;
        let cool_down = if desired > members { self.cool_down.up } else { self.cool_down.down };
        if desired == members || self.changed_at.is_some_and(|at| now < at + cool_down) {
            return None;
        }
        let setting = self.nodes.kind.resize(desired)?;
        self.changed_at = Some(now);
        let record = &mut self.record;
        if desired > members {
            record.counts.ups += 1;
            record.counts.added += u64::from(desired - members);
        } else {
            record.counts.downs += 1;
            record.counts.removed += u64::from(members - desired);
        }
        if record.changes.len() < MAX_RECORDED {
            let value = measured.map(|measured| measured.value);
            record.changes.push(Scaling { at: now, from: members, to: desired, value });
        }
        Some((self.nodes, setting))
    }
}
