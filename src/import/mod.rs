//! Imports the files of other simulators: reads one, and writes a scenario that means the same.
//!
//! Each format is a directory with what it accepts, what it means, and what its own simulator makes of it. `read` reads
//! typed fields with all errors at once, `notes` gathers the comments of the scenario, and `yaml` reads YAML.

mod asyncflow;
mod notes;
mod read;
mod yaml;

use clap::ValueEnum;

use crate::text::{Diagnostics, Sources};

/// A format that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The scenario of AsyncFlow, in YAML.
    Asyncflow,
}

/// What the scenario is to do where the other simulator does something else than its files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// What the author of the file meant.
    Intended,
    /// What the other simulator does, as far as a scenario can say it.
    Faithful,
}

/// The text of a scenario that means the same as the file called `name`, with comments where the other simulator does
/// something else.
///
/// # Errors
/// All errors in the file, with positions: what its own simulator refuses or fails on, and what a scenario cannot say.
pub fn import(format: Format, name: &str, bytes: &[u8], meaning: Meaning) -> Result<String, Diagnostics> {
    let sources = Sources::read(name, bytes)?;
    let converted = match format {
        Format::Asyncflow => asyncflow::import(&sources, meaning),
    };
    converted.map_err(|errors| Diagnostics::new(sources, errors))
}
