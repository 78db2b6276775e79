//! The network between two nodes: how long a message takes, and whether it arrives.
//!
//! A link stands between a node or group and another, carries requests out and responses back, and draws from streams
//! of its own for each direction. Where no link is written, messages take no time.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use serde::{Deserialize, Serialize};

use super::measure::{Measure, Readings, Unit, View};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::queue::{EventQueue, Lane};
use crate::engine::random::{RandomStream, Streams};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, PackedEvent, RequestRow};

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

const LOSSES: View =
    View { id: "losses", section: "Links", title: "Lost messages", unit: Unit::PerSecond, caption: "" };

/// What a link measures of itself.
pub const MEASURES: [Measure; 1] = [Measure::new("loss_rate", "", &LOSSES)];

/// A link as it runs.
#[derive(Component, Clone, Debug)]
pub struct Link {
    /// Its name: `from -> to`.
    pub name: String,
    /// Requests.
    pub out: Direction,
    /// Responses.
    pub back: Direction,
}

/// One direction of a link.
#[derive(Clone, Debug)]
pub struct Direction {
    latency: Sampler,
    lane: Option<Lane>,
    latency_stream: RandomStream,
    loss: f64,
    loss_stream: RandomStream,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were lost.
    pub lost: u64,
}

impl Direction {
    /// A direction of the link `name`; `purpose` tells it from the other one.
    #[must_use]
    pub fn new(
        latency: Sampler,
        loss: f64,
        name: &str,
        purpose: &str,
        streams: &Streams,
        queue: &mut EventQueue<PackedEvent>,
    ) -> Self {
        let lane = latency.as_constant().and_then(|nanos| queue.lane(SimDuration::from_nanos_f64(nanos)));
        Self {
            latency,
            lane,
            latency_stream: streams.stream(name, &format!("{purpose} latency")),
            loss,
            loss_stream: streams.stream(name, &format!("{purpose} loss")),
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
#[derive(SystemParam)]
pub struct Links<'w, 's> {
    rows: Query<'w, 's, &'static mut Link>,
}

impl Links<'_, '_> {
    /// Borrows the column of links for a tick.
    pub fn view(&mut self) -> LinksView<'_> {
        LinksView { rows: crate::engine::column(&mut self.rows) }
    }
}

/// The links as handlers reach them: by row.
#[derive(Debug)]
pub struct LinksView<'a> {
    rows: &'a mut [Link],
}

impl LinksView<'_> {
    /// Reads off what the links measure.
    pub fn read(&self, readings: &mut Readings<'_>) {
        for link in &*self.rows {
            readings.rate(link.out.lost + link.back.lost);
        }
    }

    /// The link in a row.
    #[inline(always)]
    pub fn get_mut(&mut self, row: u32) -> &mut Link {
        &mut self.rows[row as usize]
    }
}
