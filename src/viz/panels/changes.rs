//! Live changes: the settings of the clicked box, to be typed over; what was changed when; and the scenario that says so.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bevy_egui::egui::{self, Key, RichText, Ui};

use super::{Origin, Panels};
use crate::model::parts::Setting;
use crate::text::ron;
use crate::viz::edits::parsed;
use crate::viz::layout::NodeBox;
use crate::viz::picture::Camera;
use crate::viz::session::{Session, moment};

/// The settings of the clicked box: buttons for what is done often, and a line of RON for each.
///
/// # Errors
/// What is wrong with what was typed.
pub(super) fn settings(
    ui: &mut Ui,
    session: &mut Session,
    view: &View,
    draft: &mut Option<(String, String)>,
) -> Result<(), String> {
    if view.request.is_some() {
        return Ok(());
    }
    let Some(place) = view.node.and_then(|at| session.layout.places.get(at)).cloned() else { return Ok(()) };
    let of = if place.is_folded() { &place.entry } else { &place.name };
    let settings = session.settings(&place);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Change it from now on").strong());
        let mut wanted = Ok(());
        if let Some((label, setting)) = outage(session, &place)
            && ui.button(label).on_hover_text("K").clicked()
        {
            wanted = session.change(of, setting);
        }
        for setting in &settings {
            wanted = wanted.and_then(|()| quick(ui, session, of, setting));
        }
        wanted
    })
    .inner?;
    for setting in &settings {
        if let Some(typed) = field(ui, of, setting, draft) {
            session.change(of, parsed(&typed)?)?;
        }
    }
    Ok(())
}

/// What is often done to a setting, at a click.
fn quick(ui: &mut Ui, session: &mut Session, of: &str, setting: &Setting) -> Result<(), String> {
    let mut wanted = None;
    for (label, more, changed) in setting.steps() {
        if ui.button(label).on_hover_text(more).clicked() {
            wanted = Some(changed);
        }
    }
    wanted.map_or(Ok(()), |changed| session.change(of, changed))
}

/// What takes a node out of service, or brings it back if it is out, and what that is called; nothing if it always works.
fn outage(session: &Session, place: &Place) -> Option<(&'static str, Setting)> {
    let server_state = session.live_state.server_state(place.node()).filter(|_| !place.is_folded())?;
    let [down, up] = place.nodes.kind.outage()?;
    Some(if server_state.is_down() { ("Restore", up) } else { ("Kill", down) })
}

/// A line to type in; what was typed when Enter is pressed.
fn field(ui: &mut Ui, of: &str, setting: &Setting, draft: &mut Option<(String, String)>) -> Option<String> {
    let name = format!("{of} {}", setting.name());
    let current = ron(setting).unwrap_or_default();
    let mut text = match draft {
        Some((field, text)) if *field == name => text.clone(),
        Some(_) | None => current.clone(),
    };
    let edit =
        egui::TextEdit::singleline(&mut text).font(egui::TextStyle::Monospace).desired_width(f32::INFINITY);
    let response = ui.add(edit).on_hover_text("type over it, then Enter");
    if response.changed() {
        *draft = Some((name, text.clone()));
    }
    if response.lost_focus() {
        let typed = draft.take().map(|(_, text)| text);
        if ui.input(|input| input.key_pressed(Key::Enter)) {
            return typed.filter(|text| *text != current);
        }
    }
    None
}

/// Kills the clicked node or restores it; nothing if none was clicked that can be killed.
pub(super) fn kill_or_restore(session: &mut Session, view: &View) -> Option<Result<(), String>> {
    let place = view.node.and_then(|at| session.layout.places.get(at))?;
    let (_, setting) = outage(session, place)?;
    let of = place.name.clone();
    Some(session.change(&of, setting))
}

/// The name by which a scenario is saved unless another is given: that of its file, `-live` behind it.
pub(super) fn file_name(origin: &Origin) -> String {
    let path = origin.path.clone().unwrap_or_else(|| PathBuf::from(&origin.name));
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    path.with_file_name(format!("{stem}-live.ron")).display().to_string()
}

impl Panels {
    /// What changes in this session, and how to keep it.
    pub(super) fn changes(&mut self, ui: &mut Ui) {
        let Ok(session) = &mut self.session else { return };
        let (mut save, mut wanted) = (false, None);
        ui.horizontal(|ui| {
            ui.add_enabled_ui(!session.edits().is_empty(), |ui| {
                if ui.button("Undo").on_hover_text("Ctrl Z").clicked() {
                    session.undo();
                }
            });
            if ui.button("Redo").on_hover_text("Ctrl Y").clicked() {
                session.redo();
            }
            save = ui.button("Save as").on_hover_text("Ctrl S").clicked();
        });
        ui.add(egui::TextEdit::singleline(&mut self.file).desired_width(f32::INFINITY));
        let own = session.scenario.changes.len() - session.edits().len();
        if session.scenario.changes.is_empty() {
            ui.label(RichText::new("Click a box and change it: what you do is kept here.").weak());
        }
        egui::ScrollArea::vertical().id_salt("changes").show(ui, |ui| {
            for (number, change) in session.scenario.changes.iter().enumerate() {
                let seconds = change.at.as_seconds();
                let by = if number < own { "announced" } else { "by hand" };
                if ui.link(format!("{seconds:.6} s  {}", change.of.0.join(", "))).on_hover_text(by).clicked()
                {
                    wanted = Some(seconds);
                }
                ui.label(RichText::new(ron(&change.set).unwrap_or_default()).monospace().size(11.0));
            }
        });
        if let Some(seconds) = wanted {
            session.clock.playing = false;
            session.go_to(moment(seconds));
        }
        if save {
            self.save();
        }
    }

    /// Writes the scenario of this session, with everything that was changed, into a new file.
    pub(super) fn save(&mut self) {
        let Ok(session) = &self.session else { return };
        self.said = match session.saved() {
            Err(wrong) => wrong,
            Ok(text) => match write_new(Path::new(&self.file), &text) {
                Ok(written) => format!("{} is written: run it, and it is this session", written.display()),
                Err(error) => format!("{}: {error}", self.file),
            },
        };
    }
}

/// Writes a file that is not there yet: where there is one, the next free number goes behind the name.
fn write_new(path: &Path, text: &str) -> io::Result<PathBuf> {
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    for number in 1..10_000 {
        let name = if number == 1 { format!("{stem}.ron") } else { format!("{stem}-{number}.ron") };
        let path = path.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => return file.write_all(text.as_bytes()).map(|()| path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("ten thousand files have that name already"))
}
