//! The scenario format of a call.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::spec::StepSpec;
use crate::engine::distribution::DistributionSpec;
use crate::engine::time::SimDuration;
use crate::engine::units::Bytes;
use crate::model::check::Checker;
use crate::text::Path;

/// The calls of a server as written in a scenario: `"db"`, `(to: "db", wait: false)`, or a list of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallSpecs(pub Vec<CallSpec>);

/// A call as written in a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct CallSpec {
    /// The node that is called: one node, not a group.
    pub to: String,
    /// The endpoint that is called; by default, the node picks one by weight.
    pub endpoint: Option<String>,
    /// The size of the request; by default, it has none.
    pub size: Option<Box<DistributionSpec<Bytes>>>,
    /// Whether the server waits for the response, with the slot of the request held.
    pub wait: bool,
    /// How long the server waits at most; without a limit by default.
    pub timeout: Option<SimDuration>,
    /// Whether a cancellation follows the call if it is given up.
    pub cancel: bool,
    /// What happens if the call fails or is given up.
    pub on_failure: OnFailure,
}

/// What happens if a call fails or is given up, or if too many branches fail, as written in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum OnFailure {
    /// The request fails: the server answers it with an error.
    #[default]
    Fail,
    /// The request goes on as if nothing had failed.
    Continue,
    /// The request takes these steps, and then goes on.
    Steps(Vec<StepSpec>),
}

/// The fields of a call that is written as a struct.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename = "CallSpec")]
struct Fields {
    to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<Box<DistributionSpec<Bytes>>>,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    wait: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<SimDuration>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cancel: bool,
    #[serde(default, skip_serializing_if = "OnFailure::is_fail")]
    on_failure: OnFailure,
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
        Self {
            to: name.to_owned(),
            endpoint: None,
            size: None,
            wait: true,
            timeout: None,
            cancel: false,
            on_failure: OnFailure::Fail,
        }
    }
}

impl From<Fields> for CallSpec {
    fn from(Fields { to, endpoint, size, wait, timeout, cancel, on_failure }: Fields) -> Self {
        Self { to, endpoint, size, wait, timeout, cancel, on_failure }
    }
}

impl Serialize for CallSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::from(self.to.as_str()) {
            return serializer.serialize_str(&self.to);
        }
        let Self { to, endpoint, size, wait, timeout, cancel, on_failure } = self.clone();
        Fields { to, endpoint, size, wait, timeout, cancel, on_failure }.serialize(serializer)
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

impl OnFailure {
    pub(super) fn is_fail(&self) -> bool {
        *self == Self::Fail
    }

    /// The steps that follow a failure, if any.
    pub(super) fn steps(&self) -> Option<&[StepSpec]> {
        match self {
            Self::Fail | Self::Continue => None,
            Self::Steps(steps) => Some(steps),
        }
    }
}

impl CallSpec {
    /// Reports errors in the call itself. The steps that follow its failure are checked with the other steps.
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        checker.single_receiver(path, "to", &self.to);
        if let Some(endpoint) = &self.endpoint {
            checker.asks(path.clone().name("endpoint"), &self.to, endpoint);
        }
        if let Some(size) = &self.size {
            checker.spec(path, "size", size.resolve().map(drop));
            if !checker.used.contains(&"size") {
                let message = "no link has a bandwidth: the size of a call has no effect on the run";
                checker.warn(
                    path.clone().name("size"),
                    message,
                    "give a link a `bandwidth`, or leave it out",
                );
            }
        }
        if self.timeout.is_some_and(SimDuration::is_zero) {
            let message = "with a timeout of 0 s, every call is given up at once";
            checker.add(path.clone().name("timeout"), message, "make it longer, or use `wait: false`");
        }
        let without_effect = [
            ("timeout", self.timeout.is_some()),
            ("cancel", self.cancel),
            ("on_failure", !self.on_failure.is_fail()),
        ];
        for (field, _) in without_effect.into_iter().filter(|(_, is_set)| *is_set && !self.wait) {
            let message = "nobody waits for this call, so it is never given up";
            checker.warn(path.clone().name(field), message, "leave it out, or let the server wait");
        }
    }
}

impl CallSpecs {
    /// Whether there are no calls.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
