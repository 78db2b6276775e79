//! `rushhour view`: watch the requests of a run flow, in a window, or as pictures or a film without one.

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

/// Width and height of pictures, if nothing else is asked for.
const SIZE: (u32, u32) = (1280, 800);
/// Pictures that a range may mean.
const MAX_MOMENTS: f64 = 100_000.0;

const EXAMPLES: &str = "\
Examples:
  rushhour view                                  the built-in scenario
  rushhour view shop.ron                         a scenario of your own
  rushhour view shop.ron --frames out --at 12,15,20   pictures of three moments, without a window
  rushhour view shop.ron --frames out --at 12..20/0.5   one every half second
  rushhour view shop.ron --film shop.gif --from 10 --to 20   a film, without a window

Keys: Space plays and pauses, arrows step and change the speed, P keeps a picture, R begins and ends a film, ? shows all
of them.";

/// What is to be watched.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("made").args(["frames", "film"]))]
pub struct ViewArguments {
    /// Scenario to watch; `-` reads standard input, nothing shows the built-in one
    file: Option<PathBuf>,
    /// Another scenario that is watched beside it, in step
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Replace a value of that other scenario (repeatable); without `--against` it is the same one
    #[arg(long, value_name = "PATH=VALUE")]
    against_set: Vec<String>,
    /// Seed of all randomness, instead of the scenario's own
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Replace a value of the scenario (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Write pictures into this directory instead of opening a window
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,
    /// Moments of virtual time, in seconds, that pictures are taken of; 12..20/0.5 is one every half second
    #[arg(
        long,
        value_name = "SECONDS",
        value_delimiter = ',',
        requires = "frames",
        default_value = "12,15,20",
        value_parser = moments
    )]
    at: Vec<Moments>,
    /// Make a film instead of opening a window: a file that ends in .gif or .mp4 (needs ffmpeg)
    #[arg(long, value_name = "FILE")]
    film: Option<PathBuf>,
    /// When the film begins, in seconds of virtual time
    #[arg(long, value_name = "SECONDS", requires = "film", default_value = "0", value_parser = seconds)]
    from: f64,
    /// When the film ends, in seconds of virtual time [default: the end of the run]
    #[arg(long, value_name = "SECONDS", requires = "film", value_parser = seconds)]
    to: Option<f64>,
    /// Virtual seconds that a second of the film shows; one of the speeds of the window
    #[arg(long, value_name = "X", requires = "film", default_value = "1", value_parser = speed)]
    speed: f64,
    /// Pictures that a second of the film has [default: 30, or 25 in a GIF]
    #[arg(long, value_name = "N", requires = "film", value_parser = clap::value_parser!(u32).range(1..=120))]
    fps: Option<u32>,
    /// No window is wanted, which --frames and --film say too
    #[arg(long, requires = "made")]
    headless: bool,
    /// Width and height in pixels [default: as the window was left, 1280x800 at first and for pictures]
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(u32, u32)>,
    /// The light theme
    #[arg(long)]
    light: bool,
    /// Measure how fast it paints some 1,000, 10,000 and 100,000 requests on their way, without a window, and print tables
    #[arg(long, conflicts_with_all = ["file", "against", "against_set", "seed", "set", "made", "light"])]
    bench: bool,
}

/// `1280x800`.
fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    parsed
        .filter(|(width, height)| (320..=8_192).contains(width) && (240..=8_192).contains(height))
        .ok_or_else(|| "give width and height like 1280x800, from 320x240 to 8192x8192".to_owned())
}

/// Moments of virtual time, in seconds.
#[derive(Clone, Debug, PartialEq)]
struct Moments(Vec<f64>);

/// `12`, or `12..20/0.5`.
fn moments(text: &str) -> Result<Moments, String> {
    let Some((from, rest)) = text.split_once("..") else { return Ok(Moments(vec![seconds(text)?])) };
    let Some((to, step)) = rest.split_once('/') else {
        return Err("give a range with its step, like 12..20/0.5".to_owned());
    };
    let (from, to, step) = (seconds(from)?, seconds(to)?, seconds(step)?);
    let number = ((to - from) / step + 1e-9).floor();
    if !(0.0..MAX_MOMENTS).contains(&number) {
        return Err(format!("that is not between one and {MAX_MOMENTS} pictures"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was just compared")]
    let number = number as u32;
    Ok(Moments((0..=number).map(|at| f64::from(at).mul_add(step, from)).collect()))
}

fn seconds(text: &str) -> Result<f64, String> {
    let parsed = text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
    parsed.ok_or_else(|| "give seconds like 12.5".to_owned())
}

/// A speed at which the window can play too, so that it shows the film's.
fn speed(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|speed: &f64| speed.is_finite() && position_of(*speed).is_some());
    parsed.ok_or_else(|| {
        let known: Vec<_> = SPEEDS.iter().filter(|speed| speed.is_finite()).map(f64::to_string).collect();
        format!("give one of {}", known.join(", "))
    })
}

impl ViewArguments {
    /// Opens the window, or makes the pictures or the film.
    ///
    /// # Errors
    /// If there is no scenario, or nothing to paint on.
    pub fn execute(&self) -> Result<(), Failure> {
        if self.bench {
            let measured = bench(self.size.unwrap_or(SIZE));
            let measured = measured.map_err(|error| Failure::Failed(format!("{error}\n")))?;
            return output::print(&measured.tables());
        }
        let interrupt = Interrupt::listen();
        let origin = self.origin(self.file.as_deref(), &self.set)?;
        let against = self.against()?;
        let medium = match self.studio()? {
            Some(studio) => {
                // In a window one reads what is wrong with a scenario; there is no picture of it.
                for origin in std::iter::once(&origin).chain(&against) {
                    load(&origin.name, &origin.bytes, &origin.overrides)?;
                }
                Medium::OffscreenJob(studio)
            }
            None if has_display() => {
                Medium::Window { size: self.size, state: state_file(|name| std::env::var_os(name)) }
            }
            None => {
                let what = "there is no display to open a window on";
                let hint = "set DISPLAY, or write pictures with `rushhour view --frames DIR`";
                return Err(Failure::refused(what, hint));
            }
        };
        let made = self.made(&medium);
        let options = Options { origin, against, light: self.light, medium, interrupt: interrupt.flag() };
        view(options).map_err(|error| Failure::Failed(format!("{error}\n")))?;
        if let Some(made) = made {
            output::say(&made);
        }
        Ok(())
    }

    /// What is to be made without a window, if something is. The place for it is tried out.
    fn studio(&self) -> Result<Option<OffscreenJob>, Failure> {
        let size = self.size.unwrap_or(SIZE);
        if let Some(path) = &self.frames {
            let directory = super::results::prepared(path, "--frames")?;
            let wanted =
                OffscreenOutput::Stills(self.at.iter().flat_map(|moments| moments.0.clone()).collect());
            return Ok(Some(OffscreenJob { directory, wanted, size, told: tell }));
        }
        let Some(file) = &self.film else { return Ok(None) };
        let name = file.file_name().and_then(|name| name.to_str()).filter(|_| !file.is_dir());
        let (Some(name), Some(format)) = (name, Format::of(file)) else {
            let what = format!("{}: this is no film that can be made", file.display());
            return Err(Failure::refused(&what, "give `--film` a file that ends in .gif or .mp4"));
        };
        if !films_can_be_made() {
            let hint = "install ffmpeg, or do without: `--frames DIR --at 12..20/0.04` writes the pictures of a film";
            return Err(Failure::refused("a film needs ffmpeg, which is not there", hint));
        }
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let wanted = OffscreenOutput::Film {
            name: name.to_owned(),
            format,
            from: self.from,
            to: self.to,
            speed: position_of(self.speed).unwrap_or_default(),
            rate: self.fps.unwrap_or_else(|| format.usual_rate()),
        };
        let directory = super::results::prepared(parent.unwrap_or(Path::new(".")), "--film")?;
        Ok(Some(OffscreenJob { directory, wanted, size, told: tell }))
    }

    /// What is said when all is made.
    fn made(&self, medium: &Medium) -> Option<String> {
        let Medium::OffscreenJob(studio) = medium else { return None };
        let path = studio.directory.path();
        Some(match &studio.wanted {
            OffscreenOutput::Stills(moments) => {
                format!("wrote {} to {}\n", several(moments.len() as u64, "picture"), path.display())
            }
            OffscreenOutput::Film { .. } => format!("wrote {}\n", self.film.as_deref()?.display()),
        })
    }

    fn origin(&self, file: Option<&Path>, overrides: &[String]) -> Result<Origin, Failure> {
        let (name, bytes) = scenario_file::bytes_of(file)?;
        let path = file.filter(|path| path.as_os_str() != "-").map(Path::to_owned);
        Ok(Origin { name, bytes, overrides: overrides.to_vec(), seed: self.seed, path })
    }

    /// The other variant, if one is asked for.
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

/// Whether a window can be opened, as far as can be told.
fn has_display() -> bool {
    cfg!(not(all(unix, not(target_os = "macos"))))
        || std::env::var_os("DISPLAY").is_some_and(|name| !name.is_empty())
}

/// The line that tells how many pictures there are, where somebody sees it. It is wiped off after the last.
fn tell(done: usize, all: usize) {
    let mut out = io::stderr().lock();
    if out.is_terminal() {
        let line = if done < all { format!("{done} of {all} pictures") } else { String::new() };
        drop(write!(out, "\r{line:<40}\r").and_then(|()| out.flush()));
    }
}

/// The file in which it is remembered what the window was like, where the system keeps such things.
fn state_file(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // A relative path would mean another file in every directory.
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
    fn moments_are_single_ones_or_ranges() {
        assert_eq!(moments("12"), Ok(Moments(vec![12.0])));
        assert_eq!(moments("1..2/0.5"), Ok(Moments(vec![1.0, 1.5, 2.0])));
        assert_eq!(moments("12..20/0.04").expect("a range").0.len(), 201);
        for wrong in ["", "-1", "a", "1..2", "2..1/0.5", "1..2/0", "1..2/-1", "0..1/0.0000001", "nan", "inf"]
        {
            assert!(moments(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_film_has_a_speed_of_the_window() {
        assert_eq!(speed("0.25"), Ok(0.25));
        for wrong in ["inf", "3", "fast", "NaN"] {
            assert!(speed(wrong).expect_err("it is none").contains("0.25, 0.5, 1, 2"), "{wrong}");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn what_is_remembered_lies_where_such_things_lie() {
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
