//! Faults of servers: crashes, pauses, slow-downs, lost capacity, and errors.
//!
//! A pause stops the server as a garbage collector does that stops the world: services and computations stand still and go on
//! afterwards, responses to its calls are not noticed, and no request gets a slot. Only I/O goes on, since others do it. A
//! server that is slow is one whose services and computations take longer, those in progress included.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Server, ServerSpec, View, lane};
use crate::engine::distribution::Sampler;
use crate::engine::random::RandomStream;
use crate::engine::row::Row;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, RequestRow};
use crate::model::Context;
use crate::model::check::Checker;
use crate::model::fault::Effects;
use crate::model::part::{FaultEdge, Part as _, PartFault};
use crate::model::trace::TraceEvent;
use crate::text::Path;

/// A fault of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ServerFault {
    /// The server is down: as after a change to `Down`, and up again, empty, when the fault ends.
    Crash,
    /// Nothing goes on: services and computations stand still, and requests wait.
    Pause,
    /// Services and computations take this many times as long (more than 1). Several at the same time multiply.
    Slow(f64),
    /// The share (above 0, below 1) of the slots that is left: at least one slot. Several at the same time multiply.
    Capacity(f64),
    /// The probability (0 to 1) that the server answers a request with an error after its service.
    Errors(f64),
}

impl ServerFault {
    /// The faults that a server can have, of common sizes.
    pub(super) fn offered(spec: &ServerSpec) -> Vec<Self> {
        let mut offered = vec![Self::Crash, Self::Pause];
        if !spec.queue.is_preemptive() {
            offered.push(Self::Slow(3.0));
        }
        if spec.concurrency().is_some_and(|slots| slots > 1) {
            offered.push(Self::Capacity(0.5));
        }
        offered.push(Self::Errors(0.5));
        offered
    }

    /// Reports errors in the fault.
    pub(super) fn check(&self, path: &Path, specs: &[&ServerSpec], checker: &mut Checker<'_>) {
        match *self {
            Self::Crash | Self::Pause => {}
            Self::Slow(factor) => {
                if !(factor > 1.0 && factor.is_finite()) {
                    let message =
                        format!("slow by a factor of {factor} is not slower: expected a number above 1");
                    checker.add(path.clone(), message, "3.0 means that a service takes three times as long");
                }
                if specs.iter().any(|spec| spec.queue.is_preemptive()) {
                    let message = "services that can be interrupted cannot become slower";
                    checker.add(path.clone(), message, "use a `Pause`, or a queue that is not `preemptive`");
                }
            }
            Self::Capacity(share) => {
                if !(share > 0.0 && share < 1.0) {
                    let message =
                        format!("{share} is not a share of the slots: expected a number between 0 and 1");
                    checker.add(
                        path.clone(),
                        message,
                        "0.5 means that half of the slots are left; for none, use `Pause`",
                    );
                }
                if specs.iter().any(|spec| spec.concurrency().is_none()) {
                    let message =
                        "the number of slots of this server is unlimited: a share of it is unlimited, too";
                    checker.add(path.clone(), message, "give the server a `concurrency`, or use `Slow`");
                } else if !specs.is_empty() && specs.iter().all(|spec| spec.concurrency() == Some(1)) {
                    let message = "a single slot has no smaller share: the fault has no effect";
                    checker.warn(path.clone(), message, "use `Slow`");
                }
            }
            Self::Errors(probability) => {
                checker.probability(path, probability, "0.1 means one request in ten");
            }
        }
    }
}

impl PartFault for ServerFault {
    fn name(&self) -> &'static str {
        match self {
            Self::Crash => "Crash",
            Self::Pause => "Pause",
            Self::Slow(_) => "Slow",
            Self::Capacity(_) => "Capacity",
            Self::Errors(_) => "Errors",
        }
    }

    fn adds_up(&self) -> bool {
        match self {
            Self::Crash | Self::Pause => false,
            Self::Slow(_) | Self::Capacity(_) | Self::Errors(_) => true,
        }
    }

    fn fails_requests(&self) -> bool {
        matches!(self, Self::Errors(_))
    }
}

impl fmt::Display for ServerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash => f.write_str("crash"),
            Self::Pause => f.write_str("pause"),
            Self::Slow(factor) => write!(f, "{factor} times slower"),
            Self::Capacity(share) => write!(f, "{} % of the slots", 100.0 * share),
            Self::Errors(probability) => write!(f, "{} % errors", 100.0 * probability),
        }
    }
}

/// The faults in effect at a server that may have some.
#[derive(Clone, Debug)]
pub(super) struct ServerFaults {
    crashes: Effects<()>,
    pauses: Effects<()>,
    /// The factors by which services take longer.
    slow: Effects<f64>,
    /// The shares of the slots that are left.
    shares: Effects<f64>,
    /// The probabilities of errors.
    errors: Effects<f64>,
    errors_stream: RandomStream,
    /// What was going on when the pause began.
    halted: Vec<Halted>,
    /// The service time of the server without faults.
    pub(super) full_time: Sampler,
}

/// A service, computation or I/O whose end waits for the end of a pause.
#[derive(Clone, Copy, Debug)]
struct Halted {
    request: RequestRow,
    end: End,
}

/// The end of something that takes time.
#[derive(Clone, Copy, Debug)]
enum End {
    /// At this time, whatever the speed is.
    At(SimTime),
    /// After this work, in nanoseconds at full speed.
    Work(f64),
}

impl ServerFaults {
    pub(super) const fn new(full_time: Sampler, errors_stream: RandomStream) -> Self {
        Self {
            crashes: Effects::new(),
            pauses: Effects::new(),
            slow: Effects::new(),
            shares: Effects::new(),
            errors: Effects::new(),
            errors_stream,
            halted: Vec::new(),
            full_time,
        }
    }

    pub(super) const fn is_crashed(&self) -> bool {
        !self.crashes.is_empty()
    }

    pub(super) const fn is_paused(&self) -> bool {
        !self.pauses.is_empty()
    }

    /// The factor by which services take longer.
    pub(super) fn stretch(&self) -> f64 {
        self.slow.product()
    }

    /// The speed of services and computations: 0 in a pause.
    pub(super) fn speed(&self) -> f64 {
        if self.is_paused() { 0.0 } else { 1.0 / self.stretch() }
    }

    /// How many of these slots are left.
    pub(super) fn slots_left(&self, slots: u32) -> u32 {
        if self.shares.is_empty() {
            return slots;
        }
        // A share like 0.3 of 10 is slightly below 3.
        let left = libm::floor(self.shares.product() * f64::from(slots) + 1e-9).max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32")]
        let left = left as u32;
        left.min(slots)
    }

    /// Whether the server answers the next request with an error.
    pub(super) fn fails(&mut self) -> bool {
        self.errors.any_happens(&mut self.errors_stream)
    }

    /// The requests that stand still, which it forgets, because the server goes down.
    pub(super) fn take_halted(&mut self) -> impl Iterator<Item = RequestRow> {
        std::mem::take(&mut self.halted).into_iter().map(|halted| halted.request)
    }

    /// Forgets a request that stands still, because it ends.
    pub(super) fn forget(&mut self, request: RequestRow) {
        self.halted.retain(|halted| halted.request != request);
    }
}

impl View<'_> {
    /// The faults of a server that may have some.
    pub(super) fn faults(&mut self, row: Row<Server>) -> Option<&mut ServerFaults> {
        self.configs[row].faults.as_deref_mut()
    }

    /// Whether nothing goes on at a server because of a fault.
    pub(super) fn is_halted(&self, row: Row<Server>) -> bool {
        self.configs[row].faults.as_ref().is_some_and(|faults| faults.is_paused())
    }

    /// A fault of the servers in `rows` begins or ends. Returns the requests that are lost by it.
    #[cold]
    pub(super) fn fault<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        fault: &ServerFault,
        edge: FaultEdge,
    ) -> Vec<RequestRow> {
        let all = rows.clone().map(Row::new);
        match *fault {
            ServerFault::Crash => {
                all.for_each(|row| {
                    self.faults(row).into_iter().for_each(|faults| faults.crashes.toggle(edge, || ()));
                });
                match edge {
                    FaultEdge::Begins(_) => return self.take_down(context, &rows),
                    FaultEdge::Ends(_) => rows.map(Row::new).for_each(|row| self.bring_up(context, row)),
                }
            }
            ServerFault::Pause => {
                self.change_speed(context, rows, |faults| faults.pauses.toggle(edge, || ()));
            }
            ServerFault::Slow(factor) => {
                self.change_speed(context, rows, |faults| faults.slow.toggle(edge, || factor));
            }
            ServerFault::Capacity(share) => all.for_each(|row| {
                self.faults(row).into_iter().for_each(|faults| faults.shares.toggle(edge, || share));
                self.log_capacity(context, row);
                self.apply_slots(context, row);
            }),
            ServerFault::Errors(probability) => all.for_each(|row| {
                self.faults(row).into_iter().for_each(|faults| faults.errors.toggle(edge, || probability));
            }),
        }
        Vec::new()
    }

    /// Changes the speed of servers. Services and computations in progress end earlier or later.
    fn change_speed<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        change: impl Fn(&mut ServerFaults),
    ) {
        let all = || rows.clone().map(Row::new);
        self.halt(context, &rows);
        for row in all() {
            self.faults(row).into_iter().for_each(&change);
            self.apply_stretch(context, row);
            self.log_capacity(context, row);
            if let Some(mut runner) = self.runner(row) {
                runner.adapt_pace(context);
            }
            if !self.is_halted(row) {
                self.go_on(context, row);
            }
            self.apply_slots(context, row);
        }
    }

    /// Puts the present factor by which services take longer into effect for those that begin from now on.
    pub(super) fn apply_stretch<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
    ) {
        let Some(faults) = self.configs[row].faults.as_deref() else { return };
        let service = &mut self.service[row];
        if service.program.is_some() {
            // Its computations are stretched when they begin.
            return;
        }
        let stretch = faults.stretch();
        let time = faults.full_time.clone();
        service.time = if stretch > 1.0 { time.scaled(stretch) } else { time };
        service.lane = lane(&service.time, context.queue);
    }

    /// Takes what is going on at servers out of the queue.
    fn halt<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, rows: &Range<u32>) {
        for row in rows.clone().map(Row::new) {
            if let Some(mut runner) = self.runner(row) {
                runner.suspend_pace(context);
            }
        }
        let going_on = context.queue.remove_where(|event| {
            matches!(event.unpack(), Event::Wake { node, .. }
                if node.kind() == Server::KIND && rows.contains(&node.row()))
        });
        for (at, event) in going_on {
            let Event::Wake { node, request } = event.unpack() else { continue };
            let row = Row::new(node.row());
            if FULL && context.requests.is_tracked(request) {
                context.requests.take_pending(request);
            }
            let is_io = FULL && self.is_in_io(context, row, request);
            let Some(faults) = self.faults(row) else { continue };
            let work = at.since(context.now).as_nanos_f64() * faults.speed();
            faults.halted.push(Halted { request, end: if is_io { End::At(at) } else { End::Work(work) } });
        }
    }

    /// Lets what stands still at a server go on at its present speed.
    fn go_on<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        let Some(faults) = self.faults(row) else { return };
        let speed = faults.speed();
        for Halted { request, end } in std::mem::take(&mut faults.halted) {
            let (node, now) = (Server::node(row), context.now);
            let done = match end {
                End::At(at) => at.max(now),
                End::Work(work) => now + SimDuration::from_nanos_f64(work / speed),
            };
            let wake = Event::Wake { node, request }.pack();
            if FULL && context.requests.is_tracked(request) {
                context.requests.extend_left(request, done);
                let key = context.queue.schedule_cancellable(done, wake);
                context.requests.set_pending(request, key);
            } else {
                context.queue.schedule(done, wake);
            }
            context.trace(request, || TraceEvent::Started { node, done });
        }
        if FULL {
            self.run_held(context, row);
        }
    }
}
