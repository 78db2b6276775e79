//! Faults: what goes wrong at known or at random times, and is repaired again.
//!
//! A fault happens to nodes or to links. Their modules define what can happen to them and what it does; this module says
//! when. A fault begins and ends by events in the queue like any other. Several can be in effect at the same part: each
//! takes its own effect away again when it ends, whatever else is in effect.

mod effects;
mod spec;

use std::sync::Arc;

use bevy_ecs::prelude::*;

pub use self::effects::Effects;
use self::spec::Schedule;
pub use self::spec::{FaultSpec, WhichSpec, check, failing_links};
use super::link::{Link, LinkSpec};
use super::names::Names;
use super::part::FaultEdge;
use super::parts::Fault;
use crate::engine::queue::EventQueue;
use crate::engine::random::{Draw, RandomStream, Streams};
use crate::engine::row::Row;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, NodeRange, PackedEvent};

/// What a fault happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// Nodes.
    Nodes(NodeRange),
    /// A link.
    Link(Row<Link>),
}

impl Victim {
    /// Whether two of them have a node or a link in common.
    fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::Nodes(a), Self::Nodes(b)) => a.overlaps(b),
            (Self::Link(a), Self::Link(b)) => a == b,
            (Self::Nodes(_), Self::Link(_)) | (Self::Link(_), Self::Nodes(_)) => false,
        }
    }

    /// The same victims, each alone.
    fn singles(self) -> Vec<Self> {
        match self {
            Self::Nodes(range) => (0..range.count)
                .map(|at| Self::Nodes(NodeRange { first: range.first + at, count: 1, ..range }))
                .collect(),
            Self::Link(_) => vec![self],
        }
    }
}

/// A time during which a fault was in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// What it happened to, or `None` if to all that the fault names.
    pub of: Option<Victim>,
    /// Its beginning.
    pub from: SimTime,
    /// Its end, or `None` if it has not ended.
    pub to: Option<SimTime>,
}

/// Maximum number of times that are recorded of a fault; later ones are only counted, so that memory stays bounded.
const MAX_RECORDED: usize = 2_000;

/// What has happened of a fault.
#[derive(Clone, Debug)]
pub struct FaultRecord {
    /// Its name.
    pub name: String,
    /// The parts that it names, as written.
    pub of: Vec<String>,
    /// What happens.
    pub what: Fault,
    /// Number of times that it has begun.
    pub count: u64,
    /// For how long it was in effect, summed over the parts that have their own times.
    pub time: SimDuration,
    /// When it was in effect: the first times, in the order of their beginnings.
    pub occurrences: Vec<Occurrence>,
}

/// All faults of a run, in the order of the scenario.
#[derive(Resource, Clone, Debug, Default)]
pub struct Faults {
    records: Vec<FaultRecord>,
    /// Events refer to them by row.
    processes: Vec<Process>,
}

/// A fault of parts that have the same times.
#[derive(Clone, Debug)]
struct Process {
    /// Number of the fault.
    fault: u32,
    victims: Arc<[Victim]>,
    which: WhichSpec,
    schedule: Schedule,
    stream: RandomStream,
    active: Option<Active>,
}

/// A fault in effect.
#[derive(Clone, Debug)]
struct Active {
    since: SimTime,
    /// The victim, if one was picked.
    picked: Option<Victim>,
    /// Index among the recorded times.
    recorded: Option<usize>,
}

/// A fault that begins or ends.
#[derive(Clone, Debug)]
pub struct Toggled {
    /// What it happens to.
    pub victims: Arc<[Victim]>,
    /// What happens.
    pub what: Fault,
    /// Whether it begins or ends.
    pub edge: FaultEdge,
}

impl Faults {
    /// Adds the fault `name`, and schedules its first event.
    ///
    /// # Panics
    /// If the fault is invalid, which the checks of a scenario report.
    pub fn add(
        &mut self,
        (name, spec): (&str, &FaultSpec),
        (names, links): (&Names, &[LinkSpec]),
        streams: Streams,
        queue: &mut EventQueue<PackedEvent>,
    ) {
        let fault = u32::try_from(self.records.len()).expect("a scenario has fewer than 2^32 faults");
        let victims = spec.victims(names, links);
        let which = spec.which;
        let singles = || victims.iter().flat_map(|victim| victim.singles());
        let processes: Vec<Vec<Victim>> = match which {
            WhichSpec::All => vec![victims],
            WhichSpec::One => vec![singles().collect()],
            WhichSpec::Each => singles().map(|victim| vec![victim]).collect(),
        };
        for victims in processes {
            let link = |row: Row<Link>| links[row.index()].name();
            let is_own = which == WhichSpec::Each;
            let part = if is_own { describe(victims[0], names, link) } else { name.to_owned() };
            let (start, schedule) = spec.schedule();
            let mut process = Process {
                fault,
                victims: victims.into(),
                which,
                schedule,
                stream: streams.stream(&part, &format!("fault {name}")),
                active: None,
            };
            let first = match process.schedule {
                Schedule::Once(_) => Some(SimTime::ZERO + start),
                Schedule::Recurring { .. } => process.next(SimTime::ZERO + start),
            };
            if let Some(at) = first {
                let row = u32::try_from(self.processes.len()).expect("checks reject more");
                queue.schedule_first(at, Event::Fault { row }.pack());
            }
            self.processes.push(process);
        }
        self.records.push(FaultRecord {
            name: name.to_owned(),
            of: spec.of.0.clone(),
            what: spec.what.clone(),
            count: 0,
            time: SimDuration::ZERO,
            occurrences: Vec::new(),
        });
    }

    /// Lets the fault of a process begin, or end if it is in effect. Schedules its next event.
    pub fn toggle(&mut self, row: u32, now: SimTime, queue: &mut EventQueue<PackedEvent>) -> Toggled {
        let process = &mut self.processes[row as usize];
        let record = &mut self.records[process.fault as usize];
        let what = record.what.clone();
        let one = |victim: Victim| -> Arc<[Victim]> { Arc::new([victim]) };
        let event = Event::Fault { row }.pack();
        if let Some(Active { since, picked, recorded }) = process.active.take() {
            record.time += now.since(since);
            if let Some(occurrence) = recorded.map(|index| &mut record.occurrences[index]) {
                occurrence.to = Some(now);
            }
            if let Some(at) = process.next(now) {
                queue.schedule_first(at, event);
            }
            let victims = picked.map_or_else(|| Arc::clone(&process.victims), one);
            return Toggled { victims, what, edge: FaultEdge::Ends(process.fault) };
        }
        let Process { which, victims, stream, .. } = process;
        let picked = (*which == WhichSpec::One).then(|| victims[stream.index(victims.len())]);
        let of = if *which == WhichSpec::Each { Some(victims[0]) } else { picked };
        let recorded = (record.occurrences.len() < MAX_RECORDED).then(|| {
            record.occurrences.push(Occurrence { of, from: now, to: None });
            record.occurrences.len() - 1
        });
        record.count += 1;
        process.active = Some(Active { since: now, picked, recorded });
        let lasts = match &process.schedule {
            Schedule::Once(lasts) => *lasts,
            Schedule::Recurring { lasts, .. } => Some(lasts.sample_duration(&mut process.stream)),
        };
        if let Some(lasts) = lasts {
            queue.schedule_first(now + lasts, event);
        }
        let victims = picked.map_or_else(|| Arc::clone(&process.victims), one);
        Toggled { victims, what, edge: FaultEdge::Begins(process.fault) }
    }

    /// The faults in effect, each with what it happens to.
    pub fn in_effect(&self) -> impl Iterator<Item = (&[Victim], &Fault)> {
        let active = self.processes.iter().filter_map(|process| Some((process, process.active.as_ref()?)));
        active.map(|(process, active)| {
            let victims = active.picked.as_ref().map_or(&*process.victims, std::slice::from_ref);
            (victims, &self.records[process.fault as usize].what)
        })
    }

    /// What has happened up to the end of the run: the faults, in the order of the scenario.
    #[must_use]
    pub fn at_end(&self, end: SimTime) -> Vec<FaultRecord> {
        let mut records = self.records.clone();
        for Process { fault, active, .. } in &self.processes {
            if let Some(active) = active {
                let record = &mut records[*fault as usize];
                record.time += end.since(active.since);
            }
        }
        records
    }
}

impl Process {
    /// Draws when the fault happens next, if it does.
    fn next(&mut self, now: SimTime) -> Option<SimTime> {
        let Schedule::Recurring { every, until, .. } = &self.schedule else { return None };
        let at = now + every.sample_duration(&mut self.stream);
        until.is_none_or(|until| at <= SimTime::ZERO + until).then_some(at)
    }
}

/// The name of a single victim. `link` names a link.
pub fn describe(victim: Victim, names: &Names, link: impl Fn(Row<Link>) -> String) -> String {
    match victim {
        Victim::Nodes(range) => range.nodes().next().map_or("", |node| names.name_of(node)).to_owned(),
        Victim::Link(row) => link(row),
    }
}
