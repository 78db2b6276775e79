//! The progress line of a run, on standard error if that is a terminal, and the only wall clock of `rushhour run`.

use std::io::{self, IsTerminal, Write};

use crate::engine::time::SimTime;
use crate::format::columns::shortened;
use crate::format::numbers::{short, time};

/// The line appears after this time, so that short runs have none.
const INITIAL_DELAY_SECONDS: f64 = 1.0;
/// Time between two updates of the line, long enough to read it.
const REFRESH_SECONDS: f64 = 0.2;
/// Width in columns: less than the width of a terminal, so that the line does not wrap.
const WIDTH: usize = 79;

/// Measures wall-clock time.
#[expect(clippy::disallowed_types, reason = "measures how long a run takes; no result depends on it")]
pub(super) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    pub(super) fn start() -> Self {
        #[expect(clippy::disallowed_types, reason = "measures how long a run takes; no result depends on it")]
        Self(std::time::Instant::now())
    }

    /// Seconds since the start.
    pub(super) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// The progress line. Dropping it clears the line.
pub(super) struct Progress<'a> {
    enabled: bool,
    end: SimTime,
    stopwatch: &'a Stopwatch,
    /// When the line was last written, in seconds of the stopwatch.
    shown: Option<f64>,
}

impl<'a> Progress<'a> {
    /// The line of a run that ends at `end`.
    pub(super) fn of(end: SimTime, stopwatch: &'a Stopwatch, quiet: bool) -> Self {
        Self { enabled: !quiet && io::stderr().is_terminal(), end, stopwatch, shown: None }
    }

    /// Writes the line if an update is due.
    pub(super) fn update(&mut self, now: SimTime, events: u64) {
        let elapsed = self.stopwatch.seconds();
        let due = self.shown.map_or(INITIAL_DELAY_SECONDS, |shown| shown + REFRESH_SECONDS);
        if self.enabled && elapsed >= due {
            self.shown = Some(elapsed);
            self.write(&line(now, self.end, events, elapsed));
        }
    }

    fn write(&self, line: &str) {
        let mut out = io::stderr().lock();
        drop(write!(out, "\r{line:<WIDTH$}").and_then(|()| out.flush()));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.shown.is_some() {
            self.write("");
            drop(write!(io::stderr(), "\r"));
        }
    }
}

/// ` 35 %  22.8 s of 65 s  12.4x real time  5.1M events/s  3.41 s left`
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn line(now: SimTime, end: SimTime, events: u64, elapsed: f64) -> String {
    let (now, end) = (now.as_seconds(), end.as_seconds());
    let left = if now > 0.0 { Some(elapsed * (end - now) / now) } else { None };
    let text = format!(
        "{:>3.0} %  {} of {}  {}x real time  {} events/s  {} left",
        now / end * 100.0,
        time(Some(now)),
        time(Some(end)),
        short(now / elapsed),
        short(events as f64 / elapsed),
        time(left)
    );
    shortened(&text, WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_the_progress_the_speed_and_the_time_left() {
        let at = |seconds: u64| SimTime::from_nanos(seconds * 1_000_000_000);
        assert_eq!(
            line(at(25), at(100), 9_000_000, 2.0),
            " 25 %  25 s of 100 s  12.5x real time  4.5M events/s  6 s left"
        );
        assert!(line(SimTime::ZERO, at(100), 0, 1.0).ends_with("- left"));
    }
}
