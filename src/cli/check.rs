//! `rushhour check`: reports every error in scenarios without running them.

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

Errors and warnings go to standard error, with line, column and hint. A warning is about something that has no effect.
Exit status: 0 if all scenarios are valid, also with warnings, 2 otherwise.";

/// The arguments of `rushhour check`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArguments {
    /// Scenario files; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Check each scenario with this value replaced, as in `run` (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
}

impl CheckArguments {
    /// Prints a line for each valid scenario, and all errors and warnings to standard error.
    ///
    /// # Errors
    /// If a scenario is invalid or cannot be read, or if standard output cannot be written.
    pub fn execute(&self) -> Result<(), Failure> {
        let mut invalid = 0;
        for file in &self.files {
            match scenario_file::read(Some(file), &self.set) {
                Ok(loaded) => {
                    let name = shortened(&file.display().to_string(), usize::MAX);
                    let warnings = match loaded.warnings.list().len() {
                        0 => String::new(),
                        number => format!(", {}", several(number as u64, "warning")),
                    };
                    output::print(&format!(
                        "{name}: {}, {}{warnings}\n",
                        paint(GOOD, "valid"),
                        extent(&loaded.scenario)
                    ))?;
                    output::eprint(&loaded.warnings.render(true));
                }
                Err(Failure::InvalidInput(text)) => {
                    if invalid > 0 {
                        output::eprint("\n");
                    }
                    output::eprint(&text);
                    invalid += 1;
                }
                Err(other) => return Err(other),
            }
        }
        match invalid {
            0 => Ok(()),
            _ if self.files.len() == 1 => Err(Failure::InvalidInput(String::new())),
            invalid => Err(Failure::InvalidInput(format!(
                "\n{invalid} of {} cannot be run\n",
                several(self.files.len() as u64, "file")
            ))),
        }
    }
}

/// The size of a scenario: `2 sources, 7 nodes, 65 s of virtual time`.
fn extent(scenario: &Scenario) -> String {
    let nodes = scenario.nodes.values().map(|node| u64::from(node.as_spec().count().unwrap_or(1))).sum();
    format!(
        "{}, {}, {} of virtual time",
        several(scenario.sources.len() as u64, "source"),
        several(nodes, "node"),
        set_time(scenario.run_until.as_seconds())
    )
}
