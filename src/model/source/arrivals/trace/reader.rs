//! Reads a trace line by line, with errors that say where they are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

use super::columns::{Columns, Finding};
use super::fields::{self, Field};
use super::values::{self, ValueError};
use super::{Recorded, TraceError};
use crate::engine::time::SimDuration;
use crate::text::Excerpt;

/// Maximum length of a line in bytes: a longer one is most likely not of a trace, and is not read to its end.
const MAX_LINE: u64 = 65_536;
/// Size of the buffer in bytes. Larger ones are not faster: measured with 64 KiB and 1 MiB.
const BUFFER: usize = 65_536;

/// Reads the requests of a trace one after the other.
#[derive(Debug)]
pub(super) struct Reader {
    /// The name of the file for errors.
    name: String,
    input: BufReader<File>,
    bytes: Vec<u8>,
    /// The number of the last line, from 1.
    line: u64,
    fields: Vec<Field>,
    columns: Columns,
    /// The time of the last request.
    last: SimDuration,
}

/// Gives numbers to the classes or endpoints of a trace.
pub(super) trait Numbering {
    /// The number of the class of this name, or what is wrong with it.
    fn class(&mut self, name: &str) -> Result<u16, ValueError>;
    /// The number of the endpoint of this name, or what is wrong with it.
    fn endpoint(&mut self, name: &str) -> Result<u16, ValueError>;
}

impl Reader {
    /// Opens the trace at this path and reads its first line. Also returns a warning about its columns.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<TraceError>), TraceError> {
        let file = open(path)?;
        let mut reader = Self {
            name: path.display().to_string(),
            input: BufReader::with_capacity(BUFFER, file),
            bytes: Vec::new(),
            line: 0,
            fields: Vec::new(),
            columns: Columns::default(),
            last: SimDuration::ZERO,
        };
        if !reader.read_line()? {
            return Err(TraceError::of_file(
                "the file is empty",
                "a trace begins with a line like `time,key`, and has a line for each request",
            ));
        }
        if reader.bytes.starts_with(b"\xef\xbb\xbf") {
            reader.bytes.drain(..3);
        }
        let line = Self::text(&reader.bytes).map_err(|()| reader.binary())?;
        let split = fields::split(line, &mut reader.fields);
        split.map_err(|(range, message)| reader.unquoted(range, message))?;
        let line = Self::text(&reader.bytes).map_err(|()| reader.binary())?;
        let at = |(range, message, hint): Finding| reader.error(range, message, hint);
        let (columns, unknown) = Columns::of(line, &reader.fields).map_err(at)?;
        let warning = unknown.map(at);
        reader.columns = columns;
        Ok((reader, warning))
    }

    /// The columns of the trace.
    pub(super) const fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The next request and its time, or `None` at the end. An error is about one line, and the next ones can be read, unless
    /// it has no [excerpt](TraceError::excerpt).
    pub(super) fn next(
        &mut self,
        names: &mut impl Numbering,
    ) -> Result<Option<(SimDuration, Recorded)>, TraceError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let line = Self::text(&self.bytes).map_err(|()| self.binary())?;
            if let Err((range, message)) = fields::split(line, &mut self.fields) {
                return Err(self.unquoted(range, message));
            }
            if matches!(&self.fields[..], [only] if only.range.is_empty()) {
                continue;
            }
            let (at, recorded) = self.request(line, names)?;
            if at < self.last {
                let error = self.too_early(at);
                self.last = at;
                return Err(error);
            }
            self.last = at;
            return Ok(Some((at, recorded)));
        }
    }

    /// The values of the current line.
    fn request(&self, line: &str, names: &mut impl Numbering) -> Result<(SimDuration, Recorded), TraceError> {
        if self.fields.len() != self.columns.count {
            return Err(self.wrong_count(line));
        }
        let [time, key, class, endpoint, size, service] = self.columns.at;
        let field = |index: Option<usize>| {
            index.and_then(|index| self.fields.get(index)).filter(|field| !field.range.is_empty())
        };
        let at = |field: &Field, (message, hint): ValueError| self.error(field.range.clone(), message, hint);
        macro_rules! value {
            ($column:expr, $read:expr) => {
                match field($column) {
                    Some(field) => Some($read(&field.text(line)).map_err(|error| at(field, error))?),
                    None => None,
                }
            };
        }
        let Some(at) = value!(time, values::duration) else {
            let range =
                time.and_then(|index| self.fields.get(index)).map_or(0..0, |field| field.range.clone());
            return Err(self.error(
                range,
                "the time is missing",
                "write seconds like 12.5, or a unit like 250ms",
            ));
        };
        let recorded = Recorded {
            key: value!(key, values::key),
            class: value!(class, |name: &str| names.class(name)),
            endpoint: value!(endpoint, |name: &str| names.endpoint(name)),
            size: value!(size, values::size),
            service: value!(service, values::duration),
        };
        Ok((at, recorded))
    }

    /// Reads the next line without its end. Returns false at the end of the file.
    fn read_line(&mut self) -> Result<bool, TraceError> {
        self.bytes.clear();
        self.line += 1;
        let read = (&mut self.input).take(MAX_LINE + 1).read_until(b'\n', &mut self.bytes);
        let read = read.map_err(|error| unreadable(&error))?;
        if self.bytes.last() == Some(&b'\n') {
            self.bytes.pop();
            if self.bytes.last() == Some(&b'\r') {
                self.bytes.pop();
            }
        } else if read as u64 > MAX_LINE {
            let message = format!("line {} is longer than {MAX_LINE} bytes", self.line);
            return Err(TraceError::of_file(message, NOT_A_TRACE));
        }
        Ok(read > 0)
    }

    /// A line as text.
    fn text(bytes: &[u8]) -> Result<&str, ()> {
        let text = std::str::from_utf8(bytes).map_err(|_| ())?;
        if bytes.contains(&0) { Err(()) } else { Ok(text) }
    }

    fn binary(&self) -> TraceError {
        TraceError::of_file(format!("line {} is not text in UTF-8", self.line), NOT_A_TRACE)
    }

    fn unquoted(&self, range: Range<usize>, message: &str) -> TraceError {
        self.error(range, message, "write a quote in a quoted field twice: \"say \"\"hello\"\"\"")
    }

    fn wrong_count(&self, line: &str) -> TraceError {
        let (found, expected) = (self.fields.len(), self.columns.count);
        let extra = self.fields.get(expected);
        let range = extra.map_or(line.len()..line.len(), |field| field.range.start..line.len());
        let message = format!("the line has {found} fields, and the first line {expected}");
        self.error(range, message, "give each line a field for every column; a field may be empty")
    }

    fn too_early(&self, at: SimDuration) -> TraceError {
        let field = self.columns.at[0].and_then(|index| self.fields.get(index));
        let range = field.map_or(0..0, |field| field.range.clone());
        let message = format!("{at} is earlier than the request before it, at {}", self.last);
        self.error(range, message, "sort the lines by time")
    }

    /// An error in a part of the current line.
    fn error(&self, range: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> TraceError {
        let excerpt = Excerpt {
            file: self.name.clone(),
            line: self.line,
            text: String::from_utf8_lossy(&self.bytes).into_owned(),
            start: range.start,
            end: range.end,
        };
        TraceError { excerpt: Some(Box::new(excerpt)), message: message.into(), hint: hint.into() }
    }
}

const NOT_A_TRACE: &str = "a trace is a CSV file with a line for each request";

/// Opens a regular file.
fn open(path: &Path) -> Result<File, TraceError> {
    let name = path.display();
    // Asked before it is opened: opening a named pipe waits for a writer.
    let metadata = std::fs::metadata(path).map_err(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            return unreadable(&error);
        }
        let hint = "a trace is found relative to the directory of the scenario";
        TraceError::of_file(format!("there is no file {name}"), hint)
    })?;
    if metadata.is_dir() {
        return Err(TraceError::of_file(format!("{name} is a directory"), "name a CSV file in it"));
    }
    if !metadata.is_file() {
        let hint = "write the trace to a file: it is read before the run, and again during it";
        return Err(TraceError::of_file(format!("{name} is not a regular file"), hint));
    }
    File::open(path).map_err(|error| unreadable(&error))
}

fn unreadable(error: &io::Error) -> TraceError {
    TraceError::of_file(
        format!("the file cannot be read: {error}"),
        "check that it is a file, and its permissions",
    )
}
