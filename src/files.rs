//! Atomic writing of files: each is written under a temporary name and renamed when it is complete.
//!
//! The directory is created and checked before the run, so that a run does not end with a result that cannot be
//! written. If no file is written, the directories that were created for it are removed again. Only regular files are
//! replaced: never a device, a link or another special file.

use std::fs;
use std::io::{self, BufRead, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

/// Size of the write buffer in bytes.
const BUFFER_SIZE: usize = 1 << 16;

/// Writes the content of a file.
pub type Content<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// A directory that files can be written to.
#[derive(Debug)]
pub struct OutputDirectory {
    path: PathBuf,
    /// Directories that were created for it, innermost first.
    created: Vec<PathBuf>,
}

impl OutputDirectory {
    /// Creates the directory and its parents if they do not exist, and checks that files can be written to it.
    ///
    /// # Errors
    /// If it cannot be created or written to.
    pub fn prepare(path: &Path) -> io::Result<Self> {
        let missing = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        // From here on, dropping `directory` removes the created directories again, unless a file is in them.
        let directory = Self { path: path.to_owned(), created: missing.map(Path::to_owned).collect() };
        fs::create_dir_all(path)?;
        NamedTempFile::new_in(path)?;
        Ok(directory)
    }

    /// The path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes files: first all contents to temporary files, then renames all of them.
    ///
    /// # Errors
    /// The path of the file that could not be written, and the error. No file was created, unless a renaming failed,
    /// which leaves the files before it in the list.
    pub fn write(&self, files: &[(&str, Content<'_>)]) -> Result<(), (PathBuf, io::Error)> {
        let mut written = Vec::with_capacity(files.len());
        for (name, content) in files {
            let path = self.path.join(name);
            if let Some(special) = special(&path) {
                return Err((path, io::Error::other(format!("it is {special}, not a file"))));
            }
            match self.write_temporary(*content) {
                Ok(file) => written.push((path, file)),
                Err(error) => return Err((path, error)),
            }
        }
        for (path, file) in written {
            file.persist(&path).map_err(|failed| (path, failed.error))?;
        }
        Ok(())
    }

    /// Removes a file of an earlier run that begins with this line. Any other file stays.
    pub fn remove_outdated(&self, name: &str, first_line: &str) {
        let path = self.path.join(name);
        let begins = |file: fs::File| {
            let mut line = String::new();
            let limit = first_line.len() as u64 + 2;
            let read = io::BufReader::new(file.take(limit)).read_line(&mut line);
            read.is_ok() && line.trim_end() == first_line
        };
        if special(&path).is_none() && fs::File::open(&path).is_ok_and(begins) {
            // A file that cannot be removed is older than the others, which its time shows.
            drop(fs::remove_file(&path));
        }
    }

    fn write_temporary(&self, content: Content<'_>) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".rushhour-");
        set_permissions(&mut builder);
        let file = builder.tempfile_in(&self.path)?;
        let mut out = BufWriter::with_capacity(BUFFER_SIZE, file);
        content(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// What exists at a path instead of a regular file: `a directory`, `a device`. `None` for a regular file, or if nothing
/// exists there.
#[must_use]
pub fn special(path: &Path) -> Option<&'static str> {
    let kind = fs::symlink_metadata(path).ok()?.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else {
        Some("a device or another special file")
    }
}

/// Whether two paths lead to the same existing file, through links too.
#[must_use]
pub fn is_same(a: &Path, b: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().and_then(|metadata| identity(path, &metadata));
    identity(a).is_some_and(|a| identity(b) == Some(a))
}

#[cfg(unix)]
fn identity(_: &Path, metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path, _: &fs::Metadata) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// Creates an empty temporary file in a directory, for another program to write to. It is removed when the path is
/// dropped, unless it is persisted.
///
/// # Errors
/// If no file can be created there.
pub fn unnamed(directory: &Path, ending: &str) -> io::Result<TempPath> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rushhour-").suffix(ending);
    set_permissions(&mut builder);
    Ok(builder.tempfile_in(directory)?.into_temp_path())
}

/// Permissions as of any other new file: the umask of the process applies. Temporary files are private by default.
#[cfg(unix)]
fn set_permissions(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn set_permissions(_: &mut tempfile::Builder<'_, '_>) {}

impl Drop for OutputDirectory {
    fn drop(&mut self) {
        for directory in &self.created {
            // Fails if the directory is not empty, which is intended.
            if fs::remove_dir(directory).is_err() {
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
    fn files_are_created_together() {
        let base = tempfile::tempdir().expect("a directory");
        let path = base.path().join("a/b");
        let directory = OutputDirectory::prepare(&path).expect("it can be created");
        directory
            .write(&[("x", &|out| out.write_all(b"1")), ("y", &|out| out.write_all(b"2"))])
            .expect("written");
        drop(directory);
        assert_eq!(names(&path), ["x", "y"]);
        assert_eq!(fs::read(path.join("y")).expect("readable"), b"2");
    }

    #[test]
    fn after_a_failure_no_file_and_no_directory_is_left() {
        let base = tempfile::tempdir().expect("a directory");
        let directory = OutputDirectory::prepare(&base.path().join("a/b")).expect("it can be created");
        let full = || io::Error::other("the disk is full");
        let failed = directory.write(&[("x", &|out| out.write_all(b"1")), ("y", &|_| Err(full()))]);
        assert!(failed.expect_err("y fails").0.ends_with("a/b/y"));
        drop(directory);
        assert_eq!(names(base.path()), [] as [&str; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_replaced_and_other_files_stay() {
        let base = tempfile::tempdir().expect("a directory");
        let directory = OutputDirectory::prepare(base.path()).expect("it exists");
        let [file, link] = ["file", "link"].map(|name| base.path().join(name));
        fs::write(&file, "id,key\n1,2\n").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        let failed = directory.write(&[("link", &|out| out.write_all(b"1"))]);
        assert_eq!(failed.expect_err("a link").1.to_string(), "it is a symbolic link, not a file");
        assert!(is_same(&file, &link) && !is_same(&file, base.path()) && special(&file).is_none());
        directory.remove_outdated("link", "id,key");
        directory.remove_outdated("file", "id,key,more");
        directory.remove_outdated("file", "id");
        assert_eq!(names(base.path()), ["file", "link"]);
        directory.remove_outdated("file", "id,key");
        assert_eq!(names(base.path()), ["link"]);
    }

    #[test]
    fn a_directory_below_a_file_cannot_be_created() {
        let base = tempfile::tempdir().expect("a directory");
        let file = base.path().join("file");
        fs::write(&file, "").expect("written");
        assert!(OutputDirectory::prepare(&file.join("a/b")).is_err());
        assert!(OutputDirectory::prepare(&file).is_err());
        assert_eq!(names(base.path()), ["file"]);
    }
}
