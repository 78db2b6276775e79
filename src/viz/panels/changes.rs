//! Live changes: edits the settings of the selected box, lists all changes and faults, and saves the scenario with them.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bevy_egui::egui::{self, Key, RichText, Ui};

use super::{Origin, Panels};
use crate::engine::time::SimDuration;
use crate::model::link::LinkFault;
use crate::model::node_state::NodeState;
use crate::model::parts::{Fault, Setting, SpecRef};
use crate::text::ron;
use crate::viz::edits::parse_setting;
use crate::viz::layout::NodeBox;
use crate::viz::picture::Camera;
use crate::viz::session::{Session, moment};

/// The settings of the selected box: buttons for common changes, and a text field with the RON of each setting.
///
/// # Errors
/// If the typed text is not a valid setting, or the change is not possible.
pub(super) fn settings(
    ui: &mut Ui,
    session: &mut Session,
    camera: &Camera,
    draft: &mut Option<(String, String)>,
) -> Result<(), String> {
    if camera.request.is_some() {
        return Ok(());
    }
    let Some(place) = camera.node.and_then(|at| session.layout.boxes.get(at)).cloned() else {
        return Ok(());
    };
    let node = if place.is_folded() { &place.entry } else { &place.name };
    let name_for = |setting: &Setting| if setting.is_of_group() { &place.entry } else { node };
    let settings = session.settings(&place);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Change from now on").strong());
        let mut result = Ok(());
        if let Some((label, setting)) = outage(session, &place)
            && ui.button(label).on_hover_text("K").clicked()
        {
            result = session.change(node, setting);
        }
        for setting in &settings {
            result = result.and_then(|()| step_buttons(ui, session, name_for(setting), setting));
        }
        result
    })
    .inner?;
    for setting in &settings {
        if let Some(typed) = field(ui, name_for(setting), setting, draft) {
            let setting = parse_setting(&typed)?;
            session.change(name_for(&setting), setting)?;
        }
    }
    Ok(())
}

/// Buttons that let a fault happen to the selected box, or to one of its links, for a number of seconds.
///
/// # Errors
/// If the fault is not possible.
pub(super) fn faults(
    ui: &mut Ui,
    session: &mut Session,
    camera: &Camera,
    seconds: &mut f64,
) -> Result<(), String> {
    let selected = camera.node.filter(|_| camera.request.is_none());
    let Some(place) = selected.and_then(|at| session.layout.boxes.get(at)) else { return Ok(()) };
    let (entry, node) = (&place.entry, if place.is_folded() { &place.entry } else { &place.name });
    let own = session.scenario.spec(entry).map(SpecRef::offered_faults).unwrap_or_default();
    let is_own = |name: &String| name == entry || name == node;
    let links = session.scenario.links.iter().filter(|link| is_own(&link.from) || is_own(&link.to));
    let of_links = links.map(|link| (link.name(), LinkFault::offered().map(Fault::Link).to_vec()));
    let offered: Vec<(String, Vec<Fault>)> = std::iter::once((node.clone(), own))
        .chain(of_links)
        .filter(|(_, faults)| !faults.is_empty())
        .collect();
    if offered.is_empty() {
        return Ok(());
    }
    let longest = session.end().as_seconds();
    let mut clicked = None;
    // Closed at first, so that it leaves room for what follows.
    egui::CollapsingHeader::new("Let a fault happen").id_salt("faults").show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label("for");
            ui.add(egui::DragValue::new(seconds).range(0.001..=longest).speed(0.1).suffix(" s"));
        });
        for (number, (of, faults)) in offered.into_iter().enumerate() {
            ui.horizontal_wrapped(|ui| {
                if number > 0 {
                    ui.label(RichText::new(of.as_str()).weak());
                }
                for fault in faults {
                    if ui.button(fault.to_string()).clicked() {
                        clicked = Some((of.clone(), fault));
                    }
                }
            });
        }
    });
    let lasting = SimDuration::from_nanos_f64(*seconds * 1e9);
    clicked.map_or(Ok(()), |(of, fault)| session.inject(&of, fault, lasting))
}

/// Buttons for the common changes of a setting.
fn step_buttons(ui: &mut Ui, session: &mut Session, name: &str, setting: &Setting) -> Result<(), String> {
    let mut clicked = None;
    for (label, tooltip, changed) in setting.steps() {
        if ui.button(label).on_hover_text(tooltip).clicked() {
            clicked = Some(changed);
        }
    }
    clicked.map_or(Ok(()), |changed| session.change(name, changed))
}

/// The setting that takes a node down, or up again if it is down, and its label. `None` if the node cannot go down, or is
/// not there.
fn outage(session: &Session, place: &NodeBox) -> Option<(&'static str, Setting)> {
    let server_state = session.live_state.server_state(place.node()).filter(|_| !place.is_folded())?;
    let [down, up] = place.nodes.kind.outage().filter(|_| server_state.state != NodeState::Absent)?;
    Some(if server_state.is_down() { ("Restore", up) } else { ("Kill", down) })
}

/// A text field for a setting. Returns the typed text when Enter is pressed.
fn field(ui: &mut Ui, node: &str, setting: &Setting, draft: &mut Option<(String, String)>) -> Option<String> {
    let name = format!("{node} {}", setting.name());
    let current = ron(setting).unwrap_or_default();
    let mut text = match draft {
        Some((field, text)) if *field == name => text.clone(),
        Some(_) | None => current.clone(),
    };
    let edit =
        egui::TextEdit::singleline(&mut text).font(egui::TextStyle::Monospace).desired_width(f32::INFINITY);
    let response = ui.add(edit).on_hover_text("Edit the value and press Enter");
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

/// Kills the selected node, or restores it if it is down. `None` if no node is selected that can go down.
pub(super) fn kill_or_restore(session: &mut Session, camera: &Camera) -> Option<Result<(), String>> {
    let place = camera.node.and_then(|at| session.layout.boxes.get(at))?;
    let (_, setting) = outage(session, place)?;
    let name = place.name.clone();
    Some(session.change(&name, setting))
}

/// The default file name for saving a scenario: `shop-live.ron` for `shop.ron`.
pub(super) fn file_name(origin: &Origin) -> String {
    let path = origin.path.clone().unwrap_or_else(|| PathBuf::from(&origin.name));
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    path.with_file_name(format!("{stem}-live.ron")).display().to_string()
}

impl Panels {
    /// The tab with all changes of the session, and buttons to undo, redo and save them.
    pub(super) fn changes(&mut self, ui: &mut Ui) {
        let Ok(session) = &mut self.session else { return };
        let (mut save, mut clicked) = (false, None);
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
        if session.scenario.changes.is_empty() && session.scenario.faults.is_empty() {
            ui.label(RichText::new("Click a box and change a setting. Your changes are listed here.").weak());
        }
        let original = session.original();
        let changes = session.scenario.changes.iter().enumerate().map(|(number, change)| {
            let is_own = number >= original.changes.len();
            let title = format!("{:.6} s  {}", change.at.as_seconds(), change.of.0.join(", "));
            (title, ron(&change.set).unwrap_or_default(), Some(change.at), is_own)
        });
        let faults = session.scenario.faults.iter().map(|(name, fault)| {
            let is_own = !original.faults.contains_key(name);
            let at = fault.span().map(|(at, _)| at);
            let time =
                at.map_or_else(|| "again and again".to_owned(), |at| format!("{:.6} s", at.as_seconds()));
            let title = format!("{time}  {} ({name})", fault.of.0.join(", "));
            let lasting = fault.lasting.map(|lasting| format!(" for {lasting}")).unwrap_or_default();
            (title, format!("{}{lasting}", fault.what), at, is_own)
        });
        let rows: Vec<_> = changes.chain(faults).collect();
        egui::ScrollArea::vertical().id_salt("changes").show(ui, |ui| {
            for (title, text, at, is_own) in rows {
                let origin = if is_own { "Made in this session" } else { "From the scenario" };
                if ui.link(title).on_hover_text(origin).clicked() {
                    clicked = at.map(SimDuration::as_seconds);
                }
                ui.label(RichText::new(text).monospace().size(11.0));
            }
        });
        if let Some(seconds) = clicked {
            session.clock.playing = false;
            session.go_to(moment(seconds));
        }
        if save {
            self.save();
        }
    }

    /// Saves the scenario of this session, with all changes, to a new file.
    pub(super) fn save(&mut self) {
        let Ok(session) = &self.session else { return };
        self.status = match session.scenario_text() {
            Err(error) => error,
            Ok(text) => match write_new(Path::new(&self.file), &text) {
                Ok(written) => {
                    format!("Saved {}. Running it reproduces this session exactly", written.display())
                }
                Err(error) => format!("Could not save {}: {error}", self.file),
            },
        };
    }
}

/// Writes a new file and returns its path. If the name is in use, appends the first unused number: `shop-live-2.ron`.
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
    Err(io::Error::other("too many files with this name exist"))
}
