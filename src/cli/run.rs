//! `rushhour run`: runs a scenario and shows what became of its requests.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::interrupt::Interrupt;
use super::progress::{Progress, Stopwatch};
use super::{Failure, output, scenario_file};
use crate::analysis::{self, Finding};
use crate::metrics::result::RunResult;
use crate::metrics::summary::Summary;
use crate::report::figures::{count, time};
use crate::report::files::OutputDirectory;
use crate::report::json::Document;
use crate::report::{csv, terminal};
use crate::scenario::Scenario;
use crate::simulation::{RunOptions, Simulation};

/// Events between two looks at Ctrl-C and the progress line: a twentieth of a second or so.
const SLICE: u64 = 250_000;

const EXAMPLES: &str = "\
Examples:
  rushhour run                                    the built-in scenario: load-aware routing
  rushhour run shop.ron --seed 7                  the same with other random numbers
  rushhour run shop.ron --set nodes.web.count=4   the same with another value
  rushhour run shop.ron --out results --requests  keep summary, series, and every request
  rushhour run shop.ron --format json | jq .latency.all.p99

DIR then holds summary.json, series.csv (the samples of the probes) and, with --requests, requests.csv.";

/// What is to be run, and how its result is wanted.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArguments {
    /// Scenario to run; `-` reads standard input, nothing runs the built-in one
    file: Option<PathBuf>,
    /// Seed of all randomness, instead of the scenario's own
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Number of the replication: each draws other random numbers from the same seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    replication: u64,
    /// Replace a value of the scenario: `nodes.web.count=4`, `sources.users.arrivals.rate=20/s` (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Write the result into this directory too, which is made if need be
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep a record of every request, in requests.csv (memory grows with their number)
    #[arg(long, requires = "out")]
    requests: bool,
    /// Show at most this many findings, the most important first [default: 5 as text, all as JSON]
    #[arg(long, value_name = "N")]
    findings: Option<usize>,
    /// What is printed on standard output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print a single line, and no progress
    #[arg(long, short)]
    quiet: bool,
}

/// How a summary is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

impl RunArguments {
    /// Runs the scenario, writes the files that were asked for, and prints the summary.
    ///
    /// # Errors
    /// If there is no scenario, no directory to write to, or no result.
    pub fn execute(&self) -> Result<(), Failure> {
        let scenario = scenario_file::read(self.file.as_deref(), &self.set)?.scenario;
        let interrupt = Interrupt::listen();
        let directory = self.out.as_deref().map(prepared).transpose()?;
        let stopwatch = Stopwatch::start();
        let result = self.run(&scenario, &interrupt, &stopwatch)?;
        let summary = Summary::of(&result).with_wall_seconds(stopwatch.seconds());
        let findings = analysis::findings(&scenario, &result);
        if let Some(directory) = directory {
            self.write(&directory, &Document::of(&summary, &findings, usize::MAX), &result, &interrupt)?;
        }
        self.print(&summary, &result, &findings)
    }

    fn run(
        &self,
        scenario: &Scenario,
        interrupt: &Interrupt,
        stopwatch: &Stopwatch,
    ) -> Result<RunResult, Failure> {
        let options =
            RunOptions { seed: self.seed, replication: self.replication, log_requests: self.requests };
        let mut simulation = Simulation::new(scenario, options).map_err(|problems| {
            Failure::Refused(problems.iter().map(|problem| format!("{problem}\n")).collect())
        })?;
        let end = simulation.end();
        let mut progress = Progress::of(end, stopwatch, self.quiet);
        while !simulation.advance(end, SLICE) {
            if interrupt.is_asked() {
                drop(progress);
                return Err(interrupted(&simulation));
            }
            progress.tell(simulation.now(), simulation.events());
        }
        simulation.finish().map_err(|error| Failure::Failed(format!("{error}\n")))
    }

    fn write(
        &self,
        directory: &OutputDirectory,
        document: &Document<'_>,
        result: &RunResult,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        let guarded = |write: &dyn Fn(&mut dyn Write) -> io::Result<()>, out: &mut dyn Write| {
            write(&mut interrupt.guard(out))
        };
        let figures = |out: &mut dyn Write| guarded(&|out| document.pretty(out), out);
        let series = |out: &mut dyn Write| guarded(&|out| csv::series(result, out), out);
        let requests = |out: &mut dyn Write| guarded(&|out| csv::requests(result, out), out);
        let mut files: Vec<(&str, crate::report::files::Content<'_>)> =
            vec![("summary.json", &figures), ("series.csv", &series)];
        if self.requests {
            files.push(("requests.csv", &requests));
        }
        directory.write(&files).map_err(|(path, error)| {
            let what = format!("{}: it could not be written: {error}", path.display());
            Failure::failed(&what, "nothing was left behind: try again, or choose another directory")
        })?;
        if !self.quiet {
            let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
            output::say(&format!("wrote {} to {}\n", names.join(", "), directory.path().display()));
        }
        Ok(())
    }

    fn print(&self, summary: &Summary, result: &RunResult, findings: &[Finding]) -> Result<(), Failure> {
        let document = || Document::of(summary, findings, self.findings.unwrap_or(usize::MAX));
        let leading = self.findings.unwrap_or(analysis::LEADING);
        match (self.format, self.quiet) {
            (Format::Text, false) => output::print(&terminal::summary(summary, result, findings, leading)),
            (Format::Text, true) => output::print(&terminal::one_line(summary)),
            (Format::Json, false) => output::print_plain(|out| document().pretty(out)),
            (Format::Json, true) => output::print_plain(|out| document().one_line(out)),
        }
    }
}

fn prepared(path: &Path) -> Result<OutputDirectory, Failure> {
    OutputDirectory::prepare(path).map_err(|error| {
        let what = format!("{}: no files can be written there: {error}", path.display());
        Failure::refused(&what, "give `--out` a directory that you may write to")
    })
}

fn interrupted(simulation: &Simulation) -> Failure {
    let (now, end) = (simulation.now().as_seconds(), simulation.end().as_seconds());
    Failure::Failed(format!(
        "interrupted at {} of {} of virtual time, after {} events: there is no result\n",
        time(Some(now)),
        time(Some(end)),
        count(simulation.events())
    ))
}
