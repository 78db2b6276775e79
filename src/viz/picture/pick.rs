//! Selection by mouse: the box and the request at a screen position.

use bevy_egui::egui::{Pos2, vec2};

use super::Canvas;
use super::server_state::MAX_DISCS;
use crate::event::RequestRow;

impl Canvas<'_> {
    /// The box and the request at a screen position.
    pub(super) fn pick(&self, at: Pos2) -> (Option<usize>, Option<RequestRow>) {
        (self.node_at(at), self.request_at(at))
    }

    /// The box at a screen position. Faster than [`pick`](Self::pick), because it does not search the requests.
    pub(super) fn node_at(&self, at: Pos2) -> Option<usize> {
        self.session.layout.boxes.iter().position(|place| self.box_rect(place).contains(at))
    }

    /// The request at a screen position: on a link, in a slot, or in a queue.
    pub(super) fn request_at(&self, at: Pos2) -> Option<RequestRow> {
        self.dot_at(at).or_else(|| self.held_at(at))
    }

    /// The request in a slot or a queue at a screen position.
    fn held_at(&self, at: Pos2) -> Option<RequestRow> {
        self.session.layout.boxes.iter().filter(|place| !place.is_folded()).find_map(|place| {
            let (rect, server_state) =
                (self.box_rect(place), self.session.live_state.server_state(place.node())?);
            let step = rect.width() / (server_state.slots.len() as f32 + 0.6);
            let slot = (0..server_state.slots.len().min(MAX_DISCS)).find(|&number| {
                let center = rect.left_center() + vec2(step * (number as f32 + 0.8), 5.0 * self.camera.zoom);
                center.distance(at) < 9.0 * self.camera.zoom
            });
            let waiting = || {
                (0..server_state.queue.len()).find(|&number| self.waiting(rect, number).distance(at) < 4.0)
            };
            slot.and_then(|slot| server_state.slots[slot])
                .or_else(|| waiting().map(|number| server_state.queue[number]))
        })
    }
}
