//! Paints a node that holds requests: each slot as a disc that fills during the service, and the queue below the box.

use bevy_egui::egui::{CornerRadius, Mesh, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

use super::{Canvas, single};
use crate::engine::floor_to_usize;
use crate::event::{Node, NodeRange, RequestRow};
use crate::format::columns::shortened;
use crate::model::node_state::NodeState;
use crate::viz::server_state::ServerState;
use crate::viz::theme::{BAD, GOOD, SERIES};
use crate::viz::tracked_request::{RequestLocation, TrackedRequest};

/// Maximum number of slots painted as discs. A node with more gets a bar with the number of busy slots.
pub(super) const MAX_DISCS: usize = 12;
/// Maximum number of resources painted as bars.
const MAX_RESOURCES: usize = 4;
/// Characters that fit into a box in the size of the names of resources.
const LABEL_CHARACTERS: usize = 34;
/// Columns and rows of the grid that shows the queue.
const QUEUE_GRID: (usize, usize) = (25, 4);

/// The state of a node, shown by a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No request waits.
    Healthy,
    /// Requests wait for slots, or for a resource.
    Saturated,
    /// All slots are busy, and the queue is full.
    Full,
    /// The node is down.
    Down,
    /// The node boots or drains.
    Changing,
    /// The node is not there.
    Absent,
}

impl State {
    fn of(server_state: &ServerState) -> Self {
        match server_state.state {
            NodeState::Down => return Self::Down,
            NodeState::Absent => return Self::Absent,
            NodeState::Booting | NodeState::Draining => return Self::Changing,
            NodeState::Up => {}
        }
        if server_state.is_full() && server_state.is_queue_full() {
            Self::Full
        } else if server_state.queue.is_empty() {
            Self::Healthy
        } else {
            Self::Saturated
        }
    }
}

/// The number of waiting requests, and the capacity of the queue if it is limited.
fn waiting(server_state: &ServerState) -> String {
    let number = server_state.queue.len();
    server_state
        .queue_capacity
        .map_or_else(|| format!("{number} waiting"), |capacity| format!("{number} of {capacity} waiting"))
}

/// The share of busy slots, 0 to 1.
fn utilization(server_state: &ServerState) -> f32 {
    server_state.in_service as f32 / server_state.shown_slots().max(1) as f32
}

impl Canvas<'_> {
    /// Paints the state, the slots and the queue of a node.
    pub(super) fn server_state(&self, rect: Rect, node: Node, server_state: &ServerState) {
        let zoom = self.camera.zoom;
        let is_short = self.session.resource_levels(node).iter().any(|[_, waiting]| *waiting > 0.0);
        let state = State::of(server_state);
        self.state(rect, if is_short && state == State::Healthy { State::Saturated } else { state });
        let slots = server_state.shown_slots();
        self.resources(rect, node);
        let place = self.slots_below_middle(node);
        if server_state.is_unlimited() && (slots == 0 || slots > MAX_DISCS) {
            self.text(rect.center() + vec2(0.0, place), &format!("{slots} inside"), 10.5, self.theme.faint);
        } else if slots == 0 {
            let (text, colour) = match server_state.state {
                NodeState::Up | NodeState::Draining => ("paused", BAD),
                NodeState::Down => ("down", BAD),
                state @ (NodeState::Absent | NodeState::Booting) => (state.name(), self.theme.faint),
            };
            self.text(rect.center() + vec2(0.0, 8.0 * zoom), text, 13.0, colour);
        } else if slots <= MAX_DISCS {
            let (radius, centers) = self.discs(rect, node, server_state);
            for (center, slot) in centers.zip(&server_state.slots) {
                self.slot(center, radius, *slot);
            }
        } else {
            let at = rect.center() + vec2(0.0, place);
            self.bar(rect, at, utilization(server_state), &format!("{} of {slots}", server_state.in_service));
        }
        self.queue(rect, server_state);
    }

    /// Paints a symbol for the state of a node. Colour and shape both differ between states.
    fn state(&self, rect: Rect, state: State) {
        let (at, radius) = (rect.left_top() + vec2(11.0, 11.0) * self.camera.zoom, 4.0 * self.camera.zoom);
        let corner = |angle: f32| at + radius * Vec2::angled(std::f32::consts::TAU * angle);
        match state {
            State::Healthy => {
                self.painter.circle_filled(at, 0.8 * radius, GOOD);
            }
            State::Saturated => {
                let points = [-0.25, 1.0 / 12.0, 5.0 / 12.0].map(corner).to_vec();
                self.painter.add(Shape::convex_polygon(points, SERIES[1], Stroke::NONE));
            }
            State::Full => {
                let points = [0.125, 0.375, 0.625, 0.875].map(corner).to_vec();
                self.painter.add(Shape::convex_polygon(points, BAD, Stroke::NONE));
            }
            State::Changing => {
                self.painter.circle_stroke(at, 0.8 * radius, Stroke::new(1.5 * self.camera.zoom, GOOD));
            }
            State::Absent => {}
            State::Down => {
                let stroke = Stroke::new(2.0 * self.camera.zoom, BAD);
                self.painter.line_segment([corner(0.125), corner(0.625)], stroke);
                self.painter.line_segment([corner(0.375), corner(0.875)], stroke);
            }
        }
    }

    /// The radius and the centres of the discs of the slots of a node; none if they are shown as a bar.
    fn discs(
        &self,
        rect: Rect,
        node: Node,
        server_state: &ServerState,
    ) -> (f32, impl Iterator<Item = Pos2> + use<>) {
        let slots = server_state.shown_slots();
        let discs = if slots > MAX_DISCS { 0 } else { slots };
        let places = if server_state.is_unlimited() { MAX_DISCS } else { slots };
        let step = rect.width() / (places as f32 + 0.6);
        let below = self.slots_below_middle(node);
        let center = move |number: usize| rect.left_center() + vec2(step * (number as f32 + 0.8), below);
        ((0.42 * step).min(8.0 * self.camera.zoom), (0..discs).map(center))
    }

    /// The slot of a node, shown as a disc, at a screen position.
    pub(super) fn slot_at(
        &self,
        at: Pos2,
        rect: Rect,
        node: Node,
        server_state: &ServerState,
    ) -> Option<usize> {
        let (radius, mut centers) = self.discs(rect, node, server_state);
        centers.position(|center| center.distance(at) < radius + self.camera.zoom)
    }

    /// How far below the middle of its box the slots of a node are shown.
    fn slots_below_middle(&self, node: Node) -> f32 {
        let has_bars = self.session.names.resources(node).iter().any(|name| *name != "slots");
        if has_bars { -self.camera.zoom } else { 5.0 * self.camera.zoom }
    }

    /// Paints the resources of a node other than its slots, as bars at the bottom of its box.
    fn resources(&self, rect: Rect, node: Node) {
        let zoom = self.camera.zoom;
        let names = self.session.names.resources(node);
        let levels = self.session.resource_levels(node);
        let shown: Vec<_> = names.iter().zip(levels).filter(|(name, _)| *name != "slots").collect();
        let columns = shown.len().min(MAX_RESOURCES);
        let step = 0.92 * rect.width() / columns as f32;
        for (column, (name, [load, waiting])) in shown.into_iter().take(columns).enumerate() {
            let left = rect.left() + 0.04 * rect.width() + step * column as f32;
            let bar = Rect::from_min_size(
                pos2(left + 1.5 * zoom, rect.bottom() - 7.0 * zoom),
                vec2(step - 3.0 * zoom, 4.0 * zoom),
            );
            let is_short = *waiting > 0.0;
            self.painter.rect_filled(bar, CornerRadius::ZERO, self.theme.free);
            let filled = Rect::from_min_size(bar.min, vec2(bar.width() * single(*load), bar.height()));
            let colour = if is_short { BAD } else { SERIES[2] };
            self.painter.rect_filled(filled, CornerRadius::ZERO, colour);
            let name = name.strip_prefix("pool ").unwrap_or(name);
            let text = if is_short { format!("{name} +{waiting}") } else { name.to_owned() };
            let text = shortened(&text, LABEL_CHARACTERS / columns);
            let colour = if is_short { BAD } else { self.theme.faint };
            self.text(bar.center_top() - vec2(0.0, 5.0 * zoom), &text, 8.0, colour);
        }
    }

    /// Paints a slot: a disc that fills like a clock during the service, and a ring while the request waits for a call or a
    /// resource.
    fn slot(&self, center: Pos2, radius: f32, slot: Option<RequestRow>) {
        self.painter.circle_filled(center, radius, self.theme.free);
        let Some(tracked_request) = slot.and_then(|row| self.session.live_state.tracked_request(row)) else {
            return;
        };
        if matches!(
            tracked_request.location,
            RequestLocation::Calling { .. } | RequestLocation::Blocked { .. }
        ) {
            let width = 0.35 * radius;
            let stroke = Stroke::new(width, self.colour(tracked_request));
            self.painter.circle_stroke(center, radius - width / 2.0, stroke);
            self.mark_selected(center, radius, tracked_request);
            return;
        }
        let RequestLocation::Served { since, done, .. } = tracked_request.location else { return };
        let now = self.session.clock.now;
        let length = done.since(since).as_nanos_f64();
        let share = if length > 0.0 { (now.since(since).as_nanos_f64() / length).min(1.0) } else { 1.0 };
        let colour = self.colour(tracked_request);
        // A mesh of triangles, because the sector is not convex beyond half a circle.
        let corners = 2 + floor_to_usize(22.0 * share);
        let mut sector = Mesh::default();
        sector.colored_vertex(center, colour);
        for (number, corner) in (0_u32..).zip(0..=corners) {
            let angle = std::f32::consts::TAU * (single(share) * corner as f32 / corners as f32 - 0.25);
            sector.colored_vertex(center + radius * Vec2::angled(angle), colour);
            if number > 0 {
                sector.add_triangle(0, number, number + 1);
            }
        }
        self.painter.circle_filled(center, radius, colour.gamma_multiply(0.35));
        self.painter.add(sector);
        self.mark_selected(center, radius, tracked_request);
    }

    fn mark_selected(&self, center: Pos2, radius: f32, tracked_request: &TrackedRequest) {
        if self.camera.request == Some(tracked_request.row) {
            self.painter.circle_stroke(center, radius + 2.0, Stroke::new(2.0, self.theme.ink));
        }
    }

    /// Paints the waiting requests in order, in rows below the box, and their number. Requests that do not fit into the
    /// grid are only counted.
    fn queue(&self, rect: Rect, server_state: &ServerState) {
        let zoom = self.camera.zoom;
        let step = rect.width() / QUEUE_GRID.0 as f32;
        // If the queue is limited, its free places are shown too.
        let places = (server_state.queue_capacity.unwrap_or(0) as usize).min(QUEUE_GRID.0 * QUEUE_GRID.1);
        for number in server_state.queue.len()..places {
            self.painter.circle_stroke(
                self.waiting(rect, number),
                0.3 * step,
                Stroke::new(0.6, self.theme.edge),
            );
        }
        for (number, row) in server_state.queue.iter().take(QUEUE_GRID.0 * QUEUE_GRID.1).enumerate() {
            if let Some(tracked_request) = self.session.live_state.tracked_request(*row) {
                let at = self.waiting(rect, number);
                self.painter.circle_filled(at, 0.36 * step, self.colour(tracked_request));
            }
        }
        let rows = server_state.queue.len().max(places).div_ceil(QUEUE_GRID.0).min(QUEUE_GRID.1);
        if !server_state.queue.is_empty() {
            let below =
                rect.left_bottom() + vec2(rect.width() / 2.0, step * (rows as f32 + 0.4) + 9.0 * zoom);
            self.text(below, &waiting(server_state), 10.5, self.theme.faint);
        }
    }

    /// The screen position of a place in the queue.
    pub(super) fn waiting(&self, rect: Rect, number: usize) -> Pos2 {
        let step = rect.width() / QUEUE_GRID.0 as f32;
        let (row, column) = (number / QUEUE_GRID.0, number % QUEUE_GRID.0);
        rect.left_bottom() + vec2(step * (column as f32 + 0.5), step * (row as f32 + 0.8))
    }

    /// Paints a folded group: the utilization of its nodes as bars in ascending order, the number of nodes that are up
    /// unless all are, and the total number of waiting requests. At most 48 bars, which then stand for evenly spaced ranks.
    pub(super) fn folded(&self, rect: Rect, nodes: NodeRange) {
        let server_states = || self.session.live_state.server_states(nodes);
        let mut utilizations: Vec<f32> = server_states().map(utilization).collect();
        utilizations.sort_by(f32::total_cmp);
        let inside = Rect::from_min_max(
            rect.left_top() + vec2(8.0, 22.0) * self.camera.zoom,
            rect.right_bottom() - vec2(8.0, 18.0) * self.camera.zoom,
        );
        let bars = 48.min(utilizations.len());
        let width = inside.width() / bars as f32;
        for bar in 0..bars {
            let utilization = utilizations[bar * utilizations.len() / bars];
            let left = inside.left() + width * bar as f32;
            let top = inside.bottom() - inside.height() * utilization.max(0.02);
            let column = Rect::from_min_max(pos2(left, top), pos2(left + 0.85 * width, inside.bottom()));
            let colour = if utilization >= 1.0 { BAD } else { SERIES[2] };
            self.painter.rect_filled(column, CornerRadius::ZERO, colour);
        }
        let waiting: usize = server_states().map(|server_state| server_state.queue.len()).sum();
        let up = server_states().filter(|server_state| server_state.state == NodeState::Up).count();
        let text = if up == utilizations.len() {
            format!("{waiting} waiting")
        } else {
            format!("{up} up, {waiting} waiting")
        };
        self.text(rect.center_bottom() - vec2(0.0, 9.0 * self.camera.zoom), &text, 10.5, self.theme.faint);
    }

    /// Paints a bar that is filled to a share of its width, with a text on it.
    fn bar(&self, rect: Rect, center: Pos2, share: f32, text: &str) {
        let zoom = self.camera.zoom;
        let inside = Rect::from_center_size(center, vec2(rect.width() * 0.88, 14.0 * zoom));
        self.painter.rect_filled(inside, CornerRadius::same(3), self.theme.free);
        let filled = Rect::from_min_size(inside.min, vec2(inside.width() * share, inside.height()));
        self.painter.rect_filled(filled, CornerRadius::same(3), if share >= 1.0 { BAD } else { SERIES[2] });
        self.text(inside.center(), text, 10.5, self.theme.ink);
    }
}
