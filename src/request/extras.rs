//! What only the requests of some sources have of their own: those of a trace, and those of users with sessions or a pace.
//!
//! The pool has them in a list of its own, which is empty unless the scenario has such a source.

use super::RequestsView;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;

/// What a request has of its own, beyond the attributes of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extras {
    /// Its class: a number that its source has given; `None` if it has the class of its source.
    pub class: Option<u16>,
    /// Its service time at the first server with a service time that it reaches.
    pub service: Option<SimDuration>,
    /// The user of a closed loop who has sent it: a number that its source has given.
    pub user: Option<u32>,
    /// When its user intended to send it, if the user keeps a pace.
    pub intended: Option<SimTime>,
}

impl Extras {
    /// Those of a request that has none, and of a free row.
    pub const NONE: Self = Self { class: None, service: None, user: None, intended: None };
}

impl RequestsView<'_> {
    /// What a request has of its own; nothing if the scenario has no source of such requests.
    #[must_use]
    pub fn extras(&self, row: RequestRow) -> Extras {
        self.pool.extras.get(row.index()).copied().unwrap_or(Extras::NONE)
    }

    /// Sets what a request has of its own. Without effect if the scenario has no source of such requests.
    pub fn set_extras(&mut self, row: RequestRow, extras: Extras) {
        if let Some(own) = self.pool.extras.get_mut(row.index()) {
            *own = extras;
        }
    }

    /// Takes the service time that a request brings along, which then has none.
    pub fn take_service_time(&mut self, row: RequestRow) -> Option<SimDuration> {
        self.pool.extras.get_mut(row.index())?.service.take()
    }
}
