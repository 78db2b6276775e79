//! Reads the scenario that the command line names, or reports why that fails.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Failure;
use crate::scenario::{DEFAULT_SCENARIO, Loaded, load_in};
use crate::text::nearest;

/// Maximum size of a scenario file. A larger file is most likely not a scenario.
const MAX_MEBIBYTES: u64 = 64;
/// Maximum number of entries of a directory that are searched for a similar name.
const MAX_ENTRIES: usize = 1_000;

/// Reads and checks a scenario: the built-in one, standard input for `-`, or a file.
pub(super) fn read(file: Option<&Path>, overrides: &[String]) -> Result<Loaded, Failure> {
    let (name, bytes) = bytes_of(file)?;
    let directory = file.and_then(Path::parent).unwrap_or(Path::new(""));
    Ok(load_in(directory, &name, &bytes, overrides)?)
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
                let message = format!("{name}: this is a directory, not a scenario");
                return Err(Failure::invalid_input(&message, &directory_hint(path)));
            }
            let bytes = bytes(&name, opened)?;
            Ok((name, bytes))
        }
    }
}

fn bytes(name: &str, reader: impl Read) -> Result<Vec<u8>, Failure> {
    let max_bytes = MAX_MEBIBYTES << 20;
    let mut bytes = Vec::new();
    let read = reader.take(max_bytes + 1).read_to_end(&mut bytes).map_err(|error| {
        Failure::invalid_input(
            &format!("{name}: cannot be read: {error}"),
            "check that it is a file, and its permissions",
        )
    })?;
    if read as u64 > max_bytes {
        let message = format!("{name}: larger than {MAX_MEBIBYTES} MiB, the maximum size of a scenario");
        let hint = "check that it is a scenario; `count: 1000` makes a group of a thousand nodes in one line";
        return Err(Failure::invalid_input(&message, hint));
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
        Failure::invalid_input(&format!("{name}: there is no such file"), &hint)
    } else {
        Failure::invalid_input(
            &format!("{name}: cannot be read: {error}"),
            "check that it is a file, and its permissions",
        )
    }
}

/// The scenario in the same directory whose name is most similar, or `None` if none is similar.
fn similar(path: &Path) -> Option<String> {
    let parent = path.parent()?;
    let missing = path.file_name()?.to_str()?;
    let names = entries(parent);
    let scenarios: Vec<_> = names.iter().filter(|name| name.ends_with(".ron")).map(String::as_str).collect();
    let with_extension = format!("{missing}.ron");
    let exact = scenarios.iter().copied().find(|name| *name == with_extension);
    let similar = exact.or_else(|| nearest::nearest(missing, scenarios))?;
    Some(parent.join(similar).display().to_string())
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
