//! The window. It opens with the size, position and settings that it had when it was last closed. Its close button,
//! Ctrl-C or the system close it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::prelude::*;
use bevy::time::Real;
use bevy::window::{Monitor, WindowPosition};

use super::recorder::{Recorder, record};
use super::{Content, Quiet};
use crate::viz::panels::Panels;
use crate::viz::remembered::{Remembered, StateFile};

/// Default width and height, in pixels.
const SIZE: (u32, u32) = (1280, 800);
/// Minimum width and height of the part of a window that must be on a monitor, in pixels.
const MIN_VISIBLE: i32 = 48;

/// Set by Ctrl-C or a signal to end the program.
#[derive(Resource)]
struct Interrupt(Arc<AtomicBool>);

/// The current state of the window, and the file that keeps it between sessions.
#[derive(Resource)]
struct State {
    now: Remembered,
    file: Option<StateFile>,
}

/// Shows the panels until the window is closed.
///
/// # Errors
/// If the window cannot be opened, or the app fails.
pub(super) fn open(
    panels: Panels,
    remembered: Remembered,
    state: Option<PathBuf>,
    interrupt: Arc<AtomicBool>,
) -> Result<(), String> {
    let name = panels.session.as_ref().map_or("invalid scenario", |session| session.name.as_str());
    let window = Window {
        title: format!("rushhour: {name}"),
        resolution: remembered.size.unwrap_or(SIZE).into(),
        position: remembered
            .position
            .map_or_else(WindowPosition::default, |(x, y)| WindowPosition::At((x, y).into())),
        ..Window::default()
    };
    let file = state.map(|path| StateFile::new(path, remembered.clone()));
    super::guarded(move || {
        let mut app = App::new();
        app.add_plugins(Quiet::plugins().set(WindowPlugin { primary_window: Some(window), ..default() }));
        app.insert_resource(Interrupt(interrupt)).init_resource::<Recorder>();
        app.insert_resource(State { now: remembered, file });
        app.add_systems(Startup, camera);
        app.add_systems(Update, (close_on_interrupt, bring_back));
        app.add_systems(Last, (record, remember));
        super::add_panels(&mut app, Content { panels, real_time: true });
        app.run()
    })
}

fn camera(mut commands: Commands<'_, '_>) {
    // egui antialiases by itself.
    commands.spawn((Camera2d, Msaa::Off));
}

/// Closes the window on Ctrl-C.
fn close_on_interrupt(interrupt: Res<'_, Interrupt>, mut exit: MessageWriter<'_, AppExit>) {
    if interrupt.0.load(Ordering::Relaxed) {
        exit.write(AppExit::Success);
    }
}

/// Centres the window, once at the start, if its remembered position is on no connected monitor.
fn bring_back(
    mut window: Single<'_, '_, &mut Window>,
    monitors: Query<'_, '_, &Monitor>,
    mut done: Local<'_, bool>,
) {
    if *done || monitors.is_empty() {
        return;
    }
    *done = true;
    let WindowPosition::At(at) = window.position else { return };
    let width = i32::try_from(window.physical_width()).unwrap_or(MIN_VISIBLE);
    let visible = monitors.iter().any(|monitor| {
        let size = [monitor.physical_width, monitor.physical_height]
            .map(|length| i32::try_from(length).unwrap_or(0));
        let (x, y) = (at.x - monitor.physical_position.x, at.y - monitor.physical_position.y);
        x + width >= MIN_VISIBLE
            && x + MIN_VISIBLE <= size[0]
            && y + MIN_VISIBLE >= 0
            && y + MIN_VISIBLE <= size[1]
    });
    if !visible {
        window.position = WindowPosition::Centered(MonitorSelection::Primary);
    }
}

/// Records the state of the window, and writes it to its file when it has changed.
fn remember(
    mut state: ResMut<'_, State>,
    content: Res<'_, Content>,
    window: Option<Single<'_, '_, &Window>>,
    time: Res<'_, Time<Real>>,
    mut exit: MessageReader<'_, '_, AppExit>,
) {
    let State { now, file } = &mut *state;
    let Some(file) = file else { return };
    now.capture(&content.panels);
    // There is no window entity in the frame in which the window closes.
    if let Some(window) = window {
        let (width, height) = (window.resolution.width().round(), window.resolution.height().round());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the sides of a window are some thousand pixels"
        )]
        let size = (width as u32, height as u32);
        now.size = Some(size);
        if let WindowPosition::At(at) = window.position {
            now.position = Some((at.x, at.y));
        }
    }
    if exit.read().next().is_some() {
        file.write(now);
    } else {
        file.write_if_due(now, time.elapsed_secs_f64());
    }
}
