//! Routing: the policies by which nodes pick one of several targets. All kinds of nodes that route share them.
//!
//! Each policy is a file with its parameters, its behaviour and its tests. To add one, add a file, its name in the list
//! below, and an example in `scenarios/reference.ron`. A policy has no access to the ECS world: it gets the key of the
//! request, the targets, the loads reported to the node, the time and a random stream.
//!
//! [`router`] is the component of a node that routes, [`load_window`] contains the load reports that it remembers, and
//! [`target_lists`] the targets that come and go.

mod fewest_in_transit;
mod key_hash;
mod least_connections;
mod load_aware;
pub mod load_window;
mod random;
mod round_robin;
pub mod router;
pub mod target_lists;

use serde::{Deserialize, Serialize};

pub use fewest_in_transit::FewestInTransit;
pub use key_hash::KeyHash;
pub use least_connections::LeastConnections;
pub use load_aware::LoadAware;
pub use load_window::LoadWindow;
pub use random::Random;
pub use round_robin::RoundRobin;
pub use router::{Router, Routers, RoutersView};

use super::Target;
use super::check::Checker;
use super::metric::{Metric, Unit};
use crate::engine::random::RandomStream;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::text::Path;

/// Requests per second that were sent to a target other than the one that their key selects, because of its load.
pub static REHASH_RATE: Metric = Metric::new("rehash_rate", Unit::PerSecond, "RehashRate");

/// The parameters of a policy, as written in a scenario.
trait Parameters {
    /// The policy during a run.
    type Policy: Pick;

    /// The policy in its initial state.
    fn policy(&self) -> Self::Policy;

    /// Reports errors in the parameters. `to` are the names of the targets.
    fn check(&self, _path: &Path, _to: &[String], _checker: &mut Checker<'_>) {}

    /// How the policy uses reported loads, or `None` if it ignores them.
    fn load_feedback(&self) -> Option<LoadFeedback> {
        None
    }
}

/// A policy during a run.
trait Pick {
    /// Picks a target for a request.
    fn pick(&mut self, query: RoutingQuery<'_>, loads: &mut LoadWindow, stream: &mut RandomStream) -> Choice;

    /// Whether it has to know when the requests that it sent end.
    fn counts_requests(&self) -> bool {
        false
    }

    /// A request that it sent has come back, or has ended on its way.
    fn ended(&mut self, _request: RequestRow) {}

    /// Whether it has to know when the requests that it sends arrive.
    fn notes_arrivals(&self) -> bool {
        false
    }

    /// A request arrives at this time at the target with this index among all targets.
    fn sent(&mut self, _target: usize, _arrives: SimTime) {}

    /// Number of requests that it counts as outstanding.
    fn outstanding(&self) -> u64 {
        0
    }
}

/// The input of a policy.
#[derive(Clone, Copy, Debug)]
pub struct RoutingQuery<'a> {
    /// The request.
    pub request: RequestRow,
    /// The key of the request.
    pub key: u32,
    /// The targets, at least one.
    pub targets: &'a [Target],
    /// If targets come and go: the index of each of them among all targets.
    pub indices: Option<&'a [u32]>,
    /// The current time.
    pub now: SimTime,
}

impl RoutingQuery<'_> {
    /// The index among all targets, also those that are not there, of one of the targets.
    fn index(&self, target: usize) -> usize {
        self.indices.map_or(target, |indices| indices[target] as usize)
    }
}

/// The target that a policy picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The index of the target.
    pub target: usize,
    /// Whether it differs from the target that the key selects, because of the load of that target.
    pub rehashed: bool,
}

impl Choice {
    /// The choice of a target, irrespective of load.
    const fn of(target: usize) -> Self {
        Self { target, rehashed: false }
    }
}

/// How a policy uses reported loads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadFeedback {
    /// How long a reported load is remembered.
    pub window: SimDuration,
    /// The minimum mean of the remembered loads at which a target is avoided.
    pub threshold: f64,
    /// Whether the policy acts on loads. If not, it only records them.
    pub acts: bool,
}

/// Generates the enums over all policies from the list of their names.
macro_rules! policies {
    (plain { $($(#[$plain_doc:meta])* $Plain:ident,)* } with_parameters { $($(#[$doc:meta])* $Name:ident,)* }) => {
        /// A policy as written in a scenario.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum PolicySpec {
            $($(#[$plain_doc])* $Plain,)*
            $($(#[$doc])* $Name($Name),)*
        }

        /// A policy during a run.
        #[derive(Clone, Debug)]
        enum Policy {
            $($Plain($Plain),)*
            $($Name(<$Name as Parameters>::Policy),)*
        }

        impl PolicySpec {
            /// Its name in a scenario.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$Plain => stringify!($Plain),)*
                    $(Self::$Name(_) => stringify!($Name),)*
                }
            }

            fn policy(&self) -> Policy {
                match self {
                    $(Self::$Plain => Policy::$Plain($Plain::default()),)*
                    $(Self::$Name(parameters) => Policy::$Name(parameters.policy()),)*
                }
            }

            /// Reports errors in the parameters. `to` are the names of the targets.
            pub fn check(&self, path: &Path, to: &[String], checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Plain => {})*
                    $(Self::$Name(parameters) => parameters.check(path, to, checker),)*
                }
            }

            /// How the policy uses reported loads, or `None` if it ignores them.
            #[must_use]
            pub fn load_feedback(&self) -> Option<LoadFeedback> {
                match self {
                    $(Self::$Plain => None,)*
                    $(Self::$Name(parameters) => parameters.load_feedback(),)*
                }
            }
        }

        impl Pick for Policy {
            #[inline(always)]
            fn pick(&mut self, query: RoutingQuery<'_>, loads: &mut LoadWindow, stream: &mut RandomStream) -> Choice {
                match self {
                    $(Self::$Plain(policy) => policy.pick(query, loads, stream),)*
                    $(Self::$Name(policy) => policy.pick(query, loads, stream),)*
                }
            }

            fn counts_requests(&self) -> bool {
                match self {
                    $(Self::$Plain(policy) => policy.counts_requests(),)*
                    $(Self::$Name(policy) => policy.counts_requests(),)*
                }
            }

            fn notes_arrivals(&self) -> bool {
                match self {
                    $(Self::$Plain(policy) => policy.notes_arrivals(),)*
                    $(Self::$Name(policy) => policy.notes_arrivals(),)*
                }
            }

            fn sent(&mut self, target: usize, arrives: SimTime) {
                match self {
                    $(Self::$Plain(policy) => policy.sent(target, arrives),)*
                    $(Self::$Name(policy) => policy.sent(target, arrives),)*
                }
            }

            fn ended(&mut self, request: RequestRow) {
                match self {
                    $(Self::$Plain(policy) => policy.ended(request),)*
                    $(Self::$Name(policy) => policy.ended(request),)*
                }
            }

            fn outstanding(&self) -> u64 {
                match self {
                    $(Self::$Plain(policy) => policy.outstanding(),)*
                    $(Self::$Name(policy) => policy.outstanding(),)*
                }
            }
        }
    };
}

policies! {
    plain {
        /// Any target with the same probability.
        Random,
        /// Each target in turn.
        RoundRobin,
        /// The target with the fewest requests that the node has outstanding there.
        LeastConnections,
        /// The target to which the fewest requests of the node are on their way.
        FewestInTransit,
    }
    with_parameters {
        /// The same target for all requests with the same key.
        KeyHash,
        /// The target that the key selects, unless it seems overloaded; then a random one that does not.
        LoadAware,
    }
}
