//! Plots pinned to boxes: a metric up to the time shown, and in a fainter colour after it.

use bevy_egui::egui::{Align2, CornerRadius, FontId, Rect, Stroke, StrokeKind, vec2};

use super::{Canvas, MIN_TEXT_ZOOM};
use crate::model::metric::Metric;
use crate::viz::layout::NODE;
use crate::viz::plots::{Frame, Line, format_value, line_of_node};
use crate::viz::theme::SERIES;

/// Width and height of a plot, in layout units.
const PLOT: (f32, f32) = (NODE.0, 46.0);
/// Distance between a plot and its box or the next plot, in layout units.
const GAP: f32 = 6.0;

impl Canvas<'_> {
    pub(super) fn pins(&self) {
        for (number, (at, metric)) in self.camera.pins.iter().enumerate() {
            let Some(place) = self.session.layout.boxes.get(*at) else { continue };
            let Some(line) = line_of_node(self.session, place.node(), metric) else { continue };
            let below = self.camera.pins[..number].iter().filter(|(other, _)| other == at).count();
            let offset = (PLOT.1 + GAP) * (below as f32 + 1.0) * self.camera.zoom;
            let corner = self.box_rect(place).left_top() - vec2(0.0, offset);
            let rect = Rect::from_min_size(corner, vec2(PLOT.0, PLOT.1) * self.camera.zoom);
            self.pin(rect, metric, &line, SERIES[number % SERIES.len()]);
        }
    }

    fn pin(&self, rect: Rect, metric: &Metric, line: &Line, colour: bevy_egui::egui::Color32) {
        let (zoom, now) = (self.camera.zoom, self.session.clock.now.as_seconds());
        let plate = self.theme.plate.gamma_multiply(0.92);
        let edge = Stroke::new(1.0, self.theme.edge);
        self.painter.rect(rect, CornerRadius::same(5), plate, edge, StrokeKind::Middle);
        let inside = Rect::from_min_max(rect.min + vec2(4.0, 15.0) * zoom, rect.max - vec2(4.0, 4.0) * zoom);
        let frame = Frame { rect: inside, end: self.session.end().as_seconds() };
        let top = line.peak().max(1e-9);
        frame.line(&self.painter, line, top, Stroke::new(1.0, colour.gamma_multiply(0.35)));
        let past = Line {
            points: line.points.iter().copied().filter(|point| point.0 <= now).collect(),
            ..line.clone()
        };
        frame.line(&self.painter, &past, top, Stroke::new(1.5, colour));
        frame.playhead(&self.painter, now, self.theme.faint);
        if zoom > MIN_TEXT_ZOOM {
            let font = FontId::proportional((10.0 * zoom).clamp(7.0, 22.0));
            let name = metric.name.replace('_', " ");
            let at = rect.left_top() + vec2(5.0, 2.0) * zoom;
            self.painter.text(at, Align2::LEFT_TOP, name, font.clone(), self.theme.faint);
            let value = line.at(now).map_or_else(|| "-".to_owned(), |value| format_value(value, line.unit));
            let at = rect.right_top() + vec2(-5.0, 2.0 * zoom);
            self.painter.text(at, Align2::RIGHT_TOP, value, font, self.theme.ink);
        }
    }
}
