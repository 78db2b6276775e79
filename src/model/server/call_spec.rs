//! The scenario format of the calls of a server.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::model::check::Checker;
use crate::text::Path;

/// The calls of a server as written in a scenario: `"db"`, `(to: "db", wait: false)`, or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallSpecs(pub Vec<CallSpec>);

/// A call as written in a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSpec {
    /// The node that is called: one node, not a group.
    pub to: String,
    /// Whether the server waits for the response, with the slot of the request held.
    pub wait: bool,
}

/// The fields of a call that is written as a struct.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename = "CallSpec")]
struct Fields {
    to: String,
    #[serde(default = "yes")]
    wait: bool,
}

const fn yes() -> bool {
    true
}

impl From<&str> for CallSpec {
    fn from(name: &str) -> Self {
        Self { to: name.to_owned(), wait: true }
    }
}

impl From<Fields> for CallSpec {
    fn from(Fields { to, wait }: Fields) -> Self {
        Self { to, wait }
    }
}

impl Serialize for CallSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.wait {
            serializer.serialize_str(&self.to)
        } else {
            Fields { to: self.to.clone(), wait: false }.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for CallSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = CallSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a node like \"db\", or (to: \"db\", wait: false)")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<CallSpec, E> {
                Ok(name.into())
            }

            fn visit_map<A: de::MapAccess<'de>>(self, fields: A) -> Result<CallSpec, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(fields)).map(CallSpec::from)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for CallSpecs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [call] => call.serialize(serializer),
            calls => calls.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CallSpecs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = CallSpecs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a node like \"db\", (to: \"db\", wait: false), or a list of these")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<CallSpecs, E> {
                Ok(CallSpecs(vec![name.into()]))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, fields: A) -> Result<CallSpecs, A::Error> {
                let fields = Fields::deserialize(MapAccessDeserializer::new(fields))?;
                Ok(CallSpecs(vec![fields.into()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut calls: A) -> Result<CallSpecs, A::Error> {
                let mut all = Vec::new();
                while let Some(call) = calls.next_element()? {
                    all.push(call);
                }
                Ok(CallSpecs(all))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// Maximum number of calls of a server for a request. This number of free rows of the pool is kept in reserve.
const MAX_CALLS: usize = 1000;

impl CallSpecs {
    /// Whether there are no calls.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reports errors in the calls.
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        if self.0.len() > MAX_CALLS {
            let message = format!("{} calls for each request are more than {MAX_CALLS}", self.0.len());
            checker.add(path.clone(), message, "remove some of them");
        }
        for (index, call) in self.0.iter().enumerate() {
            let path = if self.0.len() == 1 { path.clone() } else { path.clone().index(index) };
            checker.single_receiver(&path, "to", &call.to);
        }
    }
}
