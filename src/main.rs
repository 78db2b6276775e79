//! The program: the command line is read, obeyed, and answered with an exit status.

use std::process::ExitCode;

use rushhour::cli::{Arguments, exit_code};

fn main() -> ExitCode {
    exit_code(Arguments::of_this_process().command().execute())
}
