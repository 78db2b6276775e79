//! What is written of a node, whatever its kind.

use serde::{Deserialize, Serialize};

use super::Setting;
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
    ($Source:ident = $source:ident, $($(#[$doc:meta])* $Kind:ident = $room:ident,)*) => {
        use crate::model::{$source, $($room),*};

        /// A node, or a group of equal ones, as it is written.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum NodeSpec {
            $($(#[$doc])* $Kind(<$room::$Kind as Part>::Spec),)*
        }

        impl NodeSpec {
            /// What is written, whatever its kind.
            #[must_use]
            pub const fn as_spec(&self) -> SpecRef<'_> {
                match self {
                    $(Self::$Kind(spec) => SpecRef::$Kind(spec),)*
                }
            }
        }

        specs! { @all $Source = $source, $($Kind = $room,)* }
    };
    (@all $($Kind:ident = $room:ident,)*) => {
        /// What is written of a source, a node or a group.
        #[derive(Clone, Copy, Debug)]
        pub enum SpecRef<'a> {
            $(#[doc = concat!("A `", stringify!($Kind), "`.")] $Kind(&'a <$room::$Kind as Part>::Spec),)*
        }

        impl<'a> SpecRef<'a> {
            /// What kind of node it is.
            #[must_use]
            pub const fn kind(self) -> NodeKind {
                match self {
                    $(Self::$Kind(_) => NodeKind::$Kind,)*
                }
            }

            /// How many there are; a single one without a number if it is not given.
            #[must_use]
            pub fn count(self) -> Option<u32> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::count(spec),)*
                }
            }

            /// The names that it sends requests to.
            #[must_use]
            pub fn sends_to(self) -> Vec<&'a str> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::sends_to(spec),)*
                }
            }

            /// How it picks where it sends, if it is one that picks.
            #[must_use]
            pub fn routing(self) -> Option<Routing<'a>> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::routing(spec),)*
                }
            }

            /// How many requests it can hold when the run begins, if it is one that works on them.
            #[must_use]
            pub fn holds(self) -> Option<NodeCapacity> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::holds(spec),)*
                }
            }

            /// The limits that it sets to what is measured, or acts upon, if it is called `owner`.
            #[must_use]
            pub fn limits(self, owner: &str) -> Vec<Limit> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::limits(spec, owner),)*
                }
            }

            /// What can be set of it, as it is written.
            #[must_use]
            pub fn settings(self) -> Vec<Setting> {
                match self {
                    $(Self::$Kind(spec) => {
                        $room::$Kind::settings(spec).into_iter().map(Setting::$Kind).collect()
                    })*
                }
            }

            /// Complains of what cannot be.
            pub fn check(self, path: &Path, checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::check(spec, path, checker),)*
                }
            }

            /// Spawns the nodes of an entry, in order, and schedules their first events.
            pub fn build(self, entry: &NamedGroup, builder: &mut Builder<'_>) {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::build(spec, entry, builder),)*
                }
            }
        }
    };
}

for_all_parts!(specs);
