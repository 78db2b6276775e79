//! [`Fault`]: a fault of any kind of node, or of a link.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SpecRef;
use crate::event::NodeKind;
use crate::model::check::Checker;
use crate::model::link::LinkFault;
use crate::model::part::{Part, PartFault};
use crate::model::variants::{NamedVariant, Vocabulary, variants};
use crate::text::Path;

/// What a fault happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultTarget {
    /// Nodes of this kind.
    Nodes(NodeKind),
    /// Links.
    Links,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $Kind:ident = $module:ident,)*) => {
        use crate::model::{$($module),*};

        /// A fault of any kind of node, or of a link.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Fault {
            /// A fault of a link.
            Link(LinkFault),
            $(
                #[doc = concat!("A fault of a `", stringify!($Kind), "`.")]
                $Kind(<$module::$Kind as Part>::Fault),
            )*
        }

        impl Fault {
            /// What it happens to.
            #[must_use]
            pub const fn target(&self) -> FaultTarget {
                match self {
                    Self::Link(_) => FaultTarget::Links,
                    $(Self::$Kind(_) => FaultTarget::Nodes(NodeKind::$Kind),)*
                }
            }

            /// Its name in a scenario.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    Self::Link(fault) => fault.name(),
                    $(Self::$Kind(fault) => fault.name(),)*
                }
            }

            /// Whether two of them at the same time do more than one.
            #[must_use]
            pub fn adds_up(&self) -> bool {
                match self {
                    Self::Link(fault) => fault.adds_up(),
                    $(Self::$Kind(fault) => fault.adds_up(),)*
                }
            }

            /// Whether requests fail by it.
            #[must_use]
            pub fn fails_requests(&self) -> bool {
                match self {
                    Self::Link(fault) => fault.fails_requests(),
                    $(Self::$Kind(fault) => fault.fails_requests(),)*
                }
            }

            /// Reports errors in a fault at `path` that happens to nodes with these specifications.
            pub fn check(&self, path: &Path, specs: &[SpecRef<'_>], checker: &mut Checker<'_>) {
                match self {
                    Self::Link(fault) => fault.check(path, checker),
                    $(Self::$Kind(fault) => {
                        let specs: Vec<_> = specs
                            .iter()
                            .filter_map(|spec| if let SpecRef::$Kind(spec) = spec { Some(*spec) } else { None })
                            .collect();
                        $module::$Kind::check_fault(fault, path, &specs, checker);
                    })*
                }
            }
        }

        impl fmt::Display for Fault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Link(fault) => fault.fmt(f),
                    $(Self::$Kind(fault) => fault.fmt(f),)*
                }
            }
        }

        impl Serialize for Fault {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Link(fault) => fault.serialize(serializer),
                    $(Self::$Kind(fault) => fault.serialize(serializer),)*
                }
            }
        }

        /// Reads a fault from the variant `name`, whose content is still to be read from `access`.
        fn fault_of<'de, A: VariantAccess<'de>>(
            target: FaultTarget,
            name: &'static str,
            access: A,
        ) -> Result<Fault, A::Error> {
            let named = NamedVariant::new(name, access);
            match target {
                FaultTarget::Links => Deserialize::deserialize(named).map(Fault::Link),
                $(FaultTarget::Nodes(NodeKind::$Kind) => {
                    Deserialize::deserialize(named).map(Fault::$Kind)
                })*
            }
        }

        /// The names of the faults of a kind of node.
        fn names_of(kind: NodeKind) -> &'static [&'static str] {
            match kind {
                $(NodeKind::$Kind => variants::<<$module::$Kind as Part>::Fault>(),)*
            }
        }
    };
}

for_all_parts!(faults);

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyFault;

        impl<'de> Visitor<'de> for AnyFault {
            type Value = Fault;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fault")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Fault, A::Error> {
                let ((name, target), access) = data.variant_seed(&*FAULTS)?;
                fault_of(target, name, access)
            }
        }

        deserializer.deserialize_enum("Fault", &FAULTS.names, AnyFault)
    }
}

/// The names of all faults, and what they happen to.
static FAULTS: LazyLock<Vocabulary<FaultTarget>> = LazyLock::new(|| {
    let of_kind = |kind: NodeKind| names_of(kind).iter().map(move |name| (*name, FaultTarget::Nodes(kind)));
    let of_links = variants::<LinkFault>().iter().map(|name| (*name, FaultTarget::Links));
    NodeKind::ALL.into_iter().flat_map(of_kind).chain(of_links).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_faults_are_unique() {
        let mut names = FAULTS.names.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAULTS.names.len(), "{:?}", FAULTS.names);
        assert!(names.len() >= 9, "{names:?}");
    }
}
