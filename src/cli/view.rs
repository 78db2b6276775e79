//! `rushhour view`: watch the requests of a run flow, in a window, or as pictures without one.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, output, scenario_file};
use crate::report::files::OutputDirectory;
use crate::viz::bench::bench;
use crate::viz::{Options, Origin, view};

const EXAMPLES: &str = "\
Examples:
  rushhour view                                  the built-in scenario
  rushhour view shop.ron                         a scenario of your own
  rushhour view shop.ron --frames out --at 12,15,20   pictures of three moments, without a window

Keys: Space plays and pauses, arrows step and change the speed, ? shows all of them.";

/// What is to be watched.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
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
    /// Moments of virtual time, in seconds, that pictures are taken of
    #[arg(
        long,
        value_name = "SECONDS",
        value_delimiter = ',',
        requires = "frames",
        default_value = "12,15,20"
    )]
    at: Vec<f64>,
    /// Width and height in pixels
    #[arg(long, value_name = "WxH", default_value = "1280x800", value_parser = size)]
    size: (u32, u32),
    /// The light theme
    #[arg(long)]
    light: bool,
    /// Measure how fast it paints some 1,000, 10,000 and 100,000 requests on their way, without a window, and print tables
    #[arg(long, conflicts_with_all = ["file", "against", "against_set", "seed", "set", "frames", "light"])]
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

impl ViewArguments {
    /// Opens the window, or writes the pictures.
    ///
    /// # Errors
    /// If there is no scenario, or nothing to paint on.
    pub fn execute(&self) -> Result<(), Failure> {
        if self.bench {
            let measured = bench(self.size).map_err(|error| Failure::Failed(format!("{error}\n")))?;
            return output::print(&measured.tables());
        }
        if self.frames.is_none() && !has_display() {
            let what = "there is no display to open a window on";
            return Err(Failure::refused(
                what,
                "set DISPLAY, or write pictures with `rushhour view --frames DIR`",
            ));
        }
        let frames = self.frames.as_deref().map(|path| {
            let directory = super::results::prepared(path, "--frames")?;
            Ok::<_, Failure>((directory, self.at.clone()))
        });
        let frames: Option<(OutputDirectory, Vec<f64>)> = frames.transpose()?;
        let options = Options {
            origin: self.origin(self.file.as_deref(), &self.set)?,
            against: self.against()?,
            frames: frames.as_ref().map(|(directory, at)| (directory.path().to_owned(), at.clone())),
            size: self.size,
            light: self.light,
        };
        view(options).map_err(|error| Failure::Failed(format!("{error}\n")))
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
