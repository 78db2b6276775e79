//! The command line: its arguments, and one file per subcommand.
//!
//! Standard output carries the result and nothing else (`output`). Every error is a [`Failure`], which is printed to
//! standard error and determines the exit status. `interrupt` handles Ctrl-C, `progress` is the progress line of a run.

mod check;
mod failure;
mod format;
mod import;
mod interrupt;
mod numbers;
mod output;
mod progress;
mod report;
mod results;
mod run;
mod scenario_file;
#[cfg(feature = "viz")]
mod view;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

pub use check::CheckArguments;
pub use failure::{Failure, exit_code};
pub use format::FormatArguments;
pub use import::ImportArguments;
pub use report::ReportArguments;
pub use run::RunArguments;
#[cfg(feature = "viz")]
pub use view::ViewArguments;

const EXAMPLES: &str = "\
Examples:
  rushhour                              run the built-in scenario: load-aware routing
  rushhour run shop.ron                 run a scenario and print a summary; `run` may be left out
  rushhour run shop.ron --out results   ... and write the report and the data to a directory
  rushhour report results               create the report of a run again from its data
  rushhour check *.ron                  report every error without a run
  rushhour format *.ron                 lay out scenarios in the canonical way
  rushhour import asyncflow system.yml  convert a file of another simulator

Exit status: 0 success, 1 the run failed or was interrupted, 2 the arguments or the
scenario are invalid.";

/// Simulate the flow of requests through a distributed system, in virtual time.
///
/// A scenario is a file that describes sources of requests, clients, load balancers, rate limiters, servers, and the
/// links between them. A run reports the outcomes of the requests, their latency, queues, utilization, and findings.
#[derive(Clone, Debug, Parser)]
#[command(name = "rushhour", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// A subcommand with its arguments.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run a scenario and print a summary: findings, outcomes, latency
    Run(RunArguments),
    /// Watch the requests of a run in a window, or write pictures or a film
    #[cfg(feature = "viz")]
    View(ViewArguments),
    /// Report every error in scenarios without running them
    Check(CheckArguments),
    /// Create the report of a run again from its data
    Report(ReportArguments),
    /// Lay out scenario files in the canonical way
    Format(FormatArguments),
    /// Convert the file of another simulator to a scenario
    Import(ImportArguments),
}

impl Arguments {
    /// Parses the arguments of this process. Exits if they are invalid or request help.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self::parse_from(with_subcommand(std::env::args_os().collect()))
    }

    /// The subcommand. Without one, the built-in scenario runs: in a window if the program was built with one.
    #[must_use]
    pub fn command(self) -> Command {
        self.command.unwrap_or_else(default_command)
    }
}

/// Inserts `run` into arguments that begin with an option or a file instead of a subcommand.
fn with_subcommand(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_of_run = arguments.get(1).and_then(|first| first.to_str()).is_some_and(|first| {
        let is_general = ["-h", "--help", "-V", "--version"].contains(&first);
        // A misspelled subcommand is left to the parser, which suggests the right one.
        let is_file = first == "-" || first.contains(['.', std::path::MAIN_SEPARATOR]);
        !is_general && (is_file || first.starts_with('-'))
    });
    if is_of_run {
        arguments.insert(1, "run".into());
    }
    arguments
}

#[cfg(not(feature = "viz"))]
fn default_command() -> Command {
    Command::Run(RunArguments::default())
}

#[cfg(feature = "viz")]
fn default_command() -> Command {
    match Arguments::parse_from(["rushhour", "view"]).command {
        Some(command) => command,
        None => Command::Run(RunArguments::default()),
    }
}

impl Command {
    /// Executes the subcommand.
    ///
    /// # Errors
    /// If its input is invalid, or its result cannot be computed or written.
    pub fn execute(&self) -> Result<(), Failure> {
        match self {
            Self::Run(arguments) => arguments.execute(),
            Self::Check(arguments) => arguments.execute(),
            #[cfg(feature = "viz")]
            Self::View(arguments) => arguments.execute(),
            Self::Report(arguments) => arguments.execute(),
            Self::Format(arguments) => arguments.execute(),
            Self::Import(arguments) => arguments.execute(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_of_the_arguments_is_valid() {
        <Arguments as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn arguments_of_run_need_no_subcommand() {
        let parsed = |arguments: &str| {
            let words = std::iter::once("rushhour").chain(arguments.split_whitespace()).map(OsString::from);
            format!(
                "{:?}",
                Arguments::try_parse_from(with_subcommand(words.collect())).map(Arguments::command)
            )
        };
        for arguments in ["--seed 2", "shop.ron --seed 2", "./shop --quiet", "- --set seed=3"] {
            assert_eq!(parsed(arguments), parsed(&format!("run {arguments}")), "{arguments}");
            assert!(parsed(arguments).starts_with("Ok(Run("), "{arguments}");
        }
        assert!(parsed("chek shop.ron").contains("check"), "{}", parsed("chek shop.ron"));
        assert!(parsed("--help").starts_with("Err(") && parsed("--version").starts_with("Err("));
    }

    #[test]
    fn without_a_subcommand_the_built_in_scenario_runs() {
        let bare = Arguments::parse_from(["rushhour"]).command();
        let verb = if cfg!(feature = "viz") { "view" } else { "run" };
        let explicit = Arguments::parse_from(["rushhour", verb]).command();
        assert_eq!(format!("{bare:?}"), format!("{explicit:?}"));
    }
}
