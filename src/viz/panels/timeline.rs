//! The timeline: how a measure went over the whole run, with how much was asked for, announced changes, findings and the
//! moment that is shown, which can be moved.

use bevy_egui::egui::{
    self, Align2, Color32, CornerRadius, FontId, Rect, RichText, Sense, Stroke, Ui, pos2, vec2,
};

use super::Panels;
use crate::analysis::Severity;
use crate::viz::plots::{Frame, Line, MAX_LINES, measures, words};
use crate::viz::session::{Session, moment};
use crate::viz::theme::{BAD, SERIES, Theme};

/// Height of the plot.
const HEIGHT: f32 = 92.0;
/// How far the mouse may be from a finding.
const NEAR: f32 = 6.0;

impl Panels {
    pub(super) fn timeline(&mut self, ui: &mut Ui) {
        let Ok(session) = &mut self.session else { return };
        self.gathered[0].gather(session, &self.plotted);
        if let Some(rival) = &self.rival {
            self.gathered[1].gather(rival, &self.plotted);
        }
        let rival = self.rival.as_ref().map_or(&[][..], |_| &self.gathered[1].lines);
        let gathered = &self.gathered[0];
        // Where the legend is longer than there is room, its end is cut off and the plot stays as wide as it can be seen.
        let width = ui.available_width();
        ui.horizontal(|ui| {
            let known = session
                .background_run
                .floor_to_usize()
                .map(|whole| measures(&whole.result))
                .unwrap_or_default();
            egui::ComboBox::from_id_salt("measure").selected_text(self.plotted.replace('_', " ")).show_ui(
                ui,
                |ui| {
                    for measure in known {
                        let label = measure.replace('_', " ");
                        ui.selectable_value(&mut self.plotted, measure, label);
                    }
                },
            );
            legend(ui, &gathered.lines, session.clock.now.as_seconds());
            if !rival.is_empty() {
                ui.label(RichText::new("dashed: the other variant").weak());
            }
            if gathered.offered.is_some() {
                ui.label(RichText::new("area: requests offered").weak());
            }
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
        phases(&painter, frame, session, &self.theme);
        let top = gathered.lines.iter().chain(rival).map(Line::peak).fold(0.0, f32::max).max(1e-9);
        for (number, line) in rival.iter().enumerate() {
            inside.dashes(&painter, line, top, Stroke::new(1.2, colour(number)));
        }
        for (number, line) in gathered.lines.iter().enumerate() {
            inside.line(&painter, line, top, Stroke::new(1.4, colour(number)));
        }
        if let Some(excuse) = session.background_run.excuse() {
            let font = FontId::proportional(12.0);
            painter.text(rect.center(), Align2::CENTER_CENTER, excuse, font, self.theme.faint);
        }
        let pointed = response.hover_pos();
        let found = findings(&painter, frame, session, pointed.map(|at| at.x));
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
        if let Some(at) = pointed {
            response.on_hover_ui_at_pointer(|ui| values(ui, &gathered.lines, frame.seconds(at.x), &found));
        }
    }
}

const fn colour(number: usize) -> Color32 {
    SERIES[number % SERIES.len()]
}

fn legend(ui: &mut Ui, lines: &[Line], now: f64) {
    for (number, line) in lines.iter().enumerate() {
        ui.label(RichText::new(line.name.as_str()).color(colour(number)));
        let value = line.at(now).map_or_else(|| "-".to_owned(), |value| words(value, line.unit));
        // Room of its own, so that nothing moves while time goes on.
        let value = egui::Label::new(RichText::new(value).monospace());
        let room = [52.0, ui.spacing().interact_size.y];
        ui.add_sized(room, value).on_hover_text("at the moment that is shown");
        ui.label(RichText::new(format!("max {}", words(line.peak(), line.unit))).weak());
    }
    if lines.len() == MAX_LINES {
        ui.label(RichText::new("those that reach highest").weak());
    }
}

/// What the lines say at a moment.
fn values(ui: &mut Ui, lines: &[Line], seconds: f64, found: &[String]) {
    ui.strong(format!("{seconds:.3} s"));
    for (number, line) in lines.iter().enumerate() {
        if let Some(value) = line.at(seconds) {
            let text = format!("{}: {}", line.name, words(value, line.unit));
            ui.label(RichText::new(text).color(colour(number)));
        }
    }
    found.iter().for_each(|finding| {
        ui.label(RichText::new(finding.as_str()).color(BAD));
    });
}

/// Announced changes, shaded; their labels stand below each other where they would lie on each other.
fn phases(painter: &egui::Painter, frame: Frame, session: &Session, theme: &Theme) {
    let mut labels: Vec<Rect> = Vec::new();
    for phase in &session.phases {
        let to = phase.to.unwrap_or(frame.end);
        let span = Rect::from_min_max(
            pos2(frame.x(phase.from), frame.rect.top()),
            pos2(frame.x(to), frame.rect.bottom()),
        );
        painter.rect_filled(span, CornerRadius::ZERO, SERIES[1].gamma_multiply(0.12));
        let text = format!("{}: {}", phase.of, phase.text);
        let galley = painter.layout_no_wrap(text, FontId::proportional(10.0), theme.faint);
        let left = (span.left() + 4.0).min(frame.rect.right() - galley.size().x - 4.0);
        let mut label = Rect::from_min_size(pos2(left, span.top() + 2.0), galley.size());
        while labels.iter().any(|other| other.intersects(label)) && label.bottom() < frame.rect.bottom() {
            label = label.translate(vec2(0.0, label.height()));
        }
        if label.bottom() < frame.rect.bottom() {
            painter.galley(label.min, galley, theme.faint);
            labels.push(label);
        }
    }
}

/// Where troubles begin, each with how long it lasts; the names of those near the mouse.
fn findings(painter: &egui::Painter, frame: Frame, session: &Session, mouse: Option<f32>) -> Vec<String> {
    let mut near = Vec::new();
    for finding in session.background_run.findings() {
        let (Some(from), Severity::Trouble) = (finding.from, finding.kind().severity()) else { continue };
        let y = frame.rect.bottom() - 3.0;
        let (start, stop) = (pos2(frame.x(from), y), pos2(frame.x(finding.to.unwrap_or(from)), y));
        painter.line_segment([start, stop], Stroke::new(2.0, BAD.gamma_multiply(0.35)));
        painter.circle_filled(start, 2.5, BAD);
        if mouse.is_some_and(|x| (x - start.x).abs() < NEAR) {
            near.push(format!("{} of {}", finding.kind().name().replace('_', " "), finding.subject));
        }
    }
    near
}
