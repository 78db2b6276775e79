//! Why the program did not do what it was asked to, and the exit status that tells so.

use std::io;
use std::process::ExitCode;

use super::output;
use crate::text::Diagnostics;

/// Why something was not done.
#[derive(Debug)]
pub enum Failure {
    /// The arguments or the scenario are wrong. NodeCapacity what is to be said about it.
    Refused(String),
    /// The run did not come to its end, or its result could not be kept. NodeCapacity what is to be said about it.
    Failed(String),
    /// Nobody reads the output any more, so that there is nobody to tell.
    ClosedPipe,
}

impl Failure {
    /// Something is wrong with a file or an argument: a sentence about it, and what to do.
    pub(super) fn refused(what: &str, hint: &str) -> Self {
        Self::Refused(with_hint(what, hint))
    }

    /// Something went wrong on the way: a sentence about it, and what to do.
    pub(super) fn failed(what: &str, hint: &str) -> Self {
        Self::Failed(with_hint(what, hint))
    }

    /// Standard output could not be written.
    pub(super) fn of_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::failed(
                &format!("the result could not be written: {error}"),
                "see where standard output leads",
            )
        }
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Refused(diagnostics.render(true))
    }
}

/// A sentence, and what to do, set as diagnostics of a scenario are.
fn with_hint(what: &str, hint: &str) -> String {
    let (bold, cyan) = (anstyle::Style::new().bold(), anstyle::AnsiColor::Cyan.on_default());
    let what = printable(what);
    let (place, sentence) = what.split_once(": ").unwrap_or(("", &what));
    let colon = if place.is_empty() { "" } else { ": " };
    format!("{bold}{place}{colon}{bold:#}{sentence}\n      = {cyan}{}{cyan:#}\n", printable(hint))
}

/// Control characters, as in the name of a file, must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Says what is to be said on standard error, and decides the exit status.
#[must_use]
pub fn exit_code(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::Failed(text)) => {
            output::say(&text);
            ExitCode::from(1)
        }
        Err(Failure::Refused(text)) => {
            output::say(&text);
            ExitCode::from(2)
        }
    }
}
