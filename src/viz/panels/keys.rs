//! Keys: what they do, and the list of them.

use bevy_egui::egui::{self, Align2, Key, Ui, vec2};

use super::{HostRequest, Panels, changes};
use crate::viz::layout::Layout;
use crate::viz::session::moment;
use crate::viz::theme::{Colouring, Theme};

/// A step back.
const BACK: f64 = 5.0;

/// The keys, with what they do.
const KEYS: [(&str, &str); 21] = [
    ("Space", "play or pause"),
    ("→", "one event"),
    ("Shift →", "until one more request is over"),
    ("F", "to the next request that is rejected or lost"),
    ("Shift F", "to the next announced change or fault"),
    ("N", "to the next finding"),
    ("←", "five seconds back"),
    ("Home", "from the start"),
    ("↑ ↓", "faster, slower"),
    ("K", "kill the clicked node, or restore it"),
    ("Ctrl Z", "take the last change back"),
    ("Ctrl Y", "do it again"),
    ("Ctrl S", "save the scenario with all changes"),
    ("C", "colour by source, key, age, outcome"),
    ("0", "show everything"),
    ("L", "boxes back to where they were laid out"),
    ("T", "dark or light"),
    ("P", "keep a picture of the window"),
    ("R", "begin or end a film of the window"),
    ("Esc", "nothing is picked"),
    ("?", "these keys"),
];

impl Panels {
    pub(super) fn keys(&mut self, ui: &Ui) {
        // Whoever types into a field does not mean the window.
        if ui.ctx().egui_wants_keyboard_input() {
            return;
        }
        let (shift, command) = ui.input(|input| (input.modifiers.shift, input.modifiers.command));
        if command {
            self.commands(ui);
            return;
        }
        let pressed = |key: Key| ui.input(|input| input.key_pressed(key));
        let asked = ui.input(|input| {
            input.events.iter().any(|event| matches!(event, egui::Event::Text(text) if text == "?"))
        });
        if asked {
            self.help = !self.help;
        }
        if pressed(Key::T) {
            self.theme = if self.theme.dark { Theme::LIGHT } else { Theme::DARK };
        }
        if pressed(Key::P) {
            self.wish = Some(HostRequest::Picture);
        }
        if pressed(Key::R) {
            self.wish = Some(HostRequest::Recording);
        }
        if pressed(Key::Num0) {
            self.view.zoom = 0.0;
        }
        if pressed(Key::C) {
            let all = Colouring::ALL;
            let at = all.iter().position(|colouring| *colouring == self.view.colouring).unwrap_or(0);
            self.view.colouring = all[(at + 1) % all.len()];
        }
        if pressed(Key::Escape) {
            (self.view.node, self.view.request, self.view.highlight, self.help) = (None, None, None, false);
        }
        let Ok(session) = &mut self.session else { return };
        if pressed(Key::L) {
            session.layout = Layout::of(&session.scenario, &session.names);
            self.view.zoom = 0.0;
        }
        if pressed(Key::Space) {
            session.toggle();
        }
        if pressed(Key::ArrowRight) {
            if shift { session.step_request() } else { session.step_event() }
        }
        if pressed(Key::ArrowLeft) {
            session.go_to(moment(session.clock.now.as_seconds() - BACK));
        }
        if pressed(Key::F) {
            if shift { session.to_next_change() } else { session.to_next_failure() }
        }
        if pressed(Key::N) {
            session.to_next_finding();
        }
        if pressed(Key::K)
            && let Some(Err(wrong)) = changes::kill_or_restore(session, &self.view)
        {
            self.said = wrong;
        }
        if pressed(Key::Home) {
            session.restart();
        }
        if pressed(Key::ArrowUp) {
            session.faster();
        }
        if pressed(Key::ArrowDown) {
            session.slower();
        }
    }

    /// Keys together with Ctrl, or Cmd.
    fn commands(&mut self, ui: &Ui) {
        let pressed = |key: Key| ui.input(|input| input.key_pressed(key));
        if pressed(Key::S) {
            self.save();
        }
        let Ok(session) = &mut self.session else { return };
        if pressed(Key::Z) {
            session.undo();
        }
        if pressed(Key::Y) {
            session.redo();
        }
    }

    pub(super) fn show_keys(&mut self, ui: &Ui) {
        egui::Panels::new("Keys").collapsible(false).anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0)).show(
            ui.ctx(),
            |ui| {
                egui::Grid::new("keys").num_columns(2).spacing(vec2(24.0, 4.0)).show(ui, |ui| {
                    for (key, does) in KEYS {
                        ui.monospace(key);
                        ui.label(does);
                        ui.end_row();
                    }
                });
                ui.separator();
                ui.label("Mouse: click a box or a dot to see what it is, drag a box to move it, drag the ground to move");
                ui.label("everything, turn the wheel to zoom, drag along the timeline to go back and forth in time.");
            },
        );
    }
}
