//! Bevy: a window or an image to paint into, a loop, and pictures on the disk.
//!
//! [`window`] is what people look at, `recorder` takes pictures of it; [`film`] paints without one. Panels and picture are
//! the same in both, and none of it knows of the other.

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

pub use encoder::{Format, is_there as films_can_be_made};
pub use film::{OffscreenJob, OffscreenOutput};

/// What is to be shown, and how.
#[derive(Debug)]
pub struct Options {
    /// The scenario.
    pub origin: Origin,
    /// Another one that is watched beside it, in step.
    pub against: Option<Origin>,
    /// The light theme, whatever is remembered.
    pub light: bool,
    /// In a window or without.
    pub medium: Medium,
    /// Is set when somebody wants an end.
    pub interrupt: Arc<AtomicBool>,
}

/// What it is shown on.
#[derive(Debug)]
pub enum Medium {
    /// A window.
    Window {
        /// Its width and height in pixels, whatever is remembered.
        size: Option<(u32, u32)>,
        /// The file in which it is remembered what the window was like; nothing is, if there is none.
        state: Option<PathBuf>,
    },
    /// Pictures or a film, without a window.
    OffscreenJob(OffscreenJob),
}

/// The panels as a resource: egui's own types need no thread of their own, but the session is shown by one system only.
#[derive(Resource)]
struct Shown {
    panels: Panels,
    /// Whether time goes on with the clock on the wall; otherwise somebody sets every moment.
    by_itself: bool,
}

/// Shows a scenario in a window until it is closed, or makes the pictures or the film that were asked for.
///
/// # Errors
/// If the program that shows it ended badly, or before all pictures were there.
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
        Medium::OffscreenJob(studio) => film::make(panels, studio, interrupt),
    }
}

/// Bevy's plugins, less its own idea of Ctrl-C and its talk about the machine.
pub(super) struct Quiet;

impl Quiet {
    pub(super) fn plugins() -> PluginGroupBuilder {
        // What it runs on is of interest to those who ask for it with RUST_LOG.
        let log = LogPlugin { level: Level::ERROR, filter: String::new(), ..default() };
        DefaultPlugins.build().disable::<TerminalCtrlCHandlerPlugin>().set(log)
    }
}

/// The panels and the picture, whatever they are painted on.
fn add_panels(app: &mut App, shown: Shown) {
    app.add_plugins((EguiPlugin::default(), DotsPlugin));
    app.insert_resource(shown).add_systems(EguiPrimaryContextPass, show);
}

fn show(mut contexts: EguiContexts<'_, '_>, mut shown: ResMut<'_, Shown>, time: Res<'_, Time>) -> Result {
    let context = contexts.ctx_mut()?;
    let whole =
        egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(context.viewport_rect());
    let mut ui = egui::Ui::new(context.clone(), "window".into(), whole);
    let passed = if shown.by_itself { time.delta_secs_f64() } else { 0.0 };
    shown.panels.frame(&mut ui, passed);
    Ok(())
}

/// Runs an app. A machine without a screen or a graphics driver makes libraries panic, which is told as a sentence.
pub(super) fn guarded(app: impl FnOnce() -> AppExit) -> Result<(), String> {
    let said = Arc::new(Mutex::new(None));
    let writer = Arc::clone(&said);
    let usual = panic::take_hook();
    let traced = std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0");
    panic::set_hook(Box::new(move |info| {
        let what = info.payload_as_str().unwrap_or("it went wrong").to_owned();
        let place = info.location().map(|at| format!(" ({at})")).unwrap_or_default();
        writer.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(format!("{what}{place}"));
        // Who asks for a trace gets everything.
        if traced {
            usual(info);
        }
    }));
    let ended = panic::catch_unwind(AssertUnwindSafe(app));
    drop(panic::take_hook());
    // What was said first is the cause, wherever it was noticed.
    let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (ended, said) {
        (Ok(AppExit::Success), None) => Ok(()),
        (Ok(AppExit::Error(code)), None) => Err(format!("it ended with status {code}")),
        (Ok(_) | Err(_), Some(said)) => Err(format!("it cannot be shown: {said}")),
        (Err(_), None) => Err("it cannot be shown".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_as_a_sentence() {
        assert_eq!(guarded(|| AppExit::Success), Ok(()));
        let told = guarded(|| panic!("no driver")).expect_err("it panics");
        assert!(told.starts_with("it cannot be shown: no driver (src"), "{told}");
        assert!(guarded(|| AppExit::from_code(3)).expect_err("it fails").contains('3'));
    }
}
