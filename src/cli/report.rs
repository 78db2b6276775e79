//! `rushhour report`: draws the report of a run again from its data, without the run.

use std::path::{Path, PathBuf};

use clap::Args;

use super::results::{prepared, write, write_plots};
use super::{Failure, output};
use crate::report::html;
use crate::report::page::{self, Page};

/// The data of a report, which is what is read.
pub(super) const DATA: &str = "report.json";
/// The document that is made of it.
pub(super) const DOCUMENT: &str = "report.html";

const EXAMPLES: &str = "\
Examples:
  rushhour report results                   write results/report.html again
  rushhour report results --plots pictures  ... and each plot as an SVG file

DIR is a directory that a run wrote its report to: its report.json is read, and nothing is simulated.";

/// Which report is to be drawn.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArguments {
    /// Directory that holds the report.json of a run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Write each plot as an SVG file into this directory too, which is made if need be
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

impl ReportArguments {
    /// Reads the data, then writes the pictures and the document.
    ///
    /// # Errors
    /// If there is no data to be read, or nothing can be written.
    pub fn execute(&self) -> Result<(), Failure> {
        let page = read(&self.directory.join(DATA))?;
        let directory = prepared(&self.directory, "DIR")?;
        let pictures = self.plots.as_deref().map(|path| prepared(path, "--plots")).transpose()?;
        if let Some(pictures) = &pictures {
            write_plots(&page, pictures, false)?;
        }
        write(&directory, &[(DOCUMENT, &|out| html::write(&page, out))])?;
        output::say(&format!("wrote {}\n", directory.path().join(DOCUMENT).display()));
        Ok(())
    }
}

fn read(path: &Path) -> Result<Page, Failure> {
    let hint = "give a directory that `rushhour run --out DIR` wrote its report to";
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::refused(&format!("{}: it cannot be read: {error}", path.display()), hint)
    })?;
    page::read(&bytes).map_err(|unreadable| {
        let hint = match unreadable {
            page::Unreadable::Broken(_) => hint,
            page::Unreadable::OtherFormat(_) => "run the scenario again with this version",
        };
        Failure::refused(&format!("{}: {unreadable}", path.display()), hint)
    })
}
