//! Runs the panels and the picture in Bevy: in a window, or offscreen to write picture and film files.
//!
//! [`window`] opens the window, and `recorder` takes pictures and films of it. [`film`] renders offscreen. Both show
//! the same panels and picture, and neither uses the other.

mod encoder;
mod film;
mod pictures;
mod recorder;
mod window;

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use bevy::app::{PluginGroupBuilder, TerminalCtrlCHandlerPlugin};
use bevy::log::{Level, LogPlugin};
use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, egui};

use super::panels::{Origin, Panels};
use super::picture::DotsPlugin;
use super::remembered::Remembered;

pub use encoder::{Format, is_installed as films_can_be_made};
pub use film::{OffscreenJob, OffscreenOutput};

/// The scenarios to show, and how to show them.
#[derive(Debug)]
pub struct Options {
    /// The scenario.
    pub origin: Origin,
    /// A second scenario, shown side by side at the same simulated time.
    pub against: Option<Origin>,
    /// Whether to use the light theme. If false, the remembered theme, or the dark one if none is.
    pub light: bool,
    /// A window, or files.
    pub medium: Medium,
    /// Set by Ctrl-C or a signal to end the program.
    pub interrupt: Arc<AtomicBool>,
}

/// Where the output goes.
#[derive(Debug)]
pub enum Medium {
    /// A window.
    Window {
        /// Its width and height in pixels, or `None` for the remembered size.
        size: Option<(u32, u32)>,
        /// The file that keeps the state of the window between sessions, or `None` to keep nothing.
        state: Option<PathBuf>,
    },
    /// Picture files or a film file, rendered without a window.
    OffscreenJob(OffscreenJob),
}

/// The panels as a Bevy resource.
#[derive(Resource)]
struct Content {
    panels: Panels,
    /// Whether the panels play in real time. Otherwise a system sets the time of every frame.
    real_time: bool,
}

/// Shows a scenario in a window until the window is closed, or writes the requested pictures or film.
///
/// # Errors
/// If the Bevy app fails, or ends before all pictures are written.
pub fn view(options: Options) -> Result<(), String> {
    let Options { origin, against, light, medium, interrupt } = options;
    let mut panels = Panels::open(origin);
    panels.compare(against.as_ref());
    let remembered = match &medium {
        Medium::Window { state: Some(path), .. } => Remembered::read(path),
        Medium::Window { state: None, .. } | Medium::OffscreenJob(_) => Remembered::default(),
    };
    remembered.apply(&mut panels);
    if light {
        panels.theme = super::theme::Theme::LIGHT;
    }
    match medium {
        Medium::Window { size, state } => {
            let remembered = Remembered { size: size.or(remembered.size), ..remembered };
            window::open(panels, remembered, state, interrupt)
        }
        Medium::OffscreenJob(job) => film::make(panels, job, interrupt),
    }
}

/// Bevy's default plugins without its Ctrl-C handler, and with only errors logged.
pub(super) struct Quiet;

impl Quiet {
    pub(super) fn plugins() -> PluginGroupBuilder {
        // Setting `RUST_LOG` shows more, such as the graphics adapter.
        let log = LogPlugin { level: Level::ERROR, filter: String::new(), ..default() };
        DefaultPlugins.build().disable::<TerminalCtrlCHandlerPlugin>().set(log)
    }
}

/// Adds the panels and the picture to an app.
fn add_panels(app: &mut App, content: Content) {
    app.add_plugins((EguiPlugin::default(), DotsPlugin));
    app.insert_resource(content).add_systems(EguiPrimaryContextPass, show);
}

fn show(mut contexts: EguiContexts<'_, '_>, mut content: ResMut<'_, Content>, time: Res<'_, Time>) -> Result {
    let context = contexts.ctx_mut()?;
    let builder =
        egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(context.viewport_rect());
    let mut ui = egui::Ui::new(context.clone(), "window".into(), builder);
    let real_seconds = if content.real_time { time.delta_secs_f64() } else { 0.0 };
    content.panels.frame(&mut ui, real_seconds);
    Ok(())
}

/// Runs an app and turns a panic into an error. Libraries panic on a machine without a display or a graphics driver.
///
/// # Errors
/// The message and place of the first panic, or the exit code of the app.
pub(super) fn guarded(app: impl FnOnce() -> AppExit) -> Result<(), String> {
    let message = Arc::new(Mutex::new(None));
    let writer = Arc::clone(&message);
    let default_hook = panic::take_hook();
    let backtrace = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or("a panic without a message").to_owned();
        let place = info.location().map(|at| format!(" ({at})")).unwrap_or_default();
        writer.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(format!("{text}{place}"));
        if backtrace {
            default_hook(info);
        }
    }));
    let ended = panic::catch_unwind(AssertUnwindSafe(app));
    drop(panic::take_hook());
    // The first panic is the cause; those of other threads follow from it.
    let message = message.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (ended, message) {
        (Ok(AppExit::Success), None) => Ok(()),
        (Ok(AppExit::Error(code)), None) => Err(format!("the display ended with exit code {code}")),
        (Ok(_) | Err(_), Some(message)) => Err(format!("cannot display the scenario: {message}")),
        (Err(_), None) => Err("cannot display the scenario".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_message() {
        assert_eq!(guarded(|| AppExit::Success), Ok(()));
        let message = guarded(|| panic!("no driver")).expect_err("the app panics");
        assert!(message.starts_with("cannot display the scenario: no driver (src"), "{message}");
        assert!(guarded(|| AppExit::from_code(3)).expect_err("the app fails").contains('3'));
    }
}
