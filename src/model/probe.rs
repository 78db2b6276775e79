//! Probes: metrics of nodes, sampled at an interval of virtual time. Each becomes a named time series.
//!
//! A probe looks on when everything else of its instant is over. It changes nothing: neither the count of events nor
//! the fingerprint of the run knows of it. Which gauges there are follows from what the parts measure.

use std::fmt;
use std::sync::LazyLock;

use bevy_ecs::prelude::*;
use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::metric::{Metric, PERCEIVED_LOAD, Reading};
use super::parts::PartViews;
use super::references::References;
use super::routing::RoutersView;
use super::variants::Vocabulary;
use crate::engine::row::{Column, Rows};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Node, NodeKind};

/// A probe as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// What is looked at: a source, a node or a group, or a list of them.
    pub of: References,
    /// What is read off each.
    pub gauges: Vec<GaugeSpec>,
    /// The time between two samples; the first one is taken at the start.
    pub every: SimDuration,
}

/// A gauge as it is written: `QueueDepth`, or `PerceivedLoad("server-2")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GaugeSpec {
    /// A metric of the node itself.
    Own(&'static Metric),
    /// What the node takes the load of another node, or of each of a group, to be.
    PerceivedLoad(String),
}

impl GaugeSpec {
    /// The metric.
    #[must_use]
    pub fn metric(&self) -> &'static Metric {
        match self {
            Self::Own(metric) => metric,
            Self::PerceivedLoad(_) => &PERCEIVED_LOAD,
        }
    }

    /// Its name as it is written.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.metric().gauge.unwrap_or_default()
    }
}

/// All gauges there are, and the metric that each samples.
static GAUGES: LazyLock<Vocabulary<&'static Metric>> = LazyLock::new(|| {
    let mut metrics: Vec<&'static Metric> = Vec::new();
    for metric in NodeKind::ALL.into_iter().flat_map(NodeKind::gauges).chain([&PERCEIVED_LOAD]) {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    metrics.into_iter().filter_map(|metric| Some((metric.gauge?, metric))).collect()
});

impl Serialize for GaugeSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Own(_) => serializer.serialize_unit_variant("GaugeSpec", 0, self.name()),
            Self::PerceivedLoad(of) => serializer.serialize_newtype_variant("GaugeSpec", 0, self.name(), of),
        }
    }
}

impl<'de> Deserialize<'de> for GaugeSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyGauge;

        impl<'de> Visitor<'de> for AnyGauge {
            type Value = GaugeSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a gauge")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<GaugeSpec, A::Error> {
                let ((_, metric), content) = data.variant_seed(&*GAUGES)?;
                if *metric == PERCEIVED_LOAD {
                    content.newtype_variant().map(GaugeSpec::PerceivedLoad)
                } else {
                    content.unit_variant().map(|()| GaugeSpec::Own(metric))
                }
            }
        }

        deserializer.deserialize_enum("GaugeSpec", &GAUGES.names, AnyGauge)
    }
}

/// A named time series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name of the node.
    pub node: String,
    /// What was sampled.
    pub metric: &'static Metric,
    /// The node that an estimate is about.
    pub about: Option<String>,
    /// Samples: when, and what. A rate has none at the start.
    pub samples: Vec<(SimTime, f64)>,
}

impl Series {
    /// The name of what was sampled: `queue_depth`, `perceived_load(server-2)`, ...
    #[must_use]
    pub fn name(&self) -> String {
        match &self.about {
            Some(about) => format!("{}({about})", self.metric.name),
            None => self.metric.name.to_owned(),
        }
    }
}

/// A probe as it runs.
#[derive(Component, Clone, Debug)]
pub struct Probe {
    /// The time between two samples.
    pub every: SimDuration,
    /// What is read, and where it is written.
    pub tracks: Vec<Track>,
}

/// One metric of one node.
#[derive(Clone, Debug)]
pub struct Track {
    /// The node.
    pub node: Node,
    /// The node that an estimate is about.
    pub about: Option<Node>,
    /// The counter at the last sample.
    pub last: u64,
    /// What has been read.
    pub series: Series,
}

/// The probes as a system reaches them.
pub type Probes<'w, 's> = Rows<'w, 's, Probe>;

/// The probes as handlers reach them: by row.
pub type ProbesView<'a> = Column<'a, Probe, Probe>;

impl Probe {
    /// Takes its samples, and tells when the next ones are due.
    pub fn sample(
        &mut self,
        now: SimTime,
        parts: &mut PartViews<'_>,
        routers: &mut RoutersView<'_>,
    ) -> SimTime {
        for track in &mut self.tracks {
            let value = match track.about {
                Some(about) => routers.estimate(track.node, about, now),
                None => {
                    let reading = parts.read(track.node, track.series.metric, now);
                    reading.and_then(|reading| track.value(reading, now, self.every))
                }
            };
            track.series.samples.extend(value.map(|value| (now, value)));
        }
        now + self.every
    }
}

impl Track {
    /// What a reading is worth at this moment.
    #[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
    fn value(&mut self, reading: Reading, now: SimTime, every: SimDuration) -> Option<f64> {
        match reading {
            Reading::Level { now, .. } | Reading::Share { now, .. } => Some(now),
            Reading::Value(value) | Reading::OfWindow(value) => value,
            Reading::Count(count) => {
                let growth = count - std::mem::replace(&mut self.last, count);
                (now > SimTime::ZERO).then(|| growth as f64 / every.as_seconds())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_gauge_of_one_metric() {
        let mut names = GAUGES.names.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), GAUGES.names.len(), "parts that measure the same share a metric");
    }
}
