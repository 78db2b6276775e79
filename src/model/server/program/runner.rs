//! Takes the steps of requests at a server, as far as they need only its program: steps that compute or wait for I/O, that
//! use a resource, and that decide which step is the next.

use rand_distr::Distribution;

use super::super::fault::ServerFaults;
use super::super::{InFlight, Server, View};
use super::Program;
use super::code::Op;
use super::resource::Resource;
use crate::engine::random::Draw as _;
use crate::engine::row::Row;
use crate::engine::time::SimDuration;
use crate::event::{Event, Node, RequestRow};
use crate::model::Context;
use crate::model::part::Part;
use crate::model::trace::TraceEvent;
use crate::request::Outcome;
use crate::request::call::CallPlace;
use crate::request::progress::{Activity, Phase, Progress};

/// The program of a server, with what its steps depend on besides. It is made once for all steps of an event: each look at a
/// column costs time.
pub(in crate::model::server) struct Runner<'a> {
    pub(super) row: Row<Server>,
    pub(super) program: &'a mut Program,
    pub(super) in_flight: &'a InFlight,
    pub(super) faults: Option<&'a mut ServerFaults>,
}

/// What a request has stopped for that concerns more than the program.
pub(super) enum Stop {
    /// Its next step is the service time of the server.
    Service,
    /// Its next step is a call.
    Call,
    /// Its next step starts branches.
    Parallel,
    /// Its steps are done, or have failed.
    Ends(Outcome),
}

impl View<'_> {
    /// The program of a server, or `None` if it has none.
    #[inline]
    pub(in crate::model::server) fn runner(&mut self, row: Row<Server>) -> Option<Runner<'_>> {
        let program = self.service[row].program.as_deref_mut()?;
        let faults = self.configs[row].faults.as_deref_mut();
        Some(Runner { row, program, in_flight: &self.in_flight[row], faults })
    }

    /// The program of a server that has one, to take steps.
    #[inline]
    pub(in crate::model::server) fn running(&mut self, row: Row<Server>) -> Runner<'_> {
        self.runner(row).expect("the server has a program")
    }

    /// The program of a server that has one.
    pub(in crate::model::server) fn program(&mut self, row: Row<Server>) -> &mut Program {
        self.service[row].program.as_deref_mut().expect("the server has a program")
    }
}

impl Runner<'_> {
    fn node(&self) -> Node {
        Server::node(self.row)
    }

    /// Whether no service begins, and no computation that needs a core.
    const fn is_paused(&self) -> bool {
        self.in_flight.concurrency == 0
    }

    /// Takes the steps of a request until it has to wait, or until a step concerns more than the program: returns what for.
    pub(super) fn take_steps<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
    ) -> Option<Stop> {
        if self.faults.as_ref().is_some_and(|faults| faults.is_paused()) {
            self.hold(context, request);
            return None;
        }
        let (is_paused, waits_for_core) = (self.is_paused(), self.program.has_cores_to_wait_for());
        loop {
            let Program { code, streams, cores, .. } = &mut *self.program;
            let progress = context.requests.progress_mut(request);
            match &code.ops[usize::from(progress.step)] {
                Op::Service => return Some(Stop::Service),
                Op::Cpu(time) => {
                    if waits_for_core
                        && !progress.holds_core
                        && let Some(cores) = cores
                    {
                        if is_paused || !cores.try_take(context.now, 1) {
                            wait_for(context, cores, request, 1);
                            self.program.trace_wait(context, self.row, request, 0);
                            return None;
                        }
                        progress.holds_core = true;
                    }
                    let time = time.draw(streams);
                    self.work(context, request, time);
                    return None;
                }
                Op::Io(_) => {
                    self.start_io(context, request);
                    return None;
                }
                Op::Take(pool) => {
                    let pool = *pool;
                    if !self.take_place(context, request, pool) {
                        return None;
                    }
                }
                Op::Give => {
                    progress.step += 1;
                    self.give_place(context, request);
                }
                Op::Memory(amount) => {
                    let amount = *amount;
                    if !self.take_memory(context, request, amount) {
                        return None;
                    }
                }
                Op::Call(_) => return Some(Stop::Call),
                Op::Parallel(_) => return Some(Stop::Parallel),
                Op::Choose { table, stream, starts } => {
                    progress.step = starts[table.sample(&mut streams[usize::from(*stream)])];
                }
                Op::Repeat { min, max, stream, counter, after } => {
                    let spread = u64::from(max - min) + 1;
                    let more = streams[usize::from(*stream)].below(spread);
                    let rounds = min + u32::try_from(more).unwrap_or(0);
                    progress.rounds[usize::from(*counter)] = rounds;
                    progress.step = if rounds == 0 { *after } else { progress.step + 1 };
                }
                Op::Again { counter, start } => {
                    let rounds = &mut progress.rounds[usize::from(*counter)];
                    *rounds -= 1;
                    progress.step = if *rounds > 0 { *start } else { progress.step + 1 };
                }
                Op::Jump(to) => progress.step = *to,
                Op::Fail { probability, stream } => {
                    if streams[usize::from(*stream)].chance(*probability) {
                        return Some(Stop::Ends(Outcome::Failed));
                    }
                    progress.step += 1;
                }
                Op::Failed => return Some(Stop::Ends(Outcome::Failed)),
                Op::End => {
                    let fails =
                        !progress.is_branch && self.faults.as_mut().is_some_and(|faults| faults.fails());
                    return Some(Stop::Ends(if fails { Outcome::Failed } else { Outcome::Completed }));
                }
            }
        }
    }

    /// Keeps a request from its next step for as long as nothing goes on at its server.
    fn hold<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, request: RequestRow) {
        context.requests.progress_mut(request).phase = Phase::Runnable;
        self.program.runnable.push_back(request);
    }

    /// Takes memory for a request, or lets it wait for it. Returns whether it has it.
    fn take_memory<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
        amount: u64,
    ) -> bool {
        let Program { memory: Some(memory), cores, .. } = &mut *self.program else { return false };
        if memory.try_take(context.now, amount) {
            let progress = context.requests.progress_mut(request);
            progress.memory += amount;
            progress.step += 1;
            return true;
        }
        wait_for(context, memory, request, amount);
        let index = u16::from(cores.is_some());
        self.program.trace_wait(context, self.row, request, index);
        self.release_core(context, request);
        false
    }

    /// Starts I/O of a request.
    fn start_io<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, request: RequestRow) {
        self.release_core(context, request);
        let node = self.node();
        let Program { code, streams, io, .. } = &mut *self.program;
        let step = usize::from(context.requests.progress(request).step);
        if let Op::Io(time) = &code.ops[step] {
            io.increment(context.now);
            let time = time.draw(streams);
            start_time(context, node, request, Phase::InIo, time);
        }
    }

    /// Takes a place of a pool for a request, or lets it wait for one. Returns whether it has it.
    fn take_place<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
        pool: u8,
    ) -> bool {
        let Program { cores, memory, pools, .. } = &mut *self.program;
        let before = cores.iter().len() + memory.iter().len();
        let places = &mut pools[usize::from(pool)];
        if places.try_take(context.now, 1) {
            let progress = context.requests.progress_mut(request);
            progress.places.push(pool);
            progress.step += 1;
            return true;
        }
        wait_for(context, places, request, 1);
        let index = u16::from(pool) + u16::try_from(before).unwrap_or(0);
        self.program.trace_wait(context, self.row, request, index);
        self.release_core(context, request);
        false
    }

    /// Gives the place back that a request has taken last, which the next one takes.
    fn give_place<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, request: RequestRow) {
        let Some(pool) = context.requests.progress_mut(request).places.pop() else { return };
        self.program.pools[usize::from(pool)].give_back(context.now, 1);
        while let places = &mut self.program.pools[usize::from(pool)]
            && let Some(next) = places.grant(&context.requests, context.now)
        {
            end_wait(context, places, next, Activity::PoolWait);
            let progress = context.requests.progress_mut(next);
            progress.places.push(pool);
            progress.step += 1;
            self.program.make_runnable(context, self.row, next);
        }
    }

    /// Gives the core of a request back, which the next one takes.
    #[inline]
    pub(super) fn release_core<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
    ) {
        let progress = context.requests.progress_mut(request);
        if !std::mem::take(&mut progress.holds_core) {
            return;
        }
        let Some(cores) = &mut self.program.cores else { return };
        cores.give_back(context.now, 1);
        if cores.is_awaited() {
            self.grant_cores(context);
        }
    }

    /// Starts the computations of waiting requests, as far as there are cores.
    pub(in crate::model::server) fn grant_cores<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
    ) {
        if self.is_paused() {
            return;
        }
        while let Program { code, streams, cores: Some(cores), .. } = &mut *self.program
            && let Some(request) = cores.grant(&context.requests, context.now)
        {
            end_wait(context, cores, request, Activity::CoreWait);
            let progress = context.requests.progress_mut(request);
            progress.holds_core = true;
            let Op::Cpu(time) = &code.ops[usize::from(progress.step)] else { continue };
            let time = time.draw(streams);
            self.work(context, request, time);
        }
    }

    /// Lets waiting requests take memory, as far as there is any.
    pub(super) fn grant_memory<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>) {
        while let Program { code, memory: Some(memory), .. } = &mut *self.program
            && let Some(request) = memory.grant(&context.requests, context.now)
        {
            end_wait(context, memory, request, Activity::MemoryWait);
            let progress = context.requests.progress_mut(request);
            if let Op::Memory(amount) = code.ops[usize::from(progress.step)] {
                progress.memory += amount;
            }
            progress.step += 1;
            self.program.make_runnable(context, self.row, request);
        }
    }

    /// Accounts the time of a step that took time.
    pub(in crate::model::server) fn end_time<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
    ) {
        let is_io = context.requests.progress(request).phase == Phase::InIo;
        if !is_io && self.program.pace.is_some() {
            return self.end_work(context, request);
        }
        let done = context.requests.get_mut(request);
        let time = context.now.since(done.since);
        done.service += time;
        let progress = context.requests.progress_mut(request);
        if is_io {
            progress.spent[Activity::Io] += time;
            self.program.io.decrement(context.now);
            return;
        }
        progress.spent[Activity::Cpu] += time;
        if let Some(left) = &mut progress.left {
            *left = *left - time;
        }
    }

    /// Counts a request whose steps are done or have failed. Returns how long it was served.
    pub(super) fn count<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
        outcome: Outcome,
    ) -> SimDuration {
        let progress = context.requests.progress_mut(request);
        progress.phase = Phase::Outside;
        progress.left = None;
        let &mut Progress { endpoint, ref spent, .. } = progress;
        if self.program.cores.is_some() {
            self.program.cpu_time.record(spent[Activity::Cpu].as_nanos());
        }
        let counters = &mut self.program.endpoints[usize::from(endpoint)];
        counters.completed += 1;
        counters.latency.record(spent.total().as_nanos());
        counters.spent += *spent;
        let served = spent.service();
        if outcome == Outcome::Failed {
            counters.failed += 1;
            context.requests.get_mut(request).outcome = Some(outcome);
        }
        served
    }

    /// Gives back the core, the places and the memory of a request that ends.
    pub(super) fn release_all<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
    ) {
        self.release_core(context, request);
        while !context.requests.progress(request).places.is_empty() {
            self.give_place(context, request);
        }
        let held = std::mem::take(&mut context.requests.progress_mut(request).memory);
        if held > 0
            && let Some(memory) = &mut self.program.memory
        {
            memory.give_back(context.now, held);
            self.grant_memory(context);
        }
    }
}

/// Starts what takes time, in this phase: schedules its end.
pub(in crate::model::server) fn start_time<const FULL: bool>(
    context: &mut Context<'_, FULL>,
    node: Node,
    request: RequestRow,
    phase: Phase,
    time: SimDuration,
) {
    let progress = context.requests.progress_mut(request);
    progress.phase = phase;
    let may_be_cancelled = progress.place != CallPlace::Untracked || progress.left.is_some();
    context.requests.get_mut(request).since = context.now;
    let done = context.now + time;
    let end = Event::Wake { node, request }.pack();
    if may_be_cancelled {
        let end = context.queue.schedule_cancellable(done, end);
        context.requests.set_pending(request, end);
    } else {
        context.queue.schedule(done, end);
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
