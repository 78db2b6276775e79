//! Pictures and films without a window: moments are painted into an image, one after the other, however long each takes.
//!
//! Nothing depends on how fast that is: the clock of the panels goes on by the same step with every frame, pipelines are
//! there before the first picture, and a picture shows the moment that was set in its frame. So the same command makes
//! the same pixels.

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

use super::encoder::{Encoder, Format, FrameSink};
use super::{Quiet, Shown, pictures};
use crate::engine::time::SimTime;
use crate::files::OutputDirectory;
use crate::viz::offscreen::target;
use crate::viz::panels::Panels;
use crate::viz::session::{HOP_SECONDS, Session, moment};

/// The whole run is waited for in steps, so that one can be interrupted.
const GLANCE: Duration = Duration::from_millis(50);
/// Frames a second as the panels see it, where it makes no difference.
const STILL_RATE: u32 = 30;
/// Frames until fonts are there and panels have found their sizes.
const WARM_UP: u32 = 4;
/// Frames without a picture after which none is expected any more.
const PATIENCE: u32 = 600;
/// Pictures that a film may have: nine hours of them.
const MAX_PICTURES: f64 = 1_000_000.0;

/// What is to be made.
#[derive(Debug)]
pub enum OffscreenOutput {
    /// A picture of each of some moments, in seconds of virtual time, in files of their own.
    Stills(Vec<f64>),
    /// A film.
    Film {
        /// The name of its file.
        name: String,
        /// Its format.
        format: Format,
        /// When it begins, in seconds of virtual time.
        from: f64,
        /// When it ends, in seconds of virtual time; at the end of the run if it is not given.
        to: Option<f64>,
        /// The position of its speed in [`SPEEDS`](crate::viz::session::SPEEDS).
        speed: usize,
        /// Pictures a second.
        rate: u32,
    },
}

/// Pictures without a window.
#[derive(Debug)]
pub struct OffscreenJob {
    /// Where files are written.
    pub directory: OutputDirectory,
    /// What is to be made.
    pub wanted: OffscreenOutput,
    /// Width and height of the pictures, in pixels.
    pub size: (u32, u32),
    /// Is told how many pictures of how many there are.
    pub told: fn(usize, usize),
}

/// What becomes of the pictures.
enum Sink {
    Stills { directory: OutputDirectory, names: Vec<String> },
    Film(Encoder),
}

impl Sink {
    fn take(&mut self, at: usize, image: Image) -> io::Result<()> {
        match self {
            Self::Stills { directory, names } => {
                pictures::write(directory, &names[at], &pictures::png(image)?)
            }
            Self::Film(encoder) => encoder.picture(&pictures::rgba(image)?),
        }
    }
}

/// Pictures that come from the renderer, in whatever order, and leave it in theirs.
struct PendingFrame {
    sink: Sink,
    waiting: BTreeMap<usize, Image>,
    done: usize,
    all: usize,
    failed: Option<String>,
    told: fn(usize, usize),
}

impl PendingFrame {
    fn take(&mut self, at: usize, image: Image) {
        self.waiting.insert(at, image);
        while self.failed.is_none()
            && let Some(image) = self.waiting.remove(&self.done)
        {
            match self.sink.take(self.done, image) {
                Ok(()) => self.done += 1,
                Err(error) => self.failed = Some(format!("a picture could not be written: {error}")),
            }
            (self.told)(self.done, self.all);
        }
    }
}

/// It is looked at after the program that made the pictures has ended.
#[derive(Resource, Clone)]
struct FrameBuffer(Arc<Mutex<PendingFrame>>);

impl FrameBuffer {
    fn open(&self) -> MutexGuard<'_, PendingFrame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The moments that are still to be painted.
#[derive(Resource)]
struct Moments {
    all: Vec<SimTime>,
    /// Whether time goes on from one to the next, or each stands for itself.
    playing: bool,
    next: usize,
    /// Frames that the next one has been shown.
    shown: u32,
    /// Frames since the last picture was asked for.
    idle: u32,
    image: Handle<Image>,
    interrupt: Arc<AtomicBool>,
}

/// Makes the pictures or the film.
///
/// # Errors
/// If it was interrupted, or something kept it from being made.
pub(super) fn make(
    mut panels: Panels,
    studio: OffscreenJob,
    interrupt: Arc<AtomicBool>,
) -> Result<(), String> {
    let OffscreenJob { directory, wanted, size, told } = studio;
    let session = panels.session.as_mut().map_err(|wrong| wrong.clone())?;
    // What is shown has its findings, however long the whole run takes.
    for background_run in std::iter::once(&mut session.background_run)
        .chain(panels.rival.as_mut().map(|it| &mut it.background_run))
    {
        while background_run.is_awaited() {
            if interrupt.load(Ordering::Relaxed) {
                return Err("interrupted: no picture was made".to_owned());
            }
            background_run.wait(GLANCE);
        }
    }
    let moments = moments(&wanted, session)?;
    let (all, path, keeping) = (moments.len(), directory.path().to_owned(), &wanted);
    let unwritable = |error: io::Error| format!("{}: no film can be written there: {error}", path.display());
    let (sink, rate, kept) = match keeping {
        OffscreenOutput::Stills(seconds) => {
            let names = seconds.iter().enumerate();
            let names = names.map(|(at, seconds)| format!("frame-{at:04}-{seconds:.3}s.png")).collect();
            (Sink::Stills { directory, names }, STILL_RATE, None)
        }
        OffscreenOutput::Film { name, format, speed, rate, .. } => {
            session.clock.speed = *speed;
            let reel = FrameSink { format: *format, size, rate: *rate, live: false };
            let encoder = Encoder::start(&path, reel).map_err(unwritable)?;
            (Sink::Film(encoder), *rate, Some((directory, name)))
        }
    };
    let developing = PendingFrame { sink, waiting: BTreeMap::new(), done: 0, all, failed: None, told };
    let darkroom = FrameBuffer(Arc::new(Mutex::new(developing)));
    let play = kept.is_some();
    let ended = run(panels, &darkroom, moments, play, rate, size, &interrupt);
    told(all, all);
    ended?;
    let darkroom =
        Arc::into_inner(darkroom.0).map(|room| room.into_inner().unwrap_or_else(PoisonError::into_inner));
    let Some(PendingFrame { sink, done, failed, .. }) = darkroom else {
        return Err("the renderer has not ended".to_owned());
    };
    if let Some(failed) = failed {
        return Err(failed);
    }
    if done < all {
        return Err(format!("interrupted after {done} of {all} pictures"));
    }
    if let (Sink::Film(encoder), Some((directory, name))) = (sink, kept) {
        let target = directory.path().join(name);
        let made =
            encoder.finish(&interrupt).and_then(|film| film.persist(&target).map_err(|failed| failed.error));
        made.map_err(|error| format!("{}: the film could not be made: {error}", target.display()))?;
    }
    Ok(())
}

/// The moments that pictures are taken of.
fn moments(wanted: &OffscreenOutput, session: &Session) -> Result<Vec<SimTime>, String> {
    match wanted {
        OffscreenOutput::Stills(seconds) => Ok(seconds.iter().map(|seconds| moment(*seconds)).collect()),
        OffscreenOutput::Film { from, to, speed, rate, .. } => {
            let end = session.end().as_seconds();
            let (from, to) = (from.max(0.0), to.unwrap_or(end).min(end));
            if from >= to {
                return Err(format!(
                    "there is nothing to see from {from} s to {to} s: the run ends at {end} s"
                ));
            }
            let step = crate::viz::session::SPEEDS[*speed] / f64::from(*rate);
            let number = ((to - from) / step).round() + 1.0;
            if number > MAX_PICTURES {
                return Err(format!(
                    "the film would have {number} pictures: take a shorter time or a higher speed"
                ));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it was just compared"
            )]
            let number = number as u32;
            Ok((0..number).map(|at| moment(f64::from(at).mul_add(step, from))).collect())
        }
    }
}

/// Paints every moment; the pictures come to lie in the darkroom.
fn run(
    panels: Panels,
    darkroom: &FrameBuffer,
    all: Vec<SimTime>,
    playing: bool,
    rate: u32,
    size: (u32, u32),
    interrupt: &Arc<AtomicBool>,
) -> Result<(), String> {
    let (darkroom, interrupt) = (darkroom.clone(), Arc::clone(interrupt));
    super::guarded(move || {
        let mut app = App::new();
        let silent =
            WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() };
        let render = RenderPlugin { synchronous_pipeline_compilation: true, ..default() };
        app.add_plugins(Quiet::plugins().set(silent).set(render).disable::<WinitPlugin>());
        app.add_plugins(ScheduleRunnerPlugin::run_loop(Duration::ZERO));
        let step = Duration::from_secs_f64(1.0 / f64::from(rate));
        app.insert_resource(TimeUpdateStrategy::ManualDuration(step));
        let image = app.world_mut().resource_mut::<Assets<Image>>().add(target(size));
        app.insert_resource(darkroom);
        app.insert_resource(Moments { all, playing, next: 0, shown: 0, idle: 0, image, interrupt });
        app.add_systems(Startup, camera).add_systems(PreUpdate, wind);
        super::add_panels(&mut app, Shown { panels, by_itself: false });
        app.run()
    })
}

fn camera(
    mut commands: Commands<'_, '_>,
    moments: Res<'_, Moments>,
    mut settings: ResMut<'_, EguiGlobalSettings>,
) {
    settings.auto_create_primary_context = false;
    let target = RenderTarget::Image(moments.image.clone().into());
    // egui softens its edges by itself.
    commands.spawn((Camera2d, Msaa::Off, target, PrimaryEguiContext));
}

/// Sets the moment that this frame shows, and asks for its picture.
fn wind(
    mut moments: ResMut<'_, Moments>,
    mut shown: ResMut<'_, Shown>,
    darkroom: Res<'_, FrameBuffer>,
    mut commands: Commands<'_, '_>,
    mut exit: MessageWriter<'_, AppExit>,
) {
    {
        let mut darkroom = darkroom.open();
        moments.idle += 1;
        if moments.idle > PATIENCE {
            darkroom.failed = Some("the renderer has lost a picture".to_owned());
        }
        let over = darkroom.failed.is_some() || darkroom.done >= darkroom.all;
        if over || moments.interrupt.load(Ordering::Relaxed) {
            exit.write(AppExit::Success);
            return;
        }
    }
    let at = moments.next;
    let Some(&time) = moments.all.get(at) else { return };
    if let Ok(session) = &mut shown.panels.session
        && moments.shown == 0
    {
        set(session, time, moments.playing, at == 0 || !moments.playing);
    }
    moments.shown += 1;
    // A film goes on from picture to picture; everything else jumps, and panels follow a jump some frames later.
    if moments.shown >= WARM_UP || (moments.playing && at > 0) {
        (moments.next, moments.shown, moments.idle) = (at + 1, 0, 0);
        let develop = move |taken: On<'_, '_, ScreenshotCaptured>, darkroom: Res<'_, FrameBuffer>| {
            darkroom.open().take(at, taken.image.clone());
        };
        commands.spawn(Screenshot::image(moments.image.clone())).observe(develop);
    }
}

/// Shows a moment, with what has just happened.
fn set(session: &mut Session, time: SimTime, playing: bool, jump: bool) {
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
        let session = panels.session.expect("it is good");
        let wanted = OffscreenOutput::Film {
            name: "a.gif".to_owned(),
            format: Format::Gif,
            from,
            to,
            speed,
            rate: 25,
        };
        moments(&wanted, &session).map(|all| all.iter().map(|at| at.as_seconds()).collect())
    }

    #[test]
    fn a_film_has_its_first_and_its_last_moment_and_all_between_at_its_pace() {
        let moments = film(12.0, Some(13.0), 7).expect("it has pictures");
        assert_eq!(moments.len(), 26);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        near(moments[0], 12.0);
        near(moments[1], 12.04);
        near(moments[25], 13.0);
        // Twice as fast, half as many.
        assert_eq!(film(12.0, Some(13.0), 8).expect("it has pictures").len(), 13 + 1);
        near(*film(60.0, None, 7).expect("it has pictures").last().expect("the last"), 65.0);
    }

    #[test]
    fn a_film_of_nothing_or_of_days_is_refused() {
        assert!(film(13.0, Some(12.0), 7).is_err());
        assert!(film(1e6, None, 7).expect_err("it is over").contains("the run ends at 65 s"));
        assert!(film(0.0, None, 0).expect_err("it is slow motion").contains("1625001 pictures"));
    }
}
