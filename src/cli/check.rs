//! `rushhour check`: finds every mistake in scenarios without running them.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, output, scenario_file};
use crate::format::columns::{GOOD, paint, shortened};
use crate::format::numbers::{set_time, several};
use crate::scenario::Scenario;

const EXAMPLES: &str = "\
Examples:
  rushhour check shop.ron
  rushhour check scenarios/*.ron
  rushhour check shop.ron --set nodes.web.count=100

Diagnostics go to standard error, with line, column and hint. Exit status: 0 if all scenarios are good, 2 otherwise.";

/// What is to be checked.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArguments {
    /// Scenarios to check; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Replace a value of each scenario first, as in `run`
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
}

impl CheckArguments {
    /// Complains of what is wrong and says what is good.
    ///
    /// # Errors
    /// If a scenario is not good, or cannot be read.
    pub fn execute(&self) -> Result<(), Failure> {
        let mut bad = 0;
        for file in &self.files {
            match scenario_file::read(Some(file), &self.set) {
                Ok(loaded) => {
                    let name = shortened(&file.display().to_string(), usize::MAX);
                    output::print(&format!(
                        "{name}: {}, {}\n",
                        paint(GOOD, "good"),
                        extent(&loaded.scenario)
                    ))?;
                }
                Err(Failure::Refused(text)) => {
                    if bad > 0 {
                        output::say("\n");
                    }
                    output::say(&text);
                    bad += 1;
                }
                Err(other) => return Err(other),
            }
        }
        match bad {
            0 => Ok(()),
            _ if self.files.len() == 1 => Err(Failure::Refused(String::new())),
            bad => Err(Failure::Refused(format!(
                "\n{bad} of {} cannot be run\n",
                several(self.files.len() as u64, "file")
            ))),
        }
    }
}

/// How much there is in a scenario: `2 sources, 7 nodes, 65 s of virtual time`.
fn extent(scenario: &Scenario) -> String {
    let nodes = scenario.nodes.values().map(|node| u64::from(node.as_spec().count().unwrap_or(1))).sum();
    format!(
        "{}, {}, {} of virtual time",
        several(scenario.sources.len() as u64, "source"),
        several(nodes, "node"),
        set_time(scenario.run_until.as_seconds())
    )
}
