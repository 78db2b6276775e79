//! `rushhour view`: shows the requests of a run in a window, or writes pictures or a film without one.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use super::interrupt::Interrupt;
use super::{Failure, output, scenario_file};
use crate::format::numbers::several;
use crate::scenario::load;
use crate::viz::bench::bench;
use crate::viz::session::{SPEEDS, position_of};
use crate::viz::{Format, Medium, OffscreenJob, OffscreenOutput, Options, Origin, films_can_be_made, view};

/// Width and height of pictures and films in pixels, unless `--size` is given.
const DEFAULT_SIZE: (u32, u32) = (1280, 800);
/// Maximum number of pictures in a range of `--at`.
const MAX_PICTURES: f64 = 100_000.0;

const EXAMPLES: &str = "\
Examples:
  rushhour view                          the built-in scenario
  rushhour view shop.ron                 a scenario of your own
  rushhour view shop.ron --frames out    pictures at 12, 15 and 20 s, without a window
  rushhour view shop.ron --frames out --at 12..20/0.5    ... every half second
  rushhour view shop.ron --film shop.gif --from 10 --to 20    a film, without a window

Keys: Space plays and pauses, arrows step and change the speed, P saves a picture,
R starts and stops a film, ? lists all keys.";

/// The arguments of `rushhour view`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("offscreen").args(["frames", "film"]))]
pub struct ViewArguments {
    /// Scenario file; `-` for standard input. Without it, the built-in scenario is shown
    file: Option<PathBuf>,
    /// Another scenario file, shown beside the first and synchronized with it
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Replace a value of the other scenario (repeatable). Without `--against`, that is the same file as the first
    #[arg(long, value_name = "PATH=VALUE")]
    against_set: Vec<String>,
    /// Seed of all random numbers, instead of the one in the scenario
    #[arg(long, value_name = "N", value_parser = super::numbers::number, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Replace a value of the scenario (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Write pictures into this directory instead of opening a window
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,
    /// Virtual times of the pictures, in seconds; 12..20/0.5 is one every half second
    #[arg(
        long,
        value_name = "SECONDS",
        value_delimiter = ',',
        requires = "frames",
        default_value = "12,15,20",
        value_parser = moments
    )]
    at: Vec<Moments>,
    /// Write a film to this .gif or .mp4 file instead of opening a window (requires ffmpeg)
    #[arg(long, value_name = "FILE")]
    film: Option<PathBuf>,
    /// Virtual time at which the film starts, in seconds
    #[arg(long, value_name = "SECONDS", requires = "film", default_value = "0", value_parser = seconds)]
    from: f64,
    /// Virtual time at which the film ends, in seconds [default: the end of the run]
    #[arg(long, value_name = "SECONDS", requires = "film", value_parser = seconds)]
    to: Option<f64>,
    /// Virtual seconds per second of the film; must be one of the speeds of the window
    #[arg(long, value_name = "X", requires = "film", default_value = "1", value_parser = speed)]
    speed: f64,
    /// Pictures per second of the film [default: 30, or 25 in a GIF]
    #[arg(long, value_name = "N", requires = "film", value_parser = clap::value_parser!(u32).range(1..=120))]
    fps: Option<u32>,
    /// Do not open a window (implied by --frames and --film)
    #[arg(long, requires = "offscreen")]
    headless: bool,
    /// Width and height in pixels [default: the last size of the window; 1280x800 at first and for pictures]
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(u32, u32)>,
    /// Use the light theme
    #[arg(long)]
    light: bool,
    /// Measure the frame rate with 1,000, 10,000 and 100,000 requests in flight, without a window, and print tables
    #[arg(long, conflicts_with_all = ["file", "against", "against_set", "seed", "set", "offscreen", "light"])]
    bench: bool,
}

/// Parses a size like `1280x800`.
fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    parsed
        .filter(|(width, height)| (320..=8_192).contains(width) && (240..=8_192).contains(height))
        .ok_or_else(|| "give width and height like 1280x800, from 320x240 to 8192x8192".to_owned())
}

/// Points of virtual time, in seconds.
#[derive(Clone, Debug, PartialEq)]
struct Moments(Vec<f64>);

/// Parses a time like `12` or a range like `12..20/0.5`.
fn moments(text: &str) -> Result<Moments, String> {
    let Some((from, rest)) = text.split_once("..") else { return Ok(Moments(vec![seconds(text)?])) };
    let Some((to, step)) = rest.split_once('/') else {
        return Err("give a range with its step, like 12..20/0.5".to_owned());
    };
    let (from, to, step) = (seconds(from)?, seconds(to)?, seconds(step)?);
    let number = ((to - from) / step + 1e-9).floor();
    if !(0.0..MAX_PICTURES).contains(&number) {
        return Err(format!("this range has no pictures, or more than {MAX_PICTURES}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within MAX_PICTURES")]
    let number = number as u32;
    Ok(Moments((0..=number).map(|index| f64::from(index).mul_add(step, from)).collect()))
}

fn seconds(text: &str) -> Result<f64, String> {
    let parsed = text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
    parsed.ok_or_else(|| "give seconds like 12.5".to_owned())
}

/// Parses the speed of a film. It must be a speed of the window, because the controls of the window are in the film.
fn speed(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|speed: &f64| speed.is_finite() && position_of(*speed).is_some());
    parsed.ok_or_else(|| {
        let known: Vec<_> = SPEEDS.iter().filter(|speed| speed.is_finite()).map(f64::to_string).collect();
        format!("give one of {}", known.join(", "))
    })
}

impl ViewArguments {
    /// Opens the window, or writes the pictures or the film.
    ///
    /// # Errors
    /// If the scenario is invalid or cannot be read, there is no display or renderer, or a file cannot be written.
    pub fn execute(&self) -> Result<(), Failure> {
        if self.bench {
            let measurement = bench(self.size.unwrap_or(DEFAULT_SIZE));
            let measurement = measurement.map_err(|error| Failure::Failed(format!("{error}\n")))?;
            return output::print(&measurement.tables());
        }
        let interrupt = Interrupt::listen();
        let origin = self.origin(self.file.as_deref(), &self.set)?;
        let against = self.against()?;
        let medium = match self.offscreen_job()? {
            Some(job) => {
                // A window shows the diagnostics of an invalid scenario itself; pictures cannot.
                for origin in std::iter::once(&origin).chain(&against) {
                    load(&origin.name, &origin.bytes, &origin.overrides)?;
                }
                Medium::OffscreenJob(job)
            }
            None if has_display() => {
                Medium::Window { size: self.size, state: state_file(|name| std::env::var_os(name)) }
            }
            None => {
                let message = "there is no display to open a window on";
                let hint = "set DISPLAY, or write pictures with `rushhour view --frames DIR`";
                return Err(Failure::invalid_input(message, hint));
            }
        };
        let success = self.success_message(&medium);
        let options = Options { origin, against, light: self.light, medium, interrupt: interrupt.flag() };
        view(options).map_err(|error| Failure::Failed(format!("{error}\n")))?;
        if let Some(success) = success {
            output::eprint(&success);
        }
        Ok(())
    }

    /// The pictures or the film to write, or `None` for a window. Checks that the files can be written.
    fn offscreen_job(&self) -> Result<Option<OffscreenJob>, Failure> {
        let size = self.size.unwrap_or(DEFAULT_SIZE);
        if let Some(path) = &self.frames {
            let directory = super::results::prepared(path, "--frames")?;
            let output =
                OffscreenOutput::Stills(self.at.iter().flat_map(|moments| moments.0.clone()).collect());
            return Ok(Some(OffscreenJob { directory, output, size, progress: show_progress }));
        }
        let Some(file) = &self.film else { return Ok(None) };
        let name = file.file_name().and_then(|name| name.to_str()).filter(|_| !file.is_dir());
        let (Some(name), Some(format)) = (name, Format::of(file)) else {
            let message = format!("{}: this is not the name of a film", file.display());
            return Err(Failure::invalid_input(&message, "give `--film` a file that ends in .gif or .mp4"));
        };
        if !films_can_be_made() {
            let hint = "install ffmpeg, or write the pictures of a film with `--frames DIR --at 12..20/0.04`";
            return Err(Failure::invalid_input("a film requires ffmpeg, which is not installed", hint));
        }
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let output = OffscreenOutput::Film {
            name: name.to_owned(),
            format,
            from: self.from,
            to: self.to,
            speed: position_of(self.speed).unwrap_or_default(),
            rate: self.fps.unwrap_or_else(|| format.default_rate()),
        };
        let directory = super::results::prepared(parent.unwrap_or(Path::new(".")), "--film")?;
        Ok(Some(OffscreenJob { directory, output, size, progress: show_progress }))
    }

    /// The message after all pictures or the film were written, or `None` for a window.
    fn success_message(&self, medium: &Medium) -> Option<String> {
        let Medium::OffscreenJob(job) = medium else { return None };
        let path = job.directory.path();
        Some(match &job.output {
            OffscreenOutput::Stills(moments) => {
                format!("wrote {} to {}\n", several(moments.len() as u64, "picture"), path.display())
            }
            OffscreenOutput::Film { .. } => format!("wrote {}\n", self.film.as_deref()?.display()),
        })
    }

    /// Reads a scenario file without checking it.
    fn origin(&self, file: Option<&Path>, overrides: &[String]) -> Result<Origin, Failure> {
        let (name, bytes) = scenario_file::bytes_of(file)?;
        let path = file.filter(|path| path.as_os_str() != "-").map(Path::to_owned);
        Ok(Origin { name, bytes, overrides: overrides.to_vec(), seed: self.seed, path })
    }

    /// The scenario to show beside the first, or `None`.
    fn against(&self) -> Result<Option<Origin>, Failure> {
        if self.against.is_none() && self.against_set.is_empty() {
            return Ok(None);
        }
        let mut other = self.origin(self.against.as_deref().or(self.file.as_deref()), &self.against_set)?;
        if !self.against_set.is_empty() {
            other.name = format!("{} with {}", other.name, self.against_set.join(", "));
        }
        Ok(Some(other))
    }
}

/// Whether a window can probably be opened: on Unix (except macOS), whether `DISPLAY` is set.
fn has_display() -> bool {
    cfg!(not(all(unix, not(target_os = "macos"))))
        || std::env::var_os("DISPLAY").is_some_and(|name| !name.is_empty())
}

/// Shows the number of written pictures on standard error, if that is a terminal. Clears the line after the last.
fn show_progress(done: usize, total: usize) {
    let mut out = io::stderr().lock();
    if out.is_terminal() {
        let line = if done < total { format!("{done} of {total} pictures") } else { String::new() };
        drop(write!(out, "\r{line:<40}\r").and_then(|()| out.flush()));
    }
}

/// The file with the state of the window, in the user's directory for such files, or `None` if there is none.
/// `variable` reads an environment variable.
fn state_file(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // A relative path would be a different file in every working directory.
    let directory = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = if cfg!(windows) {
        directory("LOCALAPPDATA")
    } else {
        directory("XDG_STATE_HOME").or_else(|| Some(directory("HOME")?.join(".local/state")))
    };
    Some(home?.join("rushhour").join("window.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_single_times_or_ranges() {
        assert_eq!(moments("12"), Ok(Moments(vec![12.0])));
        assert_eq!(moments("1..2/0.5"), Ok(Moments(vec![1.0, 1.5, 2.0])));
        assert_eq!(moments("12..20/0.04").expect("a range").0.len(), 201);
        for invalid in
            ["", "-1", "a", "1..2", "2..1/0.5", "1..2/0", "1..2/-1", "0..1/0.0000001", "nan", "inf"]
        {
            assert!(moments(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn the_speed_of_a_film_is_a_speed_of_the_window() {
        assert_eq!(speed("0.25"), Ok(0.25));
        for invalid in ["inf", "3", "fast", "NaN"] {
            assert!(speed(invalid).expect_err("no speed").contains("0.25, 0.5, 1, 2"), "{invalid}");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn the_state_file_is_in_the_state_directory_of_the_user() {
        let file = |state: &str, home: &str| {
            state_file(|name| match name {
                "XDG_STATE_HOME" => Some(state.into()),
                "HOME" => Some(home.into()),
                _ => None,
            })
        };
        assert_eq!(file("/s", "/h"), Some("/s/rushhour/window.json".into()));
        assert_eq!(file("", "/h"), Some("/h/.local/state/rushhour/window.json".into()));
        assert_eq!(file("here", "/h"), file("", "/h"));
        assert_eq!(file("", ""), None);
    }
}
