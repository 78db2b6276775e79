//! [`NodeSpec`] and [`SpecRef`]: the specification of any kind of node.

use serde::{Deserialize, Serialize};

use super::{Fault, Setting};
use crate::engine::distribution::DistributionSpec;
use crate::engine::units::Bytes;
use crate::event::NodeKind;
use crate::model::build::Builder;
use crate::model::check::Checker;
use crate::model::metric::Limit;
use crate::model::names::NamedGroup;
use crate::model::part::Part;
use crate::model::routing::router::Routing;
use crate::model::trace::NodeCapacity;
use crate::text::Path;

macro_rules! specs {
    ($Source:ident = $source:ident, $($(#[$doc:meta])* $Kind:ident = $module:ident,)*) => {
        use crate::model::{$source, $($module),*};

        /// A node, or a group of identical nodes, as written in a scenario.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[expect(clippy::large_enum_variant, reason = "a scenario has one for each entry, not for each node")]
        pub enum NodeSpec {
            $($(#[$doc])* $Kind(<$module::$Kind as Part>::Spec),)*
        }

        impl NodeSpec {
            /// A reference to the specification.
            #[must_use]
            pub const fn as_spec(&self) -> SpecRef<'_> {
                match self {
                    $(Self::$Kind(spec) => SpecRef::$Kind(spec),)*
                }
            }
        }

        specs! { @all $Source = $source, $($Kind = $module,)* }
    };
    (@all $($Kind:ident = $module:ident,)*) => {
        /// A reference to the specification of a source, a node or a group.
        #[derive(Clone, Copy, Debug)]
        pub enum SpecRef<'a> {
            $(#[doc = concat!("A `", stringify!($Kind), "`.")] $Kind(&'a <$module::$Kind as Part>::Spec),)*
        }

        impl<'a> SpecRef<'a> {
            /// Its kind of node.
            #[must_use]
            pub const fn kind(self) -> NodeKind {
                match self {
                    $(Self::$Kind(_) => NodeKind::$Kind,)*
                }
            }

            /// Number of members if it is a group, or `None` if it is a single node. The maximum if the group can grow.
            #[must_use]
            pub fn count(self) -> Option<u32> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::count(spec),)*
                }
            }

            /// Number of members that are there at the start, or `None` if the group cannot grow and shrink.
            #[must_use]
            pub fn initial_count(self) -> Option<u32> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::initial_count(spec),)*
                }
            }

            /// Names of the nodes and groups that it forwards requests to.
            #[must_use]
            pub fn forwards_to(self) -> Vec<&'a str> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::forwards_to(spec),)*
                }
            }

            /// Names of the nodes that it calls for each request, in order.
            #[must_use]
            pub fn calls(self) -> Vec<&'a str> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::calls(spec),)*
                }
            }

            /// Names of the nodes and groups that it forwards requests to or calls.
            #[must_use]
            pub fn sends_to(self) -> Vec<&'a str> {
                let mut to = self.forwards_to();
                to.extend(self.calls());
                to
            }

            /// Names of the endpoints that requests can ask it for.
            #[must_use]
            pub fn endpoints(self) -> Vec<&'a str> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::endpoints(spec),)*
                }
            }

            /// Names of the resources that are measured one by one, in the order in which they are read.
            #[must_use]
            pub fn resources(self) -> Vec<String> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::resources(spec),)*
                }
            }

            /// The fields of sources that it treats requests by, such as `priority`.
            #[must_use]
            pub fn uses(self) -> Vec<&'static str> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::uses(spec),)*
                }
            }

            /// Maximum number of calls or branches that it starts at once, or `None` if it runs no steps.
            #[must_use]
            pub fn max_children(self) -> Option<usize> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::max_children(spec),)*
                }
            }

            /// Whether it gives messages a size, by a distribution or otherwise.
            #[must_use]
            pub fn gives_sizes(self) -> bool {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::gives_sizes(spec),)*
                }
            }

            /// The distributions of the sizes that it gives to messages.
            #[must_use]
            pub fn sizes(self) -> Vec<&'a DistributionSpec<Bytes>> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::sizes(spec),)*
                }
            }

            /// Its policy and targets, or `None` if it does not route.
            #[must_use]
            pub fn routing(self) -> Option<Routing<'a>> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::routing(spec),)*
                }
            }

            /// The state and capacity of a member at the start of a run, or `None` if it does not serve requests.
            #[must_use]
            pub fn initial_capacity(self, member: u32) -> Option<NodeCapacity> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::initial_capacity(spec, member),)*
                }
            }

            /// The thresholds of metrics that it sets or acts upon, with `owner` as its name.
            #[must_use]
            pub fn limits(self, owner: &str) -> Vec<Limit> {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::limits(spec, owner),)*
                }
            }

            /// Its settings with the values in the scenario.
            #[must_use]
            pub fn settings(self) -> Vec<Setting> {
                match self {
                    $(Self::$Kind(spec) => {
                        $module::$Kind::settings(spec).into_iter().map(Setting::$Kind).collect()
                    })*
                }
            }

            /// The faults that the window offers as buttons.
            #[must_use]
            pub fn offered_faults(self) -> Vec<Fault> {
                match self {
                    $(Self::$Kind(spec) => {
                        $module::$Kind::offered_faults(spec).into_iter().map(Fault::$Kind).collect()
                    })*
                }
            }

            /// Reports errors in the specification.
            pub fn check(self, path: &Path, checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::check(spec, path, checker),)*
                }
            }

            /// Spawns the nodes of an entry, in order, and schedules their first events.
            pub fn build(self, entry: &NamedGroup, builder: &mut Builder<'_>) {
                match self {
                    $(Self::$Kind(spec) => $module::$Kind::build(spec, entry, builder),)*
                }
            }
        }
    };
}

for_all_parts!(specs);
