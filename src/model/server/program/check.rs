//! Checks of endpoints and their steps, and of the resources that they use.

use super::super::ServerSpec;
use super::call_spec::OnFailure;
use super::code::MAX_OPS;
use super::spec::StepSpec;
use crate::engine::spec_error;
use crate::model::check::Checker;
use crate::request::progress::{MAX_LOOPS, MAX_PLACES};
use crate::text::Path;

/// Maximum number of calls of a server for a request, and of branches of a step. This number of free rows of the pool is
/// kept in reserve.
const MAX_CHILDREN: usize = 1000;
/// Maximum number of steps that a request may take at a server: a program with more hardly ends.
const MAX_STEPS: u64 = 1_000_000;
/// Maximum memory of a server, in bytes: an exbibyte. Its integral over time fits into 128 bits.
const MAX_MEMORY: u64 = 1 << 60;

/// What a step is inside of.
#[derive(Clone, Copy, Debug, Default)]
struct Inside<'a> {
    /// Number of loops.
    loops: usize,
    /// The pools of which the request holds places.
    pools: &'a [&'a str],
}

impl ServerSpec {
    /// Reports errors in the calls, the endpoints and the resources.
    pub(in crate::model::server) fn check_program(&self, path: &Path, checker: &mut Checker<'_>) {
        match (&self.service, self.endpoints.is_empty()) {
            (None, true) => {
                let message = "the server does not say how long it takes for a request";
                checker.add(path.clone(), message, "give it a `service` time, or `endpoints`");
            }
            (Some(_), false) => {
                let message = "the server has both a service time and endpoints";
                let hint = "write the service time as a step `Cpu(..)` or `Sleep(..)` of its endpoints";
                checker.add(path.clone().name("service"), message, hint);
            }
            _ => {}
        }
        if !self.call.is_empty() && !self.endpoints.is_empty() {
            let message = "the server has both calls and endpoints";
            checker.add(
                path.clone().name("call"),
                message,
                "write calls as steps `Call(..)` of its endpoints",
            );
        }
        self.check_calls(&path.clone().name("call"), checker);
        self.check_resources(path, checker);
        self.check_endpoints(&path.clone().name("endpoints"), checker);
    }

    fn check_calls(&self, path: &Path, checker: &mut Checker<'_>) {
        let calls = &self.call.0;
        if calls.len() > MAX_CHILDREN {
            let message = format!("{} calls for each request are more than {MAX_CHILDREN}", calls.len());
            checker.add(path.clone(), message, "remove some of them");
        }
        for (index, call) in calls.iter().enumerate() {
            let path = if calls.len() == 1 { path.clone() } else { path.clone().index(index) };
            call.check(&path, checker);
            if call.on_failure.steps().is_some() {
                let message =
                    "after a failed call of a server with a service time, there are no further steps";
                let hint = "write endpoints instead of the service time and the calls";
                checker.add(path.name("on_failure"), message, hint);
            }
        }
    }

    fn check_resources(&self, path: &Path, checker: &mut Checker<'_>) {
        if self.cores == Some(0) {
            let message = "a server with 0 cores computes nothing";
            checker.add(path.clone().name("cores"), message, "set it to 1 or more");
        }
        if self.memory.is_some_and(|memory| memory.as_u64() > MAX_MEMORY) {
            let message = "that is more than 1024 PiB";
            checker.add(path.clone().name("memory"), message, "leave it out if memory does not matter");
        }
        for (name, _) in self.pools.iter().filter(|(_, places)| **places == 0) {
            let message = format!("nobody ever gets a place of the pool \"{name}\" with 0 places");
            checker.add(path.clone().name("pools").name(name), message, "set it to 1 or more");
        }
        let uses = |is_user: &dyn Fn(&StepSpec) -> bool| self.all_steps().any(is_user);
        let mut unused = Vec::new();
        if self.cores.is_some() && !uses(&|step| matches!(step, StepSpec::Cpu(_))) {
            unused.push((path.clone().name("cores"), "no step `Cpu(..)` uses the cores".to_owned()));
        }
        if self.memory.is_some() && !uses(&|step| matches!(step, StepSpec::Memory(_))) {
            unused.push((path.clone().name("memory"), "no step `Memory(..)` takes memory".to_owned()));
        }
        for name in self.pools.keys() {
            if !uses(&|step| matches!(step, StepSpec::Hold { pool, .. } if pool == name)) {
                let path = path.clone().name("pools").name(name);
                unused.push((path, format!("no step `Hold(..)` uses the pool \"{name}\"")));
            }
        }
        for (path, message) in unused {
            checker.warn(path, message, "leave it out, or add such a step to an endpoint");
        }
    }

    fn check_endpoints(&self, path: &Path, checker: &mut Checker<'_>) {
        let weights = self.endpoints.values().map(|endpoint| endpoint.weight);
        if !self.endpoints.is_empty()
            && let Err(error) = spec_error::weights("", weights)
        {
            checker.add(path.clone(), error.message(), "give at least one endpoint a `weight` above 0");
        }
        for (name, endpoint) in &self.endpoints {
            let path = path.clone().name(name).name("steps");
            self.check_steps(&endpoint.steps, &path, Inside::default(), checker);
            self.check_memory(&endpoint.steps, &path, checker);
            let steps = most_steps(&endpoint.steps);
            if steps > MAX_STEPS {
                let message = format!("a request may take {steps} steps, so that it hardly ever ends");
                checker.add(path, message, format!("repeat less: at most {MAX_STEPS} steps are allowed"));
            }
        }
        if self.pools.len() > usize::from(u8::MAX) {
            let message = format!("{} pools are more than {}", self.pools.len(), u8::MAX);
            checker.add(path.clone(), message, "remove some of them");
        }
        // At most three operations for each step, and two for each list of steps inside it.
        let of_step = |step: &StepSpec| 3 + 2 * step.inner().len();
        let ops: usize = self.all_steps().map(of_step).sum::<usize>() + self.endpoints.len();
        if ops > MAX_OPS {
            let message = format!("the endpoints have too many steps: about {ops}, more than {MAX_OPS}");
            checker.add(path.clone(), message, "use `Repeat` for steps that are the same");
        }
    }

    /// Reports errors in steps inside others.
    fn check_steps(&self, steps: &[StepSpec], path: &Path, inside: Inside<'_>, checker: &mut Checker<'_>) {
        for (index, step) in steps.iter().enumerate() {
            self.check_step(step, &path.clone().index(index), inside, checker);
        }
    }

    fn check_step(&self, step: &StepSpec, path: &Path, inside: Inside<'_>, checker: &mut Checker<'_>) {
        match step {
            StepSpec::Memory(_) if self.memory.is_none() => {
                let message = "the server does not say how much memory it has";
                checker.add(path.clone(), message, "give the server a `memory`");
            }
            StepSpec::Memory(_) => {}
            StepSpec::Cpu(time) | StepSpec::Io(time) | StepSpec::Sleep(time) => {
                checker.resolved(path.clone(), time.resolve().map(drop));
            }
            StepSpec::Hold { pool, steps } => {
                self.check_pool(pool, inside, path, checker);
                let pools = [inside.pools, &[pool]].concat();
                let inside = Inside { pools: &pools, ..inside };
                self.check_steps(steps, &path.clone().name("steps"), inside, checker);
            }
            StepSpec::Call(call) => {
                call.check(path, checker);
                self.check_handler(&call.on_failure, path, inside, checker);
            }
            StepSpec::Parallel { branches, join, on_failure, .. } => {
                let all = step.branches();
                check_join(all, join.needed(all), path, checker);
                for (index, steps) in branches.iter().enumerate() {
                    self.check_steps(steps, &path.clone().name("branches").index(index), inside, checker);
                }
                self.check_handler(on_failure, path, inside, checker);
            }
            StepSpec::Choose(options) => {
                if let Err(error) = spec_error::weights("", options.iter().map(|(weight, _)| *weight)) {
                    let hint = "write pairs of a weight and steps: [(0.9, [..]), (0.1, [..])]";
                    checker.add(path.clone(), error.message(), hint);
                }
                for (index, (_, steps)) in options.iter().enumerate() {
                    self.check_steps(steps, &path.clone().index(index).index(1), inside, checker);
                }
            }
            StepSpec::Repeat { times, up_to, steps } => {
                check_loop(*times, *up_to, inside.loops, path, checker);
                let inside = Inside { loops: inside.loops + 1, ..inside };
                self.check_steps(steps, &path.clone().name("steps"), inside, checker);
            }
            StepSpec::Fail(probability) => {
                if !(0.0..=1.0).contains(probability) {
                    let message = format!("{probability} is not a probability");
                    checker.add(path.clone(), message, "write a number from 0 to 1");
                }
            }
        }
    }

    fn check_pool(&self, pool: &str, inside: Inside<'_>, path: &Path, checker: &mut Checker<'_>) {
        if inside.pools.contains(&pool) {
            let message = format!("the request already holds a place of the pool \"{pool}\"");
            let hint =
                "hold one at a time: requests that wait for a second one may wait for each other for ever";
            checker.add(path.clone().name("pool"), message, hint);
        } else if inside.pools.len() >= MAX_PLACES {
            let message = format!("a request holds places of more than {MAX_PLACES} pools");
            checker.add(path.clone(), message, "end some of the steps `Hold(..)` earlier");
        }
        if !self.pools.contains_key(pool) {
            let message = format!("the server has no pool \"{pool}\"");
            let known: Vec<String> = self.pools.keys().map(|name| format!("\"{name}\"")).collect();
            let hint = if known.is_empty() {
                format!("give the server `pools: {{\"{pool}\": 4}}`")
            } else {
                format!("it has {}; add this one to its `pools`, or name one of these", known.join(", "))
            };
            checker.add(path.clone().name("pool"), message, hint);
        }
    }

    fn check_handler(
        &self,
        on_failure: &OnFailure,
        path: &Path,
        inside: Inside<'_>,
        checker: &mut Checker<'_>,
    ) {
        if let OnFailure::Steps(steps) = on_failure {
            self.check_steps(steps, &path.clone().name("on_failure"), inside, checker);
        }
    }

    /// Reports a request that may need more memory than there is: it would wait for ever.
    fn check_memory(&self, steps: &[StepSpec], path: &Path, checker: &mut Checker<'_>) {
        let Some(memory) = self.memory else { return };
        let needed = most_memory(steps);
        if needed > u128::from(memory.as_u64()) {
            let message = format!("a request may need {needed}B of memory, but the server has {memory}");
            checker.add(path.clone(), message, "give the server more `memory`, or let the steps take less");
        }
    }
}

fn check_join(branches: usize, needed: u16, path: &Path, checker: &mut Checker<'_>) {
    if branches == 0 || branches > MAX_CHILDREN {
        let message = format!("{branches} branches: expected 1 to {MAX_CHILDREN}");
        checker.add(path.clone().name("branches"), message, "write lists of steps: [[..], [..]]");
    } else if needed == 0 || usize::from(needed) > branches {
        let message = format!("{needed} of {branches} branches can never succeed");
        checker.add(path.clone().name("join"), message, format!("write a quorum from 1 to {branches}"));
    }
}

fn check_loop(times: u32, up_to: Option<u32>, loops: usize, path: &Path, checker: &mut Checker<'_>) {
    if let Some(up_to) = up_to.filter(|up_to| *up_to < times) {
        let message = format!("there is no number from {times} to {up_to}");
        checker.add(path.clone().name("up_to"), message, "make it larger than `times`, or leave it out");
    }
    if loops >= MAX_LOOPS {
        let message = format!("more than {MAX_LOOPS} loops are inside each other");
        checker.add(path.clone(), message, "multiply the `times` of some of them");
    }
}

/// The steps that a request takes at most, with those of its branches.
fn most_steps(steps: &[StepSpec]) -> u64 {
    steps.iter().fold(0, |sum: u64, step| {
        let inner: Vec<u64> = step.inner().into_iter().map(most_steps).collect();
        let all = inner.iter().fold(0_u64, |all, one| all.saturating_add(*one));
        sum.saturating_add(1).saturating_add(match step.rounds() {
            // An empty loop takes a step in each round, too.
            Some(rounds) => u64::from(rounds).saturating_mul(all.saturating_add(1)),
            None if step.is_choice() => inner.iter().copied().max().unwrap_or(0),
            None => all,
        })
    })
}

/// The memory that a request takes at most, with that of its branches, in bytes.
fn most_memory(steps: &[StepSpec]) -> u128 {
    steps.iter().fold(0, |sum: u128, step| {
        let inner: Vec<u128> = step.inner().into_iter().map(most_memory).collect();
        let all = inner.iter().fold(step.memory(), |all, one| all.saturating_add(*one));
        sum.saturating_add(match step.rounds() {
            Some(rounds) => u128::from(rounds).saturating_mul(all),
            None if step.is_choice() => inner.iter().copied().max().unwrap_or(0),
            None => all,
        })
    })
}

impl StepSpec {
    /// The maximum number of rounds of a loop, or the number of times that branches are taken; `None` for other steps.
    fn rounds(&self) -> Option<u32> {
        if let Self::Repeat { times, up_to, .. } = self {
            Some(up_to.unwrap_or(*times))
        } else if let Self::Parallel { copies, .. } = self {
            Some((*copies).into())
        } else {
            None
        }
    }

    /// Whether it takes only one of the lists of steps inside.
    const fn is_choice(&self) -> bool {
        matches!(self, Self::Choose(_))
    }

    /// The memory that it takes itself, in bytes.
    fn memory(&self) -> u128 {
        if let Self::Memory(amount) = self { amount.as_u64().into() } else { 0 }
    }
}
