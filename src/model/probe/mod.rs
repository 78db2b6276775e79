//! Probes: they sample metrics of nodes at intervals of virtual time, and record each as a named time series.
//!
//! A probe takes its samples after all other events of the instant. It does not affect the run: its samples are not
//! part of the event count or the fingerprint. The gauges are the metrics of the parts.

mod samples;

use std::fmt;
use std::sync::LazyLock;

use bevy_ecs::prelude::*;
use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::samples::Samples;
use super::check::Checker;
use super::link::{self, Link, LinksView};
use super::metric::{Measurable as _, Metric, PERCEIVED_LOAD, Reading};
use super::parts::PartViews;
use super::references::References;
use super::routing::RoutersView;
use super::variants::Vocabulary;
use crate::engine::row::{Column, Row, Rows};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Node, NodeKind};
use crate::text::Path;

/// A probe as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// The source, node, group or link to sample, or a list of them. Links are named by their ends: `"web -> db"`, `"* -> db"`.
    pub of: References,
    /// The metrics to sample of each node.
    pub gauges: Vec<GaugeSpec>,
    /// Time between two samples. The first sample is taken at the start of the run.
    pub every: SimDuration,
}

/// A gauge as written in a scenario: `QueueDepth`, or `PerceivedLoad("server-2")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GaugeSpec {
    /// A metric of the node itself.
    Own(&'static Metric),
    /// The node's estimate of the load of another node, or of each member of a group.
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

    /// Its name in a scenario.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.metric().gauge.unwrap_or_default()
    }
}

/// Whether a gauge is among those that `what` (`server`) called `name` has. Reports a problem if not.
pub fn has_gauge(
    gauge: &GaugeSpec,
    available: &[&str],
    (what, name): (&str, &str),
    path: &Path,
    checker: &mut Checker<'_>,
) -> bool {
    let has = available.contains(&gauge.name());
    if !has {
        let message = format!("a {what} (\"{name}\") has no gauge {}", gauge.name());
        checker.add(path.clone(), message, format!("name one of {}", available.join(", ")));
    }
    has
}

/// The names of all gauges, and their metrics.
static GAUGES: LazyLock<Vocabulary<&'static Metric>> = LazyLock::new(|| {
    let mut metrics: Vec<&'static Metric> = Vec::new();
    let of_nodes = NodeKind::ALL.into_iter().flat_map(NodeKind::gauges);
    for metric in of_nodes.chain([&PERCEIVED_LOAD]).chain(link::gauges()) {
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
    /// Name of the node or link.
    pub node: String,
    /// The metric.
    pub metric: &'static Metric,
    /// If it is an estimate of load: the name of the node whose load is estimated.
    pub about: Option<String>,
    /// The samples. Rates have none at the start of the run.
    pub samples: Samples,
}

impl Series {
    /// The name of the metric: `queue_depth`, `perceived_load(server-2)`, ...
    #[must_use]
    pub fn name(&self) -> String {
        match &self.about {
            Some(about) => format!("{}({about})", self.metric.name),
            None => self.metric.name.to_owned(),
        }
    }
}

/// A probe during a run.
#[derive(Component, Clone, Debug)]
pub struct Probe {
    /// Time between two samples.
    pub every: SimDuration,
    /// The metrics that it samples, with their series.
    pub tracks: Vec<Track>,
    /// The next probe with the same time between two samples: the event of this probe lets it take its samples as well.
    pub next: Option<Row<Self>>,
}

/// What a probe samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampled {
    /// A metric of a node.
    Node {
        /// The node.
        node: Node,
        /// The index of the metric among those of the kind of the node.
        metric: usize,
    },
    /// The estimate that a node has of the load of another node.
    Estimate {
        /// The node.
        by: Node,
        /// The node whose load is estimated.
        of: Node,
    },
    /// A metric of a link.
    Link {
        /// The link.
        link: Row<Link>,
        /// The index of the metric among those of links.
        metric: usize,
    },
}

/// One metric of one node or link, and its samples so far.
#[derive(Clone, Debug)]
pub struct Track {
    /// What is sampled.
    pub sampled: Sampled,
    /// If the metric is a rate: the value of its counter at the last sample.
    pub last: u64,
    /// The samples so far.
    pub series: Series,
}

/// All probes, as a system parameter.
pub type Probes<'w, 's> = Rows<'w, 's, Probe>;

/// All probes by row, as handlers access them.
pub type ProbesView<'a> = Column<'a, Probe, Probe>;

impl Probe {
    /// Takes its samples.
    pub fn sample(
        &mut self,
        now: SimTime,
        parts: &mut PartViews<'_>,
        routers: &mut RoutersView<'_>,
        links: &mut LinksView<'_>,
    ) {
        for track in &mut self.tracks {
            let reading = match track.sampled {
                Sampled::Node { node, metric } => parts.read(node, metric, now),
                Sampled::Estimate { by, of } => Reading::Value(routers.estimate(by, of, now)),
                Sampled::Link { link, metric } => (Link::MEASURED[metric].read)(links, link, now),
            };
            let value = track.value(reading, now, self.every);
            track.series.samples.push(value);
        }
    }
}

impl Track {
    /// The value of a sample, or `None` if there is none at this time.
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
    fn names_of_gauges_are_unique() {
        let mut names = GAUGES.names.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), GAUGES.names.len(), "parts that measure the same quantity share a metric");
    }
}
