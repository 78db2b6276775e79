//! The background run: the whole run of a scenario, simulated on its own thread. Plots and findings come from its
//! result.
//!
//! The window stays responsive even if the run takes minutes. A run that takes a moment is waited for, so that plots do
//! not flicker. A run is single-threaded and reads no clock, so the result is the same as that of `rushhour run`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::analysis::{Finding, ScheduledPeriod, findings, occurred_periods};
use crate::engine::floor_to_usize;
use crate::metrics::result::RunResult;
use crate::scenario::Scenario;
use crate::simulation::{RunOptions, Simulation};

/// How long [`BackgroundRun::start`] waits for the result.
const START_WAIT: Duration = Duration::from_millis(150);
/// Number of events between two checks for cancellation.
const EVENTS_PER_POLL: u64 = 500_000;
/// The error if the thread ends without sending a result, which happens only if it panics.
const NO_RESULT: &str = "The background run ended without a result (a bug; please report it)";
/// Number of steps in which progress is counted.
const PROGRESS_STEPS: f64 = 1_000.0;

/// The result of a finished background run.
#[derive(Debug)]
pub struct FinishedRun {
    /// The result of the run.
    pub result: RunResult,
    /// Its findings, the most important first.
    pub findings: Vec<Finding>,
    /// The times of faults that were not known before the run.
    pub occurred_periods: Vec<ScheduledPeriod>,
}

/// A run on a thread of its own. Dropping it cancels the run.
#[derive(Debug)]
pub struct BackgroundRun {
    state: State,
    /// Cleared to cancel the run.
    keep_running: Arc<AtomicBool>,
    /// Simulated share of the run, in [`PROGRESS_STEPS`].
    progress: Arc<AtomicU32>,
}

#[derive(Debug)]
enum State {
    /// The mutex makes the receiver `Sync`, which Bevy requires of a resource.
    Running(Mutex<Receiver<Result<FinishedRun, String>>>),
    Finished(Box<FinishedRun>),
    Failed(String),
}

impl BackgroundRun {
    /// Starts the run of a checked scenario, and waits a moment for its result.
    #[must_use]
    pub fn start(scenario: &Scenario, options: RunOptions) -> Self {
        let (keep_running, progress) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
        let (sender, receiver) = channel();
        let scenario = scenario.clone();
        let (keep_running_flag, progress_counter) = (Arc::clone(&keep_running), Arc::clone(&progress));
        let spawned = thread::Builder::new()
            .name("background run".to_owned())
            .spawn(move || simulate(&scenario, options, &keep_running_flag, &progress_counter, &sender));
        let state = match spawned {
            Ok(_) => State::Running(Mutex::new(receiver)),
            Err(error) => State::Failed(format!("Could not start a thread for the background run: {error}")),
        };
        let mut background_run = Self { state, keep_running, progress };
        background_run.wait(START_WAIT);
        background_run
    }

    /// The finished run, or `None` while it is running and after it has failed.
    #[must_use]
    pub fn finished(&self) -> Option<&FinishedRun> {
        match &self.state {
            State::Finished(run) => Some(run),
            State::Running(_) | State::Failed(_) => None,
        }
    }

    /// The times of faults that were not known before the run; empty until it has finished.
    #[must_use]
    pub fn occurred_periods(&self) -> &[ScheduledPeriod] {
        self.finished().map_or(&[], |run| &run.occurred_periods)
    }

    /// The findings of the finished run; empty until it has finished.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.finished().map_or(&[], |run| &run.findings)
    }

    /// The progress or the error, as a text for the user, or `None` if the run has finished.
    #[must_use]
    pub fn status_text(&self) -> Option<String> {
        match &self.state {
            State::Finished(_) => None,
            State::Failed(error) => Some(error.clone()),
            State::Running(_) => {
                let percent = f64::from(self.progress.load(Ordering::Relaxed)) / PROGRESS_STEPS * 100.0;
                Some(format!("Simulating the whole run: {percent:.0} %"))
            }
        }
    }

    /// Whether the run is still running.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// Receives the result if it is available. Returns whether the run has ended since the last call.
    pub fn poll(&mut self) -> bool {
        let State::Running(receiver) = &mut self.state else { return false };
        let Ok(receiver) = receiver.get_mut() else { return false };
        match receiver.try_recv() {
            Ok(outcome) => self.end(outcome),
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Disconnected) => self.end(Err(NO_RESULT.to_owned())),
        }
        true
    }

    /// Waits for the run to end, for at most `timeout`.
    pub fn wait(&mut self, timeout: Duration) {
        let State::Running(receiver) = &mut self.state else { return };
        let Ok(receiver) = receiver.get_mut() else { return };
        match receiver.recv_timeout(timeout) {
            Ok(outcome) => self.end(outcome),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.end(Err(NO_RESULT.to_owned())),
        }
    }

    fn end(&mut self, outcome: Result<FinishedRun, String>) {
        self.state = match outcome {
            Ok(run) => State::Finished(Box::new(run)),
            Err(error) => State::Failed(error),
        };
    }
}

impl Drop for BackgroundRun {
    fn drop(&mut self) {
        self.keep_running.store(false, Ordering::Relaxed);
    }
}

fn simulate(
    scenario: &Scenario,
    options: RunOptions,
    keep_running: &AtomicBool,
    progress: &AtomicU32,
    sender: &Sender<Result<FinishedRun, String>>,
) {
    let run = || {
        let mut simulation = Simulation::new(scenario, options)
            .map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
        let end = simulation.end();
        while !simulation.advance(end, EVENTS_PER_POLL) {
            if !keep_running.load(Ordering::Relaxed) {
                return Err("The background run was cancelled".to_owned());
            }
            let share = simulation.now().as_seconds() / end.as_seconds().max(f64::MIN_POSITIVE);
            progress
                .store(u32::try_from(floor_to_usize(share * PROGRESS_STEPS)).unwrap_or(0), Ordering::Relaxed);
        }
        let result = simulation.finish().map_err(|error| error.to_string())?;
        if let Some(stopped) = &result.stopped {
            return Err(crate::format::stopped::text(stopped));
        }
        let findings = findings(scenario, &result);
        let occurred_periods = occurred_periods(scenario, &result);
        Ok(FinishedRun { result, findings, occurred_periods })
    };
    // Sending fails if the `BackgroundRun` was dropped: the run is cancelled.
    let _ = sender.send(run());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{DEFAULT_SCENARIO, load};
    use crate::simulation::run;

    #[test]
    fn its_result_is_that_of_a_headless_run() {
        let (name, text) = DEFAULT_SCENARIO;
        let scenario = load(name, text.as_bytes(), &[]).expect("the scenario is valid").scenario;
        let mut background_run = BackgroundRun::start(&scenario, RunOptions::default());
        background_run.wait(Duration::from_secs(60));
        let finished = background_run.finished().expect("the run has finished");
        let result = run(&scenario, RunOptions::default()).expect("the scenario runs");
        assert_eq!(
            (finished.result.events, finished.result.fingerprint),
            (result.events, result.fingerprint)
        );
        assert_eq!(finished.findings, findings(&scenario, &result));
        assert!(background_run.status_text().is_none() && !background_run.poll());
    }

    #[test]
    fn a_long_run_continues_in_the_background_and_stops_when_it_is_dropped() {
        let text = r#"(name: "long", run_until: "1000000s",
            sources: {"s": (arrivals: Poisson(rate: "1000/s"), to: "a")},
            nodes: {"a": Server(concurrency: 4, service: Exponential(mean: "1ms"))})"#;
        let scenario = load("long.ron", text.as_bytes(), &[]).expect("the scenario is valid").scenario;
        let background_run = BackgroundRun::start(&scenario, RunOptions::default());
        assert!(background_run.finished().is_none() && background_run.findings().is_empty());
        assert!(background_run.status_text().is_some_and(|text| text.contains("Simulating the whole run")));
        let flag = Arc::downgrade(&background_run.keep_running);
        drop(background_run);
        // The thread holds the last reference, and ends long before the run would.
        for _ in 0..600 {
            if flag.upgrade().is_none() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the thread still runs after the run was dropped");
    }
}
