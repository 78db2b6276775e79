//! [`Setting`]: a setting of any kind of node that can change during a run.

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
    ($($(#[$doc:meta])* $Kind:ident = $module:ident,)*) => {
        use crate::model::{$($module),*};

        /// A setting of any kind of node, with its value.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Setting {
            $(
                #[doc = concat!("A setting of a `", stringify!($Kind), "`.")]
                $Kind(<$module::$Kind as Part>::Setting),
            )*
        }

        impl Setting {
            /// The kind of node that has this setting.
            #[must_use]
            pub const fn kind(&self) -> NodeKind {
                match self {
                    $(Self::$Kind(_) => NodeKind::$Kind,)*
                }
            }

            /// Its name in a scenario.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Kind(setting) => setting.name(),)*
                }
            }

            /// The property that it sets. A setting is in effect until another one with the same topic.
            #[must_use]
            pub fn topic(&self) -> (NodeKind, &'static str) {
                match self {
                    $(Self::$Kind(setting) => (NodeKind::$Kind, setting.topic()),)*
                }
            }

            /// Whether it is a setting of a whole group.
            #[must_use]
            pub fn is_of_group(&self) -> bool {
                match self {
                    $(Self::$Kind(setting) => setting.is_of_group(),)*
                }
            }

            /// Whether it is the normal state of its topic, which is not shown as a scheduled period.
            #[must_use]
            pub fn is_ordinary(&self) -> bool {
                match self {
                    $(Self::$Kind(setting) => setting.is_ordinary(),)*
                }
            }

            /// The routing policy, or `None` if it does not set one.
            #[must_use]
            pub fn policy(&self) -> Option<&PolicySpec> {
                match self {
                    $(Self::$Kind(setting) => setting.policy(),)*
                }
            }

            /// The scheduled periods of the workload that it defines.
            #[must_use]
            pub fn phases(&self) -> Vec<ScheduledPeriodSpec> {
                match self {
                    $(Self::$Kind(setting) => setting.phases(),)*
                }
            }

            /// The new values that the window offers as buttons.
            #[must_use]
            pub fn steps(&self) -> Vec<Step<Self>> {
                match self {
                    $(Self::$Kind(setting) => {
                        let steps = setting.steps().into_iter();
                        steps.map(|(label, tooltip, step)| (label, tooltip, Self::$Kind(step))).collect()
                    })*
                }
            }

            /// Reports errors in a setting at `path` that is to change nodes with these specifications.
            pub fn check(&self, path: &Path, specs: &[SpecRef<'_>], checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Kind(setting) => {
                        let specs: Vec<_> = specs
                            .iter()
                            .filter_map(|spec| if let SpecRef::$Kind(spec) = spec { Some(*spec) } else { None })
                            .collect();
                        $module::$Kind::check_setting(setting, path, &specs, checker);
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

        /// Reads a setting of a kind from the variant `name`, whose content is still to be read from `access`.
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
                f.write_str("a setting")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Setting, A::Error> {
                let ((name, kind), access) = data.variant_seed(&*SETTINGS)?;
                setting_of(kind, name, access)
            }
        }

        deserializer.deserialize_enum("Setting", &SETTINGS.names, AnySetting)
    }
}

/// The names of all settings, and the kinds of nodes that have them.
static SETTINGS: LazyLock<Vocabulary<NodeKind>> = LazyLock::new(|| {
    let of_kind = |kind: NodeKind| kind.setting_names().iter().map(move |name| (*name, kind));
    NodeKind::ALL.into_iter().flat_map(of_kind).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_settings_are_unique() {
        let mut names = SETTINGS.names.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.names.len(), "{:?}", SETTINGS.names);
    }
}
