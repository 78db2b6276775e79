//! The ways in which a command fails, and their exit statuses.

use std::io;
use std::process::ExitCode;

use super::output;
use crate::text::Diagnostics;

/// Why a command did not succeed. A text ends with a line break and may contain styles.
#[derive(Debug)]
pub enum Failure {
    /// The arguments or the scenario are invalid. Contains the text for standard error.
    InvalidInput(String),
    /// The run did not finish, or its result could not be written. Contains the text for standard error.
    Failed(String),
    /// The reader of standard output has closed it (`rushhour run | head`). This counts as success.
    ClosedPipe,
}

impl Failure {
    /// A file or an argument is invalid. `message` is `place: sentence` or a sentence.
    pub(super) fn invalid_input(message: &str, hint: &str) -> Self {
        Self::InvalidInput(with_hint(message, hint))
    }

    /// A valid command failed. `message` is `place: sentence` or a sentence.
    pub(super) fn failed(message: &str, hint: &str) -> Self {
        Self::Failed(with_hint(message, hint))
    }

    /// Standard output could not be written.
    pub(super) fn of_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::failed(
                &format!("the result could not be written: {error}"),
                "check where standard output is redirected to",
            )
        }
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::InvalidInput(diagnostics.render(true))
    }
}

/// A message with its hint, formatted like a diagnostic of a scenario.
fn with_hint(message: &str, hint: &str) -> String {
    let (bold, cyan) = (anstyle::Style::new().bold(), anstyle::AnsiColor::Cyan.on_default());
    let message = printable(message);
    let (place, sentence) = message.split_once(": ").unwrap_or(("", &message));
    let colon = if place.is_empty() { "" } else { ": " };
    format!("{bold}{place}{colon}{bold:#}{sentence}\n      = {cyan}{}{cyan:#}\n", printable(hint))
}

/// Replaces control characters, which the name of a file may contain, by U+FFFD.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Prints the text of a failure to standard error, and returns the exit status: 0 for success, 1 for a failed command,
/// 2 for invalid input.
#[must_use]
pub fn exit_code(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::Failed(text)) => {
            output::eprint(&text);
            ExitCode::from(1)
        }
        Err(Failure::InvalidInput(text)) => {
            output::eprint(&text);
            ExitCode::from(2)
        }
    }
}
