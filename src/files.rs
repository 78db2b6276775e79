//! Files that are whole or not there: each is written under another name and given its own when it is complete.
//!
//! The directory is made and tried out before the run, so that nobody waits for a result that cannot be kept. If no
//! file comes to lie in it, the directories that were made for it are removed again.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;

/// What writes the content of a file.
pub type Content<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// A directory that files can be written to.
#[derive(Debug)]
pub struct OutputDirectory {
    path: PathBuf,
    /// Directories that were made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl OutputDirectory {
    /// Makes the directory if it is not there, with those around it, and makes sure that files can be written to it.
    ///
    /// # Errors
    /// If it cannot be made or written to.
    pub fn prepare(path: &Path) -> io::Result<Self> {
        let missing = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        // From here on what has been made is removed again on the way out, unless a file lies in it.
        let directory = Self { path: path.to_owned(), made: missing.map(Path::to_owned).collect() };
        fs::create_dir_all(path)?;
        NamedTempFile::new_in(path)?;
        Ok(directory)
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes files: first the contents of all, then the names of all.
    ///
    /// # Errors
    /// The name of the file that could not be written, and why. None has come into being, unless it is the naming itself
    /// that failed.
    pub fn write(&self, files: &[(&str, Content<'_>)]) -> Result<(), (PathBuf, io::Error)> {
        let mut written = Vec::with_capacity(files.len());
        for (name, content) in files {
            let path = self.path.join(name);
            match self.write_unnamed(*content) {
                Ok(file) => written.push((path, file)),
                Err(error) => return Err((path, error)),
            }
        }
        for (path, file) in written {
            file.persist(&path).map_err(|failed| (path, failed.error))?;
        }
        Ok(())
    }

    fn write_unnamed(&self, content: Content<'_>) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".rushhour-");
        readable(&mut builder);
        let file = builder.tempfile_in(&self.path)?;
        let mut out = BufWriter::with_capacity(BUFFER, file);
        content(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// An empty file in a directory for another program to write to; it is removed again unless it is given a name.
///
/// # Errors
/// If nothing can be written there.
pub fn unnamed(directory: &Path, ending: &str) -> io::Result<TempPath> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rushhour-").suffix(ending);
    readable(&mut builder);
    Ok(builder.tempfile_in(directory)?.into_temp_path())
}

/// A result is nobody's secret: the process's mask decides who may read it, as with any other file.
#[cfg(unix)]
fn readable(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable(_: &mut tempfile::Builder<'_, '_>) {}

impl Drop for OutputDirectory {
    fn drop(&mut self) {
        for made in &self.made {
            // Fails where there is something in it, which is as wanted.
            if fs::remove_dir(made).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).expect("a directory");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_come_into_being_together() {
        let base = tempfile::tempdir().expect("a directory");
        let path = base.path().join("a/b");
        let directory = OutputDirectory::prepare(&path).expect("it can be made");
        directory
            .write(&[("x", &|out| out.write_all(b"1")), ("y", &|out| out.write_all(b"2"))])
            .expect("written");
        drop(directory);
        assert_eq!(names(&path), ["x", "y"]);
        assert_eq!(fs::read(path.join("y")).expect("readable"), b"2");
    }

    #[test]
    fn after_a_failure_nothing_is_left() {
        let base = tempfile::tempdir().expect("a directory");
        let directory = OutputDirectory::prepare(&base.path().join("a/b")).expect("it can be made");
        let full = || io::Error::other("the disk is full");
        let failed = directory.write(&[("x", &|out| out.write_all(b"1")), ("y", &|_| Err(full()))]);
        assert!(failed.expect_err("y fails").0.ends_with("a/b/y"));
        drop(directory);
        assert_eq!(names(base.path()), [] as [&str; 0]);
    }

    #[test]
    fn a_directory_below_a_file_cannot_be_made() {
        let base = tempfile::tempdir().expect("a directory");
        let file = base.path().join("file");
        fs::write(&file, "").expect("written");
        assert!(OutputDirectory::prepare(&file.join("a/b")).is_err());
        assert!(OutputDirectory::prepare(&file).is_err());
        assert_eq!(names(base.path()), ["file"]);
    }
}
