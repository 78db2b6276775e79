//! Faults of links: added latency, loss, and partitions.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Link, LinkHalf, Way};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::is_default;
use crate::engine::random::RandomStream;
use crate::engine::time::SimDuration;
use crate::model::build::CHECKED;
use crate::model::check::Checker;
use crate::model::fault::Effects;
use crate::model::part::{FaultEdge, PartFault};
use crate::text::Path;

/// A fault of a link. Messages that are already on their way are not affected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LinkFault {
    /// Messages take longer. Several at the same time add up.
    Latency {
        /// The time that is added.
        add: DistributionSpec<SimDuration>,
        /// The messages that it happens to.
        #[serde(default, skip_serializing_if = "is_default")]
        direction: Direction,
    },
    /// Messages are lost by chance, in addition to those that the link loses without it.
    Loss {
        /// The probability (0 to 1).
        probability: f64,
        /// The messages that it happens to.
        #[serde(default, skip_serializing_if = "is_default")]
        direction: Direction,
    },
    /// All messages are lost.
    Partition {
        /// The messages that it happens to.
        #[serde(default, skip_serializing_if = "is_default")]
        direction: Direction,
    },
}

/// The directions of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Requests and responses.
    #[default]
    Both,
    /// Only requests, from the sender to the receiver.
    Requests,
    /// Only responses, from the receiver back to the sender.
    Responses,
}

impl Direction {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Both => "",
            Self::Requests => " of requests",
            Self::Responses => " of responses",
        }
    }
}

impl LinkFault {
    /// Faults of common sizes.
    #[must_use]
    pub const fn offered() -> [Self; 3] {
        let direction = Direction::Both;
        let add = DistributionSpec::Constant(SimDuration::from_nanos(100_000_000));
        [
            Self::Partition { direction },
            Self::Loss { probability: 0.5, direction },
            Self::Latency { add, direction },
        ]
    }

    const fn direction(&self) -> Direction {
        match self {
            Self::Latency { direction, .. }
            | Self::Loss { direction, .. }
            | Self::Partition { direction } => *direction,
        }
    }

    /// Reports errors in the fault.
    pub fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        match self {
            Self::Latency { add, .. } => {
                checker.spec(path, "add", add.resolve().map(drop));
                if add.resolve().is_ok_and(|add| add.mean() <= 0.0) {
                    checker.warn(path.clone().name("add"), "the fault adds no time", "make it longer");
                }
            }
            Self::Loss { probability, .. } => {
                let path = path.clone().name("probability");
                let is_valid =
                    checker.probability(&path, *probability, "0.01 means one message in a hundred");
                if is_valid && *probability <= 0.0 {
                    checker.warn(path, "the fault loses no message", "make it more than 0");
                }
            }
            Self::Partition { .. } => {}
        }
    }
}

impl PartFault for LinkFault {
    fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "Latency",
            Self::Loss { .. } => "Loss",
            Self::Partition { .. } => "Partition",
        }
    }

    fn adds_up(&self) -> bool {
        match self {
            Self::Latency { .. } | Self::Loss { .. } => true,
            Self::Partition { .. } => false,
        }
    }
}

impl fmt::Display for LinkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency { add, .. } => {
                match add.resolve().map(|add| SimDuration::from_nanos_f64(add.mean())) {
                    Ok(mean) => write!(f, "+{mean} latency")?,
                    Err(_) => f.write_str("added latency")?,
                }
            }
            Self::Loss { probability, .. } => write!(f, "{} % loss", 100.0 * probability)?,
            Self::Partition { .. } => f.write_str("partition")?,
        }
        f.write_str(self.direction().suffix())
    }
}

/// The faults in effect in one direction of a link.
#[derive(Clone, Debug)]
pub(super) struct HalfFaults {
    /// Added latencies.
    latencies: Effects<Sampler>,
    /// Probabilities of loss.
    losses: Effects<f64>,
    /// Their own random numbers, so that those of the link are the same without faults.
    stream: RandomStream,
}

impl HalfFaults {
    pub(super) const fn new(stream: RandomStream) -> Self {
        Self { latencies: Effects::new(), losses: Effects::new(), stream }
    }

    /// Whether any is in effect.
    pub(super) const fn is_any(&self) -> bool {
        !self.latencies.is_empty() || !self.losses.is_empty()
    }

    /// Whether a message is lost by them.
    pub(super) fn lose(&mut self) -> bool {
        self.losses.any_happens(&mut self.stream)
    }

    /// The time that they add to the latency of a message.
    pub(super) fn delay(&mut self) -> SimDuration {
        let stream = &mut self.stream;
        self.latencies.iter().fold(SimDuration::ZERO, |sum, add| sum + add.sample_duration(stream))
    }

    fn toggle(&mut self, fault: &LinkFault, edge: FaultEdge) {
        match fault {
            LinkFault::Latency { add, .. } => {
                self.latencies.toggle(edge, || add.resolve().expect(CHECKED));
            }
            LinkFault::Loss { probability, .. } => self.losses.toggle(edge, || *probability),
            LinkFault::Partition { .. } => self.losses.toggle(edge, || 1.0),
        }
    }
}

impl Link {
    /// A fault of the link begins or ends.
    pub fn fault(&mut self, fault: &LinkFault, edge: FaultEdge) {
        let direction = fault.direction();
        if direction != Direction::Responses {
            self.request.fault(fault, edge);
        }
        if direction != Direction::Requests {
            self.response.fault(fault, edge);
        }
    }
}

impl LinkHalf {
    fn fault(&mut self, fault: &LinkFault, edge: FaultEdge) {
        self.faults.toggle(fault, edge);
        self.has_faults = self.faults.is_any();
        self.may_lose = self.has_faults || self.loss > 0.0;
        self.way = if self.has_faults { Way::Drawn } else { self.own_way };
    }
}
