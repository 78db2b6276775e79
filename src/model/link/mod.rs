//! The link: the network between two nodes, with the latency and the loss of messages.
//!
//! A link connects two nodes or groups, or all of them to one, carries requests out and responses back, and has its own
//! random streams for each direction. Between nodes without a link, messages take no time and are never lost.
//!
//! `spec` has the scenario format, `line` the bandwidth that messages share, `transit` counts the messages that are on their
//! way, `fault` is what can happen to a link, `shown` its metrics.

mod fault;
mod line;
mod preset;
mod shown;
mod spec;
mod transit;

use bevy_ecs::prelude::*;

use self::fault::HalfFaults;
pub use self::fault::{Direction, LinkFault};
pub use self::line::{Line, LineTraffic, LinkSharing};
pub use self::preset::LinkPreset;
pub use self::shown::{LOSS_RATE, gauges};
use self::spec::HalfSpec;
pub use self::spec::{LinkSpec, matching, unknown_link};
pub use self::transit::Transit;
use super::build::Builder;
use super::trace::Passage;
use crate::engine::distribution::Sampler;
use crate::engine::queue::{EventQueue, LaneId};
use crate::engine::random::{Draw, RandomStream};
use crate::engine::row::{Column, Row, Rows};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, PackedEvent, RequestRow};

/// The name at an end of a link that is any sender, or any receiver.
pub const ANY: &str = "*";

/// The name of a direction of the link called `link`: `from -> to (requests)`.
#[must_use]
pub fn direction_name(link: &str, is_response: bool) -> String {
    format!("{link} ({})", if is_response { "responses" } else { "requests" })
}

/// A direction of a link, as a number: twice the row of the link, and one more for responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineId(pub u32);

impl LineId {
    /// A direction of the link in a row.
    #[must_use]
    pub const fn new(link: Row<Link>, is_response: bool) -> Self {
        Self(2 * link.number() + is_response as u32)
    }

    /// The link.
    #[must_use]
    pub const fn link(self) -> Row<Link> {
        Row::new(self.0 / 2)
    }

    /// Whether it is the direction of responses.
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 % 2 == 1
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
    /// For how long requests have waited, until their timeouts, for calls that the link had lost.
    pub waited_in_vain: SimDuration,
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

    /// One of its directions.
    #[must_use]
    pub const fn half(&self, is_response: bool) -> &LinkHalf {
        if is_response { &self.response } else { &self.request }
    }

    /// One of its directions, mutably.
    #[must_use]
    pub const fn half_mut(&mut self, is_response: bool) -> &mut LinkHalf {
        if is_response { &mut self.response } else { &mut self.request }
    }

    /// Resets statistics at the end of the warm-up.
    pub fn restart(&mut self, now: SimTime) {
        self.waited_in_vain = SimDuration::ZERO;
        let halves = [&mut self.request, &mut self.response];
        halves.into_iter().filter_map(|half| half.transit.as_mut()).for_each(|transit| transit.restart(now));
    }
}

/// One direction of a link.
#[derive(Clone, Debug)]
pub struct LinkHalf {
    /// The row of the link.
    link: u32,
    latency: Sampler,
    /// How messages travel now.
    way: Way,
    latency_stream: RandomStream,
    /// Whether a message may be lost now.
    may_lose: bool,
    /// Whether faults are in effect.
    has_faults: bool,
    loss: f64,
    loss_stream: RandomStream,
    /// How messages travel without faults.
    own_way: Way,
    faults: Box<HalfFaults>,
    /// What is on its way, if it is counted or shares a bandwidth.
    transit: Option<Box<Transit>>,
    /// Number of messages sent, including lost ones.
    pub sent: u64,
    /// Number of messages lost.
    pub lost: u64,
}

/// How messages travel over a link.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// They arrive in the same instant, as between nodes without a link.
    Instant,
    /// Each takes the same time: that of a lane.
    Lane(LaneId),
    /// The time of each is drawn.
    Drawn,
}

impl LinkHalf {
    /// A direction of the link `name`.
    fn new(spec: HalfSpec, id: LineId, name: &str, builder: &mut Builder<'_>) -> Self {
        let HalfSpec { latency, loss, bandwidth, sharing } = spec;
        let line =
            bandwidth.map(|bandwidth| Line::new(bandwidth, sharing, Event::Transferred { line: id.0 }));
        let is_counted = line.is_some() || builder.is_watched(id.link());
        let constant = latency.as_constant().filter(|_| !is_counted).map(SimDuration::from_nanos_f64);
        let way = match constant {
            Some(SimDuration::ZERO) => Way::Instant,
            Some(time) => builder.queue.lane(time).map_or(Way::Drawn, Way::Lane),
            None => Way::Drawn,
        };
        let purpose = if id.is_response() { "response" } else { "request" };
        Self {
            link: id.link().number(),
            latency,
            transit: is_counted.then(|| Box::new(Transit::new(line))),
            way,
            own_way: way,
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

    /// Sends a message about a request, which arrives after its transfer and the latency or is lost at once. Returns what
    /// becomes of it, and the event that follows in the same instant, if any: its loss, or the message itself. `size` is its
    /// size in bytes.
    #[inline(always)]
    pub fn send(
        &mut self,
        now: SimTime,
        queue: &mut EventQueue<PackedEvent>,
        message: PackedEvent,
        request: RequestRow,
        size: impl FnOnce() -> u32,
    ) -> (Passage, Option<PackedEvent>) {
        self.sent += 1;
        if self.may_lose && self.loses() {
            self.lost += 1;
            return (Passage::Lost, Some(Event::Lost { request, by: self.link }.pack()));
        }
        let arrives = match self.way {
            Way::Instant => return (Passage::Arrives(now), Some(message)),
            Way::Lane(lane) => queue.schedule_in(lane, message),
            Way::Drawn => {
                let latency = self.latency.sample_duration(&mut self.latency_stream);
                let delay = if self.has_faults { self.faults.delay() } else { SimDuration::ZERO };
                if let Some(transit) = &mut self.transit {
                    return (transit.send(now, queue, message, size(), latency + delay), None);
                }
                let arrives = now + (latency + delay);
                queue.schedule(arrives, message);
                arrives
            }
        };
        (Passage::Arrives(arrives), None)
    }

    /// Ends a transfer. Returns the message and the time at which it arrives, or `None` if no transfer is due.
    pub fn end_transfer(
        &mut self,
        now: SimTime,
        queue: &mut EventQueue<PackedEvent>,
    ) -> Option<(PackedEvent, SimTime)> {
        self.transit.as_mut()?.end_transfer(now, queue)
    }

    /// What is on its way now, or `None` if it is not counted.
    pub fn transit(&mut self, now: SimTime) -> Option<&mut Transit> {
        let transit = self.transit.as_deref_mut()?;
        transit.advance(now);
        Some(transit)
    }

    /// Its bandwidth and what is on it, or `None` if it is unlimited.
    #[must_use]
    pub fn line(&self) -> Option<&Line> {
        self.transit.as_ref()?.line.as_ref()
    }

    /// Whether the next message is lost.
    #[inline]
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
