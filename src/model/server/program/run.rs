//! Lets requests take their steps at a server, and leave it afterwards.
//!
//! A request takes steps until one of them needs time: then an event wakes it up; or until it has to wait: then what it
//! waits for wakes it up. Of several requests that go on in the same instant, the first does so at once and the others are
//! [runnable](Program::runnable), each with an event of its own. So no handler recurses, and a step that starts calls finds
//! the pool of requests large enough.

use rand_distr::Distribution;

use super::super::{Server, View};
use super::Program;
use super::code::Op;
use super::runner::Stop;
use crate::engine::row::Row;
use crate::engine::time::SimDuration;
use crate::event::{Event, MAX_ROWS, PackedEvent, RequestRow};
use crate::model::Context;
use crate::model::part::Part;
use crate::model::trace::TraceEvent;
use crate::request::Outcome;
use crate::request::call::CallPlace;
use crate::request::progress::{Activity, Phase, Progress};

/// The number of the timer by which a server takes the next step of a runnable request. Boots of servers have lower
/// numbers.
pub(in crate::model::server) const RUN: u32 = MAX_ROWS - 1;

/// What happens after a step.
pub(super) enum Next {
    /// A request goes on: the same one, or the one that waited for it.
    GoesOn(RequestRow),
    /// The request waits, or has left. The event follows in the same instant, if any.
    Stops(Option<PackedEvent>),
}

impl Program {
    /// Prepares the program for a request that has got a slot after this wait. The caller then takes its first step, or
    /// makes it runnable.
    pub(in crate::model::server) fn begin<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        wait: SimDuration,
    ) {
        let asked = context.requests.progress(request).asked;
        let mut by_weight = || self.code.by_weight.as_ref().map(|table| table.sample(&mut self.choice));
        let endpoint =
            self.code.endpoint(asked).or_else(|| by_weight().and_then(|at| u16::try_from(at).ok()));
        let endpoint = endpoint.unwrap_or(0);
        let start = self.code.endpoints[usize::from(endpoint)].start;
        let progress = context.requests.progress_mut(request);
        // What is known of its service time is known from its wait.
        *progress = Progress { endpoint, step: start, left: progress.left, ..progress.at_start() };
        progress.spent[Activity::SlotWait] = wait;
        context.requests.set_place(request, CallPlace::InSlot);
        let slots = self.slots_of(&context.requests, request);
        if slots > 1 || !self.begins_with_service() {
            context.trace(request, || TraceEvent::Entered { node: Server::node(row), slots });
        }
    }

    /// Whether the first step is the service time of the server: then it can be started at once, wherever the request came
    /// from.
    pub(in crate::model::server) fn begins_with_service(&self) -> bool {
        matches!(self.code.ops[0], Op::Service)
    }

    /// Makes a request or a branch take its next step in this instant.
    pub(in crate::model::server) fn make_runnable<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        context.requests.progress_mut(request).phase = Phase::Runnable;
        self.runnable.push_back(request);
        context.follow_ups.push_back(Event::Timer { node: Server::node(row), timer: RUN }.pack());
    }

    /// Traces that a request waits for the resource with this index among those of the program.
    pub(super) fn trace_wait<const FULL: bool>(
        &self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        resource: u16,
    ) {
        let (node, resource) = (Server::node(row), self.first_resource + resource);
        context.trace(request, || TraceEvent::Waits { node, resource });
    }

    /// Removes a request that ends from those that are runnable.
    pub(super) fn remove_runnable(&mut self, request: RequestRow) {
        self.runnable.retain(|other| *other != request);
    }
}

impl View<'_> {
    /// Takes the next step of the first runnable request.
    pub(in crate::model::server) fn run_next<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
    ) -> Option<PackedEvent> {
        let request = self.service[row].program.as_mut()?.runnable.pop_front()?;
        self.run(context, row, request)
    }

    /// Ends the step of a request that took time, and takes the next ones.
    pub(in crate::model::server) fn resume<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let mut runner = self.running(row);
        runner.end_time(context, request);
        context.requests.progress_mut(request).step += 1;
        let stop = runner.take_steps(context, request);
        self.end_run(context, row, request, stop)
    }

    /// Takes the steps of a request until it has to wait.
    pub(in crate::model::server) fn run<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        self.follow(context, row, Next::GoesOn(request))
    }

    /// Takes the steps of the request that goes on, if any, until it has to wait.
    #[inline]
    pub(super) fn follow<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        next: Next,
    ) -> Option<PackedEvent> {
        match next {
            Next::Stops(event) => event,
            Next::GoesOn(request) => {
                let stop = self.running(row).take_steps(context, request);
                self.end_run(context, row, request, stop)
            }
        }
    }

    /// Does what a request has stopped for, if anything. If it or another one goes on by that, takes its steps.
    #[inline]
    fn end_run<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        mut request: RequestRow,
        mut stop: Option<Stop>,
    ) -> Option<PackedEvent> {
        while let Some(what_for) = stop {
            match self.stop(context, row, request, what_for) {
                Next::Stops(event) => return event,
                Next::GoesOn(next) => request = next,
            }
            stop = self.running(row).take_steps(context, request);
        }
        None
    }

    /// Does what a request has stopped for.
    #[inline(never)]
    fn stop<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        stop: Stop,
    ) -> Next {
        match stop {
            Stop::Ends(outcome) => self.finish(context, row, request, outcome),
            Stop::Call => self.call(context, row, request),
            Stop::Parallel => self.fork(context, row, request),
            Stop::Service => {
                self.serve(context, row, request);
                Next::Stops(None)
            }
        }
    }

    /// Lets the requests take their next steps that were kept from them.
    pub(in crate::model::server) fn run_held<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
    ) {
        let held = self.service[row].program.as_ref().map_or(0, |program| program.runnable.len());
        let event = Event::Timer { node: Server::node(row), timer: RUN }.pack();
        context.follow_ups.extend(std::iter::repeat_n(event, held));
    }

    /// Whether what a request does is I/O.
    pub(in crate::model::server) fn is_in_io<const FULL: bool>(
        &self,
        context: &Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> bool {
        self.service[row].program.is_some() && context.requests.progress(request).phase == Phase::InIo
    }

    /// Ends a request, or a branch, whose steps are done or have failed.
    fn finish<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        outcome: Outcome,
    ) -> Next {
        let mut runner = self.running(row);
        runner.release_all(context, request);
        if context.requests.progress(request).is_branch {
            return self.end_branch(context, row, request, outcome);
        }
        let served = runner.count(context, request, outcome);
        Next::Stops(self.leave(context, row, request, served))
    }
}
