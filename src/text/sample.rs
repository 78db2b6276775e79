//! A small scenario and its types for the tests: the same kinds of values as real scenarios, without their meaning.
#![expect(dead_code, reason = "fields are only read from text")]

use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::value::EnumAccessDeserializer;
use serde::de::{Deserializer, EnumAccess, Visitor};

use crate::engine::time::SimDuration;
use crate::engine::units::Rate;

pub(super) const TEXT: &str = r#"// A hot customer.
Scenario(
    name: "load-aware routing",
    seed: 42,
    run_until: "65s",
    sources: {
        "everyone":      (arrivals: Constant(rate: "20/s"), key: Uniform(0, 999), to: "router"),
        "customer-1001": (
            arrivals: Poisson(rate: Spike(base: "10/s", peak: "150/s", from: "10s")), key: Fixed(1001), to: "router",
        ),
    },
    nodes: {
        "router": LoadBalancer(policy: Random, to: "client"),
        "client": Client(count: 3, to: "server", routing: LoadAware(window: "4s", threshold: 0.9)),
        "server": Server(count: 3, concurrency: 10, service: Exponential(mean: "100ms"), queue: Fifo(capacity: 100)),
    },
    probes: [
        (of: "server", gauges: [QueueDepth, Load], every: "100ms"),
        (of: "client", gauges: [PerceivedLoad("server-2")], every: "100ms"),
    ],
)
"#;

#[derive(Debug, Deserialize)]
pub(super) struct Scenario {
    pub(super) name: String,
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) run_until: Option<SimDuration>,
    pub(super) sources: IndexMap<String, Source>,
    pub(super) nodes: IndexMap<String, NodeSpec>,
    #[serde(default)]
    pub(super) probes: Vec<Probe>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) arrivals: Arrivals,
    pub(super) key: Key,
    to: String,
}

#[derive(Debug, Deserialize)]
pub(super) enum Arrivals {
    Constant { rate: RateProfile },
    Poisson { rate: RateProfile },
}

/// A constant rate as text, or a rate that changes.
#[derive(Debug)]
pub(super) enum RateProfile {
    Steady(Rate),
    Spike { base: Rate, peak: Rate, from: SimDuration },
}

impl<'de> Deserialize<'de> for RateProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        enum Written {
            Spike { base: Rate, peak: Rate, from: SimDuration },
        }

        struct TextOrEnum;

        impl<'de> Visitor<'de> for TextOrEnum {
            type Value = RateProfile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rate like \"20/s\", or Spike(..)")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RateProfile, E> {
                text.parse().map(RateProfile::Steady).map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<RateProfile, E> {
                Err(E::custom(format!("{number} lacks a unit: a rate is written like \"20/s\"")))
            }

            fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<RateProfile, A::Error> {
                let Written::Spike { base, peak, from } =
                    Written::deserialize(EnumAccessDeserializer::new(access))?;
                Ok(RateProfile::Spike { base, peak, from })
            }
        }

        deserializer.deserialize_any(TextOrEnum)
    }
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) enum Key {
    Uniform(u64, u64),
    Fixed(u64),
}

#[derive(Debug, Deserialize)]
pub(super) enum NodeSpec {
    LoadBalancer(LoadBalancerSpec),
    Client(ClientSpec),
    Server(ServerSpec),
}

#[derive(Debug, Deserialize)]
pub(super) struct LoadBalancerSpec {
    policy: Policy,
    to: String,
}

#[derive(Debug, Deserialize)]
pub(super) enum Policy {
    Random,
    RoundRobin,
}

#[derive(Debug, Deserialize)]
pub(super) struct ClientSpec {
    count: Option<u32>,
    to: String,
    #[serde(default)]
    routing: Option<Routing>,
}

#[derive(Debug, Deserialize)]
pub(super) enum Routing {
    LoadAware(LoadAwareSpec),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LoadAwareSpec {
    window: Option<SimDuration>,
    threshold: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ServerSpec {
    pub(super) count: Option<u32>,
    pub(super) concurrency: u32,
    pub(super) service: Service,
    #[serde(default)]
    pub(super) queue: Queue,
}

#[derive(Debug, Deserialize)]
pub(super) enum Service {
    Exponential { mean: SimDuration },
    Fixed(SimDuration),
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) enum Queue {
    Fifo { capacity: Option<u64> },
    Lifo,
}

impl Default for Queue {
    fn default() -> Self {
        Self::Fifo { capacity: None }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Probe {
    of: String,
    pub(super) gauges: Vec<Gauge>,
    pub(super) every: SimDuration,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) enum Gauge {
    QueueDepth,
    Load,
    PerceivedLoad(String),
}
