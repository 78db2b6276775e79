//! Keyboard commands, and the list of them.

use bevy_egui::egui::{self, Align2, Key, Ui, vec2};

use super::{HostRequest, Panels, changes};
use crate::viz::layout::Layout;
use crate::viz::session::moment;
use crate::viz::theme::{Colouring, Theme};

/// Step of the left arrow key, in seconds of simulated time.
const BACK_SECONDS: f64 = 5.0;

/// The keys and their commands.
const KEYS: [(&str, &str); 21] = [
    ("Space", "play or pause"),
    ("→", "step one event"),
    ("Shift →", "step until one more request ends"),
    ("F", "go to the next rejected or lost request"),
    ("Shift F", "go to the next scheduled change or fault"),
    ("N", "go to the next finding"),
    ("←", "go back five seconds"),
    ("Home", "go to the start"),
    ("↑ ↓", "faster, slower"),
    ("K", "kill the selected node, or restore it"),
    ("Ctrl Z", "undo the last change"),
    ("Ctrl Y", "redo the last undone change"),
    ("Ctrl S", "save the scenario with all changes"),
    ("C", "colour by source, key, age or outcome"),
    ("0", "zoom to the whole system"),
    ("L", "reset the positions of the boxes"),
    ("T", "switch between dark and light theme"),
    ("P", "save a picture of the window"),
    ("R", "start or stop recording a film of the window"),
    ("Esc", "clear the selection"),
    ("?", "show or hide this list"),
];

impl Panels {
    pub(super) fn keys(&mut self, ui: &Ui) {
        // Keys belong to the focused text field.
        if ui.ctx().egui_wants_keyboard_input() {
            return;
        }
        let (shift, command) = ui.input(|input| (input.modifiers.shift, input.modifiers.command));
        if command {
            self.commands(ui);
            return;
        }
        let pressed = |key: Key| ui.input(|input| input.key_pressed(key));
        let help = ui.input(|input| {
            input.events.iter().any(|event| matches!(event, egui::Event::Text(text) if text == "?"))
        });
        if help {
            self.help = !self.help;
        }
        if pressed(Key::T) {
            self.theme = if self.theme.dark { Theme::LIGHT } else { Theme::DARK };
        }
        if pressed(Key::P) {
            self.host_request = Some(HostRequest::Picture);
        }
        if pressed(Key::R) {
            self.host_request = Some(HostRequest::Recording);
        }
        if pressed(Key::Num0) {
            self.camera.zoom = 0.0;
        }
        if pressed(Key::C) {
            let all = Colouring::ALL;
            let at = all.iter().position(|colouring| *colouring == self.camera.colouring).unwrap_or(0);
            self.camera.colouring = all[(at + 1) % all.len()];
        }
        if pressed(Key::Escape) {
            let camera = &mut self.camera;
            (camera.node, camera.request, camera.highlight, self.help) = (None, None, None, false);
        }
        let Ok(session) = &mut self.session else { return };
        if pressed(Key::L) {
            session.layout = Layout::of(&session.scenario, &session.names);
            self.camera.zoom = 0.0;
        }
        if pressed(Key::Space) {
            session.toggle();
        }
        if pressed(Key::ArrowRight) {
            if shift { session.step_request() } else { session.step_event() }
        }
        if pressed(Key::ArrowLeft) {
            session.go_to(moment(session.clock.now.as_seconds() - BACK_SECONDS));
        }
        if pressed(Key::F) {
            if shift { session.to_next_change() } else { session.to_next_failure() }
        }
        if pressed(Key::N) {
            session.to_next_finding();
        }
        if pressed(Key::K)
            && let Some(Err(error)) = changes::kill_or_restore(session, &self.camera)
        {
            self.status = error;
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

    /// Keys with Ctrl, or Cmd on macOS.
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
        egui::Window::new("Keys").collapsible(false).anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0)).show(
            ui.ctx(),
            |ui| {
                egui::Grid::new("keys").num_columns(2).spacing(vec2(24.0, 4.0)).show(ui, |ui| {
                    for (key, command) in KEYS {
                        ui.monospace(key);
                        ui.label(command);
                        ui.end_row();
                    }
                });
                ui.separator();
                ui.label(
                    "Mouse: click a box or a dot to inspect it, drag a box to move it, drag the background",
                );
                ui.label("to move the picture, scroll to zoom, drag along the timeline to move in time.");
            },
        );
    }
}
