//! Benchmark of the window (`rushhour view --bench`): plays a busy system with a given number of dots in real time,
//! paints it into an image, and times every frame.

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

/// Numbers of dots to measure.
const DOT_COUNTS: [u32; 3] = [1_000, 10_000, 100_000];
/// Mean time that a request and its response spend on links together, in seconds.
const SECONDS_ON_LINKS: u32 = 10;
/// Simulated time after which the number of dots no longer grows, in seconds.
const FILL_SECONDS: f64 = 16.0;
/// Untimed frames at the start, until pipelines, buffers and fonts are ready.
const WARM_UP_FRAMES: usize = 5;
/// Minimum and maximum number of timed frames. After the minimum, timing ends as soon as [`FRAME_SECONDS`] have passed.
const FRAME_COUNT: (usize, usize) = (60, 200);
/// See [`FRAME_COUNT`].
const FRAME_SECONDS: f64 = 6.0;
/// Number of further frames that build the list of dots a second time, to time it alone.
const LIST_FRAMES: u32 = 10;

/// The result of the benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchResult {
    /// Name and backend of the graphics adapter.
    pub adapter: String,
    /// Width and height, in pixels.
    pub size: (u32, u32),
    /// The result for each number of dots.
    pub cases: Vec<CaseResult>,
}

/// The result for one number of dots. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseResult {
    /// Expected number of dots.
    pub expected: u32,
    /// Number of dots in the last frame.
    pub dots: usize,
    /// Duration of each frame, in ascending order.
    pub frames: Vec<f64>,
    /// Mean time per frame for the simulation and the update of the live state.
    pub simulation: f64,
    /// Mean time per frame to lay out the panels and the picture, including the list of dots.
    pub layout: f64,
    /// Mean time to build the list of dots.
    pub list: f64,
}

impl CaseResult {
    /// The mean duration of a frame, in seconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.frames.iter().sum::<f64>() / self.frames.len().max(1) as f64
    }

    /// The duration that `percent` of all frames do not exceed, in seconds.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.frames.len() * percent).div_ceil(100).max(1);
        self.frames.get(rank - 1).copied().unwrap_or_default()
    }
}

impl BenchResult {
    /// The result as tables, with a description of their columns.
    #[must_use]
    pub fn tables(&self) -> String {
        let mut frames =
            Table::new("Frames, ms", &["dots", "frames", "mean", "median", "95 %", "worst", "per s"]);
        let mut parts = Table::new("Parts, ms", &["simulate", "lay out", "list"]);
        let milliseconds = |time: f64| format!("{:.1}", time * 1e3);
        for case in &self.cases {
            let name = count(u64::from(case.expected));
            let times = [case.mean(), case.percentile(50), case.percentile(95), case.percentile(100)];
            let mut figures = vec![count(case.dots as u64), count(case.frames.len() as u64)];
            figures.extend(times.map(milliseconds));
            figures.push(format!("{:.1}", 1.0 / case.mean()));
            frames.row(PLAIN, &name, figures);
            parts.row(PLAIN, &name, [case.simulation, case.layout, case.list].map(milliseconds).to_vec());
        }
        let (width, height) = self.size;
        let build = if cfg!(debug_assertions) { "with" } else { "without" };
        format!(
            "{}\n{}\n{width}x{height} pixels, painted by {}, each frame waited for; built {build} debug assertions.\n\
             Parts of the mean frame, in order: \"simulate\" is the simulation and the update of the\n\
             live state; \"lay out\" is the panels and the picture; \"list\", a part of \"lay out\", is the\n\
             list of dots. The rest of the frame is the tessellation by egui and the renderer, which\n\
             paints one frame while the next is prepared.\n",
            frames.render(),
            parts.render(),
            self.adapter,
        )
    }
}

/// Measures how fast pictures of a size are painted; `size` is width and height in pixels.
///
/// # Errors
/// If there is no graphics adapter, or the renderer fails.
pub fn bench(size: (u32, u32)) -> Result<BenchResult, String> {
    let mut result = Err("the benchmark did not run".to_owned());
    guarded(|| {
        result = measure(size);
        AppExit::Success
    })?;
    result
}

fn measure(size: (u32, u32)) -> Result<BenchResult, String> {
    let (mut app, _) = offscreen::app(size);
    app.insert_resource(BenchState::of(DOT_COUNTS[0])?).add_systems(EguiPrimaryContextPass, show);
    offscreen::begin(&mut app);
    let adapter = app.world().get_resource::<RenderAdapterInfo>();
    let adapter = adapter.map(|info| format!("{} ({})", info.name, info.backend));
    let mut result = BenchResult { adapter: adapter.unwrap_or_default(), size, cases: Vec::new() };
    for expected in DOT_COUNTS {
        app.insert_resource(BenchState::of(expected)?);
        result.cases.push(measure_case(&mut app, expected));
    }
    Ok(result)
}

/// Paints and times frames with an expected number of dots.
fn measure_case(app: &mut App, expected: u32) -> CaseResult {
    (0..WARM_UP_FRAMES).for_each(|_| app.update());
    let mut state = app.world_mut().resource_mut::<BenchState>();
    (state.simulation, state.layout) = (0.0, 0.0);
    let mut case = CaseResult { expected, ..CaseResult::default() };
    let (mut stopwatch, mut total) = (Stopwatch::start(), 0.0);
    while case.frames.len() < FRAME_COUNT.0 || (case.frames.len() < FRAME_COUNT.1 && total < FRAME_SECONDS) {
        app.update();
        let frame = stopwatch.restart();
        case.frames.push(frame);
        total += frame;
    }
    case.frames.sort_by(f64::total_cmp);
    let mut state = app.world_mut().resource_mut::<BenchState>();
    let frames = case.frames.len() as f64;
    (case.simulation, case.layout) = (state.simulation / frames, state.layout / frames);
    state.list = Some(0.0);
    (0..LIST_FRAMES).for_each(|_| app.update());
    let state = app.world().resource::<BenchState>();
    case.list = state.list.unwrap_or_default() / f64::from(LIST_FRAMES);
    case.dots = state.dots;
    case
}

/// The panels to paint, and the time that their preparation took, in seconds.
#[derive(Resource)]
struct BenchState {
    panels: Panels,
    simulation: f64,
    layout: f64,
    /// `Some` if the list of dots is to be timed, for which it is built a second time.
    list: Option<f64>,
    dots: usize,
}

impl BenchState {
    /// A system with an expected number of `dots` messages on links.
    fn of(dots: u32) -> Result<Self, String> {
        let mut panels = Panels::open(Origin::of("bench.ron", &scenario(dots)));
        let session: &mut Session = panels.session.as_mut().map_err(|error| error.clone())?;
        // The background run must not compete with the frames that are timed.
        session.background_run.wait(Duration::MAX);
        session.go_to(moment(FILL_SECONDS));
        Ok(Self { panels, simulation: 0.0, layout: 0.0, list: None, dots: 0 })
    }
}

/// Four sources, ten load balancers in two layers, twelve servers. By Little's law, the expected number of messages on
/// links is the arrival rate times [`SECONDS_ON_LINKS`], the mean time on three links and back.
fn scenario(dots: u32) -> String {
    let quarter = dots / SECONDS_ON_LINKS / 4;
    let each = |names: &[&str], entry: &dyn Fn(&str) -> String| {
        names.iter().map(|name| entry(name)).collect::<String>()
    };
    let (sources, zones) = (["north", "east", "south", "west"], ["a", "b", "c", "d", "e", "f"]);
    let latency =
        format!("Shifted(by: \"1s\", of: Exponential(mean: \"{}ms\"))", SECONDS_ON_LINKS * 1_000 / 6 - 1_000);
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
        "(name: \"many requests\", seed: 1, run_until: \"45s\", sources: {{ {arrivals} }},
          nodes: {{ {gates} {balancers} \"fleet\": Server(count: 12, concurrency: 10, service: Exponential(mean: \"5ms\")) }},
          links: [ {links} ])"
    )
}

/// Measures real time.
struct Stopwatch(Time<Real>);

impl Stopwatch {
    fn start() -> Self {
        let mut time = Time::<Real>::default();
        time.update();
        Self(time)
    }

    /// Returns the seconds since the start or the last call.
    fn restart(&mut self) -> f64 {
        self.0.update();
        self.0.delta_secs_f64()
    }
}

fn show(
    mut contexts: EguiContexts<'_, '_>,
    mut state: ResMut<'_, BenchState>,
    time: Res<'_, Time>,
) -> Result {
    let context = contexts.ctx_mut()?;
    let BenchState { panels, simulation, layout, list, dots } = &mut *state;
    let mut stopwatch = Stopwatch::start();
    if let Ok(session) = &mut panels.session {
        session.frame(time.delta_secs_f64());
    }
    *simulation += stopwatch.restart();
    if let (Some(list), Ok(session)) = (list, &panels.session) {
        *dots = Dots::of(session, &panels.camera).requests.len();
        *list += stopwatch.restart();
    }
    let background =
        egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(context.viewport_rect());
    let mut ui = egui::Ui::new(context.clone(), "window".into(), background);
    // `session.frame` above has advanced the session already.
    panels.frame(&mut ui, 0.0);
    *layout += stopwatch.restart();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_dots_is_the_expected_one() {
        for expected in &DOT_COUNTS[..2] {
            let state = BenchState::of(*expected).expect("the scenario is valid");
            let session = state.panels.session.as_ref().expect("the scenario is valid");
            let dots = Dots::of(session, &state.panels.camera).requests.len() as f64;
            // Poisson: five standard deviations.
            let (mean, bound) = (f64::from(*expected), 5.0 * f64::from(*expected).sqrt());
            assert!((dots - mean).abs() < bound, "{dots} dots, expected {mean}");
        }
    }

    #[test]
    fn percentiles_are_durations_of_frames() {
        let frames: Vec<f64> = (1..=60).map(f64::from).collect();
        let case = CaseResult { frames, ..CaseResult::default() };
        let percentiles = [50, 95, 100].map(|percent| case.percentile(percent).to_bits());
        assert_eq!(percentiles, [30.0_f64, 57.0, 60.0].map(f64::to_bits));
        assert_eq!(case.mean().to_bits(), 30.5_f64.to_bits());
    }
}
