//! Takes the steps of requests at a server.
//!
//! A request takes steps until one of them needs time: then an event wakes it up; or until it has to wait: then what it
//! waits for wakes it up. Of several requests that go on in the same instant, the first does so at once and the others are
//! [runnable](Program::runnable), each with an event of its own. So no handler recurses, and a step that starts calls finds
//! the pool of requests large enough.

use rand_distr::Distribution;

use super::super::{Server, View};
use super::Program;
use super::code::Op;
use super::resource::Resource;
use crate::engine::random::Draw as _;
use crate::engine::row::Row;
use crate::engine::time::SimDuration;
use crate::event::{Event, MAX_ROWS, Node, PackedEvent, RequestRow};
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
    fn trace_wait<const FULL: bool>(
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
        self.end_time(context, row, request);
        context.requests.progress_mut(request).step += 1;
        self.run(context, row, request)
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
    pub(super) fn follow<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        next: Next,
    ) -> Option<PackedEvent> {
        let mut next = next;
        loop {
            match next {
                Next::GoesOn(request) if self.is_halted(row) => {
                    self.hold(context, row, request);
                    return None;
                }
                Next::GoesOn(request) => next = self.step(context, row, request),
                Next::Stops(event) => return event,
            }
        }
    }

    /// Keeps a request from its next step for as long as nothing goes on at its server.
    fn hold<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        context.requests.progress_mut(request).phase = Phase::Runnable;
        self.program(row).runnable.push_back(request);
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
        self.service[row].program.as_ref().is_some_and(|program| {
            let step = context.requests.progress(request).step;
            matches!(program.code.ops[usize::from(step)], Op::Io(_))
        })
    }

    /// Takes one step of a request.
    fn step<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Next {
        let is_paused = self.in_flight[row].concurrency == 0;
        let program = self.program(row);
        let waits_for_core = program.has_cores_to_wait_for();
        let Program { code, streams, cores, .. } = program;
        let progress = context.requests.progress_mut(request);
        let at = usize::from(progress.step);
        match &code.ops[at] {
            Op::Service => self.serve(context, row, request),
            Op::Cpu(time) => {
                if waits_for_core
                    && !progress.holds_core
                    && let Some(cores) = cores
                {
                    if is_paused || !cores.try_take(context.now, 1) {
                        wait_for(context, cores, request, 1);
                        program.trace_wait(context, row, request, 0);
                        return Next::Stops(None);
                    }
                    progress.holds_core = true;
                }
                let time = time.draw(streams);
                self.work(context, row, request, time);
            }
            Op::Io(_) => return self.start_io(context, row, request),
            Op::Take(pool) => {
                let pool = *pool;
                return self.take_place(context, row, request, pool);
            }
            Op::Give => {
                progress.step += 1;
                self.give_place(context, row, request);
                return Next::GoesOn(request);
            }
            Op::Memory(amount) => {
                let amount = *amount;
                return self.take_memory(context, row, request, amount);
            }
            Op::Call(_) => return self.call(context, row, request),
            Op::Parallel(_) => return self.fork(context, row, request),
            Op::Choose { table, stream, starts } => {
                progress.step = starts[table.sample(&mut streams[usize::from(*stream)])];
                return Next::GoesOn(request);
            }
            Op::Repeat { min, max, stream, counter, after } => {
                let spread = u64::from(max - min) + 1;
                let more = streams[usize::from(*stream)].below(spread);
                let rounds = min + u32::try_from(more).unwrap_or(0);
                progress.rounds[usize::from(*counter)] = rounds;
                progress.step = if rounds == 0 { *after } else { progress.step + 1 };
                return Next::GoesOn(request);
            }
            Op::Again { counter, start } => {
                let rounds = &mut progress.rounds[usize::from(*counter)];
                *rounds -= 1;
                progress.step = if *rounds > 0 { *start } else { progress.step + 1 };
                return Next::GoesOn(request);
            }
            Op::Jump(to) => {
                progress.step = *to;
                return Next::GoesOn(request);
            }
            Op::Fail { probability, stream } => {
                if streams[usize::from(*stream)].chance(*probability) {
                    return self.finish(context, row, request, Outcome::Failed);
                }
                progress.step += 1;
                return Next::GoesOn(request);
            }
            Op::Failed => return self.finish(context, row, request, Outcome::Failed),
            Op::End => {
                let is_branch = progress.is_branch;
                let fails =
                    !is_branch && self.faults(row).is_some_and(super::super::fault::ServerFaults::fails);
                let outcome = if fails { Outcome::Failed } else { Outcome::Completed };
                return self.finish(context, row, request, outcome);
            }
        }
        Next::Stops(None)
    }

    /// Takes memory for a request, or lets it wait for it.
    fn take_memory<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        amount: u64,
    ) -> Next {
        let program = self.program(row);
        let Some(memory) = &mut program.memory else { return Next::Stops(None) };
        if memory.try_take(context.now, amount) {
            let progress = context.requests.progress_mut(request);
            progress.memory += amount;
            progress.step += 1;
            return Next::GoesOn(request);
        }
        wait_for(context, memory, request, amount);
        program.trace_wait(context, row, request, u16::from(program.cores.is_some()));
        self.release_core(context, row, request);
        Next::Stops(None)
    }

    /// Starts I/O of a request.
    fn start_io<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Next {
        self.release_core(context, row, request);
        let Program { code, streams, io, .. } = self.program(row);
        let step = usize::from(context.requests.progress(request).step);
        if let Op::Io(time) = &code.ops[step] {
            io.increment(context.now);
            start_time(context, Server::node(row), request, time.draw(streams));
        }
        Next::Stops(None)
    }

    /// Takes a place of a pool for a request, or lets it wait for one.
    fn take_place<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        pool: u8,
    ) -> Next {
        let program = self.program(row);
        let before = program.cores.iter().len() + program.memory.iter().len();
        let places = &mut program.pools[usize::from(pool)];
        if places.try_take(context.now, 1) {
            let progress = context.requests.progress_mut(request);
            progress.places.push(pool);
            progress.step += 1;
            return Next::GoesOn(request);
        }
        wait_for(context, places, request, 1);
        program.trace_wait(context, row, request, u16::from(pool) + u16::try_from(before).unwrap_or(0));
        self.release_core(context, row, request);
        Next::Stops(None)
    }

    /// Gives the place back that a request has taken last, which the next one takes.
    fn give_place<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        let Some(pool) = context.requests.progress_mut(request).places.pop() else { return };
        let program = self.program(row);
        program.pools[usize::from(pool)].give_back(context.now, 1);
        while let places = &mut program.pools[usize::from(pool)]
            && let Some(next) = places.grant(&context.requests, context.now)
        {
            end_wait(context, places, next, Activity::PoolWait);
            let progress = context.requests.progress_mut(next);
            progress.places.push(pool);
            progress.step += 1;
            program.make_runnable(context, row, next);
        }
    }

    /// Gives the core of a request back, which the next one takes.
    #[inline]
    pub(super) fn release_core<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        let progress = context.requests.progress_mut(request);
        if !std::mem::take(&mut progress.holds_core) {
            return;
        }
        let Some(cores) = &mut self.program(row).cores else { return };
        cores.give_back(context.now, 1);
        if cores.is_awaited() {
            self.grant_cores(context, row);
        }
    }

    /// Starts the computations of waiting requests, as far as there are cores.
    pub(in crate::model::server) fn grant_cores<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
    ) {
        let is_paused = self.in_flight[row].concurrency == 0;
        while let Some(program) = self.service[row].program.as_deref_mut().filter(|_| !is_paused)
            && let Program { code, streams, cores: Some(cores), .. } = program
            && let Some(request) = cores.grant(&context.requests, context.now)
        {
            end_wait(context, cores, request, Activity::CoreWait);
            let progress = context.requests.progress_mut(request);
            progress.holds_core = true;
            let Op::Cpu(time) = &code.ops[usize::from(progress.step)] else { continue };
            let time = time.draw(streams);
            self.work(context, row, request, time);
        }
    }

    /// Lets waiting requests take memory, as far as there is any.
    pub(super) fn grant_memory<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
    ) {
        let program = self.program(row);
        while let Some(memory) = &mut program.memory
            && let Some(request) = memory.grant(&context.requests, context.now)
        {
            end_wait(context, memory, request, Activity::MemoryWait);
            let progress = context.requests.progress_mut(request);
            if let Op::Memory(amount) = program.code.ops[usize::from(progress.step)] {
                progress.memory += amount;
            }
            progress.step += 1;
            program.make_runnable(context, row, request);
        }
    }

    /// Accounts the time of a step that took time.
    #[inline]
    pub(in crate::model::server) fn end_time<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        let program = self.service[row].program.as_deref_mut().expect("the request takes steps");
        let progress = context.requests.progress_mut(request);
        let is_io = matches!(program.code.ops[usize::from(progress.step)], Op::Io(_));
        if !is_io && program.pace.is_some() {
            return self.end_work(context, row, request);
        }
        let done = context.requests.get_mut(request);
        let time = context.now.since(done.since);
        done.service += time;
        let progress = context.requests.progress_mut(request);
        if is_io {
            progress.spent[Activity::Io] += time;
            program.io.decrement(context.now);
            return;
        }
        progress.spent[Activity::Cpu] += time;
        if let Some(left) = &mut progress.left {
            *left = *left - time;
        }
    }

    /// Ends a request, or a branch, whose steps are done or have failed.
    pub(super) fn finish<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        outcome: Outcome,
    ) -> Next {
        self.release_all(context, row, request);
        if context.requests.progress(request).is_branch {
            return self.end_branch(context, row, request, outcome);
        }
        let progress = context.requests.progress_mut(request);
        progress.phase = Phase::Outside;
        progress.left = None;
        let Progress { endpoint, spent, .. } = *progress;
        let program = self.program(row);
        if program.cores.is_some() {
            program.cpu_time.record(spent[Activity::Cpu].as_nanos());
        }
        let counters = &mut program.endpoints[usize::from(endpoint)];
        counters.completed += 1;
        counters.latency.record(spent.total().as_nanos());
        counters.spent += spent;
        if outcome == Outcome::Failed {
            counters.failed += 1;
            context.requests.get_mut(request).outcome = Some(outcome);
        }
        Next::Stops(self.leave(context, row, request, spent.service()))
    }

    /// Gives back the core, the places and the memory of a request that ends.
    pub(super) fn release_all<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        self.release_core(context, row, request);
        while !context.requests.progress(request).places.is_empty() {
            self.give_place(context, row, request);
        }
        let held = std::mem::take(&mut context.requests.progress_mut(request).memory);
        if held > 0
            && let Some(memory) = &mut self.program(row).memory
        {
            memory.give_back(context.now, held);
            self.grant_memory(context, row);
        }
    }

    /// The program of a server that has one.
    pub(in crate::model::server) fn program(&mut self, row: Row<Server>) -> &mut Program {
        self.service[row].program.as_deref_mut().expect("the server has a program")
    }
}

/// Starts a step that takes time: schedules its end.
pub(in crate::model::server) fn start_time<const FULL: bool>(
    context: &mut Context<'_, FULL>,
    node: Node,
    request: RequestRow,
    time: SimDuration,
) {
    context.requests.progress_mut(request).phase = Phase::Timed;
    context.requests.get_mut(request).since = context.now;
    let done = context.now + time;
    let end = Event::Wake { node, request }.pack();
    let may_be_interrupted = context.requests.progress(request).left.is_some();
    if context.requests.place(request) == CallPlace::Untracked && !may_be_interrupted {
        context.queue.schedule(done, end);
    } else {
        let end = context.queue.schedule_cancellable(done, end);
        context.requests.set_pending(request, end);
    }
    context.trace(request, || TraceEvent::Started { node, done });
}

/// Lets a request wait for a resource.
fn wait_for<const FULL: bool>(
    context: &mut Context<'_, FULL>,
    resource: &mut Resource,
    request: RequestRow,
    amount: u64,
) {
    context.requests.progress_mut(request).phase = Phase::Waiting;
    context.requests.get_mut(request).since = context.now;
    resource.wait(&context.requests, context.now, request, amount);
}

/// Accounts the wait of a request for a resource.
pub(super) fn end_wait<const FULL: bool>(
    context: &mut Context<'_, FULL>,
    resource: &mut Resource,
    request: RequestRow,
    activity: Activity,
) {
    let waiting = context.requests.get_mut(request);
    let wait = context.now.since(waiting.since);
    waiting.waiting += wait;
    waiting.since = context.now;
    context.requests.progress_mut(request).spent[activity] += wait;
    resource.wait.record(wait.as_nanos());
}
