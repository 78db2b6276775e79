//! Memory is bounded: a run stops with a clear error when too many requests are in flight, at the same event on every
//! machine and for any width of ticks, and keeps its results so far.

use rushhour::analysis::{Verdict, findings};
use rushhour::engine::time::SimDuration;
use rushhour::simulation::{RunError, RunOptions, Simulation, default_max_in_flight, run};
use serde_json::Value;

use crate::harness::scenario;
use crate::support::rushhour;

/// Half of the requests wait at "a", and each of them passes a link that takes a second.
const FLOOD: &str = "Scenario(name: \"flood\", run_until: \"100s\", sources: { \"s\": (arrivals: Constant(rate: \"1000/s\"), to: \"a\") }, \
     nodes: { \"a\": Server(service: Constant(\"1h\")) }, links: [(from: \"s\", to: \"a\", latency: Constant(\"1s\"))])";

fn options(max_in_flight: u64) -> RunOptions {
    RunOptions { max_in_flight: Some(max_in_flight), ..RunOptions::default() }
}

#[test]
fn a_run_stops_when_the_maximum_number_of_requests_are_in_flight() {
    let flood = scenario(FLOOD);
    let Err(RunError::Stopped(stopped)) = run(&flood, options(5_000)) else { panic!("it stops") };
    // The request number 5,000 is created at 5 s, when the last thousand are still on the link.
    assert_eq!((stopped.at.as_seconds(), stopped.in_flight), (5.0, 5_000));
    assert_eq!(stopped.holders[0].0.as_deref(), Some("a"));
    assert!((4_000..=4_001).contains(&stopped.holders[0].1), "{stopped:?}");
    assert_eq!((stopped.holders[1].0.as_deref(), stopped.holders.len()), (None, 2));
    // Enough room, and the run goes on to its end.
    assert!(run(&flood, options(100_001)).is_ok());
    let most = default_max_in_flight(2, false, false);
    assert!(
        most > 30_000_000
            && default_max_in_flight(255, false, false) < most
            && default_max_in_flight(2, true, false) < most
            && default_max_in_flight(2, false, true) < most
    );
}

#[test]
fn it_stops_at_the_same_event_for_any_width_of_ticks() {
    let flood = scenario(FLOOD);
    let fingerprint = |width: u64, budget: u64| {
        let mut simulation = Simulation::new(&flood, options(5_000)).expect("the scenario is valid");
        let mut horizon = simulation.now() + SimDuration::from_nanos(width);
        while !simulation.is_full() {
            if simulation.advance(horizon, budget) {
                horizon = horizon + SimDuration::from_nanos(width);
            }
        }
        (simulation.now(), simulation.events(), simulation.fingerprint())
    };
    let whole = fingerprint(100_000_000_000, u64::MAX);
    assert_eq!(fingerprint(7_000_001, u64::MAX), whole);
    assert_eq!(fingerprint(1_000_000_000, 17), whole);
}

#[test]
fn a_stopped_run_is_in_trouble_and_its_requests_add_up() {
    let flood = scenario(FLOOD);
    for maximum in [1, 10, 5_000] {
        let mut simulation = Simulation::new(&flood, options(maximum)).expect("the scenario is valid");
        simulation.advance(simulation.end(), u64::MAX);
        let result = simulation.finish().expect("every request is accounted for");
        assert_eq!(result.sources[0].outcomes.in_flight(), maximum);
        assert_eq!(Verdict::of(&findings(&flood, &result)), Verdict::InTrouble);
    }
}

#[test]
fn the_command_says_where_the_requests_were_and_keeps_the_results_so_far() {
    let arguments = ["run", "flood.ron", "--max-in-flight", "5000", "--out", "results"];
    let answer = rushhour(&arguments).file("flood.ron", FLOOD).run();
    let error = answer.bad(1);
    assert!(error.contains("The run was stopped at 5 s: 5,000 requests were in flight"), "{error}");
    assert!(error.contains("at a, ") && error.contains("= offer fewer requests"), "{error}");
    // Since when: the first requests reach the server after a second.
    assert!(error.contains("a was offered 1.0k/s with a capacity of"), "{error}");
    assert!(error.contains("between 1.00 s and 5"), "{error}");
    let summary: Value = serde_json::from_str(&answer.read("results/summary.json")).expect("JSON");
    assert_eq!(
        (summary["virtual_seconds"].as_f64(), summary["verdict"].as_str()),
        (Some(5.0), Some("in_trouble"))
    );
    assert_eq!(
        (summary["stopped"]["in_flight"].as_u64(), summary["requests"]["in_flight"].as_u64()),
        (Some(5_000), Some(5_000))
    );
    assert!(answer.read("results/report.html").contains("The run was stopped at 5 s"));
    // Without --out, nothing is written.
    let answer = rushhour(&arguments[..4]).file("flood.ron", FLOOD).run();
    answer.bad(1);
    assert_eq!(answer.tree(), ["flood.ron"]);
    rushhour(&["run", "flood.ron", "--max-in-flight", "0"]).file("flood.ron", FLOOD).run().bad(2);
}
