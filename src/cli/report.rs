//! `rushhour report`: creates the report of a run again from its data, without another run.

use std::path::{Path, PathBuf};

use clap::Args;

use super::results::{prepared, write, write_plots};
use super::{Failure, output};
use crate::report::html;
use crate::report::page::{self, Page};

/// The file with the data of a report.
pub(super) const DATA: &str = "report.json";
/// The file with the report as an HTML document.
pub(super) const DOCUMENT: &str = "report.html";

const EXAMPLES: &str = "\
Examples:
  rushhour report results                   write results/report.html again
  rushhour report results --plots pictures  ... and each plot as an SVG file

DIR is a directory that `rushhour run --out DIR` wrote to. Only its report.json is read, and nothing is simulated.";

/// The arguments of `rushhour report`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArguments {
    /// Directory with the report.json of a run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Also write each plot as an SVG file into this directory (created if necessary)
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

impl ReportArguments {
    /// Reads the data, then writes the plots and the HTML document.
    ///
    /// # Errors
    /// If the data cannot be read, or a file cannot be written.
    pub fn execute(&self) -> Result<(), Failure> {
        let page = read(&self.directory.join(DATA))?;
        let directory = prepared(&self.directory, "DIR")?;
        let plots = self.plots.as_deref().map(|path| prepared(path, "--plots")).transpose()?;
        if let Some(plots) = &plots {
            write_plots(&page, plots, false)?;
        }
        write(&directory, &[(DOCUMENT, &|out| html::write(&page, out))])?;
        output::eprint(&format!("wrote {}\n", directory.path().join(DOCUMENT).display()));
        Ok(())
    }
}

fn read(path: &Path) -> Result<Page, Failure> {
    let hint = "give a directory that `rushhour run --out DIR` wrote to";
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::invalid_input(&format!("{}: cannot be read: {error}", path.display()), hint)
    })?;
    page::read(&bytes).map_err(|unreadable| {
        let hint = match unreadable {
            page::Unreadable::Broken(_) => hint,
            page::Unreadable::OtherFormat(_) => "run the scenario again with this version",
        };
        Failure::invalid_input(&format!("{}: {unreadable}", path.display()), hint)
    })
}
