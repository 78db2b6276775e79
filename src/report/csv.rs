//! CSV files: the series of the probes, and one row per request.
//!
//! Times are in seconds, exact to the nanosecond. A missing value is an empty field.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::engine::time::NANOS_PER_SECOND;
use crate::metrics::result::{RunResult, SourceResult};
use crate::request::{LogLevel, Parent, RequestRecord};

/// Number of attempts per request: requests are not retried yet.
const ATTEMPTS: u32 = 1;

/// Writes all series in long form: one row per sample.
///
/// # Errors
/// If `out` cannot be written.
pub fn series(result: &RunResult, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "time,node,metric,value")?;
    for series in &result.series {
        let (node, name) = (quoted(&series.node), series.name());
        let metric = quoted(&name);
        for (time, value) in series.samples.iter() {
            writeln!(out, "{},{node},{metric},{value}", seconds(time.as_nanos()))?;
        }
    }
    Ok(())
}

/// The first line of `requests.csv`.
pub const REQUESTS_HEADER: &str = "id,source,key,created,finished,latency,outcome,server,attempts,waiting,service,links,\
                                   retries,class,priority,size,weight,response_size";

/// The fields after [`REQUESTS_HEADER`] if the file has rows for calls: the id of the request that made the call, and
/// whether that waited for it until its end. Empty for a request of a source.
pub const CALLS_HEADER: &str = "parent,awaited";

/// Writes one row per request, in the order in which they ended, then those in flight; if the log has calls, also one row
/// per call, among them.
///
/// The times `waiting`, `service`, `links` and `retries` (on calls that were given up) add up to `latency`. The times of a
/// call are part of the times of the request that waited for it. For a request in flight only `waiting` and `service`
/// are known; they include completed waits, services and calls only.
///
/// # Errors
/// If `out` cannot be written.
pub fn requests(result: &RunResult, out: &mut dyn Write) -> io::Result<()> {
    let has_calls = result.log == LogLevel::Calls;
    let calls_header = if has_calls { format!(",{CALLS_HEADER}") } else { String::new() };
    writeln!(out, "{REQUESTS_HEADER}{calls_header}")?;
    let sources: Vec<_> = result.sources.iter().map(|source| quoted(&source.name)).collect();
    for request in &result.requests {
        let row = usize::from(request.source);
        let labels = &result.sources[row].labels;
        let class = quoted(class(&result.sources[row], request.class));
        let server = quoted(request.server.map_or("", |server| result.names().name_of(server)));
        let size = |bytes: u32| if bytes == 0 { String::new() } else { bytes.to_string() };
        let (size, response_size) = (size(request.sizes.request), size(request.sizes.response));
        let End { finished, latency, outcome, links, retries } = End::of(request);
        let (created, waiting) = (seconds(request.created.as_nanos()), seconds(request.waiting.as_nanos()));
        let service = seconds(request.service.as_nanos());
        let parent = match request.parent {
            _ if !has_calls => String::new(),
            Some(Parent { id, waited }) => format!(",{id},{waited}"),
            None => ",,".to_owned(),
        };
        writeln!(
            out,
            "{},{},{},{created},{finished},{latency},{outcome},{server},{ATTEMPTS},{waiting},{service},{links},\
             {retries},{class},{},{size},{},{response_size}{parent}",
            request.id, sources[row], request.key, labels.priority, labels.weight
        )?;
    }
    Ok(())
}

/// The class of a request: the one with this number in a trace, or else that of its source.
fn class(source: &SourceResult, number: Option<u16>) -> &str {
    let own = number.and_then(|number| source.classes.get(usize::from(number)));
    own.map(|(class, _)| class.as_str()).or(source.labels.class.as_deref()).unwrap_or_default()
}

/// Fields of a row that depend on how the request ended.
struct End {
    finished: String,
    latency: String,
    outcome: &'static str,
    links: String,
    retries: String,
}

impl End {
    fn of(request: &RequestRecord) -> Self {
        let Some((finished, outcome)) = request.finished else {
            let empty = String::new;
            return Self {
                finished: empty(),
                latency: empty(),
                outcome: "in_flight",
                links: empty(),
                retries: empty(),
            };
        };
        let latency = finished.since(request.created);
        let links = latency - request.waiting - request.service - request.retries;
        Self {
            finished: seconds(finished.as_nanos()),
            latency: seconds(latency.as_nanos()),
            outcome: outcome.name(),
            links: seconds(links.as_nanos()),
            retries: seconds(request.retries.as_nanos()),
        }
    }
}

/// Nanoseconds as exact seconds: `1.5`, `0.000000001`, `60`.
fn seconds(nanos: u64) -> String {
    let (whole, rest) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    if rest == 0 {
        return whole.to_string();
    }
    let text = format!("{whole}.{rest:09}");
    text.trim_end_matches('0').to_owned()
}

/// A text field, quoted if it contains special characters (RFC 4180).
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact() {
        assert_eq!(seconds(0), "0");
        assert_eq!(seconds(1), "0.000000001");
        assert_eq!(seconds(1_500_000_000), "1.5");
        assert_eq!(seconds(u64::MAX), "18446744073.709551615");
    }

    #[test]
    fn fields_with_special_characters_are_quoted() {
        assert_eq!(quoted("server-0"), "server-0");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
