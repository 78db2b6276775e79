//! The command line: what can be asked for, and how the program answers. One file a subcommand.
//!
//! Standard output is the result and nothing else (`output`). Everything that goes wrong is a [`Failure`], which says
//! itself on standard error and decides the exit status. What a run may be told from outside while it lasts is in
//! `interrupt`, what it tells in `progress`.

mod check;
mod failure;
mod interrupt;
mod output;
mod progress;
mod report;
mod results;
mod run;
mod scenario_file;
#[cfg(feature = "viz")]
mod view;

use clap::{Parser, Subcommand};

pub use check::CheckArguments;
pub use failure::{Failure, exit_code};
pub use report::ReportArguments;
pub use run::RunArguments;
#[cfg(feature = "viz")]
pub use view::ViewArguments;

const EXAMPLES: &str = "\
Examples:
  rushhour                              run the built-in scenario: load-aware routing
  rushhour run shop.ron                 run a scenario and see where requests wait
  rushhour run shop.ron --out results   ... and keep the summary and the series
  rushhour report results               draw the report of a run again from its data
  rushhour check *.ron                  find every mistake before anything is run

Exit status: 0 done, 1 the run failed, 2 the arguments or the scenario are wrong.";

/// Find out in virtual time what happens to a distributed system at rush hour.
///
/// A scenario says who sends requests, through which load balancers and links, to which servers. A run tells what becomes
/// of them: latency, queues, rejections, losses.
#[derive(Clone, Debug, Parser)]
#[command(name = "rushhour", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What can be asked for.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run a scenario and show what became of its requests
    Run(RunArguments),
    /// Watch the requests of a run flow, in a window
    #[cfg(feature = "viz")]
    View(ViewArguments),
    /// Find every mistake in scenarios without running them
    Check(CheckArguments),
    /// Draw the report of a run again from its data
    Report(ReportArguments),
}

impl Arguments {
    /// The arguments of this process. Ends it if they are wrong, or ask for help.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self::parse()
    }

    /// What is asked for; a run of the built-in scenario if nothing is, in a window where there is one.
    #[must_use]
    pub fn command(self) -> Command {
        self.command.unwrap_or_else(unasked)
    }
}

#[cfg(not(feature = "viz"))]
fn unasked() -> Command {
    Command::Run(RunArguments::default())
}

#[cfg(feature = "viz")]
fn unasked() -> Command {
    match Arguments::parse_from(["rushhour", "view"]).command {
        Some(command) => command,
        None => Command::Run(RunArguments::default()),
    }
}

impl Command {
    /// Does what is asked for.
    ///
    /// # Errors
    /// Whatever kept it from being done.
    pub fn execute(&self) -> Result<(), Failure> {
        match self {
            Self::Run(arguments) => arguments.execute(),
            Self::Check(arguments) => arguments.execute(),
            #[cfg(feature = "viz")]
            Self::View(arguments) => arguments.execute(),
            Self::Report(arguments) => arguments.execute(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        <Arguments as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn nothing_asked_for_is_a_run_of_the_built_in_scenario() {
        let bare = Arguments::parse_from(["rushhour"]).command();
        let verb = if cfg!(feature = "viz") { "view" } else { "run" };
        let asked = Arguments::parse_from(["rushhour", verb]).command();
        assert_eq!(format!("{bare:?}"), format!("{asked:?}"));
    }
}
