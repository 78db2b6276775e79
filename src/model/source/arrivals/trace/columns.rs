//! The columns of a trace: the names in its first line, and where they are.

use std::ops::Range;

use super::fields::Field;
use crate::text::nearest::nearest;

/// The names of the columns that a trace may have. The first one is required.
pub(super) const NAMES: [&str; 6] = ["time", "key", "class", "endpoint", "size", "service"];

/// Where the columns of a trace are among the fields of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// The index of each of [`NAMES`], if the trace has it.
    pub(super) at: [Option<usize>; NAMES.len()],
    /// Number of fields of each line.
    pub(super) count: usize,
}

/// What is wrong with the names of columns: the place in the line, a message and a hint.
pub(super) type Finding = (Range<usize>, String, String);

impl Columns {
    /// The columns that the first line names, and a warning about unknown ones, which are ignored.
    ///
    /// # Errors
    /// If there is no time, or a column has the same name as another one.
    pub(super) fn of(line: &str, fields: &[Field]) -> Result<(Self, Option<Finding>), Finding> {
        let mut columns = Self { count: fields.len(), ..Self::default() };
        let mut unknown: Vec<&Field> = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let name = field.text(line);
            let Some(known) = NAMES.iter().position(|known| *known == name) else {
                unknown.push(field);
                continue;
            };
            if columns.at[known].replace(index).is_some() {
                let message = format!("there are two columns \"{name}\"");
                return Err((field.range.clone(), message, "rename or remove one of them".to_owned()));
            }
        }
        if columns.at[0].is_none() {
            let message = "there is no column \"time\"".to_owned();
            // `created` is what requests.csv calls it.
            let is_similar = |name: &str| name == "created" || nearest(name, ["time", "timestamp"]).is_some();
            let similar = fields.iter().find(|field| is_similar(&field.text(line)));
            let hint = match similar {
                Some(field) => format!("rename \"{}\" to \"time\"", field.text(line)),
                None => {
                    format!("the first line names the columns: \"time\", and any of {}", listed(&NAMES[1..]))
                }
            };
            return Err((0..line.len(), message, hint));
        }
        let names = unknown.iter().map(|field| format!("\"{}\"", field.text(line))).collect::<Vec<_>>();
        let warning = unknown.first().map(|field| {
            let message = match &names[..] {
                [only] => format!("the column {only} is unknown, and ignored"),
                several => format!("these columns are unknown, and ignored: {}", several.join(", ")),
            };
            (field.range.clone(), message, hint(&field.text(line)))
        });
        Ok((columns, warning))
    }

    /// Whether the trace says how long requests are served.
    pub(super) const fn give_service_times(&self) -> bool {
        self.at[5].is_some()
    }

    /// Whether the trace says how large requests are.
    pub(super) const fn give_sizes(&self) -> bool {
        self.at[4].is_some()
    }
}

fn hint(name: &str) -> String {
    match nearest(name, NAMES) {
        Some(similar) => format!("did you mean \"{similar}\"?"),
        None => format!("the known ones are {}", listed(&NAMES)),
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
