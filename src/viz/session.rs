//! A session: a scenario that is played in the window. It holds the simulation, the live state, and the clock.
//!
//! Each frame advances the simulation to the time of the clock. The simulation does not depend on frames or speed, so
//! the run is the same as that of `rushhour run`. To go back in time, the simulation runs again from the start. This is
//! exact, and takes milliseconds for typical scenarios.

use std::collections::BTreeMap;

use crate::analysis::{ScheduledPeriod, Severity, scheduled_periods};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::metrics::figures::NodeFigures;
use crate::model::fault::{Faults, Victim};
use crate::model::names::Names;
use crate::model::parts::Fault;
use crate::scenario::{Scenario, load};
use crate::simulation::{RunOptions, Simulation};

use super::background_run::BackgroundRun;
use super::edits::Edits;
use super::layout::{Layout, NodeBox};
use super::live_state::LiveState;

/// Maximum number of events per frame; they take about 1/60 s.
const MAX_EVENTS_PER_FRAME: u64 = 150_000;
/// How long an instant hop is shown, in seconds of real time.
pub const HOP_SECONDS: f64 = 0.35;
/// Speeds, in simulated seconds per real second.
pub const SPEEDS: [f64; 15] =
    [0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 60.0, 600.0, f64::INFINITY];

/// A scenario that is played in the window.
pub struct Session {
    /// Name of the scenario file.
    pub name: String,
    /// The scenario, with all edits.
    pub scenario: Scenario,
    /// The names of its nodes.
    pub names: Names,
    /// The positions of the boxes.
    pub layout: Layout,
    /// The state of all requests and servers at the time shown.
    pub live_state: LiveState,
    /// The whole run of the scenario, for plots and findings.
    pub background_run: BackgroundRun,
    /// The scheduled periods of the scenario.
    pub scheduled_periods: Vec<ScheduledPeriod>,
    /// The clock.
    pub clock: Clock,
    /// Conditions that pause playback.
    pub stops: Stops,
    pub(super) edits: Edits,
    pub(super) options: RunOptions,
    simulation: Simulation,
    /// The nodes with resources other than slots, and for each resource the share in use and the number of requests that
    /// wait, at the time of the last [`read_resources`](Self::read_resources).
    resource_levels: BTreeMap<Node, Vec<[f64; 2]>>,
}

/// The clock of the playback.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Whether the session is playing.
    pub playing: bool,
    /// Index of the speed in [`SPEEDS`].
    pub speed: usize,
    /// Speed achieved in recent frames, in simulated seconds per real second.
    pub achieved: f64,
    /// The time shown.
    pub now: SimTime,
}

/// Conditions that pause playback.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stops {
    /// At a time.
    pub moment: Option<SimTime>,
    /// When a request fails.
    pub failure: bool,
    /// When a scheduled period starts or ends: a spike, a fault.
    pub change: bool,
    /// When a finding of severity "trouble" starts.
    pub finding: bool,
}

impl Clock {
    /// The speed, in simulated seconds per real second.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        SPEEDS[self.speed]
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { playing: true, speed: 7, achieved: 0.0, now: SimTime::ZERO }
    }
}

/// The index of a speed in [`SPEEDS`], or `None` if it is none of them. In simulated seconds per real second.
#[must_use]
#[expect(clippy::float_cmp, reason = "only exactly the listed speeds are valid")]
pub fn position_of(speed: f64) -> Option<usize> {
    SPEEDS.iter().position(|listed| *listed == speed)
}

/// The simulated time `seconds` after the start.
#[must_use]
pub fn moment(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_nanos_f64((seconds * 1e9).max(0.0))
}

/// The number of requests in flight at which a run in the window stops. Each takes several times the memory that it
/// takes without a window.
const MAX_IN_FLIGHT: u64 = 4_000_000;

impl Session {
    /// Opens a scenario.
    ///
    /// # Errors
    /// The errors of the scenario, as a text for the user.
    pub fn open(name: &str, bytes: &[u8], overrides: &[String], seed: Option<u64>) -> Result<Self, String> {
        let loaded = load(name, bytes, overrides).map_err(|errors| errors.to_string())?;
        let scenario = loaded.scenario.clone();
        let options = RunOptions { seed, max_in_flight: Some(MAX_IN_FLIGHT), ..RunOptions::default() };
        let (simulation, live_state) = traced(&scenario, options)?;
        let names = scenario.names();
        Ok(Self {
            name: name.to_owned(),
            layout: Layout::of(&scenario, &names),
            names,
            live_state,
            background_run: BackgroundRun::start(&scenario, options),
            scheduled_periods: scheduled_periods(&scenario),
            clock: Clock::default(),
            stops: Stops::default(),
            edits: Edits::of(loaded),
            options,
            simulation,
            resource_levels: BTreeMap::new(),
            scenario,
        })
    }

    /// The end of the run.
    #[must_use]
    pub fn end(&self) -> SimTime {
        self.simulation.end()
    }

    /// The number of events up to now, and the fingerprint over them.
    #[must_use]
    pub fn digest(&self) -> (u64, u64) {
        (self.simulation.events(), self.simulation.fingerprint())
    }

    /// Advances the session by `real_seconds` of real time, at the speed of the clock.
    pub fn frame(&mut self, real_seconds: f64) {
        self.background_run.poll();
        if !self.clock.playing {
            return;
        }
        let before = self.clock.now;
        let rate = self.clock.rate();
        let target = if rate.is_finite() {
            before + SimDuration::from_nanos_f64((rate * real_seconds * 1e9).max(0.0))
        } else {
            self.end()
        };
        self.play(target.min(self.end()));
        if real_seconds > 0.0 {
            let achieved = self.clock.now.since(before.min(self.clock.now)).as_seconds() / real_seconds;
            self.clock.achieved = 0.8 * self.clock.achieved + 0.2 * achieved;
        }
        self.drop_old_hops();
    }

    /// Drops hops that are no longer shown.
    fn drop_old_hops(&mut self) {
        let rate = self.clock.rate();
        let span = HOP_SECONDS * if rate.is_finite() { rate } else { self.clock.achieved };
        let shown = SimDuration::from_nanos_f64(span * 1e9).as_nanos().min(self.clock.now.as_nanos());
        self.live_state.drop_hops_before(SimTime::from_nanos(self.clock.now.as_nanos() - shown));
    }

    /// Plays up to a time, and pauses at the first stop before it.
    fn play(&mut self, target: SimTime) {
        let stop = self.next_stop().filter(|stop| *stop <= target);
        let failure = self.advance(stop.unwrap_or(target), MAX_EVENTS_PER_FRAME);
        if let Some(failure) = failure.filter(|_| self.stops.failure) {
            self.clock.playing = false;
            // The frame has advanced past the failure: show the time of the failure.
            self.go_to(failure);
        }
        if self.clock.now >= self.end() || stop == Some(self.clock.now) {
            self.clock.playing = false;
        }
        if self.stops.moment == Some(self.clock.now) {
            self.stops.moment = None;
        }
    }

    /// The time of the next stop, or `None` if there is none. Failures are not included: they are not known in advance.
    #[must_use]
    pub fn next_stop(&self) -> Option<SimTime> {
        let mut stops: Vec<SimTime> = self.stops.moment.into_iter().collect();
        if self.stops.change {
            stops.extend(self.changes());
        }
        if self.stops.finding {
            stops.extend(self.troubles());
        }
        stops.into_iter().filter(|stop| *stop > self.clock.now).min()
    }

    /// The scheduled periods, and those of faults at random times as soon as they are known.
    pub fn periods(&self) -> impl Iterator<Item = &ScheduledPeriod> {
        self.scheduled_periods.iter().chain(self.background_run.occurred_periods())
    }

    /// The faults in effect at the time shown, each with what it happens to.
    pub fn faults_in_effect(&self) -> impl Iterator<Item = (&[Victim], &Fault)> {
        self.simulation.world().resource::<Faults>().in_effect()
    }

    /// Starts and ends of the scheduled periods.
    fn changes(&self) -> impl Iterator<Item = SimTime> + '_ {
        self.periods().flat_map(|period| [Some(period.from), period.to]).flatten().map(moment)
    }

    /// Starts of the findings of severity "trouble".
    fn troubles(&self) -> impl Iterator<Item = SimTime> + '_ {
        let findings = self.background_run.findings().iter();
        let troubles = findings.filter(|finding| finding.severity() == Severity::Trouble);
        troubles.filter_map(|finding| finding.from).map(moment)
    }

    /// Pauses at the next start or end of a scheduled period, if there is one.
    pub fn to_next_change(&mut self) {
        let next = self.changes().filter(|at| *at > self.clock.now).min();
        self.pause_at(next);
    }

    /// Pauses at the next start of a finding of severity "trouble", if there is one.
    pub fn to_next_finding(&mut self) {
        let next = self.troubles().filter(|at| *at > self.clock.now).min();
        self.pause_at(next);
    }

    fn pause_at(&mut self, time: Option<SimTime>) {
        if let Some(time) = time {
            self.clock.playing = false;
            self.go_to(time);
        }
    }

    /// Advances to a time, or by `max_events` if that is earlier. Returns the time of the first failure, or `None` if
    /// no request failed.
    fn advance(&mut self, to: SimTime, max_events: u64) -> Option<SimTime> {
        let done = self.simulation.advance(to, max_events);
        let first_failure = self.live_state.apply(&self.simulation.take_trace());
        // After `max_events`, or when the run has stopped, the time of the last event is shown.
        let is_full = self.simulation.is_full();
        self.clock.now = if done && !is_full { to } else { self.simulation.now() };
        self.clock.playing &= !is_full;
        first_failure
    }

    /// Shows a time, without earlier hops. To go back, the simulation runs again from the start.
    pub fn go_to(&mut self, time: SimTime) {
        let time = time.min(self.end());
        if time < self.clock.now || self.simulation.now() > time {
            self.restart();
        }
        self.play_to(time);
        self.live_state.hops.clear();
    }

    /// Advances to a time, and shows it with the latest hops.
    pub fn play_to(&mut self, time: SimTime) {
        self.advance(time.min(self.end()), u64::MAX);
    }

    /// Runs the edited scenario, which has one more change at `at`, and shows the time `shown`, which is not earlier. A
    /// change in the future is added to the running simulation; otherwise the simulation runs again from the start.
    pub(super) fn run_edited(&mut self, at: SimTime, shown: SimTime) {
        if at > self.simulation.now()
            && at >= self.clock.now
            && self.simulation.append_changes(&self.scenario).is_ok()
        {
            self.restart_background_run();
            self.play_to(shown);
        } else {
            self.run_again(shown);
        }
    }

    /// Runs the edited scenario from its start up to `shown`.
    pub(super) fn run_again(&mut self, shown: SimTime) {
        self.restart_background_run();
        self.restart();
        self.go_to(shown);
    }

    /// Starts the background run of the edited scenario, which cancels the previous one.
    fn restart_background_run(&mut self) {
        self.background_run = BackgroundRun::start(&self.scenario, self.options);
        self.scheduled_periods = scheduled_periods(&self.scenario);
    }

    /// Goes back to the start.
    ///
    /// # Panics
    /// Never: the scenario has passed its checks.
    pub fn restart(&mut self) {
        (self.simulation, self.live_state) =
            traced(&self.scenario, self.options).expect("the scenario has passed its checks");
        self.clock.now = SimTime::ZERO;
    }

    /// Increases the speed by one step, up to the maximum.
    pub fn faster(&mut self) {
        self.clock.speed = (self.clock.speed + 1).min(SPEEDS.len() - 1);
    }

    /// Decreases the speed by one step, down to the minimum.
    pub const fn slower(&mut self) {
        self.clock.speed = self.clock.speed.saturating_sub(1);
    }

    /// The label of the box of a node; empty if there is no such node.
    #[must_use]
    pub fn name_of(&self, node: Node) -> String {
        self.layout.find(node).map_or_else(String::new, |at| self.layout.boxes[at].name.clone())
    }

    /// Reads the levels of all resources at the time shown, for the nodes that have any.
    pub fn read_resources(&mut self) {
        let boxes = self.layout.boxes.iter().filter(|place| !place.is_folded());
        let nodes = boxes.map(NodeBox::node).filter(|node| !self.names.resources(*node).is_empty());
        let nodes: Vec<Node> = nodes.collect();
        if !nodes.is_empty() {
            let levels = self.simulation.resource_levels(&nodes, self.clock.now);
            self.resource_levels = nodes.into_iter().zip(levels).collect();
        }
    }

    /// For each resource of a node, the share in use and the number of requests that wait for it, as last read.
    #[must_use]
    pub fn resource_levels(&self, node: Node) -> &[[f64; 2]] {
        self.resource_levels.get(&node).map_or(&[], Vec::as_slice)
    }

    /// The figures of a node at the time shown.
    pub fn figures(&mut self, node: Node) -> NodeFigures {
        self.simulation.figures(node, self.clock.now)
    }

    /// Shows the time that another session shows, or the end if that is earlier.
    pub fn follow(&mut self, leader: &Self) {
        self.background_run.poll();
        let now = leader.clock.now.min(self.end());
        if now < self.clock.now {
            self.go_to(now);
        } else {
            self.play_to(now);
        }
        self.clock = Clock { now, ..leader.clock };
        self.drop_old_hops();
    }

    /// Plays or pauses. At the end, plays again from the start.
    pub fn toggle(&mut self) {
        if !self.clock.playing && self.clock.now >= self.end() {
            self.restart();
        }
        self.clock.playing = !self.clock.playing;
    }

    /// Handles the next event, with its immediate consequences at the same time, and pauses.
    pub fn step_event(&mut self) {
        self.clock.playing = false;
        self.advance(self.end(), 1);
    }

    /// Advances until one more request has ended, and pauses.
    pub fn step_request(&mut self) {
        let before = self.live_state.outcomes.ended();
        self.step_until(|live_state| live_state.outcomes.ended() > before);
    }

    /// Advances until one more request has failed, and pauses.
    pub fn to_next_failure(&mut self) {
        let before = self.live_state.outcomes.failures();
        self.step_until(|live_state| live_state.outcomes.failures() > before);
    }

    fn step_until(&mut self, reached: impl Fn(&LiveState) -> bool) {
        self.clock.playing = false;
        while !reached(&self.live_state) && self.clock.now < self.end() {
            self.advance(self.end(), 1);
        }
    }
}

/// A simulation with tracing enabled, and its live state.
fn traced(scenario: &Scenario, options: RunOptions) -> Result<(Simulation, LiveState), String> {
    let mut simulation = Simulation::new(scenario, options)
        .map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
    simulation.enable_tracing();
    Ok((simulation, LiveState::of(scenario)))
}

/// A session of the built-in scenario, with a finished background run.
#[cfg(test)]
pub(super) fn session() -> Session {
    let (name, text) = crate::scenario::DEFAULT_SCENARIO;
    let mut session = Session::open(name, text.as_bytes(), &[], None).expect("the scenario is valid");
    session.background_run.wait(std::time::Duration::from_secs(60));
    session
}

/// The state of a server, by name.
#[cfg(test)]
pub(super) fn server_state<'a>(session: &'a Session, name: &str) -> &'a super::server_state::ServerState {
    let node = session.names.node_named(name).expect("the node exists");
    session.live_state.server_state(node).expect("a server holds requests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_any_duration_and_speed_give_the_headless_run() {
        for speed in [4, 9, 13, 14] {
            let mut session = session();
            session.clock.speed = speed;
            for frame in 0_u32.. {
                session.frame([0.016, 0.2, 0.001, 0.033][frame as usize % 4]);
                if !session.clock.playing {
                    break;
                }
            }
            let (events, fingerprint) = session.digest();
            let result = &session.background_run.finished().expect("the run has finished").result;
            assert_eq!((events, fingerprint), (result.events, result.fingerprint));
        }
    }

    #[test]
    fn going_back_restores_the_state() {
        let mut session = session();
        session.go_to(moment(14.3));
        let before = (session.digest(), session.live_state.clone());
        session.go_to(moment(40.0));
        session.go_to(moment(14.3));
        assert_eq!((session.digest(), session.live_state.clone()), before);
        session.step_event();
        assert!(session.digest().0 > before.0.0);
        session.step_request();
        session.to_next_failure();
        assert!(session.live_state.outcomes.failures() > 0 && !session.clock.playing);
    }

    /// Plays until the session pauses, and returns the time in seconds.
    fn play_to_stop(session: &mut Session, stops: Stops) -> f64 {
        session.stops = stops;
        session.clock.playing = true;
        while session.clock.playing {
            session.frame(0.3);
        }
        session.clock.now.as_seconds()
    }

    #[test]
    fn playback_pauses_at_the_chosen_stops() {
        let mut session = session();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        near(play_to_stop(&mut session, Stops { moment: Some(moment(3.217)), ..Stops::default() }), 3.217);
        assert_eq!(session.stops.moment, None);
        let first_change = session.changes().map(SimTime::as_seconds).fold(f64::MAX, f64::min);
        near(play_to_stop(&mut session, Stops { change: true, ..Stops::default() }), first_change);
        let stopped = play_to_stop(&mut session, Stops { failure: true, ..Stops::default() });
        assert_eq!(session.live_state.outcomes.failures(), 1, "only the first rejection");
        let digest = session.digest();
        session.go_to(moment(1.0));
        session.to_next_failure();
        near(session.clock.now.as_seconds(), stopped);
        assert!(session.digest().0 <= digest.0, "no event after the time of the rejection was handled");
        session.go_to(SimTime::ZERO);
        let troubles: Vec<f64> = session.troubles().map(SimTime::as_seconds).filter(|at| *at > 0.0).collect();
        let first_trouble = troubles.into_iter().fold(f64::MAX, f64::min);
        near(play_to_stop(&mut session, Stops { finding: true, ..Stops::default() }), first_trouble);
        session.go_to(SimTime::ZERO);
        session.to_next_change();
        near(session.clock.now.as_seconds(), first_change);
        // Without stops, it plays to the end.
        near(play_to_stop(&mut session, Stops::default()), session.end().as_seconds());
    }

    #[test]
    fn an_invalid_scenario_reports_its_errors() {
        let error = Session::open("x.ron", b"(name: 3)", &[], None).err().expect("the scenario is invalid");
        assert!(error.contains("x.ron:1"), "{error}");
    }
}
