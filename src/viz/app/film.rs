//! Renders pictures and films without a window: one image per frame time, however long each takes to render.
//!
//! The output does not depend on the speed of the machine: the clock of the panels advances by the same step in every
//! frame, pipelines are compiled before the first frame, and an image shows the time that was set in its frame. So the
//! same command writes the same pixels.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bevy::app::ScheduleRunnerPlugin;
use bevy::camera::RenderTarget;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::time::TimeUpdateStrategy;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use bevy_egui::{EguiGlobalSettings, PrimaryEguiContext};

use super::encoder::{Encoder, FilmSettings, Format};
use super::{Content, Quiet, pictures};
use crate::engine::time::SimTime;
use crate::files::OutputDirectory;
use crate::viz::offscreen::target;
use crate::viz::panels::Panels;
use crate::viz::session::{HOP_SECONDS, Session, moment};

/// Interval at which the wait for the background run checks for an interrupt.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Frames per second of the panels' clock while pictures are rendered. It has no effect on them.
const STILL_RATE: u32 = 30;
/// Frames until fonts are loaded and the panels have settled on their sizes.
const WARM_UP_FRAMES: u32 = 4;
/// Maximum number of frames to wait for an image of the renderer.
const MAX_IDLE_FRAMES: u32 = 600;
/// Maximum number of frames of a film: nine hours at 30 per second.
const MAX_FRAMES: f64 = 1_000_000.0;

/// The files to write.
#[derive(Debug)]
pub enum OffscreenOutput {
    /// One picture file for each time, in seconds of simulated time.
    Stills(Vec<f64>),
    /// A film.
    Film {
        /// The name of its file.
        name: String,
        /// Its format.
        format: Format,
        /// When it starts, in seconds of simulated time.
        from: f64,
        /// When it ends, in seconds of simulated time, or `None` for the end of the run.
        to: Option<f64>,
        /// Index of its speed in [`SPEEDS`](crate::viz::session::SPEEDS).
        speed: usize,
        /// Frames per second.
        rate: u32,
    },
}

/// Pictures or a film to render without a window.
#[derive(Debug)]
pub struct OffscreenJob {
    /// Directory of the files.
    pub directory: OutputDirectory,
    /// The files to write.
    pub output: OffscreenOutput,
    /// Width and height of each image, in pixels.
    pub size: (u32, u32),
    /// Called with the number of images written and their total.
    pub progress: fn(usize, usize),
}

/// Destination of the images.
enum Sink {
    Stills { directory: OutputDirectory, names: Vec<String> },
    Film(Encoder),
}

impl Sink {
    fn write(&mut self, number: usize, image: Image) -> io::Result<()> {
        match self {
            Self::Stills { directory, names } => {
                pictures::write(directory, &names[number], &pictures::png(image)?)
            }
            Self::Film(encoder) => encoder.frame(&pictures::rgba(image)?),
        }
    }
}

/// Images from the renderer. They arrive in any order and are written in order.
struct FrameBuffer {
    sink: Sink,
    /// Images that arrived before an earlier one, by number.
    waiting: BTreeMap<usize, Image>,
    written: usize,
    total: usize,
    error: Option<String>,
    progress: fn(usize, usize),
}

impl FrameBuffer {
    fn add(&mut self, number: usize, image: Image) {
        self.waiting.insert(number, image);
        while self.error.is_none()
            && let Some(image) = self.waiting.remove(&self.written)
        {
            match self.sink.write(self.written, image) {
                Ok(()) => self.written += 1,
                Err(error) => self.error = Some(format!("could not write a picture: {error}")),
            }
            (self.progress)(self.written, self.total);
        }
    }
}

/// A handle to the buffer: [`make`] reads it after the app has ended.
#[derive(Resource, Clone)]
struct SharedFrameBuffer(Arc<Mutex<FrameBuffer>>);

impl SharedFrameBuffer {
    fn lock(&self) -> MutexGuard<'_, FrameBuffer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The simulated times to render.
#[derive(Resource)]
struct FrameTimes {
    times: Vec<SimTime>,
    /// Whether to play from each time to the next, as in a film, or to jump.
    playing: bool,
    /// Number of the next image.
    next: usize,
    /// Number of frames for which the next time has been shown.
    shown: u32,
    /// Number of frames since the last image was requested.
    idle: u32,
    image: Handle<Image>,
    interrupt: Arc<AtomicBool>,
}

/// Renders the pictures or the film.
///
/// # Errors
/// If the scenario is invalid, the output range is empty or too long, a file cannot be written, the renderer or the
/// encoder fails, or the job is interrupted.
pub(super) fn make(mut panels: Panels, job: OffscreenJob, interrupt: Arc<AtomicBool>) -> Result<(), String> {
    let OffscreenJob { directory, output, size, progress } = job;
    let session = panels.session.as_mut().map_err(|error| error.clone())?;
    // Plots and findings must be complete in every image.
    for background_run in std::iter::once(&mut session.background_run)
        .chain(panels.compared.as_mut().map(|compared| &mut compared.background_run))
    {
        while background_run.is_running() {
            if interrupt.load(Ordering::Relaxed) {
                return Err("interrupted before the first picture".to_owned());
            }
            background_run.wait(POLL_INTERVAL);
        }
    }
    let times = frame_times(&output, session)?;
    let (total, path) = (times.len(), directory.path().to_owned());
    let unwritable = |error: io::Error| format!("{}: cannot write a film there: {error}", path.display());
    let (sink, rate, film_file) = match &output {
        OffscreenOutput::Stills(seconds) => {
            let names = seconds.iter().enumerate();
            let names =
                names.map(|(number, seconds)| format!("frame-{number:04}-{seconds:.3}s.png")).collect();
            (Sink::Stills { directory, names }, STILL_RATE, None)
        }
        OffscreenOutput::Film { name, format, speed, rate, .. } => {
            session.clock.speed = *speed;
            let settings = FilmSettings { format: *format, size, rate: *rate, live: false };
            let encoder = Encoder::start(&path, settings).map_err(unwritable)?;
            (Sink::Film(encoder), *rate, Some((directory, name)))
        }
    };
    let buffer = FrameBuffer { sink, waiting: BTreeMap::new(), written: 0, total, error: None, progress };
    let buffer = SharedFrameBuffer(Arc::new(Mutex::new(buffer)));
    let playing = film_file.is_some();
    let result = run(panels, &buffer, times, playing, rate, size, &interrupt);
    progress(total, total);
    result?;
    let buffer =
        Arc::into_inner(buffer.0).map(|buffer| buffer.into_inner().unwrap_or_else(PoisonError::into_inner));
    let Some(FrameBuffer { sink, written, error, .. }) = buffer else {
        return Err("the renderer still holds images after its end (a bug; please report it)".to_owned());
    };
    if let Some(error) = error {
        return Err(error);
    }
    if written < total {
        return Err(format!("interrupted after {written} of {total} pictures"));
    }
    if let (Sink::Film(encoder), Some((directory, name))) = (sink, film_file) {
        let target = directory.path().join(name);
        let finished =
            encoder.finish(&interrupt).and_then(|film| film.persist(&target).map_err(|error| error.error));
        finished.map_err(|error| format!("{}: could not write the film: {error}", target.display()))?;
    }
    Ok(())
}

/// The simulated time of each image.
///
/// # Errors
/// If a film has no time to show, or more than [`MAX_FRAMES`] frames.
fn frame_times(output: &OffscreenOutput, session: &Session) -> Result<Vec<SimTime>, String> {
    match output {
        OffscreenOutput::Stills(seconds) => Ok(seconds.iter().map(|seconds| moment(*seconds)).collect()),
        OffscreenOutput::Film { from, to, speed, rate, .. } => {
            let end = session.end().as_seconds();
            let (from, to) = (from.max(0.0), to.unwrap_or(end).min(end));
            if from >= to {
                return Err(format!(
                    "a film from {from} s to {to} s would be empty: the run ends at {end} s"
                ));
            }
            let step = crate::viz::session::SPEEDS[*speed] / f64::from(*rate);
            let number = ((to - from) / step).round() + 1.0;
            if number > MAX_FRAMES {
                return Err(format!(
                    "the film would have {number} frames, the maximum is {MAX_FRAMES}: \
                     choose a shorter time or a higher speed"
                ));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the number is between 1 and MAX_FRAMES"
            )]
            let number = number as u32;
            Ok((0..number).map(|frame| moment(f64::from(frame).mul_add(step, from))).collect())
        }
    }
}

/// Renders the images of all times into the buffer.
fn run(
    panels: Panels,
    buffer: &SharedFrameBuffer,
    times: Vec<SimTime>,
    playing: bool,
    rate: u32,
    size: (u32, u32),
    interrupt: &Arc<AtomicBool>,
) -> Result<(), String> {
    let (buffer, interrupt) = (buffer.clone(), Arc::clone(interrupt));
    super::guarded(move || {
        let mut app = App::new();
        let no_window =
            WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() };
        let render = RenderPlugin { synchronous_pipeline_compilation: true, ..default() };
        app.add_plugins(Quiet::plugins().set(no_window).set(render).disable::<WinitPlugin>());
        app.add_plugins(ScheduleRunnerPlugin::run_loop(Duration::ZERO));
        let step = Duration::from_secs_f64(1.0 / f64::from(rate));
        app.insert_resource(TimeUpdateStrategy::ManualDuration(step));
        let image = app.world_mut().resource_mut::<Assets<Image>>().add(target(size));
        app.insert_resource(buffer);
        app.insert_resource(FrameTimes { times, playing, next: 0, shown: 0, idle: 0, image, interrupt });
        app.add_systems(Startup, camera).add_systems(PreUpdate, advance);
        super::add_panels(&mut app, Content { panels, real_time: false });
        app.run()
    })
}

fn camera(
    mut commands: Commands<'_, '_>,
    frames: Res<'_, FrameTimes>,
    mut settings: ResMut<'_, EguiGlobalSettings>,
) {
    settings.auto_create_primary_context = false;
    let target = RenderTarget::Image(frames.image.clone().into());
    // egui antialiases by itself.
    commands.spawn((Camera2d, Msaa::Off, target, PrimaryEguiContext));
}

/// Sets the time that this frame shows, and requests an image of it. Ends the app after the last image.
fn advance(
    mut frames: ResMut<'_, FrameTimes>,
    mut content: ResMut<'_, Content>,
    buffer: Res<'_, SharedFrameBuffer>,
    mut commands: Commands<'_, '_>,
    mut exit: MessageWriter<'_, AppExit>,
) {
    {
        let mut buffer = buffer.lock();
        frames.idle += 1;
        if frames.idle > MAX_IDLE_FRAMES {
            buffer.error = Some(format!("the renderer returned no image within {MAX_IDLE_FRAMES} frames"));
        }
        let done = buffer.error.is_some() || buffer.written >= buffer.total;
        if done || frames.interrupt.load(Ordering::Relaxed) {
            exit.write(AppExit::Success);
            return;
        }
    }
    let number = frames.next;
    let Some(&time) = frames.times.get(number) else { return };
    if let Ok(session) = &mut content.panels.session
        && frames.shown == 0
    {
        show_time(session, time, frames.playing, number == 0 || !frames.playing);
    }
    frames.shown += 1;
    // The panels need some frames to adapt after a jump. A film jumps only to its first frame.
    if frames.shown >= WARM_UP_FRAMES || (frames.playing && number > 0) {
        (frames.next, frames.shown, frames.idle) = (number + 1, 0, 0);
        let store = move |captured: On<'_, '_, ScreenshotCaptured>, buffer: Res<'_, SharedFrameBuffer>| {
            buffer.lock().add(number, captured.image.clone());
        };
        commands.spawn(Screenshot::image(frames.image.clone())).observe(store);
    }
}

/// Shows a time. With `jump`, goes there directly, and plays only the last moments before it, for the instant hops.
fn show_time(session: &mut Session, time: SimTime, playing: bool, jump: bool) {
    session.clock.playing = playing;
    session.clock.achieved = session.clock.rate();
    if jump {
        let lead = time.as_seconds() - HOP_SECONDS * session.clock.rate();
        session.go_to(moment(lead));
    }
    session.play_to(time);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::DEFAULT_SCENARIO;
    use crate::viz::Origin;

    fn film(from: f64, to: Option<f64>, speed: usize) -> Result<Vec<f64>, String> {
        let (name, text) = DEFAULT_SCENARIO;
        let panels = Panels::open(Origin::of(name, text));
        let session = panels.session.expect("the scenario is valid");
        let output = OffscreenOutput::Film {
            name: "a.gif".to_owned(),
            format: Format::Gif,
            from,
            to,
            speed,
            rate: 25,
        };
        frame_times(&output, &session).map(|times| times.iter().map(|time| time.as_seconds()).collect())
    }

    #[test]
    fn a_film_shows_its_first_and_last_time_and_equal_steps_between() {
        let times = film(12.0, Some(13.0), 7).expect("it has frames");
        assert_eq!(times.len(), 26);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        near(times[0], 12.0);
        near(times[1], 12.04);
        near(times[25], 13.0);
        // Twice the speed, half the steps.
        assert_eq!(film(12.0, Some(13.0), 8).expect("it has frames").len(), 13 + 1);
        near(*film(60.0, None, 7).expect("it has frames").last().expect("it is not empty"), 65.0);
    }

    #[test]
    fn empty_and_too_long_films_are_rejected() {
        assert!(film(13.0, Some(12.0), 7).is_err());
        assert!(film(1e6, None, 7).expect_err("the run has ended by then").contains("the run ends at 65 s"));
        assert!(film(0.0, None, 0).expect_err("slow motion has many frames").contains("1625001 frames"));
    }
}
