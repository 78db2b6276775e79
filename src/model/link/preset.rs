//! Presets of links: latency and loss of common networks, for a start.
//!
//! The means of `DataCenter` and `CrossRegion` are half of the round trips that Dean gives for a data center and between
//! California and the Netherlands ("Designs, lessons and advice from building large distributed systems", 2009). The others are
//! orders of magnitude: measure your own network if it matters.

use serde::{Deserialize, Serialize};

use crate::engine::distribution::DistributionSpec;
use crate::engine::time::SimDuration;

/// A preset of a link. Latencies are one-way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkPreset {
    /// On the same machine: 20 us.
    Local,
    /// Within a data center: 100 us, and an exponential time with a mean of 150 us.
    DataCenter,
    /// Between continents, over lines of a provider: 70 ms, and an exponential time with a mean of 5 ms; one message in 10,000
    /// is lost.
    CrossRegion,
    /// From users on land lines: log-normal with a mean of 20 ms and a standard deviation of 10 ms; one message in 1,000 is
    /// lost.
    Internet,
    /// From users of a mobile network: log-normal with a mean of 50 ms and a standard deviation of 40 ms; one message in 100 is
    /// lost.
    Mobile,
}

impl LinkPreset {
    /// The latency of a message in either direction.
    pub(super) fn latency(self) -> DistributionSpec<SimDuration> {
        let micros = |micros: u64| SimDuration::from_nanos(1000 * micros);
        let at_least = |by, mean| DistributionSpec::Shifted {
            by: micros(by),
            of: Box::new(DistributionSpec::Exponential { mean: micros(mean) }),
        };
        let log_normal = |mean, sd| DistributionSpec::LogNormal { mean: micros(mean), sd: micros(sd) };
        match self {
            Self::Local => DistributionSpec::Constant(micros(20)),
            Self::DataCenter => at_least(100, 150),
            Self::CrossRegion => at_least(70_000, 5_000),
            Self::Internet => log_normal(20_000, 10_000),
            Self::Mobile => log_normal(50_000, 40_000),
        }
    }

    /// The probability that a message is lost, in either direction.
    pub(super) const fn loss(self) -> f64 {
        match self {
            Self::Local | Self::DataCenter => 0.0,
            Self::CrossRegion => 0.0001,
            Self::Internet => 0.001,
            Self::Mobile => 0.01,
        }
    }
}
