//! `rushhour run`: runs a scenario, prints a summary, and writes the files that were requested.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::interrupt::Interrupt;
use super::numbers::{few, number, positive};
use super::progress::{Progress, Stopwatch};
use super::report::{DATA, DOCUMENT};
use super::results::{prepared, write, write_plots};
use super::{Failure, output, scenario_file};
use crate::analysis::{self, Finding, FindingKind};
use crate::files::{Content, OutputDirectory};
use crate::format::numbers::{count, time};
use crate::format::{findings, stopped};
use crate::metrics::result::{RunResult, Stopped};
use crate::metrics::summary::Summary;
use crate::model::source::arrivals::trace::TraceError;
use crate::report::json::Document;
use crate::report::page::{self, ReportInput};
use crate::report::{csv, html, terminal};
use crate::scenario::{Loaded, Scenario};
use crate::simulation::{LogLevel, RunError, RunOptions, Simulation};

/// Events between two polls of Ctrl-C and updates of the progress line: about a twentieth of a second.
const EVENTS_PER_POLL: u64 = 250_000;

// Names of the files beside those of the report.
const SUMMARY: &str = "summary.json";
const SERIES: &str = "series.csv";
const REQUESTS: &str = "requests.csv";

const EXAMPLES: &str = "\
Examples:
  rushhour run                                    the built-in scenario: load-aware routing
  rushhour run shop.ron --seed 7                  your scenario, with another seed
  rushhour run shop.ron --set nodes.web.count=4   ... with another value
  rushhour run shop.ron --out results --requests  ... and write report, data and a record of every request
  rushhour run shop.ron --format json | jq .latency.all.p99

--out DIR writes report.html (open it in a browser), report.json (its data), summary.json, series.csv (the samples of
the probes) and, with --requests, requests.csv (one row per request, with --calls also one per call).";

/// The arguments of `rushhour run`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArguments {
    /// Scenario file; `-` for standard input. Without it, the built-in scenario runs
    file: Option<PathBuf>,
    /// Seed of all random numbers, instead of the one in the scenario
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Number of the replication: each has its own random numbers for the same seed
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number, allow_negative_numbers = true)]
    replication: u64,
    /// Replace a value of the scenario: `nodes.web.count=4`, `sources.users.arrivals.rate=20/s` (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Write report, summary and series into this directory (created if necessary)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the report to this file: one HTML document that works offline
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write each plot of the report as an SVG file into this directory (created if necessary)
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Also write a record of every request to requests.csv (memory grows with the number of requests)
    #[arg(long, requires = "out")]
    requests: bool,
    /// With --requests: also write a record of every call that a node made because of a request
    #[arg(long, requires = "requests")]
    calls: bool,
    /// Stop the run, with an error, when this number of requests are in flight [default: 40 million, which 8 GiB of
    /// memory hold, or fewer if they pass more than two nodes]
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    max_in_flight: Option<u64>,
    /// Maximum number of findings to print, most important first [default: 5 as text, all as JSON]
    #[arg(long, value_name = "N", value_parser = few, allow_negative_numbers = true)]
    findings: Option<usize>,
    /// Format of the summary on standard output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print the summary on a single line, and no progress
    #[arg(long, short)]
    quiet: bool,
}

/// The format of a summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people
    #[default]
    Text,
    /// JSON for programs
    Json,
}

impl RunArguments {
    /// Runs the scenario, writes the requested files, and prints the summary.
    ///
    /// # Errors
    /// If the scenario is invalid or cannot be read, if a file cannot be written, if the run was interrupted, or if too
    /// many requests were in flight. In the last case, the files are written first.
    pub fn execute(&self) -> Result<(), Failure> {
        let Loaded { scenario, document, .. } = scenario_file::read(self.file.as_deref(), &self.set)?;
        let interrupt = Interrupt::listen();
        let outputs = Outputs::prepare(self)?;
        let stopwatch = Stopwatch::start();
        let result = self.run(&scenario, &interrupt, &stopwatch)?;
        let summary = Summary::of(&result).with_wall_seconds(stopwatch.seconds());
        // A single line of text shows no findings, so that many runs in a row need not compute them.
        let needs_findings =
            outputs.is_any() || self.format == Format::Json || !self.quiet || result.stopped.is_some();
        let findings = if needs_findings { analysis::findings(&scenario, &result) } else { Vec::new() };
        if outputs.is_any() {
            let input = ReportInput {
                scenario: &scenario,
                text: document.text(),
                replaced: &self.set,
                commands: &[self.command()],
                result: &result,
                summary: &summary,
                findings: &findings,
                leading: analysis::DEFAULT_FINDINGS,
            };
            self.write(&outputs, &input, &interrupt)?;
        }
        match &result.stopped {
            None => self.print(&summary, &result, &findings),
            Some(stopped) => Err(too_many_in_flight(stopped, &findings)),
        }
    }

    /// The command that repeats this run.
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
        let options = RunOptions {
            seed: self.seed,
            replication: self.replication,
            log: match (self.requests, self.calls) {
                (false, _) => LogLevel::Sample,
                (true, false) => LogLevel::Requests,
                (true, true) => LogLevel::Calls,
            },
            max_in_flight: self.max_in_flight,
        };
        let mut simulation = Simulation::new(scenario, options).map_err(|problems| {
            Failure::InvalidInput(problems.iter().map(|problem| format!("{problem}\n")).collect())
        })?;
        let end = simulation.end();
        let mut progress = Progress::of(end, stopwatch, self.quiet);
        while !simulation.advance(end, EVENTS_PER_POLL) {
            if interrupt.is_requested() {
                drop(progress);
                return Err(interrupted(&simulation));
            }
            if let Some(error) = simulation.failure() {
                drop(progress);
                return Err(unreadable(&error));
            }
            progress.update(simulation.now(), simulation.events());
        }
        simulation.finish().map_err(|error| match error {
            RunError::Input(error) => unreadable(&error),
            RunError::Scenario(_) | RunError::Conservation(_) | RunError::Stopped(_) => {
                Failure::Failed(format!("{error}\n"))
            }
        })
    }

    fn write(
        &self,
        outputs: &Outputs,
        input: &ReportInput<'_>,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        let page = page::as_kept(&page::build(input))
            .map_err(|error| Failure::Failed(format!("the report cannot be read back, a bug: {error}\n")))?;
        let document = Document::of(input.summary, input.findings, usize::MAX);
        let guarded = |write: &dyn Fn(&mut dyn Write) -> io::Result<()>, out: &mut dyn Write| {
            write(&mut interrupt.guard(out))
        };
        let report = |out: &mut dyn Write| guarded(&|out| html::write(&page, out), out);
        let data = |out: &mut dyn Write| guarded(&|out| page::write(&page, out), out);
        let summary = |out: &mut dyn Write| guarded(&|out| document.pretty(out), out);
        let series = |out: &mut dyn Write| guarded(&|out| csv::series(input.result, out), out);
        let requests = |out: &mut dyn Write| guarded(&|out| csv::requests(input.result, out), out);
        if let Some(directory) = &outputs.out {
            let mut files: Vec<(&str, Content<'_>)> =
                vec![(DOCUMENT, &report), (DATA, &data), (SUMMARY, &summary), (SERIES, &series)];
            if self.requests {
                files.push((REQUESTS, &requests));
            }
            write(directory, &files)?;
            if !self.requests {
                directory.remove_outdated(REQUESTS, csv::REQUESTS_HEADER);
            }
            let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
            self.eprint(&format!("wrote {} to {}\n", names.join(", "), directory.path().display()));
        }
        if let Some((directory, name)) = &outputs.report {
            write(directory, &[(name, &report)])?;
            self.eprint(&format!("wrote {}\n", directory.path().join(name).display()));
        }
        match &outputs.plots {
            Some(directory) => write_plots(&page, directory, self.quiet),
            None => Ok(()),
        }
    }

    fn eprint(&self, text: &str) {
        if !self.quiet {
            output::eprint(text);
        }
    }

    fn print(&self, summary: &Summary, result: &RunResult, findings: &[Finding]) -> Result<(), Failure> {
        let document = || Document::of(summary, findings, self.findings.unwrap_or(usize::MAX));
        let leading = self.findings.unwrap_or(analysis::DEFAULT_FINDINGS);
        match (self.format, self.quiet) {
            (Format::Text, false) => output::print(&terminal::summary(summary, result, findings, leading)),
            (Format::Text, true) => output::print(&terminal::one_line(summary, io::stdout().is_terminal())),
            (Format::Json, false) => output::print_plain(|out| document().pretty(out)),
            (Format::Json, true) => output::print_plain(|out| document().one_line(out)),
        }
    }
}

/// The files and directories that results are written to.
struct Outputs {
    out: Option<OutputDirectory>,
    report: Option<(OutputDirectory, String)>,
    plots: Option<OutputDirectory>,
}

impl Outputs {
    /// Creates the directories and checks that they can be written to, before the run.
    fn prepare(arguments: &RunArguments) -> Result<Self, Failure> {
        let report = arguments.report.as_deref().map(|file| {
            let name = file.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|_| !file.is_dir()) else {
                let message = format!("{}: this is not the name of a file", file.display());
                return Err(Failure::invalid_input(&message, "give `--report` a file like `report.html`"));
            };
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            let directory = prepared(parent.unwrap_or(Path::new(".")), "--report")?;
            Ok((directory, name.to_owned()))
        });
        let outputs = Self {
            out: arguments.out.as_deref().map(|path| prepared(path, "--out")).transpose()?,
            report: report.transpose()?,
            plots: arguments.plots.as_deref().map(|path| prepared(path, "--plots")).transpose()?,
        };
        outputs.check_for_duplicates()?;
        outputs.check_replaced(arguments)?;
        Ok(outputs)
    }

    /// Checks that the files to write do not replace the scenario, a link or a special file.
    fn check_replaced(&self, arguments: &RunArguments) -> Result<(), Failure> {
        let in_out =
            [DATA, DOCUMENT, SUMMARY, SERIES].into_iter().chain(arguments.requests.then_some(REQUESTS));
        let in_out = self
            .out
            .iter()
            .flat_map(|directory| in_out.clone().map(|name| ("--out", directory.path().join(name))));
        let report = self.report.iter().map(|(directory, name)| ("--report", directory.path().join(name)));
        let scenario = arguments.file.as_deref();
        for (option, path) in in_out.chain(report) {
            let hint = match option {
                "--out" => "give `--out` a directory of its own",
                _ => "give `--report` a file like `report.html`",
            };
            let special = crate::files::special(&path);
            let is_scenario = || scenario.is_some_and(|scenario| crate::files::is_same(scenario, &path));
            let what = special.or_else(|| is_scenario().then_some("the scenario"));
            if let Some(what) = what {
                let message = format!("{}: this is {what}, which would be replaced", path.display());
                return Err(Failure::invalid_input(&message, hint));
            }
        }
        Ok(())
    }

    /// Checks that the report does not have the name of another file of the same run.
    fn check_for_duplicates(&self) -> Result<(), Failure> {
        let Some((directory, name)) = &self.report else { return Ok(()) };
        let same = |other: &Option<OutputDirectory>| {
            let canonical = |directory: &OutputDirectory| directory.path().canonicalize().ok();
            other
                .as_ref()
                .is_some_and(|other| canonical(other).is_some() && canonical(other) == canonical(directory))
        };
        let is_data = [DATA, SUMMARY, SERIES, REQUESTS].contains(&name.as_str());
        let is_plot = Path::new(name).extension().is_some_and(|extension| extension == "svg");
        if (same(&self.out) && is_data) || (same(&self.plots) && is_plot) {
            let path = directory.path().join(name);
            let message = format!("{}: another file of this run has this name", path.display());
            return Err(Failure::invalid_input(&message, "give `--report` a file like `report.html`"));
        }
        Ok(())
    }

    const fn is_any(&self) -> bool {
        self.out.is_some() || self.report.is_some() || self.plots.is_some()
    }
}

/// A word, quoted for a shell if necessary.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The error of a run that was stopped: where the requests are, and the finding that says since when they pile up.
fn too_many_in_flight(stopped: &Stopped, findings: &[Finding]) -> Failure {
    let overload = findings.iter().find(|finding| finding.kind() == FindingKind::Overload);
    let cause = overload.map(|finding| format!(" {}", findings::text(finding))).unwrap_or_default();
    let hint = "offer fewer requests, limit the queues, for example with `Fifo(capacity: 1000)`, or raise \
                --max-in-flight; --out DIR keeps the results so far";
    Failure::failed(&format!("{}{cause}", stopped::text(stopped)), hint)
}

/// The error of a run whose trace could not be read to its end.
fn unreadable(error: &TraceError) -> Failure {
    let place = error.excerpt.as_ref().map(|excerpt| format!("{}: ", excerpt.place())).unwrap_or_default();
    Failure::failed(&format!("{place}{}", error.message), &error.hint)
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
