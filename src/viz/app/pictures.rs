//! Image data: converts an image of the renderer to raw pixels or PNG, and writes files under unused names.

use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use bevy::image::{Image, ImageFormat};
use tempfile::TempPath;

use crate::engine::time::SimTime;
use crate::files::{self, OutputDirectory};

/// Maximum number of names to try for a new file.
const MAX_NAMES: u32 = 10_000;

/// The pixels of an image: four bytes each, row by row.
///
/// # Errors
/// If the pixel format is not supported.
pub(super) fn rgba(image: Image) -> io::Result<Vec<u8>> {
    let image = image.try_into_dynamic().map_err(io::Error::other)?;
    Ok(image.into_rgba8().into_raw())
}

/// An image as a PNG file.
///
/// # Errors
/// If the pixel format is not supported.
pub(super) fn png(image: Image) -> io::Result<Vec<u8>> {
    let image = image.try_into_dynamic().map_err(io::Error::other)?;
    let format = ImageFormat::Png.as_image_crate_format();
    let format = format.ok_or_else(|| io::Error::other("PNG encoding is not supported"))?;
    let mut bytes = Vec::new();
    // The alpha channel of a screen has no meaning.
    image.into_rgb8().write_to(&mut Cursor::new(&mut bytes), format).map_err(io::Error::other)?;
    Ok(bytes)
}

/// Writes a file atomically.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write(directory: &OutputDirectory, name: &str, bytes: &[u8]) -> io::Result<()> {
    directory.write(&[(name, &|out: &mut dyn Write| out.write_all(bytes))]).map_err(|(_, error)| error)
}

/// The file name, without extension, for a picture or film that starts at a time: `load_aware_routing-12.345s`.
pub(super) fn name(scenario: &str, time: SimTime) -> String {
    let stem = Path::new(scenario).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let sanitize = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let stem: String = stem.unwrap_or_default().chars().map(sanitize).collect();
    let stem = stem.trim_matches(['-', '.']);
    let stem = if stem.is_empty() { "rushhour" } else { stem };
    format!("{stem}-{:.3}s", time.as_seconds())
}

/// The names to try for a new file, in order: `a.png`, `a-2.png`, `a-3.png` ...
fn names<'a>(stem: &'a str, extension: &'a str) -> impl Iterator<Item = String> + 'a {
    let numbered = (2..=MAX_NAMES).map(move |number| format!("{stem}-{number}{extension}"));
    std::iter::once(format!("{stem}{extension}")).chain(numbered)
}

/// Renames a temporary file to the first unused name, and returns its path.
///
/// # Errors
/// If the file cannot be renamed.
pub(super) fn keep(mut file: TempPath, directory: &Path, stem: &str, extension: &str) -> io::Result<PathBuf> {
    for name in names(stem, extension) {
        let path = directory.join(name);
        match file.persist_noclobber(&path) {
            Ok(()) => return Ok(path),
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => file = failed.path,
            Err(failed) => return Err(failed.error),
        }
    }
    Err(no_free_name())
}

/// Writes a file under the first unused name, and returns its path.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write_new(directory: &Path, stem: &str, extension: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let file = files::unnamed(directory, extension)?;
    std::fs::write(&file, bytes)?;
    keep(file, directory, stem, extension)
}

/// Creates a directory with the first unused name, and returns its path.
///
/// # Errors
/// If the directory cannot be created.
pub(super) fn new_directory(parent: &Path, stem: &str) -> io::Result<PathBuf> {
    for name in names(stem, "") {
        let path = parent.join(name);
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(no_free_name())
}

fn no_free_name() -> io::Error {
    io::Error::other(format!("all {MAX_NAMES} file names tried are in use"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_contain_scenario_and_time() {
        let time = SimTime::from_nanos(12_345_600_000);
        assert_eq!(name("shops/corner shop.ron", time), "corner-shop-12.346s");
        assert_eq!(name("<stdin>", SimTime::ZERO), "stdin-0.000s");
        assert_eq!(name("..", SimTime::ZERO), "rushhour-0.000s");
    }

    #[test]
    fn existing_files_are_not_overwritten() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |text: &str| {
            let written = write_new(directory.path(), "a-1.000s", ".png", text.as_bytes());
            let path = written.expect("the file can be written");
            path.file_name().expect("the path ends in a name").to_string_lossy().into_owned()
        };
        assert_eq!((write("1").as_str(), write("2").as_str()), ("a-1.000s.png", "a-1.000s-2.png"));
        let read =
            |name: &str| std::fs::read_to_string(directory.path().join(name)).expect("the file exists");
        assert_eq!((read("a-1.000s.png"), read("a-1.000s-2.png")), ("1".to_owned(), "2".to_owned()));
        let create = |stem| new_directory(directory.path(), stem).expect("the directory can be created");
        assert_ne!(create("film"), create("film"));
    }
}
