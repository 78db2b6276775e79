//! Faults of sources: surges.
//!
//! The requests of a surge come in addition, from an arrival process of their own: those of the source stay the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::arrivals::{ArrivalProcess, ArrivalsSpec};
use super::{Source, SourceSpec, arrival_of};
use crate::engine::queue::EventQueue;
use crate::engine::random::RandomStream;
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::PackedEvent;
use crate::model::build::CHECKED;
use crate::model::check::Checker;
use crate::model::fault::Effects;
use crate::model::part::{FaultEdge, PartFault};
use crate::text::Path;

/// A fault of a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SourceFault {
    /// The source sends this many times as many requests (more than 1) as without it.
    Surge(f64),
}

impl SourceFault {
    /// The faults that a source can have, of common sizes.
    pub(super) fn offered(spec: &SourceSpec) -> Vec<Self> {
        spec.arrivals.times(1.0).map(|_| Self::Surge(2.0)).into_iter().collect()
    }

    /// Reports errors in the fault.
    pub(super) fn check(&self, path: &Path, specs: &[&SourceSpec], checker: &mut Checker<'_>) {
        let Self::Surge(factor) = self;
        if !(*factor > 1.0 && factor.is_finite()) {
            let message = format!("a surge by {factor} is none: expected a number above 1");
            checker.add(
                path.clone(),
                message,
                "3.0 means three times the requests; for fewer, use `changes`",
            );
        } else if specs.iter().any(|spec| spec.arrivals.times(factor - 1.0).is_none()) {
            let message = "only arrivals with a rate can surge: `Constant`, `Poisson`, and `Batches` of them";
            let hint = "add a source for the surge, with a `start` and a `stop`, or stages of a `ClosedLoop`";
            checker.add(path.clone(), message, hint);
        }
    }
}

impl PartFault for SourceFault {
    fn name(&self) -> &'static str {
        let Self::Surge(_) = self;
        "Surge"
    }

    fn adds_up(&self) -> bool {
        true
    }
}

impl fmt::Display for SourceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Surge(factor) = self;
        write!(f, "{factor} times the requests")
    }
}

/// A surge in effect.
#[derive(Debug)]
pub(super) struct Surge {
    factor: f64,
    /// `None` if the arrivals have changed to others that cannot surge.
    arrivals: Option<ArrivalProcess>,
    stream: RandomStream,
}

/// What a source has for its surges.
#[derive(Debug)]
pub(super) struct Surges {
    /// The arrivals that surge.
    arrivals: ArrivalsSpec,
    active: Effects<Surge>,
    /// The stream from which each surge gets its own.
    stream: RandomStream,
}

impl Surges {
    pub(super) const fn new(arrivals: ArrivalsSpec, stream: RandomStream) -> Self {
        Self { arrivals, active: Effects::new(), stream }
    }
}

impl Source {
    /// A surge begins or ends.
    pub(super) fn surge(
        &mut self,
        row: Row<Self>,
        fault: &SourceFault,
        edge: FaultEdge,
        queue: &mut EventQueue<PackedEvent>,
    ) {
        let SourceFault::Surge(factor) = *fault;
        let start = queue.now().max(self.start);
        let Surges { arrivals, active, stream } = &mut *self.surges;
        active.toggle(edge, || Surge {
            factor,
            arrivals: extra(arrivals, factor, start),
            stream: stream.fork(),
        });
        match edge {
            FaultEdge::Begins(fault) => self.schedule_of_surge(row, fault, queue),
            // Since then, the arrivals may have become those of users with numbers, which cannot surge.
            FaultEdge::Ends(_) if self.has_numbers() => {}
            FaultEdge::Ends(fault) => {
                queue.remove_where(|event| *event == arrival_of(row, Some(fault)));
            }
        }
    }

    /// Schedules the next arrival of a surge, if there is one.
    pub(super) fn schedule_of_surge(
        &mut self,
        row: Row<Self>,
        fault: u32,
        queue: &mut EventQueue<PackedEvent>,
    ) {
        let is_over = self.outcomes.offered >= self.max_requests;
        let surge = self.surges.active.numbered_mut().find(|(number, _)| *number == fault && !is_over);
        let next = surge.and_then(|(_, surge)| surge.arrivals.as_mut()?.next(&mut surge.stream));
        if let Some(at) = next.filter(|at| *at <= self.stop) {
            queue.schedule(at, arrival_of(row, Some(fault)));
        }
    }

    /// Lets the surges in effect follow other arrivals.
    pub(super) fn adapt_surges(
        &mut self,
        row: Row<Self>,
        arrivals: &ArrivalsSpec,
        queue: &mut EventQueue<PackedEvent>,
    ) {
        self.surges.arrivals.clone_from(arrivals);
        let start = queue.now().max(self.start);
        let restart = |(fault, surge): (u32, &mut Surge)| {
            surge.arrivals = extra(arrivals, surge.factor, start);
            fault
        };
        let faults: Vec<u32> = self.surges.active.numbered_mut().map(restart).collect();
        faults.into_iter().for_each(|fault| self.schedule_of_surge(row, fault, queue));
    }
}

/// The arrivals that come in addition, from `start` on; `None` if these arrivals cannot surge.
fn extra(arrivals: &ArrivalsSpec, factor: f64, start: SimTime) -> Option<ArrivalProcess> {
    Some(arrivals.times(factor - 1.0)?.resolve(start).expect(CHECKED))
}
