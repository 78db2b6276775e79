//! The scenario format of endpoints and of their steps.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::call_spec::{CallSpec, OnFailure};
use crate::engine::distribution::DistributionSpec;
use crate::engine::time::SimDuration;
use crate::engine::units::Bytes;

/// The endpoints of a server by name, as written in a scenario.
pub type EndpointSpecs = IndexMap<String, EndpointSpec>;

/// An endpoint as written in a scenario: what a server does for a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSpec {
    /// Weight of the endpoint, 0 or more, for requests that do not ask for one of the endpoints of the server.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: f64,
    /// The size of its responses; by default that of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_size: Option<Box<DistributionSpec<Bytes>>>,
    /// The steps, one after the other.
    pub steps: Vec<StepSpec>,
}

const fn one_copy() -> u16 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one_copy(copies: &u16) -> bool {
    *copies == 1
}

const fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
#[expect(clippy::float_cmp, reason = "it is written unless it is exactly the default")]
fn is_one(weight: &f64) -> bool {
    *weight == one()
}

/// How requests that compute share the cores of a server, as written in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SharingSpec {
    /// A request has a core of its own until its computation is over. The others wait in order of arrival.
    #[default]
    Fifo,
    /// All requests that compute have an equal share of the cores, but at most one core each.
    ProcessorSharing,
}

/// A step of an endpoint as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum StepSpec {
    /// Takes memory of the server, and holds it until the request leaves: `Memory("100MB")`. A request that finds too
    /// little waits for it. In a branch of `Parallel`: until the branch ends.
    Memory(Bytes),
    /// Computes for this time, with a core of the server. Consecutive steps of this kind keep the core.
    Cpu(DistributionSpec<SimDuration>),
    /// Waits for I/O, which takes this time, without a core. Inside `Hold`, with a place of a pool.
    Io(DistributionSpec<SimDuration>),
    /// Waits for this time, without a core.
    Sleep(DistributionSpec<SimDuration>),
    /// Takes a place of a pool, waits for one if all are taken, and holds it during these steps.
    Hold {
        /// The name of the pool.
        pool: String,
        /// The steps.
        steps: Vec<Self>,
    },
    /// Calls another node: `Call("db")`, or `Call(to: "db", endpoint: "read", timeout: "200ms")`.
    Call(CallSpec),
    /// Takes several lists of steps at the same time.
    Parallel {
        /// The branches.
        branches: Vec<Vec<Self>>,
        /// How many times each of them is taken.
        #[serde(default = "one_copy", skip_serializing_if = "is_one_copy")]
        copies: u16,
        /// How many of them have to succeed before the request goes on. The others are given up.
        #[serde(default)]
        join: JoinSpec,
        /// Whether cancellations follow the calls of the branches that are given up, and their other steps end at once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        cancel: bool,
        /// What happens if too many branches fail.
        #[serde(default, skip_serializing_if = "OnFailure::is_fail")]
        on_failure: OnFailure,
    },
    /// Takes one of several lists of steps, each with a weight: `Choose([(0.9, [..]), (0.1, [..])])`.
    Choose(Vec<(f64, Vec<Self>)>),
    /// Takes the same steps several times.
    Repeat {
        /// How often.
        times: u32,
        /// If it is given, the number is drawn uniformly from `times` to this, both included.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to: Option<u32>,
        /// The steps.
        steps: Vec<Self>,
    },
    /// Answers the request with an error, with this probability: `Fail(0.01)`.
    Fail(f64),
}

/// How many branches have to succeed, as written in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum JoinSpec {
    /// All of them.
    #[default]
    All,
    /// One.
    First,
    /// This number.
    Quorum(u16),
}

impl JoinSpec {
    /// The number of branches that have to succeed, of this many.
    pub(super) fn needed(self, branches: usize) -> u16 {
        match self {
            Self::All => u16::try_from(branches).unwrap_or(u16::MAX),
            Self::First => 1,
            Self::Quorum(needed) => needed,
        }
    }
}

/// All steps of a list, those inside other steps included, in the order in which they are written.
pub(super) fn all_steps(steps: &[StepSpec]) -> Vec<&StepSpec> {
    let mut all = Vec::new();
    let mut open: Vec<&StepSpec> = steps.iter().rev().collect();
    while let Some(step) = open.pop() {
        all.push(step);
        let inner = step.inner();
        open.extend(inner.into_iter().flatten().rev());
    }
    all
}

impl StepSpec {
    /// The call, if the step is one.
    pub(super) const fn as_call(&self) -> Option<&CallSpec> {
        if let Self::Call(call) = self { Some(call) } else { None }
    }

    /// The number of branches that it starts: 0 if it starts none.
    pub(super) fn branches(&self) -> usize {
        if let Self::Parallel { branches, copies, .. } = self {
            branches.len().saturating_mul(usize::from(*copies))
        } else {
            0
        }
    }

    /// The lists of steps inside this step.
    pub(super) fn inner(&self) -> Vec<&[Self]> {
        match self {
            Self::Memory(_) | Self::Cpu(_) | Self::Io(_) | Self::Sleep(_) | Self::Fail(_) => Vec::new(),
            Self::Call(call) => call.on_failure.steps().into_iter().collect(),
            Self::Parallel { branches, on_failure, .. } => {
                branches.iter().map(Vec::as_slice).chain(on_failure.steps()).collect()
            }
            Self::Choose(options) => options.iter().map(|(_, steps)| steps.as_slice()).collect(),
            Self::Repeat { steps, .. } | Self::Hold { steps, .. } => vec![steps],
        }
    }
}
