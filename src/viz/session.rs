//! A session: one scenario being watched. It holds the simulation, the live state that follows it, and the clock.
//!
//! The simulation runs to the horizon that the clock gives and knows nothing of being watched; the run is the one that the
//! headless program makes, whatever the frames are like. Going back is running again from the start, which is exact and,
//! for what a person watches, takes milliseconds.

use crate::analysis::{ScheduledPeriod, Severity, phases};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::metrics::figures::NodeFigures;
use crate::model::names::Names;
use crate::scenario::{Scenario, load};
use crate::simulation::{RunOptions, Simulation};

use super::background_run::BackgroundRun;
use super::edits::Edits;
use super::layout::Layout;
use super::live_state::LiveState;

/// Events that are handled in a frame at most: a sixtieth of a second or so.
const EVENTS_A_FRAME: u64 = 150_000;
/// Passages are remembered for as long of real time, so that they can be seen.
pub const HOP_SECONDS: f64 = 0.35;
/// Speeds, in virtual seconds a real one.
pub const SPEEDS: [f64; 15] =
    [0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 60.0, 600.0, f64::INFINITY];

/// A scenario that is being watched.
pub struct Session {
    /// Name of the file.
    pub name: String,
    /// The scenario.
    pub scenario: Scenario,
    /// Who is who in it.
    pub names: Names,
    /// Where its nodes stand.
    pub layout: Layout,
    /// Who is where.
    pub live_state: LiveState,
    /// The whole run, as the headless program makes it: what plots and findings are drawn from.
    pub background_run: BackgroundRun,
    /// Announced changes of the workload.
    pub phases: Vec<ScheduledPeriod>,
    /// The clock.
    pub clock: Clock,
    /// Where time is to stand still.
    pub stops: Stops,
    pub(super) edits: Edits,
    pub(super) options: RunOptions,
    simulation: Simulation,
}

/// Virtual time as it is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Whether time goes on by itself.
    pub playing: bool,
    /// Position in [`SPEEDS`].
    pub speed: usize,
    /// Virtual seconds a real second that were reached, lately.
    pub achieved: f64,
    /// The moment that is shown.
    pub now: SimTime,
}

/// At what time stands still while it is played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stops {
    /// At a moment.
    pub moment: Option<SimTime>,
    /// When the next request is rejected or lost.
    pub failure: bool,
    /// When something is announced to change: a spike, a fault.
    pub change: bool,
    /// When the next trouble that was found begins.
    pub finding: bool,
}

impl Clock {
    /// Virtual seconds a real one.
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

/// The position of a speed in [`SPEEDS`], if it is one of them; in virtual seconds a real one.
#[must_use]
#[expect(clippy::float_cmp, reason = "a speed is one of those that there are, or it is not")]
pub fn position_of(speed: f64) -> Option<usize> {
    SPEEDS.iter().position(|known| *known == speed)
}

/// The moment so many seconds from the start.
#[must_use]
pub fn moment(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_nanos_f64((seconds * 1e9).max(0.0))
}

impl Session {
    /// Opens a scenario.
    ///
    /// # Errors
    /// All that is wrong with it, in words for people.
    pub fn open(name: &str, bytes: &[u8], overrides: &[String], seed: Option<u64>) -> Result<Self, String> {
        let loaded = load(name, bytes, overrides).map_err(|wrong| wrong.to_string())?;
        let scenario = loaded.scenario.clone();
        let options = RunOptions { seed, ..RunOptions::default() };
        let (simulation, live_state) = traced(&scenario, options)?;
        let names = scenario.names();
        Ok(Self {
            name: name.to_owned(),
            layout: Layout::of(&scenario, &names),
            names,
            live_state,
            background_run: BackgroundRun::of(&scenario, options),
            phases: phases(&scenario),
            clock: Clock::default(),
            stops: Stops::default(),
            edits: Edits::of(loaded),
            options,
            simulation,
            scenario,
        })
    }

    /// When the run ends.
    #[must_use]
    pub fn end(&self) -> SimTime {
        self.simulation.end()
    }

    /// Events handled up to now, and the fingerprint over them.
    #[must_use]
    pub fn trace(&self) -> (u64, u64) {
        (self.simulation.events(), self.simulation.fingerprint())
    }

    /// Lets time go on by as much as has passed in reality.
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
        self.forget();
    }

    /// Forgets hops that are not seen any more.
    fn forget(&mut self) {
        let rate = self.clock.rate();
        let span = HOP_SECONDS * if rate.is_finite() { rate } else { self.clock.achieved };
        let seen = SimDuration::from_nanos_f64(span * 1e9).as_nanos().min(self.clock.now.as_nanos());
        self.live_state.forget_before(SimTime::from_nanos(self.clock.now.as_nanos() - seen));
    }

    /// Plays towards a moment, and stands still where that is wanted.
    fn play(&mut self, target: SimTime) {
        let stop = self.next_stop().filter(|stop| *stop <= target);
        let failed = self.advance(stop.unwrap_or(target), EVENTS_A_FRAME);
        if let Some(failed) = failed.filter(|_| self.stops.failure) {
            self.clock.playing = false;
            // What came after it in this frame has not happened yet.
            self.go_to(failed);
        }
        if self.clock.now >= self.end() || stop == Some(self.clock.now) {
            self.clock.playing = false;
        }
        if self.stops.moment == Some(self.clock.now) {
            self.stops.moment = None;
        }
    }

    /// The next moment at which time is to stand still, as far as it is known beforehand.
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

    /// When something is announced to change.
    fn changes(&self) -> impl Iterator<Item = SimTime> + '_ {
        self.phases.iter().flat_map(|phase| [Some(phase.from), phase.to]).flatten().map(moment)
    }

    /// When the troubles that were found begin.
    fn troubles(&self) -> impl Iterator<Item = SimTime> + '_ {
        let trouble = self.background_run.findings().iter();
        let trouble = trouble.filter(|finding| finding.kind().severity() == Severity::Trouble);
        trouble.filter_map(|finding| finding.from).map(moment)
    }

    /// Goes to the next announced change, if there is one.
    pub fn to_next_change(&mut self) {
        let next = self.changes().filter(|at| *at > self.clock.now).min();
        self.show(next);
    }

    /// Goes to where the next trouble that was found begins, if there is one.
    pub fn to_next_finding(&mut self) {
        let next = self.troubles().filter(|at| *at > self.clock.now).min();
        self.show(next);
    }

    fn show(&mut self, moment: Option<SimTime>) {
        if let Some(moment) = moment {
            self.clock.playing = false;
            self.go_to(moment);
        }
    }

    /// Lets everything happen up to a time, or so many events; tells when the first request failed among them.
    fn advance(&mut self, to: SimTime, budget: u64) -> Option<SimTime> {
        let done = self.simulation.advance(to, budget);
        let failed = self.live_state.apply(&self.simulation.take_trace());
        // Where the budget is used up, what is shown is the last thing that happened.
        self.clock.now = if done { to } else { self.simulation.now() };
        failed
    }

    /// Shows a moment; one that is past by running again from the start.
    pub fn go_to(&mut self, time: SimTime) {
        let time = time.min(self.end());
        if time < self.clock.now || self.simulation.now() > time {
            self.restart();
        }
        self.play_to(time);
        self.live_state.hops.clear();
    }

    /// Lets things happen up to a moment, which is shown with what has just happened.
    pub fn play_to(&mut self, time: SimTime) {
        self.advance(time.min(self.end()), u64::MAX);
    }

    /// Goes on with the scenario as it is now, which has one more change at `at`, and shows a moment that is not earlier.
    pub(super) fn run_edited(&mut self, at: SimTime, shown: SimTime) {
        if at > self.simulation.now()
            && at >= self.clock.now
            && self.simulation.append_changes(&self.scenario).is_ok()
        {
            self.look_ahead();
            self.play_to(shown);
        } else {
            self.run_again(shown);
        }
    }

    /// Runs the scenario as it is now from its start, up to a moment that is shown then.
    pub(super) fn run_again(&mut self, shown: SimTime) {
        self.look_ahead();
        self.restart();
        self.go_to(shown);
    }

    /// Finds out what the whole run will be.
    fn look_ahead(&mut self) {
        self.background_run = BackgroundRun::of(&self.scenario, self.options);
        self.phases = phases(&self.scenario);
    }

    /// Begins again.
    ///
    /// # Panics
    /// Never: the scenario was run before.
    pub fn restart(&mut self) {
        (self.simulation, self.live_state) =
            traced(&self.scenario, self.options).expect("the scenario was run before");
        self.clock.now = SimTime::ZERO;
    }

    /// Faster by one step, if there is one.
    pub fn faster(&mut self) {
        self.clock.speed = (self.clock.speed + 1).min(SPEEDS.len() - 1);
    }

    /// Slower by one step, if there is one.
    pub const fn slower(&mut self) {
        self.clock.speed = self.clock.speed.saturating_sub(1);
    }

    /// The name of a node, as its box has it.
    #[must_use]
    pub fn name_of(&self, node: Node) -> String {
        self.layout.find(node).map_or_else(String::new, |at| self.layout.places[at].name.clone())
    }

    /// The figures of a node at the moment that is shown.
    pub fn figures(&mut self, node: Node) -> NodeFigures {
        self.simulation.figures(node, self.clock.now)
    }

    /// Shows the moment that another session shows.
    pub fn follow(&mut self, leader: &Self) {
        self.background_run.poll();
        let now = leader.clock.now.min(self.end());
        if now < self.clock.now {
            self.go_to(now);
        } else {
            self.play_to(now);
        }
        self.clock = Clock { now, ..leader.clock };
        self.forget();
    }

    /// Plays or pauses; at the end it begins again.
    pub fn toggle(&mut self) {
        if !self.clock.playing && self.clock.now >= self.end() {
            self.restart();
        }
        self.clock.playing = !self.clock.playing;
    }

    /// Lets the next event happen, with all that follows from it in the same instant without delay, and stops.
    pub fn step_event(&mut self) {
        self.clock.playing = false;
        self.advance(self.end(), 1);
    }

    /// Lets things happen until one more request is over, and stops.
    pub fn step_request(&mut self) {
        let before = self.live_state.outcomes.ended();
        self.until(|live_state| live_state.outcomes.ended() > before);
    }

    /// Lets things happen until one more request is turned away or lost, and stops.
    pub fn to_next_failure(&mut self) {
        let before = self.live_state.outcomes.failed();
        self.until(|live_state| live_state.outcomes.failed() > before);
    }

    fn until(&mut self, reached: impl Fn(&LiveState) -> bool) {
        self.clock.playing = false;
        while !reached(&self.live_state) && self.clock.now < self.end() {
            self.advance(self.end(), 1);
        }
    }
}

/// A simulation that records every step, and the live state that follows it.
fn traced(scenario: &Scenario, options: RunOptions) -> Result<(Simulation, LiveState), String> {
    let mut simulation = Simulation::new(scenario, options)
        .map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
    simulation.enable_tracing();
    Ok((simulation, LiveState::of(scenario)))
}

/// Load-aware routing, with all that is known of the whole run.
#[cfg(test)]
pub(super) fn session() -> Session {
    let (name, text) = crate::scenario::DEFAULT_SCENARIO;
    let mut session = Session::open(name, text.as_bytes(), &[], None).expect("it is good");
    session.background_run.wait(std::time::Duration::from_secs(60));
    session
}

/// A node that holds requests, by its name.
#[cfg(test)]
pub(super) fn server_state<'a>(session: &'a Session, name: &str) -> &'a super::server_state::ServerState {
    let node = session.names.node_named(name).expect("it is there");
    session.live_state.server_state(node).expect("it holds requests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uneven_frames_at_any_speed_make_the_run_of_the_headless_program() {
        for speed in [4, 9, 13, 14] {
            let mut session = session();
            session.clock.speed = speed;
            for frame in 0_u32.. {
                session.frame([0.016, 0.2, 0.001, 0.033][frame as usize % 4]);
                if !session.clock.playing {
                    break;
                }
            }
            let (events, fingerprint) = session.trace();
            let whole = &session.background_run.floor_to_usize().expect("it was waited for").result;
            assert_eq!((events, fingerprint), (whole.events, whole.fingerprint));
        }
    }

    #[test]
    fn going_back_shows_what_was_there() {
        let mut session = session();
        session.go_to(moment(14.3));
        let then = (session.trace(), session.live_state.clone());
        session.go_to(moment(40.0));
        session.go_to(moment(14.3));
        assert_eq!((session.trace(), session.live_state.clone()), then);
        session.step_event();
        assert!(session.trace().0 > then.0.0);
        session.step_request();
        session.to_next_failure();
        assert!(session.live_state.outcomes.failed() > 0 && !session.clock.playing);
    }

    /// Plays until time stands still.
    fn stop_of(session: &mut Session, stops: Stops) -> f64 {
        session.stops = stops;
        session.clock.playing = true;
        while session.clock.playing {
            session.frame(0.3);
        }
        session.clock.now.as_seconds()
    }

    #[test]
    fn time_stands_still_where_it_is_wanted() {
        let mut session = session();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        near(stop_of(&mut session, Stops { moment: Some(moment(3.217)), ..Stops::default() }), 3.217);
        assert_eq!(session.stops.moment, None);
        let announced = session.changes().map(SimTime::as_seconds).fold(f64::MAX, f64::min);
        near(stop_of(&mut session, Stops { change: true, ..Stops::default() }), announced);
        let stopped = stop_of(&mut session, Stops { failure: true, ..Stops::default() });
        assert_eq!(session.live_state.outcomes.failed(), 1, "the first rejection, and no more");
        let first = session.trace();
        session.go_to(moment(1.0));
        session.to_next_failure();
        near(session.clock.now.as_seconds(), stopped);
        assert!(
            session.trace().0 <= first.0,
            "all of the instant of the rejection has happened, and no more"
        );
        session.go_to(SimTime::ZERO);
        let found: Vec<f64> = session.troubles().map(SimTime::as_seconds).filter(|at| *at > 0.0).collect();
        let soonest = found.into_iter().fold(f64::MAX, f64::min);
        near(stop_of(&mut session, Stops { finding: true, ..Stops::default() }), soonest);
        session.go_to(SimTime::ZERO);
        session.to_next_change();
        near(session.clock.now.as_seconds(), announced);
        // With nothing to stop at it plays to the end.
        near(stop_of(&mut session, Stops::default()), session.end().as_seconds());
    }

    #[test]
    fn a_scenario_that_cannot_be_run_says_why() {
        let wrong = Session::open("x.ron", b"(name: 3)", &[], None).err().expect("it is wrong");
        assert!(wrong.contains("x.ron:1"), "{wrong}");
    }
}
