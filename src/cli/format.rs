//! `rushhour format`: lays scenario files out in the canonical way.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, output, scenario_file};
use crate::files::OutputDirectory;
use crate::format::columns::shortened;
use crate::format::numbers::several;
use crate::text::formatted;

const EXAMPLES: &str = "\
Examples:
  rushhour format shop.ron
  rushhour format --check scenarios/*.ron
  rushhour format - < shop.ron

What fits stands on one line; brackets with a line break after the opening one
stay broken. Comments, blank lines, the order of fields and the spelling of
numbers stay as they are.
Exit status: 0 success, 1 a file would change (with --check) or cannot be
written, 2 a file cannot be read or is not RON. Such a file stays as it is.";

/// The arguments of `rushhour format`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct FormatArguments {
    /// Scenario files; `-` for standard input, which is laid out on standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing, and list the files that would change
    #[arg(long)]
    check: bool,
}

impl FormatArguments {
    /// Lays out the files, and prints the names of those that change.
    ///
    /// # Errors
    /// If a file is invalid or cannot be read or written, or if it would change and nothing may be changed.
    pub fn execute(&self) -> Result<(), Failure> {
        let (mut errors, mut changed) = (String::new(), 0);
        for file in &self.files {
            match self.lay_out(file) {
                Ok(is_changed) => changed += u64::from(is_changed),
                Err(Failure::InvalidInput(text)) => errors += &text,
                Err(other) => return Err(other),
            }
        }
        if !errors.is_empty() {
            return Err(Failure::InvalidInput(errors));
        }
        if self.check && changed > 0 {
            let message = format!("{} would change", several(changed, "file"));
            return Err(Failure::failed(&message, "lay them out with `rushhour format`"));
        }
        Ok(())
    }

    /// Lays a file out. Returns whether its text changes.
    fn lay_out(&self, file: &Path) -> Result<bool, Failure> {
        let (name, bytes) = scenario_file::bytes_of(Some(file))?;
        let text = formatted(&name, &bytes)?;
        let is_changed = text.as_bytes() != bytes;
        let is_input = file.as_os_str() == "-";
        if is_input && !self.check {
            output::print_plain(|out| out.write_all(text.as_bytes()))?;
        } else if is_changed {
            if !self.check {
                replace(file, &text)?;
            }
            output::print(&format!("{}\n", shortened(&name, usize::MAX)))?;
        }
        Ok(is_changed)
    }
}

/// Replaces the content of a file: it is never seen half written, and keeps its permissions.
fn replace(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("{}: cannot be written: {error}", file.display());
        Failure::failed(&message, "check its permissions and those of its directory")
    };
    // A link stays one: the file that it leads to is replaced.
    let file = fs::canonicalize(file).map_err(failed)?;
    let permissions = fs::metadata(&file).map_err(failed)?.permissions();
    let directory = OutputDirectory::prepare(file.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    directory
        .write(&[(&*name, &|out| out.write_all(text.as_bytes()))])
        .map_err(|(_, error)| failed(error))?;
    fs::set_permissions(&file, permissions).map_err(failed)
}
