//! What can be set of a node while a run goes on, whatever its kind.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SpecRef;
use crate::event::NodeKind;
use crate::model::check::Checker;
use crate::model::part::{Part, PartSetting, ScheduledPeriodSpec, Step};
use crate::model::routing::PolicySpec;
use crate::model::variants::{NamedVariant, Vocabulary};
use crate::text::Path;

macro_rules! settings {
    ($($(#[$doc:meta])* $Kind:ident = $room:ident,)*) => {
        use crate::model::{$($room),*};

        /// What can be set of a node while a run goes on.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Setting {
            $(#[doc = concat!("Of a `", stringify!($Kind), "`.")] $Kind(<$room::$Kind as Part>::Setting),)*
        }

        impl Setting {
            /// The kind of node that it can be set for.
            #[must_use]
            pub const fn kind(&self) -> NodeKind {
                match self {
                    $(Self::$Kind(_) => NodeKind::$Kind,)*
                }
            }

            /// Its name as it is written.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Kind(setting) => setting.name(),)*
                }
            }

            /// What it is about: a setting lasts until another one about the same is made.
            #[must_use]
            pub fn topic(&self) -> (NodeKind, &'static str) {
                match self {
                    $(Self::$Kind(setting) => (NodeKind::$Kind, setting.topic()),)*
                }
            }

            /// Whether it is the ordinary state of what it is about, and no phase of its own.
            #[must_use]
            pub fn is_ordinary(&self) -> bool {
                match self {
                    $(Self::$Kind(setting) => setting.is_ordinary(),)*
                }
            }

            /// The policy that it sets, if it does.
            #[must_use]
            pub fn policy(&self) -> Option<&PolicySpec> {
                match self {
                    $(Self::$Kind(setting) => setting.policy(),)*
                }
            }

            /// The phases that come with it.
            #[must_use]
            pub fn phases(&self) -> Vec<ScheduledPeriodSpec> {
                match self {
                    $(Self::$Kind(setting) => setting.phases(),)*
                }
            }

            /// What is often made of it at a click.
            #[must_use]
            pub fn steps(&self) -> Vec<Step<Self>> {
                match self {
                    $(Self::$Kind(setting) => {
                        let steps = setting.steps().into_iter();
                        steps.map(|(label, more, setting)| (label, more, Self::$Kind(setting))).collect()
                    })*
                }
            }

            /// Complains of a setting at `path` that cannot be set for what is written like this.
            pub fn check(&self, path: &Path, of: &[SpecRef<'_>], checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Kind(setting) => {
                        let specs: Vec<_> = of
                            .iter()
                            .filter_map(|spec| if let SpecRef::$Kind(spec) = spec { Some(*spec) } else { None })
                            .collect();
                        $room::$Kind::check_setting(setting, path, &specs, checker);
                    })*
                }
            }
        }

        impl fmt::Display for Setting {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$Kind(setting) => setting.fmt(f),)*
                }
            }
        }

        impl Serialize for Setting {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$Kind(setting) => setting.serialize(serializer),)*
                }
            }
        }

        /// Reads the setting of a kind from the variant of this name, whose content is still to come.
        fn setting_of<'de, A: VariantAccess<'de>>(
            kind: NodeKind,
            name: &'static str,
            access: A,
        ) -> Result<Setting, A::Error> {
            let named = NamedVariant::new(name, access);
            match kind {
                $(NodeKind::$Kind => {
                    Deserialize::deserialize(named).map(Setting::$Kind)
                })*
            }
        }
    };
}

for_all_parts!(settings);

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnySetting;

        impl<'de> Visitor<'de> for AnySetting {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("what is set")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Setting, A::Error> {
                let ((name, kind), access) = data.variant_seed(&*SETTINGS)?;
                setting_of(kind, name, access)
            }
        }

        deserializer.deserialize_enum("Setting", &SETTINGS.names, AnySetting)
    }
}

/// All settings there are, and the kind of node that has each.
static SETTINGS: LazyLock<Vocabulary<NodeKind>> = LazyLock::new(|| {
    let of_kind = |kind: NodeKind| kind.setting_names().iter().map(move |name| (*name, kind));
    NodeKind::ALL.into_iter().flat_map(of_kind).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_setting_of_one_kind() {
        let mut names = SETTINGS.names.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.names.len(), "{:?}", SETTINGS.names);
    }
}
