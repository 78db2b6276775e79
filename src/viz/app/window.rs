//! The window itself: it opens as it was left, and is closed by its button, by Ctrl-C, or by the system.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::prelude::*;
use bevy::time::Real;
use bevy::window::{Monitor, WindowPosition};

use super::recorder::{Recorder, record};
use super::{Quiet, Shown};
use crate::viz::panels::Panels;
use crate::viz::remembered::{Remembered, StateFile};

/// Width and height when nothing else is known.
const SIZE: (u32, u32) = (1280, 800);
/// As much of a window has to be on a screen to be found again, in pixels.
const GRIP: i32 = 48;

/// Is set when somebody wants an end.
#[derive(Resource)]
struct Interrupt(Arc<AtomicBool>);

/// What the window is like, and the file in which that is remembered.
#[derive(Resource)]
struct State {
    now: Remembered,
    keeper: Option<StateFile>,
}

/// Shows the panels until the window is closed.
///
/// # Errors
/// If the window cannot be opened, or ended badly.
pub(super) fn open(
    panels: Panels,
    remembered: Remembered,
    state: Option<PathBuf>,
    interrupt: Arc<AtomicBool>,
) -> Result<(), String> {
    let name = panels.session.as_ref().map_or("a broken scenario", |session| session.name.as_str());
    let window = Window {
        title: format!("rushhour: {name}"),
        resolution: remembered.size.unwrap_or(SIZE).into(),
        position: remembered
            .position
            .map_or_else(WindowPosition::default, |(x, y)| WindowPosition::At((x, y).into())),
        ..Window::default()
    };
    let keeper = state.map(|path| StateFile::new(path, remembered.clone()));
    super::guarded(move || {
        let mut app = App::new();
        app.add_plugins(Quiet::plugins().set(WindowPlugin { primary_window: Some(window), ..default() }));
        app.insert_resource(Interrupt(interrupt)).init_resource::<Recorder>();
        app.insert_resource(State { now: remembered, keeper });
        app.add_systems(Startup, camera);
        app.add_systems(Update, (obey, bring_back));
        app.add_systems(Last, (record, remember));
        super::add_panels(&mut app, Shown { panels, by_itself: true });
        app.run()
    })
}

fn camera(mut commands: Commands<'_, '_>) {
    // egui softens its edges by itself.
    commands.spawn((Camera2d, Msaa::Off));
}

/// Ctrl-C closes the window like its button.
fn obey(interrupt: Res<'_, Interrupt>, mut exit: MessageWriter<'_, AppExit>) {
    if interrupt.0.load(Ordering::Relaxed) {
        exit.write(AppExit::Success);
    }
}

/// A window that was left on a screen which is not there any more is brought back, once.
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
    let width = i32::try_from(window.physical_width()).unwrap_or(GRIP);
    let seen = monitors.iter().any(|monitor| {
        let size = [monitor.physical_width, monitor.physical_height]
            .map(|length| i32::try_from(length).unwrap_or(0));
        let (x, y) = (at.x - monitor.physical_position.x, at.y - monitor.physical_position.y);
        x + width >= GRIP && x + GRIP <= size[0] && y + GRIP >= 0 && y + GRIP <= size[1]
    });
    if !seen {
        window.position = WindowPosition::Centered(MonitorSelection::Primary);
    }
}

/// Notes what the window is like, and writes it down when it has changed.
fn remember(
    mut state: ResMut<'_, State>,
    shown: Res<'_, Shown>,
    window: Option<Single<'_, '_, &Window>>,
    time: Res<'_, Time<Real>>,
    mut exit: MessageReader<'_, '_, AppExit>,
) {
    let State { now, keeper } = &mut *state;
    let Some(keeper) = keeper else { return };
    now.note(&shown.panels);
    // A window that is being closed is not there any more.
    if let Some(window) = window {
        let (width, height) = (window.resolution.width().round(), window.resolution.height().round());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a screen has some thousand pixels"
        )]
        let size = (width as u32, height as u32);
        now.size = Some(size);
        if let WindowPosition::At(at) = window.position {
            now.position = Some((at.x, at.y));
        }
    }
    if exit.read().next().is_some() {
        keeper.write(now);
    } else {
        keeper.tell(now, time.elapsed_secs_f64());
    }
}
