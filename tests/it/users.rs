//! Users of a closed loop with sessions or a pace: a session keeps its key, and latency can be measured from the time at which
//! a user intended to send a request.

use rushhour::engine::statistics::Tally;
use rushhour::metrics::result::RunResult;
use rushhour::metrics::summary::{DurationStats, Summary};
use rushhour::request::RequestRecord;
use rushhour::scenario::load;

use crate::closed_loop::{mean_value_analysis, most_in_flight};
use crate::harness::{
    assert_columns, replicate, run_logged, run_once, scenario, scenario_with, shipped, source, statistical,
};
use crate::support::rushhour;

/// Users with these parameters who send to "n" for 100 s.
fn text(arrivals: &str, fields: &str, node: &str) -> String {
    format!(
        r#"Scenario(
            name: "users", run_until: "100s",
            sources: {{ "users": (arrivals: ClosedLoop({arrivals}), to: "n"{fields}) }},
            nodes: {{ "n": {node} }},
        )"#
    )
}

fn run(arrivals: &str, fields: &str, node: &str) -> RunResult {
    run_logged(&scenario(&text(arrivals, fields, node)))
}

/// The records in the order of creation.
fn in_order(result: &RunResult) -> Vec<RequestRecord> {
    let mut records = result.requests.clone();
    records.sort_by_key(|record| record.id);
    records
}

fn finished(record: &RequestRecord) -> u64 {
    record.finished.map_or(u64::MAX, |(at, _)| at.as_nanos())
}

fn intended(result: &RunResult) -> &Tally {
    source(result, "users").intended.as_ref().expect("the users keep a pace")
}

const SECOND: u64 = 1_000_000_000;

/// A user who intends to send a request each second to a server that takes 1.5 s falls back by half a second each time.
#[test]
fn the_latency_from_the_intended_time_grows_while_a_server_is_too_slow() {
    let result =
        run(r#"users: 1, pace: "1s""#, ", max_requests: 11", r#"Server(service: Constant("1500ms"))"#);
    let latency = source(&result, "users").latency.summarize();
    assert_eq!(
        (latency.count(), latency.min(), latency.max()),
        (11, Some(3 * SECOND / 2), Some(3 * SECOND / 2))
    );
    // 1.5 s + k * 0.5 s for k = 0, 1, .. 10.
    let late = intended(&result).summarize();
    assert_eq!((late.count(), late.min(), late.max()), (11, Some(3 * SECOND / 2), Some(13 * SECOND / 2)));
    assert_eq!(intended(&result).sum(), u128::from(44 * SECOND));
    assert_eq!((late.quantile(0.5), late.quantile(0.05)), (Some(4 * SECOND), Some(3 * SECOND / 2)));
}

#[test]
fn with_a_fast_server_both_latencies_are_equal() {
    let result = run(
        r#"users: 7, pace: "1s""#,
        "",
        r#"Server(concurrency: 7, service: Uniform(min: "0s", max: "1s"))"#,
    );
    let stats = DurationStats::of;
    assert_eq!(stats(&source(&result, "users").latency), stats(intended(&result)));
    let records = in_order(&result);
    assert_eq!(records.len(), 700, "each user has one request in each second");
    // The first ones come at random times of the first second, and all others a second later each.
    for (index, record) in records.iter().enumerate() {
        let first = records[index % 7].created.as_nanos();
        assert_eq!(record.created.as_nanos(), first + (index as u64 / 7) * SECOND);
        assert!(first < SECOND);
    }
}

/// A server that stands still for 5 s delays one request of a user who waits, but five that it intended to send.
#[test]
fn a_pause_is_felt_by_all_requests_that_were_intended_meanwhile() {
    let system = text(r#"users: 1, pace: "1s""#, "", r#"Server(service: Constant("100ms"))"#);
    let pause = r#"changes: [(at: "10s", of: "n", set: Pause), (at: "15s", of: "n", set: Resume)], nodes"#;
    let result = run_logged(&scenario(&system.replace("nodes", pause)));
    let records = in_order(&result);
    assert_eq!(records.len(), 100, "no request is left out");
    let phase = records[0].created.as_nanos();
    let slow = records.iter().filter(|record| finished(record) - record.created.as_nanos() > SECOND / 2);
    assert_eq!(slow.count(), 1, "as measured from when requests were sent, one was slow");
    // Number k is intended for `phase + k`. Number 10 is served at 15 s, and those behind it one after the other.
    let expected = (0..100).map(|k: u64| {
        let intended = phase + k * SECOND;
        let catching_up = if k < 10 { 0 } else { 15 * SECOND + (k - 10) * SECOND / 10 };
        intended.max(catching_up) + SECOND / 10 - intended
    });
    let expected: Vec<u64> = expected.collect();
    assert!(expected.iter().filter(|&&latency| latency > SECOND).count() >= 4);
    assert_eq!(intended(&result).sum(), expected.iter().map(|&latency| u128::from(latency)).sum());
    assert_eq!(intended(&result).summarize().max(), expected.iter().copied().max());
}

#[test]
fn a_session_keeps_its_key_and_the_next_one_begins_after_a_pause() {
    let arrivals =
        r#"users: 1, think: Constant("100ms"), session: (requests: Constant(4), pause: Constant("3s"))"#;
    let result = run(arrivals, ", key: Uniform(0, 4294967295)", r#"Server(service: Constant("50ms"))"#);
    let records = in_order(&result);
    assert_eq!(records[0].created.as_nanos(), SECOND / 10, "a new user begins with a think time");
    // A session takes 4 * 50 ms and three think times: with its pause, 3.5 s.
    assert_eq!(records.len(), 4 * 29);
    let sessions: Vec<&[RequestRecord]> = records.chunk_by(|a, b| a.key == b.key).collect();
    assert!(
        sessions.iter().rev().skip(1).all(|session| session.len() == 4),
        "four requests have the same key"
    );
    assert_eq!(sessions.len(), 29, "and no two sessions have the same key here");
    for pair in records.windows(2) {
        let gap = pair[1].created.as_nanos() - finished(&pair[0]);
        assert_eq!(gap, if pair[0].key == pair[1].key { SECOND / 10 } else { 3 * SECOND });
    }
}

#[test]
fn sessions_without_requests_are_passed_over_with_their_pause() {
    let arrivals =
        r#"users: 1, think: Constant("1ms"), session: (requests: Uniform(0, 2), pause: Constant("1s"))"#;
    let result = run(arrivals, ", key: Uniform(0, 4294967295)", r#"Server(service: Constant("1ms"))"#);
    let records = in_order(&result);
    let gaps: Vec<u64> =
        records.windows(2).map(|pair| pair[1].created.as_nanos() - finished(&pair[0])).collect();
    assert!(gaps.iter().all(|gap| *gap == 1_000_000 || gap % SECOND == 0), "{gaps:?}");
    for seconds in [1, 2] {
        assert!(gaps.contains(&(seconds * SECOND)), "a session in three is empty: {gaps:?}");
    }
}

#[test]
fn a_session_keeps_a_pace_and_a_new_one_begins_anew() {
    let arrivals = r#"users: 1, pace: "1s", session: (requests: Constant(2), pause: Constant("10s"))"#;
    let result = run(arrivals, "", r#"Server(service: Constant("3s"))"#);
    // The second request of a session is intended 1 s after the first one, and sent 2 s too late.
    let late = intended(&result).summarize();
    assert_eq!((late.min(), late.max()), (Some(3 * SECOND), Some(5 * SECOND)));
    let records = in_order(&result);
    for pair in records.windows(2) {
        let gap = pair[1].created.as_nanos() - finished(&pair[0]);
        assert!(gap == 0 || gap == 10 * SECOND, "{gap}");
    }
}

#[test]
fn users_with_numbers_come_and_go_by_stages() {
    let arrivals = r#"users: 3, pace: "1ms", stages: [(at: "20s", users: 8), (at: "40s", users: 0), (at: "60s", users: 5)]"#;
    let result = run(arrivals, r#", start: "10s", stop: "95s""#, r#"Server(service: Constant("10ms"))"#);
    for (from, to, users) in
        [(0.0, 10.0, 0), (10.0, 20.0, 3), (20.0, 40.0, 8), (41.0, 60.0, 0), (60.0, 95.0, 5)]
    {
        assert_eq!(most_in_flight(&result, from, to), users, "from {from} s to {to} s");
    }
    assert!(in_order(&result).iter().all(|record| record.created.as_seconds() <= 95.0));
}

#[test]
fn a_change_replaces_users_with_numbers() {
    let system =
        text(r#"users: 4, pace: "10ms""#, r#", stop: "95s""#, r#"Server(service: Constant("100ms"))"#);
    let changed = |set: &str| {
        let change = format!(r#"changes: [(at: "20.05s", of: "users", set: Arrivals({set}))], nodes"#);
        run_logged(&scenario(&system.replace("nodes", &change)))
    };
    let fewer = changed(r#"ClosedLoop(users: 2, pace: "10ms")"#);
    assert_eq!((most_in_flight(&fewer, 0.0, 20.0), most_in_flight(&fewer, 21.0, 95.0)), (4, 2));
    let thinking = changed(r#"ClosedLoop(users: 3, think: Constant("1ms"))"#);
    assert_eq!(most_in_flight(&thinking, 21.0, 95.0), 3);
    assert!(intended(&thinking).count() < source(&thinking, "users").latency.count());
    let open = changed(r#"Constant(rate: "1/s")"#);
    assert_eq!(most_in_flight(&open, 21.0, 95.0), 1);
    let plain = text(
        r#"users: 2, think: Constant("1ms")"#,
        r#", stop: "95s""#,
        r#"Server(service: Constant("100ms"))"#,
    );
    let change =
        r#"changes: [(at: "20s", of: "users", set: Arrivals(ClosedLoop(users: 5, pace: "1ms")))], nodes"#;
    let later = run_logged(&scenario(&plain.replace("nodes", change)));
    assert_eq!((most_in_flight(&later, 0.0, 19.0), most_in_flight(&later, 21.0, 95.0)), (2, 5));
    assert!((740..760).contains(&intended(&later).count()), "{}", intended(&later).count());
}

#[test]
fn the_end_of_a_surge_takes_no_user_away_who_came_by_a_change() {
    let system = r#"Scenario(
        name: "surge", arrivals_until: "95s", run_until: "100s",
        sources: { "users": (arrivals: Constant(rate: "1/s"), to: "n") },
        nodes: { "n": Server(service: Constant("100ms")) },
        faults: { "surge": (of: "users", what: Surge(2.0), at: "10s", for: "20s") },
        changes: [(at: "20s", of: "users", set: Arrivals(ClosedLoop(users: 4, pace: "1s")))],
    )"#;
    let result = run_logged(&scenario(system));
    let since = |from: f64| {
        let created = result.requests.iter().map(|record| record.created.as_seconds());
        created.filter(|at| (from..from + 10.0).contains(at)).count()
    };
    assert_eq!([since(0.0), since(20.0), since(40.0), since(80.0)], [9, 40, 40, 40]);
    assert!(since(10.0) > 15, "twice as many: {}", since(10.0));
}

#[test]
fn paced_users_whose_requests_fail_at_once_catch_up_and_go_on() {
    let system = text(r#"users: 3, pace: "1s""#, "", r#"Server(service: Constant("10ms"))"#);
    let down = r#"changes: [(at: "10s", of: "n", set: Down), (at: "20s", of: "n", set: Up)], nodes"#;
    let result = run_once(&scenario(&system.replace("nodes", down)));
    let outcomes = source(&result, "users").outcomes;
    assert_eq!((outcomes.offered, outcomes.failures()), (300, 30));
}

statistical!(sessions_match_mean_value_analysis, 12, 30);

/// Users at home are a station without a queue, whose mean time alone decides (Baskett, Chandy, Muntz, Palacios: "Open, closed,
/// and mixed networks of queues with different classes of customers", JACM 22(2), 1975; the number of the request within its
/// session is the class of a user). After one request in four a user pauses, else it thinks.
fn sessions_match_mean_value_analysis(replications: u64) {
    let (run, users) = (2_000.0, 30);
    let system = scenario(
        r#"Scenario(
            name: "sessions", run_until: "2000s", warm_up: "200s",
            sources: { "users": (
                arrivals: ClosedLoop(
                    users: 30, think: Exponential(mean: "500ms"),
                    session: (requests: Geometric(mean: 4), pause: Uniform(min: "1s", max: "5s")),
                ),
                to: "n",
            ) },
            nodes: { "n": Server(service: Exponential(mean: "30ms")) },
        )"#,
    );
    let rows = replicate(&system, replications, |result| {
        let completed = source(&result, "users").latency.summarize();
        [completed.count() as f64 / (0.9 * run), completed.mean().expect("requests were served") * 1e-9]
    });
    let (throughput, response) = mean_value_analysis(users, 0.75 * 0.5 + 0.25 * 3.0, &[0.03]);
    assert_columns(&rows, "sessions", [("throughput", throughput), ("response time", response)]);
}

#[test]
fn both_latencies_are_reported_where_users_keep_a_pace() {
    let system =
        text(r#"users: 1, pace: "1s""#, ", max_requests: 11", r#"Server(service: Constant("1500ms"))"#);
    let answer = rushhour(&["run", "a.ron", "--out", "."]).file("a.ron", &system).run();
    let row = answer.good().lines().find(|line| line.contains("users, intended")).expect("a row of its own");
    assert!(row.contains(" 4 s ") && row.contains("6.50 s"), "{row}");
    assert!(answer.read("report.html").contains("users, from the intended time"));
    assert!(
        answer
            .read("summary.json")
            .contains("\"from_intended\": {\n      \"users\": {\n        \"count\": 11")
    );
    let thinking = scenario(&system.replace("pace: \"1s\"", "think: Constant(\"1s\")"));
    assert!(Summary::of(&run_once(&thinking)).latency.from_intended.is_empty());
}

#[test]
fn the_warm_up_is_left_out_of_both_latencies() {
    let system = text(r#"users: 1, pace: "1s""#, "", r#"Server(service: Constant("1500ms"))"#);
    let result = run_once(&scenario_with(&system, &["warm_up=50s"]));
    let (latency, late) = (source(&result, "users").latency.summarize(), intended(&result).summarize());
    assert_eq!(latency.count(), late.count());
    // A third of the time has been lost by then.
    assert!(late.min().is_some_and(|min| min > 16 * SECOND), "{:?}", late.min());
}

#[test]
fn a_paced_load_test_shows_the_overload_that_thinking_users_hide() {
    let text = shipped().into_iter().find(|(name, _)| name == "closed_load_test.ron").expect("a scenario").1;
    let paced = scenario_with(&text, &[r#"sources.users.arrivals=ClosedLoop(users: 120, pace: "1s")"#]);
    let result = run_once(&paced);
    let seconds = |tally: &Tally| {
        let tally = tally.summarize();
        [tally.mean().expect("requests were served") * 1e-9, tally.max().expect("some") as f64 * 1e-9]
    };
    // All 120 users wait all the time: N / X = 1.2 s. But 120 requests are intended in a second, and 100 completed: one that is
    // intended at time t is completed at 1.2 t, as if it came from an open crowd. The sum of 30,000 exponential service times
    // of 10 ms has a standard deviation of 1.73 s, and its mean over the run one of 1.73 s / sqrt(3).
    let [mean, _] = seconds(&source(&result, "users").latency);
    assert!((mean - 1.2).abs() < 0.02, "{mean}");
    let [mean, max] = seconds(intended(&result));
    assert!((mean - 25.0).abs() < 4.0 && (max - 50.0).abs() < 6.9, "{mean} {max}");
}

#[test]
fn impossible_users_are_reported() {
    let of = |arrivals: &str| {
        let text = text(arrivals, "", r#"Server(service: Constant("1ms"))"#);
        load("a.ron", text.as_bytes(), &[]).expect_err("the users are impossible").to_string()
    };
    let session = |session: &str| format!(r#"users: 1, think: Constant("1s"), session: ({session})"#);
    for (arrivals, message) in [
        (
            "users: 1",
            "sources.users.arrivals: it is not said when users send the next request: give a `think` time",
        ),
        (
            r#"users: 1, pace: "1s", think: Constant("1s")"#,
            "arrivals.pace: users either think or keep a pace",
        ),
        (r#"users: 1, pace: "0s""#, "arrivals.pace: the pace is 0s"),
        (r#"users: 1, think: Constant("0s")"#, "arrivals.think: without a think time"),
        (
            &session(r#"requests: Constant(0), pause: Constant("1s")"#),
            "arrivals.session.requests: the mean of 0 is below 1",
        ),
        (
            &session(r#"requests: Geometric(mean: 0.5), pause: Constant("1s")"#),
            "arrivals.session.requests.mean: 0.5 is out of range",
        ),
        (
            &session(r#"requests: Constant(2), pause: Uniform(min: "2s", max: "1s")"#),
            "arrivals.session.pause",
        ),
        (&session("requests: Constant(2)"), "arrivals.session: missing field `pause`"),
    ] {
        let found = of(arrivals);
        assert!(found.contains(message), "{arrivals}: {found}");
    }
}
