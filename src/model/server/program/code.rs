//! The program of a server: the steps of its endpoints as a list of operations, which the servers of a group share.
//!
//! Steps inside steps become jumps: `Choose([(0.9, [A]), (0.1, [B])])` is the operations `Choose`, A, a jump to the end,
//! B. So a request needs no stack, only the index of its operation and the number of rounds that are left of each loop.

use super::call_spec::{CallSpec, OnFailure};
use super::spec::{EndpointSpecs, JoinSpec, StepSpec};
use crate::engine::distribution::{AliasTable, DistributionSpec, Sampler};
use crate::engine::random::RandomStream;
use crate::engine::time::SimDuration;
use crate::engine::units::Quantity;
use crate::model::build::CHECKED;
use crate::model::names::Names;
use crate::request::progress::Progress;

/// The program of a server.
#[derive(Clone, Debug)]
pub(super) struct Code {
    /// The operations of all endpoints, one after the other.
    pub(super) ops: Box<[Op]>,
    /// The operation of a request that fails because a call or a branch did.
    pub(super) failed: u16,
    /// The endpoints, in the order of the scenario.
    pub(super) endpoints: Box<[Endpoint]>,
    /// Their names; empty if the program is that of a server with a service time.
    pub(super) names: Box<[String]>,
    /// The names of the pools, in the order of the scenario.
    pub(super) pools: Box<[String]>,
    /// Picks an endpoint by weight, if there are several.
    pub(super) by_weight: Option<AliasTable>,
    /// The nodes that the program calls, each once for every call step.
    pub(super) called: Vec<String>,
    /// For each operation that draws random numbers, its place: the purpose of its stream.
    pub(super) draws: Vec<String>,
}

/// An endpoint of a program.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// Its number among the endpoints of the scenario, or [`Progress::ANY`] if it has no name.
    pub(super) id: u16,
    /// Its first operation.
    pub(super) start: u16,
}

/// An operation. Those that draw random numbers have the index of their stream.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Takes the service time of the server.
    Service,
    /// Computes.
    Cpu(Draw),
    /// Waits for I/O, or sleeps.
    Io(Draw),
    /// Takes a place of the pool with this index.
    Take(u8),
    /// Gives the place back that was taken last.
    Give,
    /// Takes memory.
    Memory(u64),
    /// Makes a call.
    Call(Call),
    /// Starts branches.
    Parallel(Parallel),
    /// Continues at one of several operations.
    Choose { table: AliasTable, stream: u16, starts: Box<[u16]> },
    /// Enters a loop: draws the number of its rounds. Continues at `after` if there are none.
    Repeat { min: u32, max: u32, stream: u16, counter: u8, after: u16 },
    /// Ends a round of a loop: starts the next one, if any.
    Again { counter: u8, start: u16 },
    /// Continues at another operation.
    Jump(u16),
    /// Fails with a probability.
    Fail { probability: f64, stream: u16 },
    /// The request, or the branch, has failed.
    Failed,
    /// The request, or the branch, is done.
    End,
}

/// A time, or a size, that is drawn.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    pub(super) law: Sampler,
    pub(super) stream: u16,
}

impl Draw {
    /// Draws the time.
    #[inline]
    pub(super) fn draw(&self, streams: &mut [RandomStream]) -> SimDuration {
        self.law.sample_duration(&mut streams[usize::from(self.stream)])
    }

    /// Draws the size in bytes.
    pub(super) fn draw_size(&self, streams: &mut [RandomStream]) -> u32 {
        self.law.sample_bytes(&mut streams[usize::from(self.stream)])
    }
}

/// A call of a program.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Index among the nodes that the program calls.
    pub(super) to: u16,
    /// Number of the endpoint that it asks for, or [`Progress::ANY`].
    pub(super) endpoint: u16,
    /// The size of its request in bytes, or `None` if it has none.
    pub(super) size: Option<Box<Draw>>,
    pub(super) wait: bool,
    /// How long the server waits at most, or `None` without a limit.
    pub(super) timeout: Option<SimDuration>,
    /// Whether a cancellation follows a call that was given up.
    pub(super) cancel: bool,
    /// Where the request goes on if the call fails; `None` if it fails as well.
    pub(super) on_failure: Option<u16>,
}

/// Branches of a program.
#[derive(Clone, Debug)]
pub(super) struct Parallel {
    pub(super) branches: Box<[Branch]>,
    /// How many have to succeed.
    pub(super) needed: u16,
    /// Whether those that are given up are cancelled.
    pub(super) cancel: bool,
    /// Where the request goes on if too many fail; `None` if it fails as well.
    pub(super) on_failure: Option<u16>,
}

/// A branch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Branch {
    /// Steps that start at this operation.
    Steps(u16),
    /// The call of this operation, and nothing else: needs no request for the branch itself.
    Call(u16),
}

impl Code {
    /// The program of a server with a service time, after which it makes calls.
    pub(super) fn of_service(calls: &[CallSpec], names: &Names) -> Self {
        let mut compiler = Compiler::new(&[], names);
        compiler.ops.push(Op::Service);
        for call in calls {
            compiler.call(call, "call");
        }
        compiler.ops.push(Op::End);
        compiler.finish(vec![Endpoint { id: Progress::ANY, start: 0 }], Box::default(), None)
    }

    /// The program of a server with endpoints and with pools of these names.
    pub(super) fn of_endpoints(specs: &EndpointSpecs, pools: &[&str], names: &Names) -> Self {
        let mut compiler = Compiler::new(pools, names);
        let endpoints = specs.iter().map(|(name, spec)| {
            let start = compiler.here();
            // In quotes, so that no step of one endpoint has the same place as a step of another.
            compiler.steps(&spec.steps, &format!("{name:?}"));
            compiler.ops.push(Op::End);
            Endpoint { id: names.endpoint(name).expect(CHECKED), start }
        });
        let endpoints: Vec<_> = endpoints.collect();
        let weights: Vec<f64> = specs.values().map(|spec| spec.weight).collect();
        let by_weight = (endpoints.len() > 1).then(|| AliasTable::new(&weights));
        compiler.finish(endpoints, specs.keys().cloned().collect(), by_weight)
    }

    /// The index of the endpoint with this number, or `None` if there is none.
    #[inline]
    pub(super) fn endpoint(&self, id: u16) -> Option<u16> {
        if id == Progress::ANY {
            return None;
        }
        (0..).zip(&self.endpoints).find(|(_, endpoint)| endpoint.id == id).map(|(index, _)| index)
    }

    /// Whether the time of any step has no finite variance.
    pub(super) fn is_heavy_tailed(&self) -> bool {
        let is_one = |op: &Op| match op {
            Op::Cpu(draw) | Op::Io(draw) => draw.law.sd().is_infinite(),
            Op::Service
            | Op::Take(_)
            | Op::Give
            | Op::Memory(_)
            | Op::Call(_)
            | Op::Parallel(_)
            | Op::Choose { .. }
            | Op::Repeat { .. }
            | Op::Again { .. }
            | Op::Jump(_)
            | Op::Fail { .. }
            | Op::Failed
            | Op::End => false,
        };
        self.ops.iter().any(is_one)
    }

    /// Whether any call may be given up.
    pub(super) fn have_timeouts(&self) -> bool {
        self.ops.iter().any(|op| if let Op::Call(call) = op { call.timeout.is_some() } else { false })
    }
}

/// Maximum number of operations of a program.
pub(super) const MAX_OPS: usize = u16::MAX as usize;

/// Turns steps into operations.
struct Compiler<'a> {
    pools: &'a [&'a str],
    names: &'a Names,
    ops: Vec<Op>,
    called: Vec<String>,
    draws: Vec<String>,
    /// Depth of the loop that is being compiled.
    loops: u8,
}

impl<'a> Compiler<'a> {
    const fn new(pools: &'a [&'a str], names: &'a Names) -> Self {
        Self { pools, names, ops: Vec::new(), called: Vec::new(), draws: Vec::new(), loops: 0 }
    }

    fn finish(
        mut self,
        endpoints: Vec<Endpoint>,
        names: Box<[String]>,
        by_weight: Option<AliasTable>,
    ) -> Code {
        let failed = self.here();
        self.ops.push(Op::Failed);
        let Self { pools, ops, called, draws, .. } = self;
        let pools = pools.iter().map(|&name| name.to_owned()).collect();
        Code { ops: ops.into(), failed, endpoints: endpoints.into(), names, pools, by_weight, called, draws }
    }

    /// The index of the next operation.
    fn here(&self) -> u16 {
        u16::try_from(self.ops.len()).expect("a program has at most `MAX_OPS` operations")
    }

    /// A stream for an operation at a place of the program.
    fn stream(&mut self, place: &str) -> u16 {
        self.draws.push(place.to_owned());
        u16::try_from(self.draws.len() - 1).expect("there are not more streams than operations")
    }

    fn draw<Q: Quantity>(&mut self, time: &DistributionSpec<Q>, place: &str) -> Draw {
        Draw { law: time.resolve().expect(CHECKED), stream: self.stream(place) }
    }

    fn steps(&mut self, steps: &[StepSpec], place: &str) {
        for (index, step) in steps.iter().enumerate() {
            self.step(step, &format!("{place}/{index}"));
        }
    }

    fn step(&mut self, step: &StepSpec, place: &str) {
        match step {
            StepSpec::Memory(amount) => self.ops.push(Op::Memory(amount.as_u64())),
            StepSpec::Cpu(time) => {
                let draw = self.draw(time, place);
                self.ops.push(Op::Cpu(draw));
            }
            StepSpec::Io(time) | StepSpec::Sleep(time) => {
                let draw = self.draw(time, place);
                self.ops.push(Op::Io(draw));
            }
            StepSpec::Hold { pool, steps } => {
                self.ops.push(Op::Take(self.pool(pool)));
                self.steps(steps, place);
                self.ops.push(Op::Give);
            }
            StepSpec::Call(call) => self.call(call, place),
            StepSpec::Parallel { branches, copies, join, cancel, on_failure } => {
                self.parallel(branches, *copies, *join, *cancel, on_failure, place);
            }
            StepSpec::Choose(options) => self.choose(options, place),
            StepSpec::Repeat { times, up_to, steps } => {
                self.repeat(*times, up_to.unwrap_or(*times), steps, place);
            }
            StepSpec::Fail(probability) => {
                let stream = self.stream(place);
                self.ops.push(Op::Fail { probability: *probability, stream });
            }
        }
    }

    fn pool(&self, name: &str) -> u8 {
        let index = self.pools.iter().position(|pool| *pool == name);
        index.and_then(|index| u8::try_from(index).ok()).expect(CHECKED)
    }

    fn call(&mut self, spec: &CallSpec, place: &str) {
        let to = u16::try_from(self.called.len()).expect("there are not more calls than operations");
        self.called.push(spec.to.clone());
        let endpoint =
            spec.endpoint.as_ref().map_or(Progress::ANY, |name| self.names.endpoint(name).expect(CHECKED));
        let CallSpec { wait, timeout, cancel, ref on_failure, .. } = *spec;
        let size = spec.size.as_ref().map(|size| Box::new(self.draw(size, &format!("{place}/size"))));
        let at = self.ops.len();
        self.ops.push(Op::Call(Call { to, endpoint, size, wait, timeout, cancel, on_failure: None }));
        let handler = self.handler(on_failure, place);
        if let Op::Call(call) = &mut self.ops[at] {
            call.on_failure = handler;
        }
    }

    /// Compiles the steps that follow a failure, after a jump over them. Returns where they start, or `None` if a failure
    /// is not handled.
    fn handler(&mut self, on_failure: &OnFailure, place: &str) -> Option<u16> {
        match on_failure {
            OnFailure::Fail => None,
            OnFailure::Continue => Some(self.here()),
            OnFailure::Steps(steps) => {
                let skip = self.placeholder();
                let start = self.here();
                self.steps(steps, &format!("{place}/on_failure"));
                self.jump_here(skip);
                Some(start)
            }
        }
    }

    /// Adds a jump whose destination follows. Returns its index.
    fn placeholder(&mut self) -> usize {
        self.ops.push(Op::Jump(0));
        self.ops.len() - 1
    }

    /// Sets the destination of a jump to the next operation.
    fn jump_here(&mut self, jump: usize) {
        self.ops[jump] = Op::Jump(self.here());
    }

    fn parallel(
        &mut self,
        branches: &[Vec<StepSpec>],
        copies: u16,
        join: JoinSpec,
        cancel: bool,
        on_failure: &OnFailure,
        place: &str,
    ) {
        let at = self.placeholder();
        let handler = self.handler(on_failure, place);
        let after = self.placeholder();
        let compiled = branches.iter().enumerate().map(|(index, steps)| {
            let start = self.here();
            self.steps(steps, &format!("{place}/{index}"));
            self.ops.push(Op::End);
            match (steps.as_slice(), &self.ops[usize::from(start)]) {
                ([StepSpec::Call(_)], Op::Call(call)) if call.is_plain() => Branch::Call(start),
                _ => Branch::Steps(start),
            }
        });
        let once: Vec<Branch> = compiled.collect();
        let compiled: Box<[Branch]> = once.repeat(copies.into()).into();
        self.jump_here(after);
        self.ops[at] = Op::Parallel(Parallel {
            needed: join.needed(compiled.len()),
            branches: compiled,
            cancel,
            on_failure: handler,
        });
    }

    fn choose(&mut self, options: &[(f64, Vec<StepSpec>)], place: &str) {
        let stream = self.stream(place);
        let at = self.placeholder();
        let mut ends = Vec::new();
        let starts = options.iter().enumerate().map(|(index, (_, steps))| {
            let start = self.here();
            self.steps(steps, &format!("{place}/{index}"));
            ends.push(self.placeholder());
            start
        });
        let starts = starts.collect();
        ends.into_iter().for_each(|end| self.jump_here(end));
        let weights: Vec<f64> = options.iter().map(|(weight, _)| *weight).collect();
        self.ops[at] = Op::Choose { table: AliasTable::new(&weights), stream, starts };
    }

    fn repeat(&mut self, min: u32, max: u32, steps: &[StepSpec], place: &str) {
        let stream = self.stream(place);
        let at = self.placeholder();
        let counter = self.loops;
        self.loops += 1;
        let start = self.here();
        self.steps(steps, place);
        self.loops -= 1;
        self.ops.push(Op::Again { counter, start });
        self.ops[at] = Op::Repeat { min, max, stream, counter, after: self.here() };
    }
}

impl Call {
    /// Whether the call is nothing but a message and its response.
    fn is_plain(&self) -> bool {
        self.wait && self.timeout.is_none() && self.on_failure.is_none()
    }
}
