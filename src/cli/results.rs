//! Results on disk: output directories are checked before the run, and the files of a directory are written together.

use std::path::Path;

use super::{Failure, output};
use crate::files::{Content, OutputDirectory};
use crate::format::numbers::several;
use crate::report::page::Page;
use crate::report::svg;

/// Writes each plot of a page as an SVG file.
pub(super) fn write_plots(page: &Page, directory: &OutputDirectory, quiet: bool) -> Result<(), Failure> {
    let plots: Vec<_> = page.sections.iter().flat_map(|section| &section.plots).collect();
    let names: Vec<String> = plots.iter().map(|plot| svg::file_name(plot)).collect();
    let contents: Vec<_> =
        plots.iter().map(|&plot| move |out: &mut dyn std::io::Write| svg::plot(page, plot, out)).collect();
    let files: Vec<(&str, Content<'_>)> =
        names.iter().zip(&contents).map(|(name, content)| (name.as_str(), content as Content<'_>)).collect();
    write(directory, &files)?;
    if !quiet {
        let plots = several(files.len() as u64, "plot");
        output::eprint(&format!("wrote {plots} to {}\n", directory.path().display()));
    }
    Ok(())
}

/// Prepares a directory for results. `argument` is the option or placeholder that named it, for the error.
pub(super) fn prepared(path: &Path, argument: &str) -> Result<OutputDirectory, Failure> {
    OutputDirectory::prepare(path).map_err(|error| {
        let message = format!("{}: no files can be written there: {error}", path.display());
        Failure::invalid_input(&message, &format!("give `{argument}` a directory that you may write to"))
    })
}

/// Writes files, all or none (see [`OutputDirectory::write`]).
pub(super) fn write(directory: &OutputDirectory, files: &[(&str, Content<'_>)]) -> Result<(), Failure> {
    directory.write(files).map_err(|(path, error)| {
        let message = format!("{}: could not be written: {error}", path.display());
        Failure::failed(
            &message,
            "no incomplete file was left behind: try again, or choose another directory",
        )
    })
}
