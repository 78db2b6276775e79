//! How fast the window is: a busy system with a wanted number of requests on their way is played in real time and painted
//! into an image, and every frame is timed.

use std::time::Duration;

use bevy::prelude::*;
use bevy::render::renderer::RenderAdapterInfo;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};

use super::app::guarded;
use super::offscreen;
use super::panels::{Origin, Panels};
use super::picture::Dots;
use super::session::{Session, moment};
use crate::format::columns::{PLAIN, Table};
use crate::format::numbers::count;

/// Dots that are wanted.
const LOADS: [u32; 3] = [1_000, 10_000, 100_000];
/// Seconds that a request and its response are on links, on average.
const JOURNEY: u32 = 10;
/// Seconds of virtual time after which as many are on their way as there will be.
const FILLED: f64 = 16.0;
/// Frames until pipelines, buffers and fonts are there.
const WARM_UP: usize = 5;
/// Frames that are timed: at least so many, and more as long as they take less than so many seconds, up to a limit.
const FRAMES: (usize, usize) = (60, 200);
const SECONDS: f64 = 6.0;
/// Further frames, in which the list of dots is built once more to know how long that takes.
const LISTS: u32 = 10;

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What painted.
    pub adapter: String,
    /// Width and height, in pixels.
    pub size: (u32, u32),
    /// What was measured for each number of dots.
    pub loads: Vec<ReportedLoad>,
}

/// What was measured for a number of dots. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportedLoad {
    /// Dots that were wanted.
    pub wanted: u32,
    /// Dots that there were in the last frame.
    pub dots: usize,
    /// How long each frame took, from the shortest to the longest.
    pub frames: Vec<f64>,
    /// How much of a frame, on average, the simulation took, with the live state that follows it.
    pub simulation: f64,
    /// How much of it laying out the panels and the picture took, with the list of dots.
    pub layout: f64,
    /// How long building the list of dots takes.
    pub list: f64,
}

impl ReportedLoad {
    /// The mean of all frames, in seconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.frames.iter().sum::<f64>() / self.frames.len().max(1) as f64
    }

    /// The frame that so many percent of all frames do not exceed, in seconds.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.frames.len() * percent).div_ceil(100).max(1);
        self.frames.get(rank - 1).copied().unwrap_or_default()
    }
}

impl Measured {
    /// As tables, with what their columns mean.
    #[must_use]
    pub fn tables(&self) -> String {
        let mut frames =
            Table::new("Frames, ms", &["dots", "frames", "mean", "median", "95 %", "worst", "per s"]);
        let mut parts = Table::new("Parts, ms", &["simulate", "lay out", "list"]);
        let milliseconds = |time: f64| format!("{:.1}", time * 1e3);
        for load in &self.loads {
            let name = count(u64::from(load.wanted));
            let times = [load.mean(), load.percentile(50), load.percentile(95), load.percentile(100)];
            let mut figures = vec![count(load.dots as u64), count(load.frames.len() as u64)];
            figures.extend(times.map(milliseconds));
            figures.push(format!("{:.1}", 1.0 / load.mean()));
            frames.row(PLAIN, &name, figures);
            parts.row(PLAIN, &name, [load.simulation, load.layout, load.list].map(milliseconds).to_vec());
        }
        let (width, height) = self.size;
        let build = if cfg!(debug_assertions) { "with" } else { "without" };
        format!(
            "{}\n{}\n{width}x{height} pixels painted by {}, each frame waited for; built {build} debug assertions.\n\
             Parts of the mean frame, one after the other: \"simulate\" is the simulation and the\n\
             live_state that follows it, \"lay out\" the panels and the picture, of which \"list\" is the\n\
             list of dots. The rest is what egui makes of the shapes, and the renderer, which\n\
             paints one frame while the next is prepared.\n",
            frames.render(),
            parts.render(),
            self.adapter,
        )
    }
}

/// Measures how fast pictures of this many pixels are painted.
///
/// # Errors
/// If there is nothing to paint with.
pub fn bench(size: (u32, u32)) -> Result<Measured, String> {
    let mut measured = Err("nothing was painted".to_owned());
    guarded(|| {
        measured = measure(size);
        AppExit::Success
    })?;
    measured
}

fn measure(size: (u32, u32)) -> Result<Measured, String> {
    let (mut app, _) = offscreen::app(size);
    app.insert_resource(Watched::of(LOADS[0])?).add_systems(EguiPrimaryContextPass, show);
    offscreen::begin(&mut app);
    let adapter = app.world().get_resource::<RenderAdapterInfo>();
    let adapter = adapter.map(|info| format!("{} ({})", info.name, info.backend));
    let mut measured = Measured { adapter: adapter.unwrap_or_default(), size, loads: Vec::new() };
    for wanted in LOADS {
        app.insert_resource(Watched::of(wanted)?);
        measured.loads.push(timed(&mut app, wanted));
    }
    Ok(measured)
}

/// Paints frames and times them.
fn timed(app: &mut App, wanted: u32) -> ReportedLoad {
    (0..WARM_UP).for_each(|_| app.update());
    let mut watched = app.world_mut().resource_mut::<Watched>();
    (watched.simulation, watched.layout) = (0.0, 0.0);
    let mut load = ReportedLoad { wanted, ..ReportedLoad::default() };
    let (mut stopwatch, mut spent) = (Stopwatch::start(), 0.0);
    while load.frames.len() < FRAMES.0 || (load.frames.len() < FRAMES.1 && spent < SECONDS) {
        app.update();
        let frame = stopwatch.window();
        load.frames.push(frame);
        spent += frame;
    }
    load.frames.sort_by(f64::total_cmp);
    let mut watched = app.world_mut().resource_mut::<Watched>();
    let frames = load.frames.len() as f64;
    (load.simulation, load.layout) = (watched.simulation / frames, watched.layout / frames);
    watched.list = Some(0.0);
    (0..LISTS).for_each(|_| app.update());
    let watched = app.world().resource::<Watched>();
    load.list = watched.list.unwrap_or_default() / f64::from(LISTS);
    load.dots = watched.dots;
    load
}

/// What is painted, and how long it took to prepare, in seconds.
#[derive(Resource)]
struct Watched {
    panels: Panels,
    simulation: f64,
    layout: f64,
    /// Only where it is wanted: the list is made once more for it.
    list: Option<f64>,
    dots: usize,
}

impl Watched {
    /// A system with so many requests on their way.
    fn of(dots: u32) -> Result<Self, String> {
        let mut panels = Panels::open(Origin::of("bench.ron", &scenario(dots)));
        let session: &mut Session = panels.session.as_mut().map_err(|wrong| wrong.clone())?;
        // The whole run is not made beside what is timed.
        session.background_run.wait(Duration::MAX);
        session.go_to(moment(FILLED));
        Ok(Self { panels, simulation: 0.0, layout: 0.0, list: None, dots: 0 })
    }
}

/// Four sources, ten balancers in two rows, twelve servers: with Little's law as many are on their way as arrive during a
/// journey over three links and back.
fn scenario(dots: u32) -> String {
    let quarter = dots / JOURNEY / 4;
    let each = |names: &[&str], line: &dyn Fn(&str) -> String| {
        names.iter().map(|name| line(name)).collect::<String>()
    };
    let (sources, zones) = (["north", "east", "south", "west"], ["a", "b", "c", "d", "e", "f"]);
    let latency =
        format!("Shifted(by: \"1s\", of: Exponential(mean: \"{}ms\"))", JOURNEY * 1_000 / 6 - 1_000);
    let arrivals = each(&sources, &|name| {
        format!("\"{name}\": (arrivals: Poisson(rate: \"{quarter}/s\"), to: \"{name}-gate\"), ")
    });
    let to_zones = each(&zones, &|zone| format!("\"zone-{zone}\", "));
    let gates =
        each(&sources, &|name| format!("\"{name}-gate\": LoadBalancer(policy: Random, to: [{to_zones}]), "));
    let balancers =
        each(&zones, &|zone| format!("\"zone-{zone}\": LoadBalancer(policy: Random, to: \"fleet\"), "));
    let mut links =
        each(&sources, &|name| format!("(from: \"{name}\", to: \"{name}-gate\", latency: {latency}), "));
    for zone in zones {
        links += &each(&sources, &|name| {
            format!("(from: \"{name}-gate\", to: \"zone-{zone}\", latency: {latency}), ")
        });
        links += &format!("(from: \"zone-{zone}\", to: \"fleet\", latency: {latency}), ");
    }
    format!(
        "(name: \"many on their way\", seed: 1, run_until: \"45s\", sources: {{ {arrivals} }},
          nodes: {{ {gates} {balancers} \"fleet\": Server(count: 12, concurrency: 10, service: Exponential(mean: \"5ms\")) }},
          links: [ {links} ])"
    )
}

/// Time as it passes, in seconds.
struct Stopwatch(Time<Real>);

impl Stopwatch {
    fn start() -> Self {
        let mut time = Time::<Real>::default();
        time.update();
        Self(time)
    }

    /// Seconds since the start or the last window.
    fn window(&mut self) -> f64 {
        self.0.update();
        self.0.delta_secs_f64()
    }
}

fn show(mut contexts: EguiContexts<'_, '_>, mut watched: ResMut<'_, Watched>, time: Res<'_, Time>) -> Result {
    let context = contexts.ctx_mut()?;
    let Watched { panels, simulation, layout, list, dots } = &mut *watched;
    let mut stopwatch = Stopwatch::start();
    if let Ok(session) = &mut panels.session {
        session.frame(time.delta_secs_f64());
    }
    *simulation += stopwatch.window();
    if let (Some(list), Ok(session)) = (list, &panels.session) {
        *dots = Dots::of(session, &panels.view).requests.len();
        *list += stopwatch.window();
    }
    let whole =
        egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(context.viewport_rect());
    let mut ui = egui::Ui::new(context.clone(), "window".into(), whole);
    // Its time has gone on already.
    panels.frame(&mut ui, 0.0);
    *layout += stopwatch.window();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_on_their_way_as_are_wanted() {
        for wanted in &LOADS[..2] {
            let watched = Watched::of(*wanted).expect("it is good");
            let session = watched.panels.session.as_ref().expect("it is good");
            let dots = Dots::of(session, &watched.panels.view).requests.len() as f64;
            // Poisson: five standard deviations.
            let (mean, five) = (f64::from(*wanted), 5.0 * f64::from(*wanted).sqrt());
            assert!((dots - mean).abs() < five, "{dots} for {mean}");
        }
    }

    #[test]
    fn percentiles_are_frames_that_there_were() {
        let frames: Vec<f64> = (1..=60).map(f64::from).collect();
        let load = ReportedLoad { frames, ..ReportedLoad::default() };
        let found = [50, 95, 100].map(|percent| load.percentile(percent).to_bits());
        assert_eq!(found, [30.0_f64, 57.0, 60.0].map(f64::to_bits));
        assert_eq!(load.mean().to_bits(), 30.5_f64.to_bits());
    }
}
