//! References from one part of a scenario to others: `"server"`, or `["server-0", "spare"]`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Names of sources, nodes or groups, written as a string or a list of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct References(pub Vec<String>);

impl References {
    /// The names.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

impl From<&str> for References {
    fn from(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }
}

impl Serialize for References {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [name] => serializer.serialize_str(name),
            names => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for References {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = References;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a node or group like \"server\", or a list of names")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<References, E> {
                Ok(References::from(name))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut names: A) -> Result<References, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(References(all))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
