//! A node that holds requests: its slots, each a disc that fills, and who waits, in order, below it.

use bevy_egui::egui::{CornerRadius, Mesh, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

use super::{Canvas, single};
use crate::engine::floor_to_usize;
use crate::event::{NodeRange, RequestRow};
use crate::viz::live_state::RequestLocation;
use crate::viz::server_state::ServerState;
use crate::viz::theme::{BAD, GOOD, SERIES};

/// Slots of a node that are drawn each; of more, how many are taken.
pub(super) const MAX_DISCS: usize = 12;
/// Places of a line in a row under its node, and rows.
const LINE: (usize, usize) = (25, 4);

/// What a node is like at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There are free slots.
    Healthy,
    /// Every slot is taken, and requests wait.
    Saturated,
    /// Nobody more may wait.
    Full,
    /// It is down.
    Down,
}

impl State {
    fn of(server_state: &ServerState) -> Self {
        if server_state.is_down() {
            Self::Down
        } else if !server_state.is_full() {
            Self::Healthy
        } else if server_state.has_full_line() {
            Self::Full
        } else if server_state.line.is_empty() {
            Self::Healthy
        } else {
            Self::Saturated
        }
    }
}

/// How many wait, and how many may.
fn waiting(server_state: &ServerState) -> String {
    let number = server_state.line.len();
    server_state
        .may_wait
        .map_or_else(|| format!("{number} waiting"), |bound| format!("{number} of {bound} waiting"))
}

/// The share of its slots that are taken.
fn busy(server_state: &ServerState) -> f32 {
    server_state.in_service as f32 / server_state.seen_slots().max(1) as f32
}

impl Canvas<'_> {
    /// The slots of a node, each a disc that fills, and its line.
    pub(super) fn server_state(&self, rect: Rect, server_state: &ServerState) {
        let zoom = self.view.zoom;
        self.state(rect, State::of(server_state));
        let slots = server_state.seen_slots();
        if slots == 0 {
            self.text(rect.center() + vec2(0.0, 8.0 * zoom), "down", 13.0, BAD);
        } else if slots <= MAX_DISCS {
            let step = rect.width() / (slots as f32 + 0.6);
            let radius = (0.42 * step).min(8.0 * zoom);
            for (number, slot) in server_state.slots.iter().enumerate() {
                let middle = rect.left_center() + vec2(step * (number as f32 + 0.8), 5.0 * zoom);
                self.slot(middle, radius, *slot);
            }
        } else {
            self.bar(rect, busy(server_state), &format!("{} of {slots}", server_state.in_service));
        }
        self.line(rect, server_state);
    }

    /// The state of a node, by colour and by shape.
    fn state(&self, rect: Rect, state: State) {
        let (at, radius) = (rect.left_top() + vec2(11.0, 11.0) * self.view.zoom, 4.0 * self.view.zoom);
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
            State::Down => {
                let stroke = Stroke::new(2.0 * self.view.zoom, BAD);
                self.painter.line_segment([corner(0.125), corner(0.625)], stroke);
                self.painter.line_segment([corner(0.375), corner(0.875)], stroke);
            }
        }
    }

    pub(super) fn slot(&self, middle: Pos2, radius: f32, slot: Option<RequestRow>) {
        self.painter.circle_filled(middle, radius, self.theme.free);
        let Some(tracked_request) = slot.and_then(|row| self.session.live_state.tracked_request(row)) else {
            return;
        };
        let RequestLocation::Served { since, done, .. } = tracked_request.location else { return };
        let now = self.session.clock.now;
        let length = done.since(since).as_nanos_f64();
        let share = if length > 0.0 { (now.since(since).as_nanos_f64() / length).min(1.0) } else { 1.0 };
        let colour = self.colour(tracked_request);
        // The disc fills like a clock. Triangles of our own: what is painted as a convex polygon has to be one.
        let corners = 2 + floor_to_usize(22.0 * share);
        let mut wedge = Mesh::default();
        wedge.colored_vertex(middle, colour);
        for (number, corner) in (0_u32..).zip(0..=corners) {
            let angle = std::f32::consts::TAU * (single(share) * corner as f32 / corners as f32 - 0.25);
            wedge.colored_vertex(middle + radius * Vec2::angled(angle), colour);
            if number > 0 {
                wedge.add_triangle(0, number, number + 1);
            }
        }
        self.painter.circle_filled(middle, radius, colour.gamma_multiply(0.35));
        self.painter.add(wedge);
        if self.view.request == Some(tracked_request.row) {
            self.painter.circle_stroke(middle, radius + 2.0, Stroke::new(2.0, self.theme.ink));
        }
    }

    /// Who waits, in order, in rows under the node; what does not fit is counted.
    pub(super) fn line(&self, rect: Rect, server_state: &ServerState) {
        let zoom = self.view.zoom;
        let step = rect.width() / LINE.0 as f32;
        // Where there is a bound, the places that are still free are seen.
        let places = (server_state.may_wait.unwrap_or(0) as usize).min(LINE.0 * LINE.1);
        for number in server_state.line.len()..places {
            self.painter.circle_stroke(
                self.waiting(rect, number),
                0.3 * step,
                Stroke::new(0.6, self.theme.edge),
            );
        }
        for (number, row) in server_state.line.iter().take(LINE.0 * LINE.1).enumerate() {
            if let Some(tracked_request) = self.session.live_state.tracked_request(*row) {
                let at = self.waiting(rect, number);
                self.painter.circle_filled(at, 0.36 * step, self.colour(tracked_request));
            }
        }
        let rows = server_state.line.len().max(places).div_ceil(LINE.0).min(LINE.1);
        if !server_state.line.is_empty() {
            let below =
                rect.left_bottom() + vec2(rect.width() / 2.0, step * (rows as f32 + 0.4) + 9.0 * zoom);
            self.text(below, &waiting(server_state), 10.5, self.theme.faint);
        }
    }

    pub(super) fn waiting(&self, rect: Rect, number: usize) -> Pos2 {
        let step = rect.width() / LINE.0 as f32;
        let (row, column) = (number / LINE.0, number % LINE.0);
        rect.left_bottom() + vec2(step * (column as f32 + 0.5), step * (row as f32 + 0.8))
    }

    /// A group of many nodes: how busy each is, from the least to the most, and how many wait in all.
    pub(super) fn folded(&self, rect: Rect, nodes: NodeRange) {
        let server_states = || self.session.live_state.server_states(nodes);
        let mut loads: Vec<f32> = server_states().map(busy).collect();
        loads.sort_by(f32::total_cmp);
        let inside = Rect::from_min_max(
            rect.left_top() + vec2(8.0, 22.0) * self.view.zoom,
            rect.right_bottom() - vec2(8.0, 18.0) * self.view.zoom,
        );
        let bars = 48.min(loads.len());
        let width = inside.width() / bars as f32;
        for bar in 0..bars {
            let load = loads[bar * loads.len() / bars];
            let left = inside.left() + width * bar as f32;
            let top = inside.bottom() - inside.height() * load.max(0.02);
            let column = Rect::from_min_max(pos2(left, top), pos2(left + 0.85 * width, inside.bottom()));
            self.painter.rect_filled(column, CornerRadius::ZERO, if load >= 1.0 { BAD } else { SERIES[2] });
        }
        let waiting: usize = server_states().map(|server_state| server_state.line.len()).sum();
        self.text(
            rect.center_bottom() - vec2(0.0, 9.0 * self.view.zoom),
            &format!("{waiting} waiting"),
            10.5,
            self.theme.faint,
        );
    }

    pub(super) fn bar(&self, rect: Rect, share: f32, text: &str) {
        let zoom = self.view.zoom;
        let inside = Rect::from_center_size(
            rect.center() + vec2(0.0, 5.0 * zoom),
            vec2(rect.width() * 0.88, 14.0 * zoom),
        );
        self.painter.rect_filled(inside, CornerRadius::same(3), self.theme.free);
        let filled = Rect::from_min_size(inside.min, vec2(inside.width() * share, inside.height()));
        self.painter.rect_filled(filled, CornerRadius::same(3), if share >= 1.0 { BAD } else { SERIES[2] });
        self.text(inside.center(), text, 10.5, self.theme.ink);
    }
}
