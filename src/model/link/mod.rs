//! The link: the network between two nodes, with the latency and the loss of messages.
//!
//! A link connects two nodes or groups, or all of them to one, carries requests out and responses back, and has its own
//! random streams for each direction. Between nodes without a link, messages take no time and are never lost.

mod fault;
mod preset;
mod spec;

use bevy_ecs::prelude::*;

use self::fault::HalfFaults;
pub use self::fault::{Direction, LinkFault};
pub use self::preset::LinkPreset;
pub use self::spec::LinkSpec;
use super::build::Builder;
use super::metric::{Measurable, Metric, MetricReader, PlotSpec, Reading, Unit};
use crate::engine::distribution::Sampler;
use crate::engine::queue::{EventQueue, LaneId};
use crate::engine::random::{Draw, RandomStream};
use crate::engine::row::{Column, Rows};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, PackedEvent, RequestRow};

/// The name at an end of a link that is any sender, or any receiver.
pub const ANY: &str = "*";

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
    /// The lane of messages, if each takes the same time now.
    lane: Option<LaneId>,
    latency_stream: RandomStream,
    /// Whether a message may be lost now.
    may_lose: bool,
    /// Whether faults are in effect.
    has_faults: bool,
    loss: f64,
    loss_stream: RandomStream,
    /// The lane of messages without faults.
    own_lane: Option<LaneId>,
    faults: Box<HalfFaults>,
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
            own_lane: lane,
            may_lose: loss > 0.0,
            has_faults: false,
            faults: Box::new(HalfFaults::new(builder.stream(name, &format!("{purpose} faults")))),
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
        if self.may_lose && self.loses() {
            self.lost += 1;
            return (None, Some(Event::Lost { request }.pack()));
        }
        let arrives = match self.lane {
            Some(lane) => queue.schedule_in(lane, message),
            None => {
                let latency = self.latency.sample_duration(&mut self.latency_stream);
                let delay = if self.has_faults { self.faults.delay() } else { SimDuration::ZERO };
                let arrives = now + (latency + delay);
                queue.schedule(arrives, message);
                arrives
            }
        };
        (Some(arrives), None)
    }

    /// Whether the next message is lost.
    fn loses(&mut self) -> bool {
        let by_itself = self.loss > 0.0 && self.loss_stream.chance(self.loss);
        let by_faults = self.has_faults && self.faults.lose();
        by_itself || by_faults
    }
}

/// All links, as a system parameter.
pub type Links<'w, 's> = Rows<'w, 's, Link>;

/// All links by row, as handlers access them.
pub type LinksView<'a> = Column<'a, Link, Link>;
