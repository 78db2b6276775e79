//! The whole run, as the headless program makes it: what plots and findings are drawn from.
//!
//! It is made beside the window by a thread of its own, so that even a run of minutes does not keep anybody waiting; one
//! that takes a moment is waited for, so that nothing flickers. A run has one thread and no clock: what comes out is the
//! same wherever it is made.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::analysis::{Finding, findings};
use crate::engine::floor_to_usize;
use crate::metrics::result::RunResult;
use crate::scenario::Scenario;
use crate::simulation::{RunOptions, Simulation};

/// As long a run is waited for.
const PATIENCE: Duration = Duration::from_millis(150);
/// After as many events the thread looks whether anybody still wants to know.
const EVENTS_AT_ONCE: u64 = 500_000;
/// The share that is done is told in so many parts.
const PARTS: f64 = 1_000.0;

/// A run from its start to its end, and what it says.
#[derive(Debug)]
pub struct FinishedRun {
    /// Its result.
    pub result: RunResult,
    /// What was found, the most important first.
    pub findings: Vec<Finding>,
}

/// The whole run, once it is there.
#[derive(Debug)]
pub struct BackgroundRun {
    state: State,
    wanted: Arc<AtomicBool>,
    done: Arc<AtomicU32>,
}

#[derive(Debug)]
enum State {
    /// In a lock only because it goes into a resource, which many threads could look at.
    Awaited(Mutex<Receiver<Result<FinishedRun, String>>>),
    Here(Box<FinishedRun>),
    Failed(String),
}

impl BackgroundRun {
    /// Begins to make it. The scenario has passed its checks.
    #[must_use]
    pub fn of(scenario: &Scenario, options: RunOptions) -> Self {
        let (wanted, done) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
        let (sender, receiver) = channel();
        let (scenario, still_wanted, told) = (scenario.clone(), Arc::clone(&wanted), Arc::clone(&done));
        let spawned = thread::Builder::new()
            .name("background run".to_owned())
            .spawn(move || make(&scenario, options, &still_wanted, &told, &sender));
        let state = match spawned {
            Ok(_) => State::Awaited(Mutex::new(receiver)),
            Err(error) => State::Failed(format!("no thread for the whole run: {error}")),
        };
        let mut background_run = Self { state, wanted, done };
        background_run.wait(PATIENCE);
        background_run
    }

    /// The whole run, if it is there.
    #[must_use]
    pub fn floor_to_usize(&self) -> Option<&FinishedRun> {
        match &self.state {
            State::Here(whole) => Some(whole),
            State::Awaited(_) | State::Failed(_) => None,
        }
    }

    /// What was found, as far as it is known.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.floor_to_usize().map_or(&[], |whole| &whole.findings)
    }

    /// Why there is nothing to show, in words: how far it is, or what went wrong.
    #[must_use]
    pub fn excuse(&self) -> Option<String> {
        match &self.state {
            State::Here(_) => None,
            State::Failed(why) => Some(why.clone()),
            State::Awaited(_) => {
                let percent = f64::from(self.done.load(Ordering::Relaxed)) / PARTS * 100.0;
                Some(format!("The whole run is being simulated: {percent:.0} %"))
            }
        }
    }

    /// Whether it is still being made.
    #[must_use]
    pub const fn is_awaited(&self) -> bool {
        matches!(self.state, State::Awaited(_))
    }

    /// Takes it in if it has been made meanwhile; tells whether it has just come.
    pub fn poll(&mut self) -> bool {
        let State::Awaited(receiver) = &mut self.state else { return false };
        let Ok(receiver) = receiver.get_mut() else { return false };
        match receiver.try_recv() {
            Ok(made) => self.take(made),
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Disconnected) => self.take(Err("the whole run came to nothing".to_owned())),
        }
        true
    }

    /// Waits for it, at most so long.
    pub fn wait(&mut self, most: Duration) {
        let State::Awaited(receiver) = &mut self.state else { return };
        let Ok(receiver) = receiver.get_mut() else { return };
        match receiver.recv_timeout(most) {
            Ok(made) => self.take(made),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.take(Err("the whole run came to nothing".to_owned())),
        }
    }

    fn take(&mut self, made: Result<FinishedRun, String>) {
        self.state = match made {
            Ok(whole) => State::Here(Box::new(whole)),
            Err(why) => State::Failed(why),
        };
    }
}

impl Drop for BackgroundRun {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::Relaxed);
    }
}

fn make(
    scenario: &Scenario,
    options: RunOptions,
    wanted: &AtomicBool,
    done: &AtomicU32,
    sender: &Sender<Result<FinishedRun, String>>,
) {
    let made = || {
        let mut simulation = Simulation::new(scenario, options)
            .map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
        let end = simulation.end();
        while !simulation.advance(end, EVENTS_AT_ONCE) {
            if !wanted.load(Ordering::Relaxed) {
                return Err("nobody wants to know any more".to_owned());
            }
            let share = simulation.now().as_seconds() / end.as_seconds().max(f64::MIN_POSITIVE);
            done.store(u32::try_from(floor_to_usize(share * PARTS)).unwrap_or(0), Ordering::Relaxed);
        }
        let result = simulation.finish().map_err(|error| error.to_string())?;
        let findings = findings(scenario, &result);
        Ok(FinishedRun { result, findings })
    };
    // If nobody listens any more, nobody wants to know.
    let _ = sender.send(made());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{DEFAULT_SCENARIO, load};
    use crate::simulation::run;

    #[test]
    fn it_is_the_run_of_the_headless_program() {
        let (name, text) = DEFAULT_SCENARIO;
        let scenario = load(name, text.as_bytes(), &[]).expect("it is good").scenario;
        let mut background_run = BackgroundRun::of(&scenario, RunOptions::default());
        background_run.wait(Duration::from_secs(60));
        let whole = background_run.floor_to_usize().expect("it was waited for");
        let result = run(&scenario, RunOptions::default()).expect("it runs");
        assert_eq!((whole.result.events, whole.result.fingerprint), (result.events, result.fingerprint));
        assert_eq!(whole.findings, findings(&scenario, &result));
        assert!(background_run.excuse().is_none() && !background_run.poll());
    }

    #[test]
    fn a_long_run_is_made_beside_and_given_up_when_nobody_wants_it() {
        let text = r#"(name: "long", run_until: "1000000s",
            sources: {"s": (arrivals: Poisson(rate: "1000/s"), to: "a")},
            nodes: {"a": Server(concurrency: 4, service: Exponential(mean: "1ms"))})"#;
        let scenario = load("long.ron", text.as_bytes(), &[]).expect("it is good").scenario;
        let background_run = BackgroundRun::of(&scenario, RunOptions::default());
        assert!(background_run.floor_to_usize().is_none() && background_run.findings().is_empty());
        assert!(background_run.excuse().is_some_and(|excuse| excuse.contains("being simulated")));
        let wanted = Arc::downgrade(&background_run.wanted);
        drop(background_run);
        // The thread holds the last one: it ends long before the run would.
        for _ in 0..600 {
            if wanted.upgrade().is_none() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the run goes on though nobody wants it");
    }
}
