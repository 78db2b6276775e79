//! `rushhour run`: runs a scenario and shows what became of its requests.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::interrupt::Interrupt;
use super::progress::{Progress, Stopwatch};
use super::report::{DATA, DOCUMENT};
use super::results::{prepared, write, write_plots};
use super::{Failure, output, scenario_file};
use crate::analysis::{self, Finding};
use crate::files::{Content, OutputDirectory};
use crate::format::numbers::{count, time};
use crate::metrics::result::RunResult;
use crate::metrics::summary::Summary;
use crate::report::json::Document;
use crate::report::page::{self, ReportInput};
use crate::report::{csv, html, terminal};
use crate::scenario::{Loaded, Scenario};
use crate::simulation::{RunOptions, Simulation};

/// Events between two looks at Ctrl-C and the progress line: a twentieth of a second or so.
const SLICE: u64 = 250_000;

/// Names of files beside those of the report.
const SUMMARY: &str = "summary.json";
const SERIES: &str = "series.csv";
const REQUESTS: &str = "requests.csv";

const EXAMPLES: &str = "\
Examples:
  rushhour run                                    the built-in scenario: load-aware routing
  rushhour run shop.ron --seed 7                  the same with other random numbers
  rushhour run shop.ron --set nodes.web.count=4   the same with another value
  rushhour run shop.ron --out results --requests  keep report, summary, series, and every request
  rushhour run shop.ron --format json | jq .latency.all.p99

DIR then holds report.html (open it in a browser), report.json (its data), summary.json, series.csv (the samples of the
probes) and, with --requests, requests.csv.";

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
    /// Write the report into this file: one HTML document that needs no network
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write each plot of the report into this directory as an SVG file
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
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
        let Loaded { scenario, document } = scenario_file::read(self.file.as_deref(), &self.set)?;
        let interrupt = Interrupt::listen();
        let places = Outputs::prepare(self)?;
        let stopwatch = Stopwatch::start();
        let result = self.run(&scenario, &interrupt, &stopwatch)?;
        let summary = Summary::of(&result).with_wall_seconds(stopwatch.seconds());
        // A single line of text tells none: many runs in a row need not draw them.
        let told = places.is_any() || self.format == Format::Json || !self.quiet;
        let findings = if told { analysis::findings(&scenario, &result) } else { Vec::new() };
        if places.is_any() {
            let account = ReportInput {
                scenario: &scenario,
                text: document.text(),
                replaced: &self.set,
                commands: &[self.command()],
                result: &result,
                summary: &summary,
                findings: &findings,
                leading: analysis::LEADING,
            };
            self.write(&places, &account, &interrupt)?;
        }
        self.print(&summary, &result, &findings)
    }

    /// The command that makes this run again.
    fn command(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        let mut words = vec!["rushhour".to_owned(), "run".to_owned()];
        words.extend(file);
        words.extend(self.seed.iter().flat_map(|seed| ["--seed".to_owned(), seed.to_string()]));
        if self.replication > 0 {
            words.extend(["--replication".to_owned(), self.replication.to_string()]);
        }
        words.extend(self.set.iter().flat_map(|set| ["--set".to_owned(), set.clone()]));
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
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
        places: &Outputs,
        account: &ReportInput<'_>,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        let page = page::as_kept(&page::build(account))
            .map_err(|error| Failure::Failed(format!("the report would not be readable: {error}\n")))?;
        let document = Document::of(account.summary, account.findings, usize::MAX);
        let guarded = |write: &dyn Fn(&mut dyn Write) -> io::Result<()>, out: &mut dyn Write| {
            write(&mut interrupt.guard(out))
        };
        let report = |out: &mut dyn Write| guarded(&|out| html::write(&page, out), out);
        let data = |out: &mut dyn Write| guarded(&|out| page::write(&page, out), out);
        let figures = |out: &mut dyn Write| guarded(&|out| document.pretty(out), out);
        let series = |out: &mut dyn Write| guarded(&|out| csv::series(account.result, out), out);
        let requests = |out: &mut dyn Write| guarded(&|out| csv::requests(account.result, out), out);
        if let Some(directory) = &places.out {
            let mut files: Vec<(&str, Content<'_>)> =
                vec![(DOCUMENT, &report), (DATA, &data), (SUMMARY, &figures), (SERIES, &series)];
            if self.requests {
                files.push((REQUESTS, &requests));
            }
            write(directory, &files)?;
            let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
            self.say(&format!("wrote {} to {}\n", names.join(", "), directory.path().display()));
        }
        if let Some((directory, name)) = &places.report {
            write(directory, &[(name, &report)])?;
            self.say(&format!("wrote {}\n", directory.path().join(name).display()));
        }
        match &places.plots {
            Some(directory) => write_plots(&page, directory, self.quiet),
            None => Ok(()),
        }
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            output::say(text);
        }
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

/// Where results go.
struct Outputs {
    out: Option<OutputDirectory>,
    report: Option<(OutputDirectory, String)>,
    plots: Option<OutputDirectory>,
}

impl Outputs {
    /// Tries all of them out before anything is run.
    fn prepare(arguments: &RunArguments) -> Result<Self, Failure> {
        let report = arguments.report.as_deref().map(|file| {
            let name = file.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|_| !file.is_dir()) else {
                let what = format!("{}: this is no name of a file", file.display());
                return Err(Failure::refused(&what, "give `--report` a file like `report.html`"));
            };
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            let directory = prepared(parent.unwrap_or(Path::new(".")), "--report")?;
            Ok((directory, name.to_owned()))
        });
        let places = Self {
            out: arguments.out.as_deref().map(|path| prepared(path, "--out")).transpose()?,
            report: report.transpose()?,
            plots: arguments.plots.as_deref().map(|path| prepared(path, "--plots")).transpose()?,
        };
        places.refuse_to_overwrite()?;
        Ok(places)
    }

    /// The report must not take the name of another file of the same run.
    fn refuse_to_overwrite(&self) -> Result<(), Failure> {
        let Some((directory, name)) = &self.report else { return Ok(()) };
        let same = |other: &Option<OutputDirectory>| {
            let real = |directory: &OutputDirectory| directory.path().canonicalize().ok();
            other.as_ref().is_some_and(|other| real(other).is_some() && real(other) == real(directory))
        };
        let is_data = [DATA, SUMMARY, SERIES, REQUESTS].contains(&name.as_str());
        let is_plot = Path::new(name).extension().is_some_and(|extension| extension == "svg");
        if (same(&self.out) && is_data) || (same(&self.plots) && is_plot) {
            let what =
                format!("{}: another file of this run has this name", directory.path().join(name).display());
            return Err(Failure::refused(&what, "give `--report` a file like `report.html`"));
        }
        Ok(())
    }

    const fn is_any(&self) -> bool {
        self.out.is_some() || self.report.is_some() || self.plots.is_some()
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
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
