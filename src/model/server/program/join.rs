//! What a request waits for: calls to other nodes, and branches of its own.
//!
//! A branch is a call of a server to itself: a request with a parent that takes its steps at the same server, without a
//! slot of its own. A branch that consists of a call is the call itself.
//!
//! While a request waits, it holds its slot and its memory. If a call fails, or takes longer than its timeout, the request
//! takes the steps for that case, or the server answers it with an error ([`Outcome::Failed`]). A call that nobody waits for
//! (`wait: false`) has no effect on the request.
//!
//! Without a timeout, a call that is lost fails at once: its caller learns it in the instant of the loss, as from a
//! connection that is reset, since it would otherwise hold the slot for ever. A caller with a timeout does not learn it,
//! and waits for the timeout.
//!
//! A call that was given up goes on, and costs what it costs. With `cancel: true`, a cancellation follows it. Where it
//! finds the call, the call ends: it leaves the queue or the slot, and what it waits for itself is given up in turn.

use std::ops::Range;
use std::sync::Arc;

use super::super::{Server, View, free_slot};
use super::code::{Branch, Call, Code, Op, Parallel};
use super::run::Next;
use super::runner::end_wait;
use super::{CallCounters, Program};
use crate::engine::queue::EventKey;
use crate::engine::row::Row;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, Node, PackedEvent, RequestRow};
use crate::model::Context;
use crate::model::part::Part;
use crate::model::trace::TraceEvent;
use crate::request::Outcome;
use crate::request::call::CallPlace;
use crate::request::progress::{Activity, Phase, Progress};

impl View<'_> {
    /// Makes the call that is the next step of a request.
    #[inline(never)]
    pub(super) fn call<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Next {
        self.running(row).release_core(context, request);
        if self.postpone(context, row, request) {
            return Next::Stops(None);
        }
        let program = self.program(row);
        let step = context.requests.progress(request).step;
        let Op::Call(Call { wait, timeout, cancel, .. }) = program.code.ops[usize::from(step)] else {
            unreachable!("the next step is a call")
        };
        let (call, sent) = program.send_call(context, row, request, step);
        if !wait {
            context.follow_ups.extend(sent);
            context.requests.progress_mut(request).step += 1;
            return Next::GoesOn(request);
        }
        let timeout = timeout.map_or(EventKey::NONE, |timeout| {
            let event = Event::Timeout { request }.pack();
            context.queue.schedule_cancellable(context.now + timeout, event)
        });
        context.requests.begin_wait(context.now, request, 1, timeout);
        context.requests.await_call(call, cancel);
        context.requests.progress_mut(request).phase = Phase::Joining;
        program.calls.waiting.increment(context.now);
        context.trace(request, || TraceEvent::Called { node: Server::node(row), call });
        Next::Stops(sent)
    }

    /// Starts the branches that are the next step of a request.
    #[inline(never)]
    pub(super) fn fork<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Next {
        self.running(row).release_core(context, request);
        if self.postpone(context, row, request) {
            return Next::Stops(None);
        }
        let program = self.program(row);
        let code = Arc::clone(&program.code);
        let &Progress { step, .. } = context.requests.progress(request);
        let Op::Parallel(Parallel { branches, needed, cancel, .. }) = &code.ops[usize::from(step)] else {
            unreachable!("the next step starts branches")
        };
        context.requests.begin_wait(context.now, request, *needed, EventKey::NONE);
        context.requests.progress_mut(request).phase = Phase::Joining;
        program.calls.waiting.increment(context.now);
        for branch in branches {
            let child = match *branch {
                Branch::Steps(start) => program.start_branch(context, row, request, start),
                Branch::Call(step) => {
                    let (call, sent) = program.send_call(context, row, request, step);
                    context.follow_ups.extend(sent);
                    call
                }
            };
            context.requests.await_call(child, *cancel || cancels(&code, *branch));
            if let Branch::Steps(_) = branch {
                // It is where a cancellation ends it.
                context.requests.set_place(child, CallPlace::InSlot);
            }
            context.trace(request, || TraceEvent::Called { node: Server::node(row), call: child });
        }
        Next::Stops(None)
    }

    /// Lets a request take its next step, which needs free rows of the pool of requests, in an event of its own, if there
    /// are not enough. Returns whether it does.
    fn postpone<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> bool {
        let is_short = !context.requests.has_room();
        if is_short {
            self.program(row).make_runnable(context, row, request);
        }
        is_short
    }

    /// Ends a call whose response has reached its caller. The request that waited for it goes on.
    #[cold]
    pub(in crate::model::server) fn end_call<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        call: RequestRow,
    ) -> Option<PackedEvent> {
        let outcome = if self.configs[row].is_down() {
            // Its response is lost.
            Outcome::Dropped
        } else {
            context.requests.get(call).outcome.expect("a call that gets a response has an outcome")
        };
        context.trace(call, || TraceEvent::Over { outcome });
        let is_awaited = context.requests.call_state(call).is_some_and(|state| state.is_awaited);
        let request = context.requests.finish_call(context.now, call, outcome);
        if is_awaited && outcome.is_failure() {
            self.program(row).calls.failed += 1;
        }
        let request = request?;
        let time = context.now.since(context.requests.get(request).since);
        context.requests.progress_mut(request).spent[Activity::Calls] += time;
        let next = self.end_join(context, row, request, outcome);
        self.follow(context, row, next)
    }

    /// Ends a branch whose steps are done or have failed. The request that waited for it goes on.
    #[inline(never)]
    pub(super) fn end_branch<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        branch: RequestRow,
        outcome: Outcome,
    ) -> Next {
        context.trace(branch, || TraceEvent::Over { outcome });
        let spent = context.requests.progress(branch).spent;
        self.note_waste(context, row, branch, spent.service());
        let request = context.requests.finish_call(context.now, branch, outcome);
        self.program(row).branches -= 1;
        if self.in_flight[row].is_draining {
            self.leave_if_empty(context, row);
        }
        let Some(request) = request else { return Next::Stops(None) };
        context.requests.progress_mut(request).spent += spent;
        self.end_join(context, row, request, outcome)
    }

    /// Ends the wait of a request for calls or branches. It goes on, or fails if this outcome of the last one is a
    /// failure that it does not handle.
    fn end_join<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        outcome: Outcome,
    ) -> Next {
        context.cancel_pending(request);
        context.abandon_calls(request);
        let time = context.now.since(context.requests.get(request).since);
        self.program(row).calls.end_wait(context.now, time);
        if outcome.is_failure() {
            return self.fail(context, row, request);
        }
        context.requests.progress_mut(request).step += 1;
        Next::GoesOn(request)
    }

    /// Makes a request take the steps that follow the failure of its call or its branches.
    fn fail<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Next {
        let progress = context.requests.progress_mut(request);
        progress.step = self.program(row).code.on_failure(progress.step);
        Next::GoesOn(request)
    }

    /// Gives up the call that a request waits for, because of its timeout.
    #[cold]
    pub(in crate::model::server) fn give_up<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        context.requests.take_pending(request);
        context.trace(request, || TraceEvent::GaveUp { node: Server::node(row) });
        self.abandon(context, row, request);
        if let Some(link) = context.requests.take_lost_by(request) {
            let waited = context.now.since(context.requests.get(request).since);
            context.links[Row::new(link)].waited_in_vain += waited;
        }
        let calls = &mut self.program(row).calls;
        calls.failed += 1;
        calls.timed_out += 1;
        let next = self.fail(context, row, request);
        self.follow(context, row, next)
    }

    /// Makes a request stop waiting for its calls and branches, and cancels those that may be cancelled.
    fn abandon<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        context.abandon_calls(request);
        context.requests.give_up_wait(context.now, request);
        let time = context.now.since(context.requests.get(request).since);
        context.requests.progress_mut(request).spent[Activity::Calls] += time;
        self.program(row).calls.end_wait(context.now, time);
    }

    /// Ends a call that is in the queue or in a slot, or a branch, because it has been cancelled.
    #[cold]
    pub(in crate::model::server) fn end_cancelled<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        call: RequestRow,
    ) {
        let outcome = Outcome::TimedOut;
        if !context.requests.progress(call).is_branch {
            self.configs[row].cancelled += 1;
        }
        context.trace(call, || TraceEvent::Over { outcome });
        if context.requests.place(call) == CallPlace::Queued {
            // Its patience.
            context.cancel_pending(call);
            self.queues[row].end_call(&mut context.requests, call, outcome, context.now);
        } else {
            self.end_in_slot(context, row, call, outcome);
        }
        if self.in_flight[row].is_draining {
            self.leave_if_empty(context, row);
        }
    }

    /// Ends a call in a slot, or a branch, whose service or steps are not over.
    fn end_in_slot<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        call: RequestRow,
        outcome: Outcome,
    ) {
        context.cancel_pending(call);
        self.faults(row).into_iter().for_each(|faults| faults.forget(call));
        let is_branch = context.requests.progress(call).is_branch;
        let worked = if self.service[row].program.is_some() {
            self.cut_off(context, row, call);
            context.requests.progress(call).spent.service()
        } else {
            let served = context.requests.get_mut(call);
            let time = context.now.since(served.since);
            served.service += time;
            time
        };
        self.note_waste(context, row, call, worked);
        context.requests.finish_call(context.now, call, outcome);
        if is_branch {
            self.program(row).branches -= 1;
            return;
        }
        if self.rules(row).is_some() {
            return self.free_slots(context, row, call);
        }
        let server = (
            &mut self.in_flight[row],
            &mut self.queues[row],
            &mut self.counters[row],
            &mut self.service[row],
        );
        free_slot(context, row, server, &mut self.configs);
    }

    /// Ends the current step of a request, and gives back what it holds.
    fn cut_off<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        let Progress { phase, step, .. } = *context.requests.progress(request);
        match phase {
            Phase::Working | Phase::InIo => self.running(row).end_time(context, request),
            Phase::Joining => self.abandon(context, row, request),
            Phase::Runnable => self.program(row).remove_runnable(request),
            Phase::Waiting => self.stop_waiting(context, row, request, step),
            Phase::Outside => {}
        }
        self.running(row).release_all(context, request);
    }

    /// Lets a request leave the queue of the resource that its step needs.
    fn stop_waiting<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        step: u16,
    ) {
        let Program { code, cores, memory, pools, .. } = self.program(row);
        let op = &code.ops[usize::from(step)];
        let (resource, activity) = if let Op::Memory(_) = op {
            (memory.as_mut(), Activity::MemoryWait)
        } else if let Op::Take(pool) = op {
            (pools.get_mut(usize::from(*pool)), Activity::PoolWait)
        } else {
            (cores.as_mut(), Activity::CoreWait)
        };
        let resource = resource.expect("a request waits for a resource that is there");
        resource.leave(context.now);
        end_wait(context, resource, request, activity);
        if activity == Activity::MemoryWait {
            // Those behind it may need less.
            self.running(row).grant_memory(context);
        }
    }

    /// Takes the requests that hold slots of servers with programs, which go down: all that they hold is given back, and
    /// what they wait for ends without effect on them. Branches end at once. In order of creation.
    pub(in crate::model::server) fn take_from_programs<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        rows: &Range<u32>,
    ) -> Vec<RequestRow> {
        let is_here = |node: Node| node.kind() == Server::KIND && rows.contains(&node.row());
        for row in rows.clone().map(Row::new) {
            if let Some(program) = &mut self.service[row].program {
                program.runnable.clear();
                program.pace.iter_mut().for_each(|pace| pace.clear());
                program.resources().for_each(|resource| resource.clear(context.now));
                program.io.set(context.now, 0);
            }
        }
        let mut held = context.requests.in_steps(is_here);
        held.retain(|&request| {
            let row = Row::new(context.requests.get(request).server.row());
            self.drop_steps(context, row, request)
        });
        held
    }

    /// Ends the steps of a request at a server that has gone down. Returns whether it held a slot: a branch does not, and
    /// ends.
    fn drop_steps<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> bool {
        let time = context.now.since(context.requests.get(request).since);
        let Progress { phase, is_branch, .. } = *context.requests.progress(request);
        match phase {
            // Its event has been removed from the queue.
            Phase::Working | Phase::InIo => {
                context.requests.take_pending(request);
                context.requests.get_mut(request).service += time;
            }
            Phase::Waiting => context.requests.get_mut(request).waiting += time,
            Phase::Joining => {
                context.cancel_pending(request);
                // Nobody is left to cancel its calls.
                context.requests.abandon_calls(request, |_, _| {});
                context.requests.give_up_wait(context.now, request);
                self.program(row).calls.waiting.decrement(context.now);
            }
            Phase::Runnable | Phase::Outside => {}
        }
        if is_branch {
            let outcome = Outcome::Dropped;
            context.trace(request, || TraceEvent::Over { outcome });
            self.program(row).branches -= 1;
            context.requests.finish_call(context.now, request, outcome);
            return false;
        }
        let progress = context.requests.progress_mut(request);
        *progress = progress.at_start();
        true
    }
}

impl Program {
    /// Makes the call of a step for a request. Returns it, and the event that follows in the same instant, if any.
    fn send_call<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        step: u16,
    ) -> (RequestRow, Option<PackedEvent>) {
        let Op::Call(Call { to, endpoint, ref size, .. }) = self.code.ops[usize::from(step)] else {
            unreachable!("the step is a call")
        };
        self.calls.made += 1;
        let size = size.as_ref().map_or(0, |size| size.draw_size(&mut self.streams));
        let (call, sent) = context.call(Server::node(row), request, &self.called[usize::from(to)], size);
        context.requests.progress_mut(call).asked = endpoint;
        (call, sent)
    }

    /// Starts a branch of a request, at this operation.
    fn start_branch<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        start: u16,
    ) -> RequestRow {
        let node = Server::node(row);
        let branch = context.branch(node, request);
        let endpoint = context.requests.progress(request).endpoint;
        *context.requests.progress_mut(branch) =
            Progress { endpoint, step: start, is_branch: true, ..Progress::NONE };
        self.branches += 1;
        self.make_runnable(context, row, branch);
        branch
    }
}

impl CallCounters {
    /// Ends the wait of a request, which took this time.
    fn end_wait(&mut self, now: SimTime, time: SimDuration) {
        self.time.record(time.as_nanos());
        self.waiting.decrement(now);
    }
}

/// Whether a cancellation follows the call of a branch if it is given up.
fn cancels(code: &Code, branch: Branch) -> bool {
    match branch {
        Branch::Steps(_) => false,
        Branch::Call(step) => {
            if let Op::Call(call) = &code.ops[usize::from(step)] {
                call.cancel
            } else {
                false
            }
        }
    }
}

impl Code {
    /// Where a request goes on if the call or the branches of a step fail.
    fn on_failure(&self, step: u16) -> u16 {
        let op = &self.ops[usize::from(step)];
        if let Op::Call(Call { on_failure, .. }) | Op::Parallel(Parallel { on_failure, .. }) = op {
            on_failure.unwrap_or(self.failed)
        } else {
            self.failed
        }
    }
}
