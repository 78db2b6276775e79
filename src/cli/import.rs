//! `rushhour import`: converts the file of another simulator to a scenario.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, output, scenario_file};
use crate::import::{Format, Meaning, import};

const EXAMPLES: &str = "\
Examples:
  rushhour import asyncflow two_servers.yml > two_servers.ron
  rushhour import asyncflow two_servers.yml --faithful | rushhour run -

The scenario goes to standard output, with a comment at each place where the
other simulator does something else than its file says. Errors go to standard
error, with line, column and hint: what the other simulator refuses or fails on,
and what a scenario cannot say.
Exit status: 0 success, 2 the file is invalid.";

/// The arguments of `rushhour import`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArguments {
    /// Format of the file
    #[arg(value_enum)]
    format: Format,
    /// The file; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Do what the other simulator does with the file instead of what the file says
    #[arg(long)]
    faithful: bool,
}

impl ImportArguments {
    /// Prints the scenario.
    ///
    /// # Errors
    /// If the file is invalid or cannot be read, or if standard output cannot be written.
    pub fn execute(&self) -> Result<(), Failure> {
        let (name, bytes) = scenario_file::bytes_of(Some(&self.file))?;
        let meaning = if self.faithful { Meaning::Faithful } else { Meaning::Intended };
        let scenario = import(self.format, &name, &bytes, meaning)?;
        output::print_plain(|out| out.write_all(scenario.as_bytes()))
    }
}
