//! Selection by mouse: the box and the request at a screen position.

use bevy_egui::egui::Pos2;

use super::Canvas;
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
            let slot = self.slot_at(at, rect, place.node(), server_state);
            let waiting = || {
                (0..server_state.queue.len()).find(|&number| self.waiting(rect, number).distance(at) < 4.0)
            };
            slot.and_then(|slot| *server_state.slots.get(slot)?)
                .or_else(|| waiting().map(|number| server_state.queue[number]))
        })
    }
}
