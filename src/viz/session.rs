//! A session: one scenario being watched. It holds the simulation, the stage that follows it, and the clock.
//!
//! The simulation runs to the horizon that the clock gives and knows nothing of being watched; the run is the one that the
//! headless program makes, whatever the frames are like. Going back is running again from the start, which is exact and,
//! for what a person watches, takes milliseconds.

use crate::analysis::{Finding, Phase, findings, phases};
use crate::engine::time::{SimDuration, SimTime};
use crate::metrics::result::RunResult;
use crate::model::server::InFlight;
use crate::scenario::{Loaded, Scenario, load};
use crate::simulation::{RunOptions, Simulation, run};

use super::layout::Layout;
use super::stage::Stage;

/// Events that are handled in a frame at most: a sixtieth of a second or so.
const EVENTS_A_FRAME: u64 = 150_000;
/// Passages are remembered for as long of real time, so that they can be seen.
pub const PASSAGE_SECONDS: f64 = 0.35;
/// Speeds, in virtual seconds a real one.
pub const SPEEDS: [f64; 15] =
    [0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 60.0, 600.0, f64::INFINITY];

/// A scenario that is being watched.
pub struct Session {
    /// Name of the file.
    pub name: String,
    /// The scenario.
    pub scenario: Scenario,
    /// Where its nodes stand.
    pub layout: Layout,
    /// Who is where.
    pub stage: Stage,
    /// The whole run, as the headless program makes it: what plots and findings are drawn from.
    pub result: RunResult,
    /// What it says.
    pub findings: Vec<Finding>,
    /// Announced changes of the workload.
    pub phases: Vec<Phase>,
    /// The clock.
    pub clock: Clock,
    options: RunOptions,
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

impl Clock {
    /// Virtual seconds a real one.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        SPEEDS[self.speed]
    }
}

impl Session {
    /// Opens a scenario.
    ///
    /// # Errors
    /// All that is wrong with it, in words for people.
    pub fn open(name: &str, bytes: &[u8], overrides: &[String], seed: Option<u64>) -> Result<Self, String> {
        let Loaded { scenario, .. } = load(name, bytes, overrides).map_err(|wrong| wrong.to_string())?;
        let options = RunOptions { seed, ..RunOptions::default() };
        let result = run(&scenario, options).map_err(|error| error.to_string())?;
        let simulation = watched(&scenario, options)?;
        let slots = slots(&simulation);
        Ok(Self {
            name: name.to_owned(),
            layout: Layout::of(&scenario),
            stage: Stage::new(slots),
            findings: findings(&scenario, &result),
            phases: phases(&scenario),
            clock: Clock { playing: true, speed: 7, achieved: 0.0, now: SimTime::ZERO },
            options,
            simulation,
            scenario,
            result,
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
        self.advance(target.min(self.end()), EVENTS_A_FRAME);
        if self.clock.now >= self.end() {
            self.clock.playing = false;
        }
        if real_seconds > 0.0 {
            let achieved = self.clock.now.since(before).as_seconds() / real_seconds;
            self.clock.achieved = 0.8 * self.clock.achieved + 0.2 * achieved;
        }
        let span = PASSAGE_SECONDS * if rate.is_finite() { rate } else { self.clock.achieved };
        let seen = SimDuration::from_nanos_f64(span * 1e9).as_nanos().min(self.clock.now.as_nanos());
        self.stage.forget_before(SimTime::from_nanos(self.clock.now.as_nanos() - seen));
    }

    /// Lets everything happen up to a time, or so many events.
    fn advance(&mut self, to: SimTime, budget: u64) {
        let done = self.simulation.advance(to, budget);
        self.stage.apply(&self.simulation.steps());
        // Where the budget is used up, what is shown is the last thing that happened.
        self.clock.now = if done { to } else { self.simulation.now() };
    }

    /// Shows a moment; one that is past by running again from the start.
    pub fn go_to(&mut self, time: SimTime) {
        let time = time.min(self.end());
        if time < self.clock.now {
            self.restart();
        }
        self.advance(time, u64::MAX);
        self.stage.passages.clear();
    }

    /// Lets things happen up to a moment, which is shown with what has just happened.
    pub fn play_to(&mut self, time: SimTime) {
        self.advance(time.min(self.end()), u64::MAX);
    }

    /// Begins again.
    ///
    /// # Panics
    /// Never: the scenario was run before.
    pub fn restart(&mut self) {
        self.simulation = watched(&self.scenario, self.options).expect("the scenario was run before");
        self.stage = Stage::new(slots(&self.simulation));
        self.clock.now = SimTime::ZERO;
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
        let over = |stage: &Stage| stage.ended.iter().sum::<u64>();
        let before = over(&self.stage);
        self.until(|stage| over(stage) > before);
    }

    /// Lets things happen until one more request is turned away or lost, and stops.
    pub fn to_next_failure(&mut self) {
        let failed = |stage: &Stage| stage.ended[1..].iter().sum::<u64>();
        let before = failed(&self.stage);
        self.until(|stage| failed(stage) > before);
    }

    fn until(&mut self, reached: impl Fn(&Stage) -> bool) {
        self.clock.playing = false;
        while !reached(&self.stage) && self.clock.now < self.end() {
            self.advance(self.end(), 1);
        }
    }
}

fn watched(scenario: &Scenario, options: RunOptions) -> Result<Simulation, String> {
    let mut simulation = Simulation::new(scenario, options)
        .map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
    simulation.watch();
    Ok(simulation)
}

/// Slots that all servers offer at the moment.
fn slots(simulation: &Simulation) -> Vec<u32> {
    let world = simulation.world();
    let servers = world.try_query::<&InFlight>();
    servers.map_or_else(Vec::new, |mut servers| {
        servers.iter(world).map(|in_flight| in_flight.concurrency).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::DEFAULT_SCENARIO;

    fn session() -> Session {
        let (name, text) = DEFAULT_SCENARIO;
        Session::open(name, text.as_bytes(), &[], None).expect("it is good")
    }

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
            assert_eq!((events, fingerprint), (session.result.events, session.result.fingerprint));
        }
    }

    #[test]
    fn going_back_shows_what_was_there() {
        let mut session = session();
        let at = |seconds: f64| SimTime::ZERO + SimDuration::from_nanos_f64(seconds * 1e9);
        session.go_to(at(14.3));
        let then = (session.trace(), session.stage.clone());
        session.go_to(at(40.0));
        session.go_to(at(14.3));
        assert_eq!((session.trace(), session.stage.clone()), then);
        session.step_event();
        assert!(session.trace().0 > then.0.0);
        session.step_request();
        session.to_next_failure();
        assert!(session.stage.ended[1] > 0 && !session.clock.playing);
    }

    #[test]
    fn a_scenario_that_cannot_be_run_says_why() {
        let wrong = Session::open("x.ron", b"(name: 3)", &[], None).err().expect("it is wrong");
        assert!(wrong.contains("x.ron:1"), "{wrong}");
    }
}
