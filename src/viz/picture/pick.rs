//! Picking: the box and the request at a point of the screen.

use bevy_egui::egui::{Pos2, vec2};

use super::Canvas;
use super::server_state::MAX_DISCS;
use crate::event::RequestRow;

impl Canvas<'_> {
    /// The box and the request at a point of the screen.
    pub(super) fn pick(&self, at: Pos2) -> (Option<usize>, Option<RequestRow>) {
        (self.node_at(at), self.request_at(at))
    }

    /// The box at a point of the screen. Without a look at the requests, of which there may be many.
    pub(super) fn node_at(&self, at: Pos2) -> Option<usize> {
        self.session.layout.places.iter().position(|place| self.plate(place).contains(at))
    }

    pub(super) fn request_at(&self, at: Pos2) -> Option<RequestRow> {
        self.travelling_at(at).or_else(|| self.waiting_at(at))
    }

    pub(super) fn waiting_at(&self, at: Pos2) -> Option<RequestRow> {
        self.session.layout.places.iter().filter(|place| !place.is_folded()).find_map(|place| {
            let (rect, server_state) =
                (self.plate(place), self.session.live_state.server_state(place.node())?);
            let step = rect.width() / (server_state.slots.len() as f32 + 0.6);
            let slot = (0..server_state.slots.len().min(MAX_DISCS)).find(|&number| {
                let middle = rect.left_center() + vec2(step * (number as f32 + 0.8), 5.0 * self.view.zoom);
                middle.distance(at) < 9.0 * self.view.zoom
            });
            let waiting =
                || (0..server_state.line.len()).find(|&number| self.waiting(rect, number).distance(at) < 4.0);
            slot.and_then(|slot| server_state.slots[slot])
                .or_else(|| waiting().map(|number| server_state.line[number]))
        })
    }
}
