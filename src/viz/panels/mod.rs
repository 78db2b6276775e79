//! The panels around the picture: which scenario, the clock, what was found, what was clicked, and how things went.

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
use super::plots::Gathered;
use super::positions;
use super::session::Session;
use super::theme::Theme;
use crate::model::metric::QUEUE_DEPTH;

/// Where a scenario comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its name, as it is shown.
    pub name: String,
    /// Its text.
    pub bytes: Vec<u8>,
    /// Values that are replaced, as `--set` takes them.
    pub overrides: Vec<String>,
    /// The seed; the scenario's own if it is not given.
    pub seed: Option<u64>,
    /// The file that it was read from, if it was: what is saved lies beside it.
    pub path: Option<PathBuf>,
}

impl Origin {
    /// A scenario that is not in a file.
    #[must_use]
    pub fn of(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), bytes: text.as_bytes().to_vec(), ..Self::default() }
    }
}

/// What the panel at the side shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// What was found.
    #[default]
    Findings,
    /// What has happened lately.
    Log,
    /// What changes while it runs, as announced or done by hand.
    Changes,
}

/// What the window wants to be done by what shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRequest {
    /// A picture of what is seen is to be kept.
    Picture,
    /// A film of what is seen is to begin, or to end.
    Recording,
}

/// Everything that the window shows.
pub struct Panels {
    /// The session, or why there is none.
    pub session: Result<Session, String>,
    /// Another variant of the system that is watched beside it, in step.
    pub rival: Option<Session>,
    /// What the picture looks at.
    pub view: View,
    /// The theme.
    pub theme: Theme,
    /// Whether the keys are shown.
    pub help: bool,
    /// The measure that is plotted.
    pub plotted: String,
    /// What the panel at the side shows.
    pub tab: Tab,
    /// What is wanted of the log.
    pub filter: Filter,
    /// What was last done that cannot be seen, or could not be done.
    pub said: String,
    /// The name that the scenario is saved by.
    pub file: String,
    /// What is being typed, and into which field.
    pub(super) draft: Option<(String, String)>,
    /// What is wanted to be done by what shows the window.
    pub wish: Option<HostRequest>,
    /// Whether a film is being made of what is seen.
    pub recording: bool,
    /// Where the red dot is that tells so, in points.
    pub lamp: Option<Rect>,
    origin: Origin,
    gathered: [Gathered; 2],
}

impl Panels {
    /// A window on a scenario.
    #[must_use]
    pub fn open(origin: Origin) -> Self {
        let mut session = Session::open(&origin.name, &origin.bytes, &origin.overrides, origin.seed);
        if let (Ok(session), Some(path)) = (&mut session, &origin.path) {
            positions::load(path, &mut session.layout);
        }
        Self {
            session,
            rival: None,
            view: View::default(),
            theme: Theme::DARK,
            help: false,
            plotted: QUEUE_DEPTH.name.to_owned(),
            tab: Tab::default(),
            filter: Filter::default(),
            said: String::new(),
            file: changes::file_name(&origin),
            draft: None,
            wish: None,
            recording: false,
            lamp: None,
            origin,
            gathered: [Gathered::default(), Gathered::default()],
        }
    }

    /// Watches another variant beside this one, in step, or none.
    pub fn compare(&mut self, origin: Option<&Origin>) {
        self.rival = None;
        let (Ok(session), Some(origin)) = (&mut self.session, origin) else { return };
        match Session::open(&origin.name, &origin.bytes, &origin.overrides, origin.seed) {
            Ok(mut rival) => {
                rival.follow(session);
                self.rival = Some(rival);
                self.view.zoom = 0.0;
            }
            Err(wrong) => self.said = wrong,
        }
    }

    /// Lets time go on and shows everything.
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
        match (&mut self.session, &mut self.rival) {
            (Ok(session), None) => picture::show(ui, session, &mut self.view, &self.theme),
            (Ok(session), Some(rival)) => {
                rival.follow(session);
                picture::show_both(ui, [session, rival], &mut self.view, &self.theme);
            }
            (Err(wrong), _) => {
                ui.add_space(24.0);
                ui.heading("This scenario cannot be run");
                egui::ScrollArea::both().show(ui, |ui| {
                    let text = RichText::new(wrong.as_str()).monospace();
                    ui.add(egui::Label::new(text).wrap_mode(egui::TextWrapMode::Extend));
                });
            }
        }
        self.lamp = self.recording.then(|| lamp(ui, corner));
        if self.help {
            self.show_keys(ui);
        }
    }

    /// Writes where the boxes stand into a file beside the scenario.
    pub(super) fn save_positions(&mut self) {
        let Ok(session) = &self.session else { return };
        self.said = match &self.origin.path {
            None => "save the scenario as a file first: positions lie beside it".to_owned(),
            Some(path) => match positions::save(path, &session.layout) {
                Ok(written) => format!("positions are in {}", written.display()),
                Err(error) => format!("positions could not be written: {error}"),
            },
        };
    }
}

/// A red dot in the corner of the picture: a film is being made. Returns where it is.
fn lamp(ui: &Ui, corner: Pos2) -> Rect {
    const RADIUS: f32 = 6.0;
    let middle = corner + vec2(-16.0, 16.0);
    ui.painter().circle_filled(middle, RADIUS, super::theme::BAD);
    Rect::from_center_size(middle, vec2(1.0, 1.0) * 2.0 * (RADIUS + 2.0))
}
