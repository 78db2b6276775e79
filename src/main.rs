//! The program: parses the command line, executes the command, and returns the exit status.

use std::process::ExitCode;

use rushhour::cli::{Arguments, exit_code};

fn main() -> ExitCode {
    exit_code(Arguments::of_this_process().command().execute())
}
