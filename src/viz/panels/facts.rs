//! The panel at the side: what has become of requests, what was clicked, and what was found or has happened.

use bevy_egui::egui::{self, RichText, Ui};

use super::{Panels, Tab, changes, inspector};
use crate::analysis::Severity;
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
        if let Some(rival) = &self.rival {
            ui.label(RichText::new(format!("beside it: {}", rival.name)).weak());
            counts(ui, rival);
        }
        ui.separator();
        egui::ScrollArea::vertical().id_salt("inspector").max_height(0.5 * ui.available_height()).show(
            ui,
            |ui| {
                inspector::show(ui, session, &mut self.view);
                if let Err(wrong) = changes::settings(ui, session, &self.view, &mut self.draft) {
                    self.said = wrong;
                }
                // Last, for they come and go with the whole run.
                inspector::measures(ui, session, &mut self.view);
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
            Tab::Log => super::log::show(ui, session, &mut self.view, &mut self.filter),
            Tab::Changes => self.changes(ui),
        }
    }
}

fn findings(ui: &mut Ui, session: &mut Session, theme: &Theme) {
    if let Some(excuse) = session.background_run.excuse() {
        ui.label(RichText::new(excuse).weak());
    }
    let mut wanted = None;
    for finding in session.background_run.findings() {
        let colour = match finding.kind().severity() {
            Severity::Trouble => BAD,
            Severity::Context => theme.faint,
            Severity::Good => GOOD,
        };
        let title = finding.kind().name().replace('_', " ");
        let link = ui.link(RichText::new(title).color(colour).strong()).on_hover_text("show that moment");
        if link.clicked() {
            wanted = finding.from;
        }
        ui.label(text(finding));
        ui.add_space(6.0);
    }
    if let Some(seconds) = wanted {
        session.clock.playing = false;
        session.go_to(moment(seconds));
    }
}

/// What has become of requests up to now.
fn counts(ui: &mut Ui, session: &Session) {
    let live_state = &session.live_state;
    let outcomes = &live_state.outcomes;
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("{} offered", count(outcomes.offered)));
        ui.label(RichText::new(format!("{} completed", count(outcomes.of(Outcome::Completed)))).color(GOOD));
        ui.label(RichText::new(format!("{} failed", count(outcomes.failed()))).color(BAD));
        ui.label(format!("{} under way", count(live_state.under_way as u64)));
    });
}
