//! Bevy: a window or an image to paint into, a loop, and pictures on the disk.

use std::path::PathBuf;
use std::time::Duration;

use bevy::app::ScheduleRunnerPlugin;
use bevy::camera::RenderTarget;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat, TextureUsages};
use bevy::render::view::screenshot::{Screenshot, save_to_disk};
use bevy::time::TimeUpdateStrategy;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use bevy_egui::{
    EguiContexts, EguiGlobalSettings, EguiPlugin, EguiPrimaryContextPass, PrimaryEguiContext, egui,
};

use super::panels::{Origin, Window as Panels};
use super::picture::DotsPlugin;
use crate::engine::time::{SimDuration, SimTime};

/// Frames a second of a film.
const FILM_RATE: f64 = 30.0;
/// Frames that the renderer needs until a picture is on the disk.
const AFTERGLOW: u32 = 8;
/// Frames until fonts and pipelines are there.
const WARM_UP: u32 = 4;

/// What is to be shown, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The scenario.
    pub origin: Origin,
    /// Another one that is watched beside it, in step.
    pub against: Option<Origin>,
    /// Seconds of virtual time at which pictures are taken, without a window.
    pub frames: Option<(PathBuf, Vec<f64>)>,
    /// Width and height of the window or of the pictures.
    pub size: (u32, u32),
    /// The light theme.
    pub light: bool,
}

/// The panels as a resource: egui's own types need no thread of their own, but the session is shown by one system only.
#[derive(Resource)]
struct Shown(Panels);

/// The pictures that are still to be taken.
#[derive(Resource)]
struct Film {
    directory: PathBuf,
    moments: Vec<f64>,
    next: usize,
    frame: u32,
    image: Handle<Image>,
}

/// Shows a scenario in a window until it is closed, or writes the pictures that were asked for.
///
/// # Errors
/// If the program that shows it ended badly.
pub fn view(options: Options) -> Result<(), String> {
    let title = format!("rushhour: {}", options.origin.name);
    let mut panels = Panels::open(options.origin);
    panels.compare(options.against.as_ref());
    if options.light {
        panels.theme = super::theme::Theme::LIGHT;
    }
    let mut app = App::new();
    let (width, height) = options.size;
    match options.frames {
        None => {
            let window = Window { title, resolution: (width, height).into(), ..Window::default() };
            app.add_plugins(DefaultPlugins.set(WindowPlugin { primary_window: Some(window), ..default() }));
            app.add_systems(Startup, camera);
        }
        Some((directory, moments)) => {
            let silent =
                WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() };
            app.add_plugins(DefaultPlugins.set(silent).disable::<WinitPlugin>());
            app.add_plugins(ScheduleRunnerPlugin::run_loop(Duration::ZERO));
            // Pictures are the same however fast they are made.
            app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_secs_f64(1.0 / FILM_RATE)));
            let image = app.world_mut().resource_mut::<Assets<Image>>().add(target(width, height));
            app.insert_resource(Film { directory, moments, next: 0, frame: 0, image });
            app.add_systems(Startup, film_camera).add_systems(PreUpdate, wind);
        }
    }
    app.add_plugins((EguiPlugin::default(), DotsPlugin));
    app.insert_resource(Shown(panels)).add_systems(EguiPrimaryContextPass, show);
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(format!("the window ended with status {code}")),
    }
}

fn target(width: u32, height: u32) -> Image {
    let size = Extent3d { width, height, depth_or_array_layers: 1 };
    let mut image = Image::new_fill(
        size,
        TextureDimension::D2,
        &[0, 0, 0, 255],
        TextureFormat::Rgba8UnormSrgb,
        default(),
    );
    image.texture_descriptor.usage |= TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
    image
}

fn camera(mut commands: Commands<'_, '_>) {
    commands.spawn(Camera2d);
}

fn film_camera(
    mut commands: Commands<'_, '_>,
    film: Res<'_, Film>,
    mut settings: ResMut<'_, EguiGlobalSettings>,
) {
    settings.auto_create_primary_context = false;
    commands.spawn((Camera2d, RenderTarget::Image(film.image.clone().into()), PrimaryEguiContext));
}

/// Takes one picture after the other, each some frames after its moment was set.
fn wind(
    mut film: ResMut<'_, Film>,
    mut shown: ResMut<'_, Shown>,
    mut commands: Commands<'_, '_>,
    mut exit: MessageWriter<'_, AppExit>,
) {
    film.frame += 1;
    if let Ok(session) = &mut shown.0.session
        && session.overview.excuse().is_some()
    {
        // Pictures have their findings, however long the whole run takes.
        session.overview.wait(Duration::MAX);
    }
    if let Ok(session) = &mut shown.0.session {
        session.clock.playing = false;
        if let Some(seconds) = film.moments.get(film.next).filter(|_| film.frame == 1) {
            // A little before, and then up to it, so that what has just happened is seen.
            let lead = seconds - super::session::PASSAGE_SECONDS * session.clock.rate();
            session.go_to(SimTime::ZERO + SimDuration::from_nanos_f64((lead * 1e9).max(0.0)));
            session.play_to(SimTime::ZERO + SimDuration::from_nanos_f64((seconds * 1e9).max(0.0)));
        }
    }
    if film.frame == WARM_UP
        && let Some(seconds) = film.moments.get(film.next)
    {
        let path = film.directory.join(format!("frame-{:04}-{seconds:.3}s.png", film.next));
        commands.spawn(Screenshot::image(film.image.clone())).observe(save_to_disk(path));
    }
    if film.frame == WARM_UP + AFTERGLOW {
        film.next += 1;
        film.frame = 0;
        if film.next >= film.moments.len() {
            exit.write(AppExit::Success);
        }
    }
}

fn show(mut contexts: EguiContexts<'_, '_>, mut shown: ResMut<'_, Shown>, time: Res<'_, Time>) -> Result {
    let context = contexts.ctx_mut()?;
    let whole =
        egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(context.viewport_rect());
    let mut ui = egui::Ui::new(context.clone(), "window".into(), whole);
    shown.0.frame(&mut ui, time.delta_secs_f64());
    Ok(())
}
