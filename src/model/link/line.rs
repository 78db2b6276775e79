//! The line of a link: the bandwidth in one of its directions, which messages share.
//!
//! A message occupies the line until all of its bytes have been sent, and arrives after the latency of the link from then
//! on. With `sharing: Fair`, messages on the line at the same time have an equal share of the bandwidth, as in the fluid
//! model of long TCP flows through one bottleneck (Massoulié and Roberts: "Bandwidth sharing and admission control for
//! elastic traffic", 2000): whenever a message comes or goes, the speed of all others changes. With `Serial`, they are sent
//! one after the other, in order.
//!
//! All senders and receivers of a link share its line.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::engine::queue::{EventKey, EventQueue};
use crate::engine::shared_work::SharedWork;
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::units::Bandwidth;
use crate::event::{Event, PackedEvent};

/// How messages that are sent at the same time share the bandwidth of a link, as written in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LinkSharing {
    /// Each has an equal share of it.
    #[default]
    Fair,
    /// They are sent one after the other, in the order in which they came.
    Serial,
}

/// A message on a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Transfer {
    pub(super) message: PackedEvent,
    /// Its size in bytes.
    pub(super) size: u32,
    /// Its latency after its transfer.
    pub(super) latency: SimDuration,
    /// When it came.
    since: SimTime,
    /// How long its transfer takes if it has the line for itself, in nanoseconds.
    alone: f64,
}

/// The bandwidth of one direction of a link, and the messages that are on it.
#[derive(Clone, Debug)]
pub struct Line {
    nanos_per_byte: f64,
    transfers: Transfers,
    /// The event at the end of the next transfer, and its time.
    next: Option<(EventKey, SimTime)>,
    event: PackedEvent,
    /// What it has transferred.
    pub traffic: LineTraffic,
}

#[derive(Clone, Debug)]
enum Transfers {
    Fair(SharedWork<Transfer>),
    Serial {
        /// The messages in order, with the end of the transfer of each.
        queue: VecDeque<(SimTime, Transfer)>,
        /// When the line became busy.
        busy_since: SimTime,
        /// How long the transfers of all messages take that have come since then, in nanoseconds.
        work: f64,
    },
}

/// Counters and times of the messages on a line.
#[derive(Clone, Debug, Default)]
pub struct LineTraffic {
    /// Messages that came.
    pub arrived: u64,
    /// Messages that have been transferred.
    pub completed: u64,
    /// Bytes of the messages that have been transferred.
    pub bytes: u64,
    /// 1 while messages are on the line, and 0 otherwise, over time.
    pub busy: TimeWeighted,
    /// Number of messages that it would make wait if it sent one at a time, over time.
    pub waiting: TimeWeighted,
    /// By how much the transfer of a message took longer than if it had had the line for itself.
    pub wait: Tally,
    /// How long the transfers of the messages that came take if they have the line for themselves.
    pub alone: Tally,
}

impl Line {
    /// An idle line. Its transfers end by this event.
    pub(super) fn new(bandwidth: Bandwidth, sharing: LinkSharing, event: Event) -> Self {
        let transfers = match sharing {
            LinkSharing::Fair => Transfers::Fair(SharedWork::default()),
            LinkSharing::Serial => {
                Transfers::Serial { queue: VecDeque::new(), busy_since: SimTime::ZERO, work: 0.0 }
            }
        };
        Self {
            nanos_per_byte: bandwidth.nanos_per_byte(),
            transfers,
            next: None,
            event: event.pack(),
            traffic: LineTraffic::default(),
        }
    }

    /// Whether messages are transferred at the same time, each with an equal share.
    #[must_use]
    pub const fn is_fair(&self) -> bool {
        matches!(self.transfers, Transfers::Fair(_))
    }

    /// Number of messages on the line.
    fn len(&self) -> usize {
        match &self.transfers {
            Transfers::Fair(work) => work.len(),
            Transfers::Serial { queue, .. } => queue.len(),
        }
    }

    /// Begins the transfer of a message of this size.
    pub(super) fn begin(
        &mut self,
        now: SimTime,
        events: &mut EventQueue<PackedEvent>,
        message: PackedEvent,
        size: u32,
        latency: SimDuration,
    ) {
        let alone = f64::from(size) * self.nanos_per_byte;
        let transfer = Transfer { message, size, latency, since: now, alone };
        match &mut self.transfers {
            Transfers::Fair(work) => work.begin_exact(now, alone, transfer),
            Transfers::Serial { queue, busy_since, work } => {
                if queue.is_empty() {
                    (*busy_since, *work) = (now, 0.0);
                }
                *work += alone;
                queue.push_back((*busy_since + SimDuration::from_nanos_f64(*work), transfer));
            }
        }
        self.traffic.arrived += 1;
        // Not at the end: of a line that is full, the large ones may never end.
        self.traffic.alone.record(SimDuration::from_nanos_f64(alone).as_nanos());
        self.adapt(now, events);
    }

    /// Ends the transfer that is due now. Returns it, or `None` if none is.
    pub(super) fn end(&mut self, now: SimTime, events: &mut EventQueue<PackedEvent>) -> Option<Transfer> {
        self.next = None;
        let transfer = match &mut self.transfers {
            Transfers::Fair(work) => {
                let (_, transfer) = work.next()?;
                work.end(now, transfer)?;
                transfer
            }
            Transfers::Serial { queue, .. } => queue.pop_front()?.1,
        };
        let alone = SimDuration::from_nanos_f64(transfer.alone);
        let traffic = &mut self.traffic;
        traffic.completed += 1;
        traffic.bytes += u64::from(transfer.size);
        traffic.wait.record((now.since(transfer.since) - alone).as_nanos());
        self.adapt(now, events);
        Some(transfer)
    }

    /// Adapts the shares of the messages and the event at the end of the next transfer to the messages on the line.
    fn adapt(&mut self, now: SimTime, events: &mut EventQueue<PackedEvent>) {
        let messages = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.traffic.busy.set(now, messages.min(1));
        self.traffic.waiting.set(now, messages.saturating_sub(1));
        let due = match &mut self.transfers {
            Transfers::Fair(work) => {
                let share = 1.0 / f64::from(messages.max(1));
                work.set_speed(now, share, share);
                work.next().map(|(at, _)| at)
            }
            Transfers::Serial { queue, .. } => queue.front().map(|(at, _)| *at),
        };
        if due == self.next.map(|(_, at)| at) {
            return;
        }
        if let Some((key, _)) = self.next.take() {
            events.cancel(key);
        }
        self.next = due.map(|at| (events.schedule_cancellable(at.max(now), self.event), at));
    }

    /// Resets statistics at the end of the warm-up.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.traffic.busy.restart(now);
        self.traffic.waiting.restart(now);
        self.traffic.wait.clear();
        self.traffic.alone.clear();
    }
}
