//! Standard output for the result, standard error for everything else.
//!
//! Styles are taken out where nobody sees them: when the stream is no terminal or `NO_COLOR` is set, unless
//! `CLICOLOR_FORCE` is.

use std::io::{self, BufWriter, Write};

use super::Failure;

/// Prints a text with styles to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::of_output(&error))
}

/// Lets something write plain text to standard output.
pub(super) fn print_plain(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(|error| Failure::of_output(&error))
}

/// Says something on standard error. If even that is closed nobody listens, which is no reason to stop.
pub(super) fn say(text: &str) {
    let mut out = anstream::stderr().lock();
    drop(out.write_all(text.as_bytes()));
}
