//! The text about a run that was stopped because too many requests were in flight.

use super::numbers::{count, several, time};
use crate::metrics::result::Stopped;

/// Maximum number of nodes that are named.
const MAX_HOLDERS: usize = 3;

/// When the run was stopped, and where the requests were: `The run was stopped at 40 ms: ...`.
#[must_use]
pub fn text(stopped: &Stopped) -> String {
    let of = |(name, number): &(Option<String>, u64)| match name {
        Some(name) => format!("{} at {name}", count(*number)),
        None => format!("{} on the way to their first server", count(*number)),
    };
    let mut places: Vec<String> = stopped.holders.iter().take(MAX_HOLDERS).map(of).collect();
    if let Some(more) = stopped.holders.len().checked_sub(MAX_HOLDERS).filter(|more| *more > 0) {
        places.push(format!("the others at {}", several(more as u64, "other node")));
    }
    format!(
        "The run was stopped at {}: {} requests were in flight, the maximum ({}).",
        time(Some(stopped.at.as_seconds())),
        count(stopped.in_flight),
        places.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimTime;

    #[test]
    fn the_fullest_nodes_are_named() {
        let holder = |name: &str, count| (Some(name.to_owned()), count);
        let mut stopped = Stopped {
            at: SimTime::from_nanos(40_000_000),
            in_flight: 1_000,
            holders: vec![holder("a", 990), (None, 10)],
        };
        let expected = "The run was stopped at 40 ms: 1,000 requests were in flight, the maximum (990 at a, 10 on the \
                        way to their first server).";
        assert_eq!(text(&stopped), expected);
        stopped.holders = ["a", "b", "c", "d", "e"].map(|name| holder(name, 200)).to_vec();
        assert!(text(&stopped).ends_with("(200 at a, 200 at b, 200 at c, the others at 2 other nodes)."));
    }
}
