//! Standard output for the result, standard error for everything else.
//!
//! Styles are removed if the stream is not a terminal (unless `CLICOLOR_FORCE` is set) or if `NO_COLOR` is set.

use std::io::{self, BufWriter, Write};

use super::Failure;

/// Prints a styled text to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::of_output(&error))
}

/// Calls `write` with standard output, for plain text.
pub(super) fn print_plain(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(|error| Failure::of_output(&error))
}

/// Prints a styled text to standard error. Errors are ignored: there is no other place to report them.
pub(super) fn eprint(text: &str) {
    let mut out = anstream::stderr().lock();
    drop(out.write_all(text.as_bytes()));
}
