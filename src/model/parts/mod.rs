//! The list of node kinds. To add a kind, add a module for it, a variant of [`NodeKind`], and a line here: all code that
//! iterates over kinds is generated from this list.

/// Calls a macro with the list of node kinds: `Kind = module`. The first kind is that of the `sources` of a scenario,
/// the others are kinds of its `nodes`.
macro_rules! for_all_parts {
    ($make:ident) => {
        $make! {
            Source = source,
            /// Selects a target for each request by a policy.
            LoadBalancer = load_balancer,
            /// Selects servers for requests and learns their load from responses.
            Client = client,
            /// Sheds requests above a limit.
            RateLimiter = rate_limiter,
            /// Serves requests.
            Server = server,
        }
    };
}

mod fault;
mod running;
mod setting;
mod spec;

pub use fault::{Fault, FaultTarget};
pub use running::{PartViews, Parts};
pub use setting::Setting;
pub use spec::{NodeSpec, SpecRef};

use super::figure::Figure;
use super::metric::{Measurable, Metric};
use super::part::{Description, Part};
use super::variants::variants;
use crate::event::NodeKind;

macro_rules! descriptions {
    ($($(#[$doc:meta])* $Kind:ident = $module:ident,)*) => {
        use crate::model::{$($module),*};

        impl NodeKind {
            /// Its name, properties and tables.
            #[must_use]
            pub const fn description(self) -> &'static Description {
                match self {
                    $(Self::$Kind => &$module::$Kind::DESCRIPTION,)*
                }
            }

            /// The settings that take it down and up again, or `None` if it cannot go down.
            #[must_use]
            pub fn outage(self) -> Option<[Setting; 2]> {
                match self {
                    $(Self::$Kind => $module::$Kind::outage().map(|both| both.map(Setting::$Kind)),)*
                }
            }

            /// The setting that gives a group this many members, or `None` if groups of this kind cannot grow and shrink.
            #[must_use]
            pub fn resize(self, count: u32) -> Option<Setting> {
                match self {
                    $(Self::$Kind => $module::$Kind::resize(count).map(Setting::$Kind),)*
                }
            }

            /// All its metrics.
            fn metrics(self) -> Vec<&'static Metric> {
                match self {
                    $(Self::$Kind => $module::$Kind::MEASURED.iter().map(|reader| reader.metric).collect(),)*
                }
            }

            /// The index of a metric among all its metrics, or `None` if it does not have it.
            #[must_use]
            pub fn index_of(self, metric: &Metric) -> Option<usize> {
                match self {
                    $(Self::$Kind => $module::$Kind::index_of(metric),)*
                }
            }

            /// All its figures, in the order in which they are reported.
            #[must_use]
            pub fn figures(self) -> Vec<&'static Figure> {
                match self {
                    $(Self::$Kind => $module::$Kind::FIGURES.iter().map(|reader| reader.figure).collect(),)*
                }
            }

            /// The names of its settings.
            fn setting_names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$Kind => variants::<<$module::$Kind as Part>::Setting>(),)*
                }
            }
        }
    };
}

for_all_parts!(descriptions);

impl NodeKind {
    /// Its name in texts.
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

    /// The metrics that probes can sample.
    #[must_use]
    pub fn gauges(self) -> Vec<&'static Metric> {
        self.metrics().into_iter().filter(|metric| metric.gauge.is_some()).collect()
    }
}
