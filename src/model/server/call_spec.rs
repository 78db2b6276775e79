//! The scenario format of the calls of a server.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::engine::time::SimDuration;
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
    /// How long the server waits at most; without a limit by default.
    pub timeout: Option<SimDuration>,
    /// Whether a cancellation follows the call if it is given up.
    pub cancel: bool,
}

/// The fields of a call that is written as a struct.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename = "CallSpec")]
struct Fields {
    to: String,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    wait: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<SimDuration>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cancel: bool,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_true(value: &bool) -> bool {
    *value
}

impl From<&str> for CallSpec {
    fn from(name: &str) -> Self {
        Self { to: name.to_owned(), wait: true, timeout: None, cancel: false }
    }
}

impl From<Fields> for CallSpec {
    fn from(Fields { to, wait, timeout, cancel }: Fields) -> Self {
        Self { to, wait, timeout, cancel }
    }
}

impl Serialize for CallSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::from(self.to.as_str()) {
            return serializer.serialize_str(&self.to);
        }
        let Self { to, wait, timeout, cancel } = self.clone();
        Fields { to, wait, timeout, cancel }.serialize(serializer)
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

/// Reads the name of a node, a call as a struct, or, where a list may stand, a list of both.
struct Calls {
    may_be_list: bool,
}

impl<'de> de::Visitor<'de> for Calls {
    type Value = Vec<CallSpec>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (or, list) = if self.may_be_list { ("", ", or a list of these") } else { ("or ", "") };
        write!(f, "the name of a node like \"db\", {or}(to: \"db\", wait: false){list}")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Vec<CallSpec>, E> {
        Ok(vec![name.into()])
    }

    fn visit_map<A: de::MapAccess<'de>>(self, fields: A) -> Result<Vec<CallSpec>, A::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(vec![fields.into()])
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut calls: A) -> Result<Vec<CallSpec>, A::Error> {
        if !self.may_be_list {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        let mut all = Vec::new();
        while let Some(call) = calls.next_element()? {
            all.push(call);
        }
        Ok(all)
    }
}

impl<'de> Deserialize<'de> for CallSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut one = deserializer.deserialize_any(Calls { may_be_list: false })?;
        one.pop().ok_or_else(|| de::Error::custom("a call is missing"))
    }
}

impl<'de> Deserialize<'de> for CallSpecs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Calls { may_be_list: true }).map(Self)
    }
}

impl CallSpec {
    fn check_patience(&self, path: &Path, checker: &mut Checker<'_>) {
        if self.timeout.is_some_and(SimDuration::is_zero) {
            let message = "with a timeout of 0 s, every call is given up at once";
            checker.add(path.clone().name("timeout"), message, "make it longer, or use `wait: false`");
        }
        let without_effect = [("timeout", self.timeout.is_some()), ("cancel", self.cancel)];
        for (field, _) in without_effect.into_iter().filter(|(_, is_set)| *is_set && !self.wait) {
            let message = "nobody waits for this call, so it is never given up";
            checker.warn(path.clone().name(field), message, "leave it out, or let the server wait");
        }
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
            call.check_patience(&path, checker);
        }
    }
}
