//! The timeline: a metric over the whole run, with the offered requests, scheduled periods, findings, and the time
//! shown, which can be dragged.

use bevy_egui::egui::{
    self, Align2, Color32, CornerRadius, FontId, Rect, RichText, Sense, Stroke, Ui, pos2, vec2,
};

use super::Panels;
use crate::analysis::{ScheduledPeriod, Severity, united};
use crate::viz::plots::{Frame, Line, MAX_LINES, format_value, metric_names};
use crate::viz::session::{Session, moment};
use crate::viz::theme::{BAD, SERIES, Theme};

/// Height of the plot, in points.
const HEIGHT: f32 = 92.0;
/// Maximum distance of the mouse from a finding to show its name, in points.
const HOVER_DISTANCE: f32 = 6.0;

impl Panels {
    pub(super) fn timeline(&mut self, ui: &mut Ui) {
        let Ok(session) = &mut self.session else { return };
        self.gathered[0].refresh(session, &self.plotted);
        if let Some(compared) = &self.compared {
            self.gathered[1].refresh(compared, &self.plotted);
        }
        let compared = self.compared.as_ref().map_or(&[][..], |_| &self.gathered[1].lines);
        let gathered = &self.gathered[0];
        let width = ui.available_width();
        ui.horizontal(|ui| {
            let names =
                session.background_run.finished().map(|run| metric_names(&run.result)).unwrap_or_default();
            egui::ComboBox::from_id_salt("metric").selected_text(self.plotted.replace('_', " ")).show_ui(
                ui,
                |ui| {
                    for name in names {
                        let label = name.replace('_', " ");
                        ui.selectable_value(&mut self.plotted, name, label);
                    }
                },
            );
            // A legend that is too long scrolls: it must not widen the panel.
            egui::ScrollArea::horizontal().id_salt("legend").show(ui, |ui| {
                ui.horizontal(|ui| {
                    legend(ui, &gathered.lines, session.clock.now.as_seconds());
                    if !compared.is_empty() {
                        ui.label(RichText::new("dashed: compared scenario").weak());
                    }
                    if gathered.offered.is_some() {
                        ui.label(RichText::new("area: requests offered per second").weak());
                    }
                });
            });
        });
        let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::click_and_drag());
        let painter = ui.painter_at(rect);
        let end = session.end().as_seconds();
        let frame = Frame { rect, end };
        frame.ground(&painter, self.theme.ground);
        let inside = Frame { rect: rect.shrink2(vec2(0.0, 5.0)), end };
        if let Some(line) = &gathered.offered {
            inside.area(&painter, line, line.peak() * 1.05, SERIES[0].gamma_multiply(0.16));
        }
        scheduled_periods(&painter, frame, session, &self.theme);
        let top = gathered.lines.iter().chain(compared).map(Line::peak).fold(0.0, f32::max).max(1e-9);
        for (number, line) in compared.iter().enumerate() {
            inside.dashes(&painter, line, top, Stroke::new(1.2, colour(number)));
        }
        for (number, line) in gathered.lines.iter().enumerate() {
            inside.line(&painter, line, top, Stroke::new(1.4, colour(number)));
        }
        if let Some(status) = session.background_run.status_text() {
            let font = FontId::proportional(12.0);
            painter.text(rect.center(), Align2::CENTER_CENTER, status, font, self.theme.faint);
        }
        let pointer = response.hover_pos();
        let hovered = findings(&painter, frame, session, pointer.map(|at| at.x));
        frame.playhead(&painter, session.clock.now.as_seconds(), self.theme.ink);
        if let Some(stop) = session.next_stop() {
            let x = frame.x(stop.as_seconds());
            let stroke = Stroke::new(1.0, BAD);
            painter.extend(egui::Shape::dashed_line(
                &[pos2(x, rect.top()), pos2(x, rect.bottom())],
                stroke,
                3.0,
                3.0,
            ));
        }
        if let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged())
        {
            session.go_to(moment(frame.seconds(at.x)));
        }
        if let Some(at) = pointer {
            response.on_hover_ui_at_pointer(|ui| values(ui, &gathered.lines, frame.seconds(at.x), &hovered));
        }
    }
}

const fn colour(number: usize) -> Color32 {
    SERIES[number % SERIES.len()]
}

fn legend(ui: &mut Ui, lines: &[Line], now: f64) {
    // First, as a long legend is cut off.
    if lines.len() == MAX_LINES {
        ui.label(RichText::new(format!("top {MAX_LINES} by peak:")).weak());
    }
    for (number, line) in lines.iter().enumerate() {
        ui.label(RichText::new(line.name.as_str()).color(colour(number)));
        let value = line.at(now).map_or_else(|| "-".to_owned(), |value| format_value(value, line.unit));
        // A fixed size, so that the legend does not move while values change.
        let value = egui::Label::new(RichText::new(value).monospace());
        let size = [52.0, ui.spacing().interact_size.y];
        ui.add_sized(size, value).on_hover_text("Value at the time shown");
        ui.label(RichText::new(format!("max {}", format_value(line.peak(), line.unit))).weak());
    }
}

/// A tooltip with the values of the lines at a time, and the findings there.
fn values(ui: &mut Ui, lines: &[Line], seconds: f64, findings: &[String]) {
    ui.strong(format!("{seconds:.3} s"));
    for (number, line) in lines.iter().enumerate() {
        if let Some(value) = line.at(seconds) {
            let text = format!("{}: {}", line.name, format_value(value, line.unit));
            ui.label(RichText::new(text).color(colour(number)));
        }
    }
    findings.iter().for_each(|finding| {
        ui.label(RichText::new(finding.as_str()).color(BAD));
    });
}

/// The times in which at least one scheduled period with an end is in effect, in seconds. A period without an end is a
/// new normal state: only its beginning is marked.
fn shaded<'a>(periods: impl Iterator<Item = &'a ScheduledPeriod>) -> Vec<(f64, f64)> {
    united(periods.filter_map(|period| Some((period.from, period.to?))))
}

/// Shades the scheduled periods, and marks their beginnings. Labels that would overlap are placed below each other.
fn scheduled_periods(painter: &egui::Painter, frame: Frame, session: &Session, theme: &Theme) {
    let (top, bottom) = (frame.rect.top(), frame.rect.bottom());
    for (from, to) in shaded(session.periods()) {
        let span = Rect::from_min_max(pos2(frame.x(from), top), pos2(frame.x(to), bottom));
        painter.rect_filled(span, CornerRadius::ZERO, SERIES[1].gamma_multiply(0.12));
    }
    let mut labels: Vec<Rect> = Vec::new();
    for period in session.periods() {
        let x = frame.x(period.from);
        let mark = Stroke::new(1.0, SERIES[1].gamma_multiply(0.35));
        painter.line_segment([pos2(x, top), pos2(x, bottom)], mark);
        let text = format!("{}: {}", period.of, period.text);
        let galley = painter.layout_no_wrap(text, FontId::proportional(10.0), theme.faint);
        let left = (x + 4.0).min(frame.rect.right() - galley.size().x - 4.0);
        let mut label = Rect::from_min_size(pos2(left, top + 2.0), galley.size());
        while labels.iter().any(|other| other.intersects(label)) && label.bottom() < frame.rect.bottom() {
            label = label.translate(vec2(0.0, label.height()));
        }
        if label.bottom() < frame.rect.bottom() {
            painter.galley(label.min, galley, theme.faint);
            labels.push(label);
        }
    }
}

/// Marks the findings of severity "trouble": a dot at the start, a line to the end. Returns the names of those near the
/// mouse.
fn findings(painter: &egui::Painter, frame: Frame, session: &Session, mouse: Option<f32>) -> Vec<String> {
    let mut near = Vec::new();
    for finding in session.background_run.findings() {
        let (Some(from), Severity::Trouble) = (finding.from, finding.severity()) else { continue };
        let y = frame.rect.bottom() - 3.0;
        let (start, stop) = (pos2(frame.x(from), y), pos2(frame.x(finding.to.unwrap_or(from)), y));
        painter.line_segment([start, stop], Stroke::new(2.0, BAD.gamma_multiply(0.35)));
        painter.circle_filled(start, 2.5, BAD);
        if mouse.is_some_and(|x| (x - start.x).abs() < HOVER_DISTANCE) {
            near.push(format!("{} of {}", finding.kind().name().replace('_', " "), finding.subject));
        }
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_do_not_add_up_and_a_period_without_an_end_is_not_shaded() {
        let period = |from: f64, to: Option<f64>| ScheduledPeriod {
            from,
            to,
            of: "s".to_owned(),
            text: "stops".to_owned(),
            is_of_group: false,
            is_fault: false,
        };
        let periods = [
            period(20.0, None),
            period(5.0, Some(10.0)),
            period(1.0, Some(2.0)),
            period(8.0, Some(12.0)),
            period(20.0, None),
        ];
        assert_eq!(shaded(periods.iter()), [(1.0, 2.0), (5.0, 12.0)]);
    }
}
