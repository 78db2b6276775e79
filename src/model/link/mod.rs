//! The network between two nodes: how long a message takes, and whether it arrives.
//!
//! A link stands between a node or group and another, carries requests out and responses back, and draws from streams
//! of its own for each direction. Where no link is written, messages take no time.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{Builder, CHECKED};
use super::check::Checker;
use super::metric::{Measurable, Metric, MetricReader, PlotSpec, Reading, Unit};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::queue::{EventQueue, LaneId};
use crate::engine::random::RandomStream;
use crate::engine::row::{Column, Rows};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, PackedEvent, RequestRow};
use crate::text::Path;

/// A link as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// The sender: a source, a node or a group.
    pub from: String,
    /// The receiver: a node or a group.
    pub to: String,
    /// How long a request takes from one to the other.
    #[serde(default)]
    pub latency: Option<DistributionSpec<SimDuration>>,
    /// How long a response takes back; the same law as `latency` if it is not given.
    #[serde(default)]
    pub response_latency: Option<DistributionSpec<SimDuration>>,
    /// The probability (0 to 1) that a message is lost, in either direction.
    #[serde(default)]
    pub loss: f64,
}

impl LinkSpec {
    /// Complains of what cannot be about a link by itself. Whether its ends are there is asked by who knows all nodes.
    pub fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        if !(0.0..=1.0).contains(&self.loss) {
            let message = format!("{} is no probability: a number from 0 to 1 is expected", self.loss);
            checker.add(path.clone().name("loss"), message, "0.01 means one message in a hundred");
        }
        if let Some(latency) = &self.latency {
            checker.spec(path, "latency", latency.resolve().map(drop));
        }
        if let Some(latency) = &self.response_latency {
            checker.spec(path, "response_latency", latency.resolve().map(drop));
        }
    }

    /// Builds the link.
    ///
    /// # Panics
    /// If it was not checked.
    pub fn build(&self, builder: &mut Builder<'_>) {
        let name = format!("{} -> {}", self.from, self.to);
        let law = |law: Option<&DistributionSpec<SimDuration>>| {
            law.map_or_else(|| Sampler::constant(0.0), |law| law.resolve().expect(CHECKED))
        };
        let out = law(self.latency.as_ref());
        let back = law(self.response_latency.as_ref().or(self.latency.as_ref()));
        let request = LinkHalf::new(out, self.loss, &name, "request", builder);
        let response = LinkHalf::new(back, self.loss, &name, "response", builder);
        builder.world.spawn(Link { name, request, response });
    }
}

/// Messages that links lost.
pub static LOSS_RATE: Metric = Metric::unprobed("loss_rate", Unit::PerSecond);

static LOSSES: PlotSpec = PlotSpec { id: "losses", section: "Links", title: "Lost messages", caption: "" };

impl Measurable for Link {
    type View<'a> = LinksView<'a>;

    const MEASURED: &'static [MetricReader<Self>] =
        &[MetricReader::new(&LOSS_RATE, &LOSSES, |links, row, _| Reading::Count(links[row].lost()))];

    fn rows(links: &LinksView<'_>) -> usize {
        links.len()
    }
}

/// A link as it runs.
#[derive(Component, Clone, Debug)]
pub struct Link {
    /// Its name: `from -> to`.
    pub name: String,
    /// The half that carries requests.
    pub request: LinkHalf,
    /// The half that carries responses.
    pub response: LinkHalf,
}

impl Link {
    /// Messages that were sent, in both directions.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.request.sent + self.response.sent
    }

    /// Messages that were lost, in both directions.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.request.lost + self.response.lost
    }
}

/// One direction of a link.
#[derive(Clone, Debug)]
pub struct LinkHalf {
    latency: Sampler,
    lane: Option<LaneId>,
    latency_stream: RandomStream,
    loss: f64,
    loss_stream: RandomStream,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were lost.
    pub lost: u64,
}

impl LinkHalf {
    /// A half of the link `name`; `purpose` tells it from the other one.
    fn new(latency: Sampler, loss: f64, name: &str, purpose: &str, builder: &mut Builder<'_>) -> Self {
        let lane =
            latency.as_constant().and_then(|nanos| builder.queue.lane(SimDuration::from_nanos_f64(nanos)));
        Self {
            latency,
            lane,
            latency_stream: builder.stream(name, &format!("{purpose} latency")),
            loss,
            loss_stream: builder.stream(name, &format!("{purpose} loss")),
            sent: 0,
            lost: 0,
        }
    }

    /// Sends a message: it arrives after the latency, or is lost at once. Tells when it arrives, and what follows now.
    #[inline(always)]
    pub fn send(
        &mut self,
        now: SimTime,
        queue: &mut EventQueue<PackedEvent>,
        message: PackedEvent,
        request: RequestRow,
    ) -> (Option<SimTime>, Option<PackedEvent>) {
        self.sent += 1;
        if self.loss > 0.0 && self.loss_stream.chance(self.loss) {
            self.lost += 1;
            return (None, Some(Event::Lost { request }.pack()));
        }
        let arrives = match self.lane {
            Some(lane) => queue.schedule_in(lane, message),
            None => {
                let arrives = now + self.latency.sample_duration(&mut self.latency_stream);
                queue.schedule(arrives, message);
                arrives
            }
        };
        (Some(arrives), None)
    }
}

/// The links as a system reaches them.
pub type Links<'w, 's> = Rows<'w, 's, Link>;

/// The links as handlers reach them: by row.
pub type LinksView<'a> = Column<'a, Link, Link>;
