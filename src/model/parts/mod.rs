//! The list of parts. A new kind of node is a room of its own, its kind in [`event`](crate::event), and a line here: all
//! that goes over kinds follows from this list.

/// Hands the list of parts to a macro: `Kind = room`. The first one stands in a scenario's `sources`, the others in its
/// `nodes`.
macro_rules! for_all_parts {
    ($make:ident) => {
        $make! {
            Source = source,
            /// Picks a target for each request by a policy.
            LoadBalancer = load_balancer,
            /// The caller's side: picks servers and learns from their responses.
            Client = client,
            /// Turns away what is over a limit.
            RateLimiter = rate_limiter,
            /// Does the work.
            Server = server,
        }
    };
}

mod running;
mod setting;
mod spec;

pub use running::{PartViews, Parts};
pub use setting::Setting;
pub use spec::{NodeSpec, SpecRef};

use super::figure::Figure;
use super::metric::{Measurable, Metric};
use super::part::{Description, Part};
use super::variants::variants;
use crate::event::NodeKind;

macro_rules! descriptions {
    ($($(#[$doc:meta])* $Kind:ident = $room:ident,)*) => {
        use crate::model::{$($room),*};

        impl NodeKind {
            /// What is said of it.
            #[must_use]
            pub const fn description(self) -> &'static Description {
                match self {
                    $(Self::$Kind => &$room::$Kind::DESCRIPTION,)*
                }
            }

            /// What takes it out of service, and what brings it back, if it can be.
            #[must_use]
            pub fn outage(self) -> Option<[Setting; 2]> {
                match self {
                    $(Self::$Kind => $room::$Kind::outage().map(|both| both.map(Setting::$Kind)),)*
                }
            }

            /// All that is measured of it.
            fn metrics(self) -> Vec<&'static Metric> {
                match self {
                    $(Self::$Kind => $room::$Kind::MEASURED.iter().map(|measured| measured.metric).collect(),)*
                }
            }

            /// All figures of it, in the order in which they are reported.
            #[must_use]
            pub fn figures(self) -> Vec<&'static Figure> {
                match self {
                    $(Self::$Kind => $room::$Kind::FIGURES.iter().map(|figured| figured.figure).collect(),)*
                }
            }

            /// Names of what can be set of it.
            fn setting_names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$Kind => variants::<<$room::$Kind as Part>::Setting>(),)*
                }
            }
        }
    };
}

for_all_parts!(descriptions);

impl NodeKind {
    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.description().name
    }

    /// Whether requests can be sent to it.
    #[must_use]
    pub const fn receives(self) -> bool {
        self.description().receives
    }

    /// Whether its responses report its load.
    #[must_use]
    pub const fn reports_load(self) -> bool {
        self.description().reports_load
    }

    /// All that probes can sample of it.
    #[must_use]
    pub fn gauges(self) -> Vec<&'static Metric> {
        self.metrics().into_iter().filter(|metric| metric.gauge.is_some()).collect()
    }
}
