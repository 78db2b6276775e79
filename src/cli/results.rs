//! Results on the disk: directories that are tried out before anything is run, and files that are written all or none.

use std::path::Path;

use super::{Failure, output};
use crate::files::{Content, OutputDirectory};
use crate::format::numbers::several;
use crate::report::page::Page;
use crate::report::svg;

/// Writes each plot of a page as a picture.
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
        output::say(&format!("wrote {plots} to {}\n", directory.path().display()));
    }
    Ok(())
}

/// A directory that results can be written to; `argument` is what named it.
pub(super) fn prepared(path: &Path, argument: &str) -> Result<OutputDirectory, Failure> {
    OutputDirectory::prepare(path).map_err(|error| {
        let what = format!("{}: no files can be written there: {error}", path.display());
        Failure::refused(&what, &format!("give `{argument}` a directory that you may write to"))
    })
}

/// Writes files, all or none.
pub(super) fn write(directory: &OutputDirectory, files: &[(&str, Content<'_>)]) -> Result<(), Failure> {
    directory.write(files).map_err(|(path, error)| {
        let what = format!("{}: it could not be written: {error}", path.display());
        Failure::failed(&what, "nothing was left behind: try again, or choose another directory")
    })
}
