//! The link: the network between two nodes, with the latency and the loss of messages.
//!
//! A link connects two nodes or groups, carries requests out and responses back, and has its own random streams for
//! each direction. Between nodes without a link, messages take no time and are never lost.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{Builder, CHECKED};
use super::check::Checker;
use super::metric::{Measurable, Metric, MetricReader, PlotSpec, Reading, Unit};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::queue::{EventQueue, LaneId};
use crate::engine::random::{Draw, RandomStream};
use crate::engine::row::{Column, Rows};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, PackedEvent, RequestRow};
use crate::text::Path;

/// A link as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// The sender: a source, a node or a group.
    pub from: String,
    /// The receiver: a node or a group.
    pub to: String,
    /// Latency of requests, from the sender to the receiver; 0 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<DistributionSpec<SimDuration>>,
    /// Latency of responses, from the receiver back to the sender; the same distribution as `latency` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_latency: Option<DistributionSpec<SimDuration>>,
    /// Probability (0 to 1) that a message is lost, the same for requests and responses.
    #[serde(default)]
    pub loss: f64,
}

impl LinkSpec {
    /// Reports errors in the link itself. Whether the nodes at its ends exist is checked elsewhere.
    pub fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        if !(0.0..=1.0).contains(&self.loss) {
            let message = format!("{} is not a probability: expected a number from 0 to 1", self.loss);
            checker.add(path.clone().name("loss"), message, "0.01 means one message in a hundred");
        }
        if let Some(latency) = &self.latency {
            checker.spec(path, "latency", latency.resolve().map(drop));
        }
        if let Some(latency) = &self.response_latency {
            checker.spec(path, "response_latency", latency.resolve().map(drop));
        }
        if self.latency.is_none() && self.response_latency.is_none() && self.loss == 0.0 {
            let message = "the link has no effect: it has neither a latency nor a loss";
            checker.warn(path.clone(), message, "give it a `latency` or a `loss`, or remove it");
        }
    }

    /// Spawns the link.
    ///
    /// # Panics
    /// If a distribution is invalid, which [`check`](Self::check) reports.
    pub fn build(&self, builder: &mut Builder<'_>) {
        let name = format!("{} -> {}", self.from, self.to);
        let sampler = |latency: Option<&DistributionSpec<SimDuration>>| {
            latency.map_or_else(|| Sampler::constant(0.0), |latency| latency.resolve().expect(CHECKED))
        };
        let request_latency = sampler(self.latency.as_ref());
        let response_latency = sampler(self.response_latency.as_ref().or(self.latency.as_ref()));
        let request = LinkHalf::new(request_latency, self.loss, &name, "request", builder);
        let response = LinkHalf::new(response_latency, self.loss, &name, "response", builder);
        builder.world.spawn(Link { name, request, response });
    }
}

/// Messages lost by links.
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

/// A link during a run.
#[derive(Component, Clone, Debug)]
pub struct Link {
    /// Name of the link: `from -> to`.
    pub name: String,
    /// The direction of requests.
    pub request: LinkHalf,
    /// The direction of responses.
    pub response: LinkHalf,
}

impl Link {
    /// Number of messages sent, in both directions.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.request.sent + self.response.sent
    }

    /// Number of messages lost, in both directions.
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
    /// Number of messages sent, including lost ones.
    pub sent: u64,
    /// Number of messages lost.
    pub lost: u64,
}

impl LinkHalf {
    /// One direction of the link `name`. `purpose` (`request` or `response`) names its random streams.
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

    /// Sends a message, which arrives after the latency or is lost at once. Returns its arrival time (`None` if it is
    /// lost), and the event that follows in the same instant, if any.
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

/// All links, as a system parameter.
pub type Links<'w, 's> = Rows<'w, 's, Link>;

/// All links by row, as handlers access them.
pub type LinksView<'a> = Column<'a, Link, Link>;
