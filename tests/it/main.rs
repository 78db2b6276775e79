//! The integration tests: each file tests one promise.

mod ancestor;
mod architecture;
mod bad_endpoints;
mod bad_faults;
mod bad_input;
mod browser;
mod calls;
mod cancellation;
mod changes;
mod cli;
mod closed_loop;
mod determinism;

mod endpoint_theory;
mod endpoints;
mod fault_findings;
mod fault_theory;
mod faults;
mod findings;
mod findings_cases;
mod findings_rates;
mod findings_signal;
mod growth;
mod harness;
mod introspect;
mod littles_law;
mod memory;
mod pace;
mod queue_disciplines;
mod queueing_theory;
mod rate_limiter;
mod readme;
mod report;
mod routing_by_load;
mod saving;
mod scenarios;
mod slot_rules;
mod stopped;
mod stories;
mod summary;
mod support;
mod verdict;
#[cfg(feature = "viz")]
mod viz;
mod warnings;
mod words;
