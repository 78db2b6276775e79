//! A server: its slots, each a disc that fills, and who waits, in order, below it.

use bevy_egui::egui::{CornerRadius, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

use super::{Canvas, single};
use crate::engine::whole;
use crate::event::RequestRow;
use crate::viz::layout::Place;
use crate::viz::stage::{Desk, Whereabouts};
use crate::viz::theme::{BAD, SERIES};

/// Slots of a server that are drawn each; of more, how many are taken.
pub(super) const MOST_DISCS: usize = 12;
/// Places of a line in a row under its server, and rows.
const LINE: (usize, usize) = (25, 4);

impl Canvas<'_> {
    /// The slots of a server, each a disc that fills, and its line.
    pub(super) fn server(&self, rect: Rect, place: &Place) {
        let (zoom, first) = (self.view.zoom, place.first as usize);
        let desks = &self.session.stage.desks[first..first + place.members as usize];
        let [desk] = desks else {
            self.folded(rect, desks);
            return;
        };
        let slots = desk.slots.len();
        if slots <= MOST_DISCS {
            let step = rect.width() / (slots as f32 + 0.6);
            let radius = (0.42 * step).min(8.0 * zoom);
            for (number, slot) in desk.slots.iter().enumerate() {
                let middle = rect.left_center() + vec2(step * (number as f32 + 0.8), 5.0 * zoom);
                self.slot(middle, radius, *slot);
            }
        } else {
            let busy = desk.slots.iter().flatten().count();
            self.bar(rect, busy as f32 / slots as f32, &format!("{busy} of {slots}"));
        }
        self.line(rect, desk);
    }

    pub(super) fn slot(&self, middle: Pos2, radius: f32, slot: Option<RequestRow>) {
        self.painter.circle_filled(middle, radius, self.theme.free);
        let Some(traveller) = slot.and_then(|row| self.session.stage.traveller(row)) else { return };
        let Whereabouts::Served { since, done, .. } = traveller.whereabouts else { return };
        let now = self.session.clock.now;
        let length = done.since(since).as_nanos_f64();
        let share = if length > 0.0 { (now.since(since).as_nanos_f64() / length).min(1.0) } else { 1.0 };
        let colour = self.colour(traveller);
        // The disc fills like a clock.
        let corners = 2 + whole(22.0 * share);
        let mut points = vec![middle];
        points.extend((0..=corners).map(|corner| {
            let angle = std::f32::consts::TAU * (single(share) * corner as f32 / corners as f32 - 0.25);
            middle + radius * Vec2::angled(angle)
        }));
        self.painter.circle_filled(middle, radius, colour.gamma_multiply(0.35));
        // Corners that fall together make a polygon without a direction, whose softened edge goes anywhere.
        if single(share) * std::f32::consts::TAU * radius >= 1.0 {
            self.painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
        }
        if self.view.request == Some(traveller.row) {
            self.painter.circle_stroke(middle, radius + 2.0, Stroke::new(2.0, self.theme.ink));
        }
    }

    /// Who waits, in order, in rows under the server; what does not fit is counted.
    pub(super) fn line(&self, rect: Rect, desk: &Desk) {
        let zoom = self.view.zoom;
        let step = rect.width() / LINE.0 as f32;
        for (number, row) in desk.line.iter().take(LINE.0 * LINE.1).enumerate() {
            if let Some(traveller) = self.session.stage.traveller(*row) {
                let at = self.waiting(rect, number);
                self.painter.circle_filled(at, 0.36 * step, self.colour(traveller));
            }
        }
        let rows = desk.line.len().div_ceil(LINE.0).min(LINE.1);
        if !desk.line.is_empty() {
            let below =
                rect.left_bottom() + vec2(rect.width() / 2.0, step * (rows as f32 + 0.4) + 9.0 * zoom);
            self.text(below, &format!("{} waiting", desk.line.len()), 10.5, self.theme.faint);
        }
    }

    pub(super) fn waiting(&self, rect: Rect, number: usize) -> Pos2 {
        let step = rect.width() / LINE.0 as f32;
        let (row, column) = (number / LINE.0, number % LINE.0);
        rect.left_bottom() + vec2(step * (column as f32 + 0.5), step * (row as f32 + 0.8))
    }

    /// A group of many servers: how busy each is, from the least to the most, and how many wait in all.
    pub(super) fn folded(&self, rect: Rect, desks: &[Desk]) {
        let mut loads: Vec<f32> = desks
            .iter()
            .map(|desk| desk.slots.iter().flatten().count() as f32 / desk.slots.len().max(1) as f32)
            .collect();
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
        let waiting: usize = desks.iter().map(|desk| desk.line.len()).sum();
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
