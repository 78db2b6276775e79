//! Pictures: what the renderer hands out, as raw pixels or a PNG, and the names of files that are not taken yet.

use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use bevy::image::{Image, ImageFormat};
use tempfile::TempPath;

use crate::engine::time::SimTime;
use crate::files::{self, OutputDirectory};

/// Names that are tried before it is given up.
const MAX_NAMES: u32 = 10_000;

/// The pixels of a picture: four bytes each, row by row.
///
/// # Errors
/// If the screen has pixels of a kind that is not known.
pub(super) fn rgba(image: Image) -> io::Result<Vec<u8>> {
    let image = image.try_into_dynamic().map_err(io::Error::other)?;
    Ok(image.into_rgba8().into_raw())
}

/// A picture as a PNG.
///
/// # Errors
/// If the screen has pixels of a kind that is not known.
pub(super) fn png(image: Image) -> io::Result<Vec<u8>> {
    let image = image.try_into_dynamic().map_err(io::Error::other)?;
    let format = ImageFormat::Png.as_image_crate_format();
    let format = format.ok_or_else(|| io::Error::other("pictures cannot be written"))?;
    let mut bytes = Vec::new();
    // How bright a pixel is lies in its colour; how solid it is means nothing on a screen.
    image.into_rgb8().write_to(&mut Cursor::new(&mut bytes), format).map_err(io::Error::other)?;
    Ok(bytes)
}

/// Writes a file, whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(directory: &OutputDirectory, name: &str, bytes: &[u8]) -> io::Result<()> {
    directory.write(&[(name, &|out: &mut dyn Write| out.write_all(bytes))]).map_err(|(_, error)| error)
}

/// What pictures and films of a moment are called: `load_aware_routing-12.345s`.
pub(super) fn name(scenario: &str, moment: SimTime) -> String {
    let stem = Path::new(scenario).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let stem: String = stem.unwrap_or_default().chars().map(plain).collect();
    let stem = stem.trim_matches(['-', '.']);
    let stem = if stem.is_empty() { "rushhour" } else { stem };
    format!("{stem}-{:.3}s", moment.as_seconds())
}

/// The names that a file may get, the best first: `a.png`, `a-2.png`, `a-3.png` ...
fn names<'a>(stem: &'a str, ending: &'a str) -> impl Iterator<Item = String> + 'a {
    let further = (2..=MAX_NAMES).map(move |number| format!("{stem}-{number}{ending}"));
    std::iter::once(format!("{stem}{ending}")).chain(further)
}

/// Gives what was written the first name that nothing has yet.
///
/// # Errors
/// If it cannot be named.
pub(super) fn keep(mut file: TempPath, directory: &Path, stem: &str, ending: &str) -> io::Result<PathBuf> {
    for name in names(stem, ending) {
        let path = directory.join(name);
        match file.persist_noclobber(&path) {
            Ok(()) => return Ok(path),
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => file = failed.path,
            Err(failed) => return Err(failed.error),
        }
    }
    Err(taken())
}

/// Writes a file under the first name that nothing has yet.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write_new(directory: &Path, stem: &str, ending: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let file = files::unnamed(directory, ending)?;
    std::fs::write(&file, bytes)?;
    keep(file, directory, stem, ending)
}

/// Makes a directory with the first name that nothing has yet.
///
/// # Errors
/// If it cannot be made.
pub(super) fn new_directory(parent: &Path, stem: &str) -> io::Result<PathBuf> {
    for name in names(stem, "") {
        let path = parent.join(name);
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(taken())
}

fn taken() -> io::Error {
    io::Error::other("all names are taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_scenario_and_moment() {
        let moment = SimTime::from_nanos(12_345_600_000);
        assert_eq!(name("shops/corner shop.ron", moment), "corner-shop-12.346s");
        assert_eq!(name("<stdin>", SimTime::ZERO), "stdin-0.000s");
        assert_eq!(name("..", SimTime::ZERO), "rushhour-0.000s");
    }

    #[test]
    fn nothing_is_overwritten() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |text: &str| {
            let written = write_new(directory.path(), "a-1.000s", ".png", text.as_bytes());
            let path = written.expect("it can be written");
            path.file_name().expect("it has a name").to_string_lossy().into_owned()
        };
        assert_eq!((write("1").as_str(), write("2").as_str()), ("a-1.000s.png", "a-1.000s-2.png"));
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).expect("it is there");
        assert_eq!((read("a-1.000s.png"), read("a-1.000s-2.png")), ("1".to_owned(), "2".to_owned()));
        let made = |stem| new_directory(directory.path(), stem).expect("it can be made");
        assert_ne!(made("film"), made("film"));
    }
}
