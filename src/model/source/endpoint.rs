//! The endpoint that a request asks for.

use std::fmt;

use indexmap::IndexMap;
use rand_distr::Distribution;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::engine::distribution::AliasTable;
use crate::engine::random::RandomStream;
use crate::engine::spec_error;
use crate::model::check::Checker;
use crate::model::names::Names;
use crate::request::progress::Progress;
use crate::text::Path;

/// The endpoints that the requests of a source ask for, with their weights, as written in a scenario: `"GET /cart"`, or
/// `{"GET /cart": 3.0, "POST /order": 1.0}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AskedEndpoints(pub IndexMap<String, f64>);

impl Serialize for AskedEndpoints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.first() {
            Some((name, _)) if self.0.len() == 1 => serializer.serialize_str(name),
            _ => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AskedEndpoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = AskedEndpoints;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an endpoint like \"GET /cart\", or weights {\"GET /cart\": 3.0, ..}")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<AskedEndpoints, E> {
                Ok(AskedEndpoints(IndexMap::from([(name.to_owned(), 1.0)])))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut weights: A) -> Result<AskedEndpoints, A::Error> {
                let mut all = IndexMap::new();
                while let Some((name, weight)) = weights.next_entry()? {
                    all.insert(name, weight);
                }
                Ok(AskedEndpoints(all))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl AskedEndpoints {
    /// Whether the requests ask for no endpoint.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reports errors. `to` is the node that the requests are sent to.
    pub(super) fn check(&self, to: &str, path: &Path, checker: &mut Checker<'_>) {
        let path = path.clone().name("endpoint");
        if !self.is_empty()
            && let Err(error) = spec_error::weights("", self.0.values().copied())
        {
            checker.add(path.clone(), error.message(), "give one a weight above 0");
        }
        for name in self.0.keys() {
            checker.asks(path.clone(), to, name);
        }
    }

    /// The sampler of endpoints, or `None` if the requests ask for none.
    ///
    /// # Panics
    /// If an endpoint is unknown, which the checks of a scenario report.
    pub(super) fn resolve(
        &self,
        names: &Names,
        stream: impl FnOnce() -> RandomStream,
    ) -> Option<EndpointSampler> {
        let number = |name: &String| names.endpoint(name).expect("the checks refuse unknown endpoints");
        let numbers: Vec<u16> = self.0.keys().map(number).collect();
        let weights: Vec<f64> = self.0.values().copied().collect();
        (!numbers.is_empty()).then(|| EndpointSampler {
            numbers: numbers.into(),
            weights: AliasTable::new(&weights),
            stream: stream(),
        })
    }
}

/// Draws the endpoints that requests ask for.
#[derive(Clone, Debug)]
pub struct EndpointSampler {
    /// Their numbers among the endpoints of the scenario.
    numbers: Box<[u16]>,
    weights: AliasTable,
    stream: RandomStream,
}

impl EndpointSampler {
    /// Draws the number of an endpoint.
    pub(super) fn draw(&mut self) -> u16 {
        match *self.numbers {
            [only] => only,
            _ => self.numbers.get(self.weights.sample(&mut self.stream)).copied().unwrap_or(Progress::ANY),
        }
    }
}
