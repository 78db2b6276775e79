//! From a name on the command line to the bytes of a scenario, or to a sentence about why there are none.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Failure;
use crate::scenario::{DEFAULT_SCENARIO, Loaded, load};
use crate::text::nearest;

/// The largest scenario that is read. What is larger was not written by a person, and is most likely another file.
const MAX_MEBIBYTES: u64 = 64;
/// Entries of a directory that are looked through for a similar name.
const MAX_ENTRIES: usize = 1_000;

/// Reads and checks a scenario: the built-in one, standard input for `-`, or a file.
pub(super) fn read(file: Option<&Path>, overrides: &[String]) -> Result<Loaded, Failure> {
    let (name, bytes) = bytes_of(file)?;
    Ok(load(&name, &bytes, overrides)?)
}

/// The name and the bytes of a scenario: the built-in one, standard input for `-`, or a file.
pub(super) fn bytes_of(file: Option<&Path>) -> Result<(String, Vec<u8>), Failure> {
    match file {
        None => Ok((DEFAULT_SCENARIO.0.to_owned(), DEFAULT_SCENARIO.1.as_bytes().to_vec())),
        Some(path) if path.as_os_str() == "-" => Ok(("<stdin>".to_owned(), bytes("<stdin>", io::stdin())?)),
        Some(path) => {
            let name = path.display().to_string();
            let opened = File::open(path).map_err(|error| unreadable(path, &error))?;
            if opened.metadata().is_ok_and(|metadata| metadata.is_dir()) {
                let what = format!("{name}: this is a directory, not a scenario");
                return Err(Failure::refused(&what, &directory_hint(path)));
            }
            let bytes = bytes(&name, opened)?;
            Ok((name, bytes))
        }
    }
}

fn bytes(name: &str, from: impl Read) -> Result<Vec<u8>, Failure> {
    let most = MAX_MEBIBYTES << 20;
    let mut bytes = Vec::new();
    let read = from.take(most + 1).read_to_end(&mut bytes).map_err(|error| {
        Failure::refused(
            &format!("{name}: it cannot be read: {error}"),
            "see what it is, and who may read it",
        )
    })?;
    if read as u64 > most {
        let what =
            format!("{name}: it is larger than {MAX_MEBIBYTES} MiB, the largest scenario that is read");
        return Err(Failure::refused(
            &what,
            "is it a scenario? `count: 1000` makes a thousand nodes in one line",
        ));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let name = path.display();
    if error.kind() == io::ErrorKind::NotFound {
        let hint = similar(path).map_or_else(
            || "`rushhour run` without a file runs the built-in scenario".to_owned(),
            |similar| format!("did you mean `{similar}`?"),
        );
        Failure::refused(&format!("{name}: there is no such file"), &hint)
    } else {
        Failure::refused(
            &format!("{name}: it cannot be read: {error}"),
            "see what it is, and who may read it",
        )
    }
}

/// The file in the same directory whose name is most like this one.
fn similar(path: &Path) -> Option<String> {
    let parent = path.parent()?;
    let wanted = path.file_name()?.to_str()?;
    let names = entries(parent);
    let scenarios: Vec<_> = names.iter().filter(|name| name.ends_with(".ron")).map(String::as_str).collect();
    let with_extension = format!("{wanted}.ron");
    let exact = scenarios.iter().copied().find(|name| *name == with_extension);
    let found = exact.or_else(|| nearest::nearest(wanted, scenarios))?;
    Some(parent.join(found).display().to_string())
}

fn directory_hint(path: &Path) -> String {
    let mut scenarios: Vec<_> = entries(path).into_iter().filter(|name| name.ends_with(".ron")).collect();
    scenarios.sort();
    match scenarios.first() {
        Some(first) => format!("name a file in it, such as `{}`", path.join(first).display()),
        None => "name a file".to_owned(),
    }
}

fn entries(directory: &Path) -> Vec<String> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let names = entries.take(MAX_ENTRIES).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.collect()
}
