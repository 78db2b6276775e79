//! The panels around the picture: the transport bar with scenario and clock, the side panel with counts, inspector,
//! findings, log and changes, and the timeline.

mod changes;
mod facts;
mod inspector;
mod keys;
mod log;
#[cfg(all(test, feature = "viz-tests"))]
mod tests;
mod timeline;
mod transport;

use std::path::PathBuf;

use bevy_egui::egui::{self, Pos2, Rect, RichText, Ui, vec2};

use super::log::Filter;
use super::picture::{self, Camera};
use super::plots::PlotLines;
use super::positions;
use super::session::Session;
use super::theme::Theme;
use crate::model::metric::QUEUE_DEPTH;

/// Where a scenario comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Name to display.
    pub name: String,
    /// Its RON text.
    pub bytes: Vec<u8>,
    /// Values to replace, in the form of `--set`.
    pub overrides: Vec<String>,
    /// The seed, or `None` for the scenario's own.
    pub seed: Option<u64>,
    /// The file that it was read from, or `None`. Saved files go to the same directory.
    pub path: Option<PathBuf>,
}

impl Origin {
    /// A scenario without a file.
    #[must_use]
    pub fn of(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), bytes: text.as_bytes().to_vec(), ..Self::default() }
    }
}

/// A tab of the side panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// The findings.
    #[default]
    Findings,
    /// The latest events.
    Log,
    /// The changes of the scenario and of the user.
    Changes,
}

/// A request of the panels to the app that displays them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRequest {
    /// Save a picture of the window.
    Picture,
    /// Start recording a film of the window, or stop it.
    Recording,
}

/// The content of the window: sessions, camera and panels.
pub struct Panels {
    /// The session, or the errors of the scenario.
    pub session: Result<Session, String>,
    /// A second session to compare, shown side by side at the same simulated time.
    pub compared: Option<Session>,
    /// The visible part of the picture, and the selection in it.
    pub camera: Camera,
    /// The theme.
    pub theme: Theme,
    /// Whether the list of keys is open.
    pub help: bool,
    /// The name of the metric in the timeline.
    pub plotted: String,
    /// The open tab of the side panel.
    pub tab: Tab,
    /// The filter of the log.
    pub filter: Filter,
    /// Status text: the result of the last command, or its error.
    pub status: String,
    /// The file name under which to save the scenario.
    pub file: String,
    /// The setting that is being edited, and the text typed so far.
    pub(super) draft: Option<(String, String)>,
    /// For how long a fault lasts that is injected, in seconds.
    pub(super) fault_seconds: f64,
    /// The pending request to the host.
    pub host_request: Option<HostRequest>,
    /// Whether a film of the window is being recorded.
    pub recording: bool,
    /// The rectangle of the recording indicator, in points, or `None` while there is none.
    pub record_indicator: Option<Rect>,
    origin: Origin,
    gathered: [PlotLines; 2],
}

impl Panels {
    /// Opens a scenario, with the saved positions of its boxes.
    #[must_use]
    pub fn open(origin: Origin) -> Self {
        let mut session = Session::open(&origin.name, &origin.bytes, &origin.overrides, origin.seed);
        if let (Ok(session), Some(path)) = (&mut session, &origin.path) {
            positions::load(path, &mut session.layout);
        }
        Self {
            session,
            compared: None,
            camera: Camera::default(),
            theme: Theme::DARK,
            help: false,
            plotted: QUEUE_DEPTH.name.to_owned(),
            tab: Tab::default(),
            filter: Filter::default(),
            status: String::new(),
            file: changes::file_name(&origin),
            draft: None,
            fault_seconds: 5.0,
            host_request: None,
            recording: false,
            record_indicator: None,
            origin,
            gathered: [PlotLines::default(), PlotLines::default()],
        }
    }

    /// Opens a second scenario to compare with the first, or closes it if `origin` is `None`.
    pub fn compare(&mut self, origin: Option<&Origin>) {
        self.compared = None;
        let (Ok(session), Some(origin)) = (&mut self.session, origin) else { return };
        match Session::open(&origin.name, &origin.bytes, &origin.overrides, origin.seed) {
            Ok(mut compared) => {
                compared.follow(session);
                self.compared = Some(compared);
                self.camera.zoom = 0.0;
            }
            Err(error) => self.status = error,
        }
    }

    /// Advances the sessions by `real_seconds` of real time, and shows everything.
    pub fn frame(&mut self, ui: &mut Ui, real_seconds: f64) {
        ui.ctx().set_visuals(self.theme.visuals());
        self.keys(ui);
        if let Ok(session) = &mut self.session {
            session.frame(real_seconds);
        }
        egui::Panel::top("transport").show(ui, |ui| self.transport(ui));
        egui::Panel::right("facts").resizable(true).default_size(330.0).show(ui, |ui| self.facts(ui));
        egui::Panel::bottom("timeline").show(ui, |ui| self.timeline(ui));
        let corner = ui.available_rect_before_wrap().right_top();
        match (&mut self.session, &mut self.compared) {
            (Ok(session), None) => picture::show(ui, session, &mut self.camera, &self.theme),
            (Ok(session), Some(compared)) => {
                compared.follow(session);
                picture::show_both(ui, [session, compared], &mut self.camera, &self.theme);
            }
            (Err(error), _) => {
                ui.add_space(24.0);
                ui.heading("This scenario cannot be run");
                egui::ScrollArea::both().show(ui, |ui| {
                    let text = RichText::new(error.as_str()).monospace();
                    ui.add(egui::Label::new(text).wrap_mode(egui::TextWrapMode::Extend));
                });
            }
        }
        self.record_indicator = self.recording.then(|| record_indicator(ui, corner));
        if self.help {
            self.show_keys(ui);
        }
    }

    /// Writes the positions of the boxes to a file next to the scenario.
    pub(super) fn save_positions(&mut self) {
        let Ok(session) = &self.session else { return };
        self.status = match &self.origin.path {
            None => "Save the scenario to a file first: positions are saved next to it".to_owned(),
            Some(path) => match positions::save(path, &session.layout) {
                Ok(written) => format!("Saved positions to {}", written.display()),
                Err(error) => format!("Could not save positions: {error}"),
            },
        };
    }
}

/// Paints the recording indicator, a red dot in the upper right corner of the picture. Returns its rectangle.
fn record_indicator(ui: &Ui, corner: Pos2) -> Rect {
    const RADIUS: f32 = 6.0;
    let center = corner + vec2(-16.0, 16.0);
    ui.painter().circle_filled(center, RADIUS, super::theme::BAD);
    Rect::from_center_size(center, vec2(1.0, 1.0) * 2.0 * (RADIUS + 2.0))
}
