//! Words of earlier and later versions of AsyncFlow, which AsyncFlow 0.1.1 refuses, and what it takes instead.

/// What to write instead of a word that other versions have, or `None` if none is known to have it.
pub(super) fn hint(word: &str) -> Option<&'static str> {
    let hint = match word {
        "cpu" => "the README of August 2025 had `cpu`, which no version takes: write `cpu_bound_operation`",
        "arrivals" | "lambda_rps" => {
            "later versions have `arrivals`: write rqs_input with avg_active_users and avg_request_per_minute_per_user, \
             whose product is 60 times `lambda_rps`"
        }
        "model" | "variability" | "empirical_data" => {
            "later versions have it: write the users of `rqs_input`, and change `arrivals` of the scenario"
        }
        "number for fields" => {
            "later versions take a bare number: write it as `mean` of {mean: .., distribution: ..}; a scenario may then take \
             any distribution"
        }
        "fields for a number" => {
            "later versions take a distribution here: write its mean, and change the step of the scenario, which may \
             take any distribution"
        }
        "random" => "later versions have it: write `round_robin`, and `policy: Random` in the scenario",
        "fcfs" => {
            "later versions have it, a central queue: write one server with all cores, where requests wait in order of \
             arrival"
        }
        "link_connection" => "later versions have it: write `network_connection`, or leave `edge_type` out",
        "erlang" | "weibull" | "pareto" | "deterministic" | "empirical" => {
            "later versions have it: write `exponential`, and change the `latency` of the scenario to Erlang, Weibull, \
             Pareto, Constant or Empirical"
        }
        "gaussian" => "a version of July 2025 had it: write `normal`",
        "rqs_server_clock" | "service_time" | "io_time" | "waiting_time" => {
            "later versions have it: leave it out; every run reports the time of each server and endpoint"
        }
        "rqs_latency" | "throughput_rps" => {
            "a version of July 2025 had it: leave it out; every run reports latency and throughput"
        }
        "core_busy" => {
            "a version of July 2025 had it: leave it out, and add the gauge `CoreLoad` to the scenario"
        }
        "step_metrics" => "a version of July 2025 had `step_metrics`: write `step_operation`",
        "network_latency" => {
            "a version of July 2025 had it: write `network_connection`, or `io_wait` for a step"
        }
        _ => return None,
    };
    Some(hint)
}
