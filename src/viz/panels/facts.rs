//! The side panel: counts of requests by outcome, the inspector, and a tab with findings, log or changes.

use bevy_egui::egui::{self, RichText, Ui};

use super::{Panels, Tab, changes, inspector};
use crate::analysis::{Severity, Verdict};
use crate::format::findings::text;
use crate::format::numbers::count;
use crate::request::Outcome;
use crate::viz::session::{Session, moment};
use crate::viz::theme::{BAD, GOOD, Theme};

impl Panels {
    pub(super) fn facts(&mut self, ui: &mut Ui) {
        let Ok(session) = &mut self.session else { return };
        ui.heading(session.scenario.name.as_str());
        counts(ui, session);
        if let Some(compared) = &self.compared {
            ui.label(RichText::new(format!("compared with {}", compared.name)).weak());
            counts(ui, compared);
        }
        ui.separator();
        egui::ScrollArea::vertical().id_salt("inspector").max_height(0.55 * ui.available_height()).show(
            ui,
            |ui| {
                inspector::show(ui, session, &mut self.camera);
                if let Err(error) = changes::settings(ui, session, &self.camera, &mut self.draft) {
                    self.status = error;
                }
                if let Err(error) = changes::faults(ui, session, &self.camera, &mut self.fault_seconds) {
                    self.status = error;
                }
                // Last, because the metrics are hidden while the background run is computed.
                inspector::metrics(ui, session, &mut self.camera);
            },
        );
        ui.separator();
        ui.horizontal(|ui| {
            ui.selectable_value(&mut self.tab, Tab::Findings, "Findings");
            ui.selectable_value(&mut self.tab, Tab::Log, "Log");
            ui.selectable_value(&mut self.tab, Tab::Changes, "Changes");
        });
        match self.tab {
            Tab::Findings => {
                egui::ScrollArea::vertical().id_salt("findings").show(ui, |ui| {
                    findings(ui, session, &self.theme);
                });
            }
            Tab::Log => super::log::show(ui, session, &mut self.camera, &mut self.filter),
            Tab::Changes => self.changes(ui),
        }
    }
}

fn findings(ui: &mut Ui, session: &mut Session, theme: &Theme) {
    if let Some(status) = session.background_run.status_text() {
        ui.label(RichText::new(status).weak());
    }
    if session.background_run.finished().is_some() {
        let verdict = Verdict::of(session.background_run.findings());
        let colour = match verdict {
            Verdict::Healthy => GOOD,
            Verdict::InTrouble => BAD,
            Verdict::TooShort => theme.faint,
        };
        ui.horizontal(|ui| {
            ui.label("Verdict:");
            ui.label(RichText::new(verdict.text()).color(colour).strong());
        });
    }
    let mut clicked = None;
    for finding in session.background_run.findings() {
        let colour = match finding.severity() {
            Severity::Trouble => BAD,
            Severity::Context => theme.faint,
            Severity::Good => GOOD,
        };
        let title = finding.kind().name().replace('_', " ");
        let link = ui.link(RichText::new(title).color(colour).strong()).on_hover_text("Go to this time");
        if link.clicked() {
            clicked = finding.from;
        }
        ui.label(text(finding));
        ui.add_space(6.0);
    }
    if let Some(seconds) = clicked {
        session.clock.playing = false;
        session.go_to(moment(seconds));
    }
}

/// The counts of requests up to the time shown: offered, completed, failed and in flight.
fn counts(ui: &mut Ui, session: &Session) {
    let live_state = &session.live_state;
    let outcomes = &live_state.outcomes;
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("{} offered", count(outcomes.offered)));
        ui.label(RichText::new(format!("{} completed", count(outcomes.of(Outcome::Completed)))).color(GOOD));
        ui.label(RichText::new(format!("{} failed", count(outcomes.failures()))).color(BAD));
        ui.label(format!("{} in flight", count(live_state.outcomes.in_flight())));
        if live_state.calls.offered > 0 {
            ui.label(format!("{} calls in flight", count(live_state.calls.in_flight())));
        }
    });
}
