//! Remembered settings of the window: size, position, theme and others, saved in a small file and restored when the
//! window opens again.
//!
//! The file is optional. A missing or invalid file and invalid values are ignored, and so is a failure to write it.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::panels::Panels;
use super::session::{SPEEDS, position_of};
use super::theme::{Colouring, Theme};
use crate::files::OutputDirectory;

/// Minimum time between two writes, in seconds.
const WRITE_INTERVAL_SECONDS: f64 = 1.0;
/// Maximum size that is read. This program does not write larger files.
const MAX_BYTES: u64 = 65_536;
/// Valid widths and heights of a window.
const VALID_SIDES: std::ops::RangeInclusive<u32> = 200..=16_384;

/// Settings of the window. `None` leaves the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Width and height, in logical pixels.
    pub size: Option<(u32, u32)>,
    /// Position of the upper left corner, in pixels of the desktop.
    pub position: Option<(i32, i32)>,
    /// Whether the theme is the light one.
    pub light: Option<bool>,
    /// Speed, in simulated seconds per real second. A string, because JSON has no infinity.
    pub speed: Option<String>,
    /// Name of the colouring of requests.
    pub colouring: Option<String>,
    /// Name of the plotted metric.
    pub plotted: Option<String>,
}

impl Remembered {
    /// Reads the settings from a file; all are `None` if the file is missing or invalid.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        let parsed: Option<Self> = read.ok().and_then(|_| serde_json::from_slice(&bytes).ok());
        let mut remembered = parsed.unwrap_or_default();
        remembered.size = remembered
            .size
            .filter(|(width, height)| VALID_SIDES.contains(width) && VALID_SIDES.contains(height));
        remembered
    }

    /// Applies the settings to the panels. Size and position are set by the app.
    pub fn apply(&self, panels: &mut Panels) {
        match self.light {
            Some(true) => panels.theme = Theme::LIGHT,
            Some(false) => panels.theme = Theme::DARK,
            None => {}
        }
        if let Ok(session) = &mut panels.session
            && let Some(speed) = self.speed.as_ref().and_then(|speed| position_of(speed.parse().ok()?))
        {
            session.clock.speed = speed;
        }
        if let Some(name) = &self.colouring
            && let Some(colouring) = Colouring::ALL.into_iter().find(|colouring| colouring.name() == name)
        {
            panels.camera.colouring = colouring;
        }
        if let Some(plotted) = &self.plotted {
            panels.plotted.clone_from(plotted);
        }
    }

    /// Takes the settings from the panels. Size and position are set by the app.
    pub fn capture(&mut self, panels: &Panels) {
        self.light = Some(!panels.theme.dark);
        if let Ok(session) = &panels.session {
            self.speed = Some(SPEEDS[session.clock.speed].to_string());
        }
        self.colouring = Some(panels.camera.colouring.name().to_owned());
        self.plotted = Some(panels.plotted.clone());
    }
}

/// Writes the settings to a file when they change, at most once a second.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// The content of the file.
    written: Remembered,
    /// Time of the last check for changes, in seconds of real time.
    last_check: f64,
    /// Cleared after the first failure to write.
    is_writable: bool,
}

impl StateFile {
    /// A file with a known content.
    #[must_use]
    pub const fn new(path: PathBuf, written: Remembered) -> Self {
        Self { path, written, last_check: 0.0, is_writable: true }
    }

    /// Writes the settings if they have changed, unless the last check is less than a second ago. `seconds` is the
    /// current real time.
    pub fn write_if_due(&mut self, remembered: &Remembered, seconds: f64) {
        if seconds - self.last_check >= WRITE_INTERVAL_SECONDS {
            self.last_check = seconds;
            self.write(remembered);
        }
    }

    /// Writes the settings if they have changed.
    pub fn write(&mut self, remembered: &Remembered) {
        if self.is_writable && *remembered != self.written {
            self.written = remembered.clone();
            // After a failure there are no further attempts: they would fail as well.
            self.is_writable = self.write_file(remembered).is_some();
        }
    }

    fn write_file(&self, remembered: &Remembered) -> Option<()> {
        let text = serde_json::to_string_pretty(remembered).ok()?;
        let directory = OutputDirectory::prepare(self.path.parent()?).ok()?;
        let content = |out: &mut dyn Write| writeln!(out, "{text}");
        directory.write(&[(self.path.file_name()?.to_str()?, &content)]).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::DEFAULT_SCENARIO;
    use crate::viz::Origin;

    fn panels() -> Panels {
        let (name, text) = DEFAULT_SCENARIO;
        Panels::open(Origin::of(name, text))
    }

    #[test]
    fn settings_are_restored() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("rushhour/window.json");
        let mut closed = panels();
        closed.theme = Theme::LIGHT;
        closed.camera.colouring = Colouring::Age;
        closed.plotted = "utilization".to_owned();
        closed.session.as_mut().expect("the scenario is valid").clock.speed = SPEEDS.len() - 1;
        let mut state =
            Remembered { size: Some((900, 700)), position: Some((-5, 40)), ..Remembered::default() };
        state.capture(&closed);
        StateFile::new(path.clone(), Remembered::default()).write(&state);

        let read = Remembered::read(&path);
        assert_eq!(read, state);
        let mut opened = panels();
        read.apply(&mut opened);
        assert_eq!(opened.theme, Theme::LIGHT);
        assert_eq!(opened.camera.colouring, Colouring::Age);
        assert_eq!(opened.plotted, "utilization");
        assert_eq!(opened.session.expect("the scenario is valid").clock.speed, SPEEDS.len() - 1);
    }

    #[test]
    fn an_invalid_file_is_ignored() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("window.json");
        assert_eq!(Remembered::read(&path), Remembered::default());
        assert_eq!(Remembered::read(directory.path()), Remembered::default());
        for text in ["", "{", "[1]", "{\"size\": \"large\"}", "\u{0}\u{fffd}", "{\"size\": [-1, 1]}"] {
            std::fs::write(&path, text).expect("the file can be written");
            assert_eq!(Remembered::read(&path), Remembered::default(), "{text}");
        }
        // Valid values are taken even if others are invalid.
        let text = "{\"size\": [0, 4000000000], \"light\": true, \"speed\": \"NaN\", \"colouring\": \"x\", \"new\": 1}";
        std::fs::write(&path, text).expect("the file can be written");
        let read = Remembered::read(&path);
        assert_eq!((read.size, read.light), (None, Some(true)));
        let (mut opened, untouched) = (panels(), panels());
        read.apply(&mut opened);
        assert_eq!(opened.theme, Theme::LIGHT);
        assert_eq!(opened.camera, untouched.camera);
        assert_eq!(
            opened.session.expect("the scenario is valid").clock,
            untouched.session.expect("the scenario is valid").clock
        );
    }

    #[test]
    fn changes_are_written_at_most_once_a_second() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("window.json");
        let mut state = Remembered::default();
        let mut file = StateFile::new(path.clone(), state.clone());
        file.write_if_due(&state, 5.0);
        assert!(!path.exists(), "nothing has changed");
        state.light = Some(true);
        file.write_if_due(&state, 5.5);
        assert!(!path.exists(), "the last check is less than a second ago");
        file.write_if_due(&state, 6.1);
        assert_eq!(Remembered::read(&path).light, Some(true));
        state.light = Some(false);
        file.write(&state);
        assert_eq!(Remembered::read(&path).light, Some(false), "`write` does not wait");
    }

    #[test]
    fn a_failure_to_write_is_not_repeated() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let obstacle = directory.path().join("file");
        std::fs::write(&obstacle, "").expect("the file can be written");
        let mut file = StateFile::new(obstacle.join("window.json"), Remembered::default());
        file.write(&Remembered { light: Some(true), ..Remembered::default() });
        assert!(!file.is_writable);
        assert!(std::fs::read(&obstacle).expect("the file exists").is_empty());
    }
}
