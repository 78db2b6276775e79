//! The policies of autoscalers: how many members a group needs, given what is known of it.
//!
//! Each policy is a file with its parameters, its behaviour and its tests. To add one, add a file, its name in the list below,
//! and an example in `scenarios/reference.ron`.

mod schedule;
mod steps;
mod target;

use serde::{Deserialize, Serialize};

pub use schedule::{Schedule, ScheduledCount};
pub use steps::{Step, Steps};
pub use target::Target;

use crate::engine::time::SimTime;
use crate::model::check::Checker;
use crate::model::probe::GaugeSpec;
use crate::text::Path;

/// What an autoscaler knows when it decides.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The time.
    pub now: SimTime,
    /// Number of members of the group: those that boot, are up or down, without those that drain.
    pub members: u32,
    /// What was read of the gauge, or `None` if there is nothing: the policy reads no gauge, or no member was up.
    pub measured: Option<Measured>,
}

/// What was read of a gauge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Its mean over the members that were up.
    pub value: f64,
    /// The number of these members.
    pub up: u32,
}

/// A policy, as written in a scenario. It remembers nothing.
trait Policy {
    /// The gauge that it reads, or `None` if it reads none.
    fn gauge(&self) -> Option<&GaugeSpec> {
        None
    }

    /// How many members the group needs, within no bounds.
    fn desired(&self, known: Known) -> u32;

    /// Reports errors in its parameters.
    fn check(&self, path: &Path, checker: &mut Checker<'_>);
}

/// Generates the enum over all policies from the list of their names.
macro_rules! policies {
    ($($(#[$doc:meta])* $Name:ident,)*) => {
        /// The policy of an autoscaler, as written in a scenario.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum ScalingPolicy {
            $($(#[$doc])* $Name($Name),)*
        }

        impl ScalingPolicy {
            /// The gauge that it reads, or `None` if it reads none.
            #[must_use]
            pub fn gauge(&self) -> Option<&GaugeSpec> {
                match self {
                    $(Self::$Name(policy) => policy.gauge(),)*
                }
            }

            /// How many members the group needs, within no bounds.
            #[must_use]
            pub fn desired(&self, known: Known) -> u32 {
                match self {
                    $(Self::$Name(policy) => policy.desired(known),)*
                }
            }

            pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Name(policy) => policy.check(path, checker),)*
                }
            }
        }
    };
}

policies! {
    /// Keeps a gauge at a value, by adding and removing members in proportion.
    Target,
    /// Adds and removes numbers of members, depending on the value of a gauge.
    Steps,
    /// Follows a schedule.
    Schedule,
}
