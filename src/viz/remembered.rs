//! What the window was like when it was left, in a small file: the next one opens like it.
//!
//! The file is nobody's duty: one that is missing, broken or cannot be written does no harm, and a value that means
//! nothing is left out.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::panels::Panels;
use super::session::{SPEEDS, position_of};
use super::theme::{Colouring, Theme};
use crate::files::OutputDirectory;

/// Seconds between two writes.
const REFRESH_SECONDS: f64 = 1.0;
/// What is longer was not written by this program.
const MAX_BYTES: u64 = 65_536;
/// Windows that are smaller or larger, in either direction, are no windows.
const SIDES: std::ops::RangeInclusive<u32> = 200..=16_384;

/// What the window is like. What is not known is left to the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Width and height, in the points of its screen.
    pub size: Option<(u32, u32)>,
    /// Where its left upper corner is, in pixels of the desktop.
    pub position: Option<(i32, i32)>,
    /// Whether it is light.
    pub light: Option<bool>,
    /// Virtual seconds a real one, as a text because JSON has no infinity.
    pub speed: Option<String>,
    /// How requests are coloured.
    pub colouring: Option<String>,
    /// The measure that is plotted.
    pub plotted: Option<String>,
}

impl Remembered {
    /// What is remembered in a file; nothing if there is none, or if it is not to be understood.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        let read: Option<Self> = read.ok().and_then(|_| serde_json::from_slice(&bytes).ok());
        let mut read = read.unwrap_or_default();
        read.size = read.size.filter(|(width, height)| SIDES.contains(width) && SIDES.contains(height));
        read
    }

    /// Makes a window like it.
    pub fn apply(&self, window: &mut Window) {
        match self.light {
            Some(true) => window.theme = Theme::LIGHT,
            Some(false) => window.theme = Theme::DARK,
            None => {}
        }
        if let Ok(session) = &mut window.session
            && let Some(speed) = self.speed.as_ref().and_then(|speed| position_of(speed.parse().ok()?))
        {
            session.clock.speed = speed;
        }
        if let Some(name) = &self.colouring
            && let Some(colouring) = Colouring::ALL.into_iter().find(|colouring| colouring.name() == name)
        {
            window.view.colouring = colouring;
        }
        if let Some(plotted) = &self.plotted {
            window.plotted.clone_from(plotted);
        }
    }

    /// Notes what a window is like; where it is, only the system knows.
    pub fn note(&mut self, window: &Window) {
        self.light = Some(!window.theme.dark);
        if let Ok(session) = &window.session {
            self.speed = Some(SPEEDS[session.clock.speed].to_string());
        }
        self.colouring = Some(window.view.colouring.name().to_owned());
        self.plotted = Some(window.plotted.clone());
    }
}

/// Writes down what has changed, not too often.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    written: Remembered,
    /// When it was last looked at whether something has changed, in seconds of real time.
    looked: f64,
    works: bool,
}

impl StateFile {
    /// Of a file that says this.
    #[must_use]
    pub const fn new(path: PathBuf, written: Remembered) -> Self {
        Self { path, written, looked: 0.0, works: true }
    }

    /// Writes it down if it has changed and some time has passed; `seconds` is real time.
    pub fn tell(&mut self, now: &Remembered, seconds: f64) {
        if seconds - self.looked >= REFRESH_SECONDS {
            self.looked = seconds;
            self.write(now);
        }
    }

    /// Writes it down if it has changed.
    pub fn write(&mut self, now: &Remembered) {
        if self.works && *now != self.written {
            self.written = now.clone();
            // Where it cannot be written once it will not be a second later.
            self.works = self.put(now).is_some();
        }
    }

    fn put(&self, now: &Remembered) -> Option<()> {
        let text = serde_json::to_string_pretty(now).ok()?;
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

    fn window() -> Window {
        let (name, text) = DEFAULT_SCENARIO;
        Window::open(Origin::of(name, text))
    }

    #[test]
    fn a_window_opens_as_it_was_left() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("rushhour/window.json");
        let mut left = window();
        left.theme = Theme::LIGHT;
        left.view.colouring = Colouring::Age;
        left.plotted = "utilization".to_owned();
        left.session.as_mut().expect("it is good").clock.speed = SPEEDS.len() - 1;
        let mut state =
            Remembered { size: Some((900, 700)), position: Some((-5, 40)), ..Remembered::default() };
        state.note(&left);
        StateFile::new(path.clone(), Remembered::default()).write(&state);

        let read = Remembered::read(&path);
        assert_eq!(read, state);
        let mut opened = window();
        read.apply(&mut opened);
        assert_eq!(opened.theme, Theme::LIGHT);
        assert_eq!(opened.view.colouring, Colouring::Age);
        assert_eq!(opened.plotted, "utilization");
        assert_eq!(opened.session.expect("it is good").clock.speed, SPEEDS.len() - 1);
    }

    #[test]
    fn a_file_that_means_nothing_does_no_harm() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("window.json");
        assert_eq!(Remembered::read(&path), Remembered::default());
        assert_eq!(Remembered::read(home.path()), Remembered::default());
        for text in ["", "{", "[1]", "{\"size\": \"large\"}", "\u{0}\u{fffd}", "{\"size\": [-1, 1]}"] {
            std::fs::write(&path, text).expect("it can be written");
            assert_eq!(Remembered::read(&path), Remembered::default(), "{text}");
        }
        // What has a meaning is taken all the same.
        let text = "{\"size\": [0, 4000000000], \"light\": true, \"speed\": \"NaN\", \"colouring\": \"x\", \"new\": 1}";
        std::fs::write(&path, text).expect("it can be written");
        let read = Remembered::read(&path);
        assert_eq!((read.size, read.light), (None, Some(true)));
        let (mut opened, untouched) = (window(), window());
        read.apply(&mut opened);
        assert_eq!(opened.theme, Theme::LIGHT);
        assert_eq!(opened.view, untouched.view);
        assert_eq!(opened.session.expect("it is good").clock, untouched.session.expect("it is good").clock);
    }

    #[test]
    fn it_is_written_when_it_has_changed_and_not_more_often_than_each_second() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("window.json");
        let mut state = Remembered::default();
        let mut keeper = StateFile::new(path.clone(), state.clone());
        keeper.tell(&state, 5.0);
        assert!(!path.exists(), "nothing has changed");
        state.light = Some(true);
        keeper.tell(&state, 5.5);
        assert!(!path.exists(), "it is too early");
        keeper.tell(&state, 6.1);
        assert_eq!(Remembered::read(&path).light, Some(true));
        state.light = Some(false);
        keeper.write(&state);
        assert_eq!(Remembered::read(&path).light, Some(false), "at the end nothing is waited for");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_tried_once() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("file");
        std::fs::write(&file, "").expect("it can be written");
        let mut keeper = StateFile::new(file.join("window.json"), Remembered::default());
        keeper.write(&Remembered { light: Some(true), ..Remembered::default() });
        assert!(!keeper.works);
        assert!(std::fs::read(&file).expect("it is there").is_empty());
    }
}
