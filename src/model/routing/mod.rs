//! Routing: how a node picks one of several targets. One list of policies serves every node that routes.
//!
//! Each policy is a file with what is written of it, its behaviour, its source and its tests. A new one is a file, its name
//! below, and its words in `scenarios/reference.ron`. Policies are pure: they see the request's key, the targets, what the
//! node was told of their loads, and the random stream that is handed in.
//!
//! [`router`] is the component that a node routes with, [`load_window`] what it remembers of loads.

mod key_hash;
mod load_aware;
pub mod load_window;
mod random;
mod round_robin;
pub mod router;

use serde::{Deserialize, Serialize};

pub use key_hash::KeyHash;
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
use crate::text::Path;

/// Requests that were sent to another target than their key's own, for the sake of load.
pub static REHASH_RATE: Metric = Metric::new("rehash_rate", Unit::PerSecond, "RehashRate");

/// What is written of a policy that takes settings.
trait Settings {
    /// The policy that runs.
    type Policy: Pick;

    /// The policy among so many targets, in its first state.
    fn policy(&self, targets: usize) -> Self::Policy;

    /// Complains of what cannot be; `to` are the names of the targets.
    fn check(&self, _path: &Path, _to: &[String], _checker: &mut Checker<'_>) {}

    /// How it goes by the loads that are reported to it, if it listens to them.
    fn load_feedback(&self) -> Option<LoadFeedback> {
        None
    }
}

/// A policy as it runs.
trait Pick {
    /// Picks a target for a request.
    fn pick(
        &mut self,
        request: RoutingQuery<'_>,
        loads: &mut LoadWindow,
        stream: &mut RandomStream,
    ) -> Choice;
}

/// What a policy is asked.
#[derive(Clone, Copy, Debug)]
pub struct RoutingQuery<'a> {
    /// The key of the request.
    pub key: u32,
    /// The targets, at least one.
    pub targets: &'a [Target],
    /// The time.
    pub now: SimTime,
}

/// What a policy picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The index of the target.
    pub target: usize,
    /// Whether it is another one than the key's own, for the sake of load.
    pub rehashed: bool,
}

impl Choice {
    /// The choice of a target without regard to load.
    const fn of(target: usize) -> Self {
        Self { target, rehashed: false }
    }
}

/// How a policy goes by the loads that are reported to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadFeedback {
    /// How long a reported load is remembered.
    pub window: SimDuration,
    /// The mean remembered load from which on a target is avoided.
    pub threshold: f64,
    /// Whether it acts on loads; otherwise it only listens.
    pub acts: bool,
}

/// Makes the enums over policies of the list of them.
macro_rules! policies {
    (plain { $($(#[$plain_doc:meta])* $Plain:ident,)* } with_settings { $($(#[$doc:meta])* $Name:ident,)* }) => {
        /// A policy as it is written.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum PolicySpec {
            $($(#[$plain_doc])* $Plain,)*
            $($(#[$doc])* $Name($Name),)*
        }

        /// A policy as it runs.
        #[derive(Clone, Debug)]
        enum Policy {
            $($Plain($Plain),)*
            $($Name(<$Name as Settings>::Policy),)*
        }

        impl PolicySpec {
            /// Its name as it is written.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$Plain => stringify!($Plain),)*
                    $(Self::$Name(_) => stringify!($Name),)*
                }
            }

            fn policy(&self, targets: usize) -> Policy {
                match self {
                    $(Self::$Plain => Policy::$Plain($Plain::default()),)*
                    $(Self::$Name(settings) => Policy::$Name(settings.policy(targets)),)*
                }
            }

            /// Complains of what cannot be; `to` are the names of the targets.
            pub fn check(&self, path: &Path, to: &[String], checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Plain => {})*
                    $(Self::$Name(settings) => settings.check(path, to, checker),)*
                }
            }

            /// How it goes by the loads that are reported to it, if it listens to them.
            #[must_use]
            pub fn load_feedback(&self) -> Option<LoadFeedback> {
                match self {
                    $(Self::$Plain => None,)*
                    $(Self::$Name(settings) => settings.load_feedback(),)*
                }
            }
        }

        impl Pick for Policy {
            #[inline(always)]
            fn pick(&mut self, ask: RoutingQuery<'_>, loads: &mut LoadWindow, stream: &mut RandomStream) -> Choice {
                match self {
                    $(Self::$Plain(policy) => policy.pick(ask, loads, stream),)*
                    $(Self::$Name(policy) => policy.pick(ask, loads, stream),)*
                }
            }
        }
    };
}

policies! {
    plain {
        /// Any target, uniformly.
        Random,
        /// Each target in turn.
        RoundRobin,
    }
    with_settings {
        /// Always the same target for the same key.
        KeyHash,
        /// The key's own target unless it seems overloaded; then another one that does not.
        LoadAware,
    }
}
