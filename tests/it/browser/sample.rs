//! A page with every feature of pages, with the data of an imaginary run: a spike, retries, an ejected server.

use rushhour::report::page::{
    Axis, FORMAT, FindingCard, Line, Page, Plot, ReferenceLine, Section, Span, Style, Table, Tile, Tone, Unit,
};

/// A hostile name of a server.
pub(super) const HOSTILE: &str = "</script><img src=x onerror=\"alert(1)\">";

/// Number of samples of a line.
const SAMPLES: u32 = 1_500;
/// Length of the run in seconds.
const SECONDS: f64 = 300.0;

fn text(text: &str) -> String {
    text.to_owned()
}

fn x_values(count: u32) -> Vec<f64> {
    (0..count).map(|i| f64::from(i) * SECONDS / f64::from(count - 1)).collect()
}

/// Noise between -1 and 1 that is the same on every machine.
fn noise(seed: u32, at: f64) -> f64 {
    let x = libm::sin(at * 12.9898 + f64::from(seed) * 78.233) * 43_758.545;
    (x - libm::floor(x)) * 2.0 - 1.0
}

/// Intensity of the spike: 0 before it, 1 at its peak, then decreasing.
fn spike(at: f64) -> f64 {
    match at {
        at if at < 60.0 => 0.0,
        at if at < 120.0 => 1.0 - libm::exp(-(at - 60.0) / 8.0),
        at => libm::exp(-(at - 120.0) / 25.0),
    }
}

fn line(name: &str, colour: usize, style: Style, value: impl Fn(f64) -> f64) -> Line {
    line_over(&x_values(SAMPLES), name, colour, style, value)
}

#[expect(clippy::cast_possible_truncation, reason = "values of a plot are f32")]
fn line_over(x: &[f64], name: &str, colour: usize, style: Style, value: impl Fn(f64) -> f64) -> Line {
    let y = x.iter().map(|at| Some(value(*at).max(0.0) as f32)).collect();
    Line { name: name.to_owned(), colour, style, hidden: false, y }
}

fn plot(id: &str, title: &str, caption: &str, unit: Unit, lines: Vec<Line>) -> Plot {
    let (id, title, caption) = (id.to_owned(), title.to_owned(), caption.to_owned());
    Plot { id, title, caption, unit, x: x_values(SAMPLES), lines, ..Plot::default() }
}

fn traffic() -> Vec<Plot> {
    let rate =
        |share: f64, seed| move |at| share * (40.0 + 100.0 * spike(at)) * (1.0 + 0.08 * noise(seed, at));
    let requests = plot(
        "requests",
        "Requests by outcome",
        "Stacked areas: their total is the number of requests offered.",
        Unit::PerSecond,
        vec![
            line("completed", 2, Style::Stacked, |at| rate(1.0, 1)(at).min(128.0)),
            line("rejected", 1, Style::Stacked, |at| (rate(1.0, 1)(at) - 128.0).max(0.0)),
            line("timed out", 5, Style::Stacked, |at| 9.0 * spike(at) * spike(at)),
        ],
    );
    let mut latency = plot(
        "latency",
        "Latency of clients",
        "Percentiles of the requests completed in each second.",
        Unit::Seconds,
        vec![
            line("p50", 0, Style::Line, |at| 0.21 + 2.0 * spike(at) + 0.02 * noise(2, at)),
            line("p90", 3, Style::Line, |at| 0.42 + 4.1 * spike(at) + 0.05 * noise(3, at)),
            line("p99", 1, Style::Line, |at| 0.80 + 6.2 * spike(at) + 0.2 * noise(4, at)),
            Line { hidden: true, ..line("max", 6, Style::Line, |at| 1.0 + 8.5 * spike(at) + noise(5, at)) },
        ],
    );
    latency.thresholds = vec![ReferenceLine { value: 5.0, label: text("deadline 5 s") }];
    let x: Vec<f64> = (0..=60).map(|i| 0.02 * libm::pow(10.0, f64::from(i) / 20.0)).collect();
    let bump = |at: f64, centre: f64| {
        let off = libm::log(at / centre) / 0.5;
        libm::exp(-off * off)
    };
    let mut bars = line_over(&x, "all requests", 0, Style::Bars, |at| {
        libm::floor(2_400.0 * bump(at, 0.22) + 900.0 * bump(at, 3.2))
    });
    bars.y[60] = None;
    let histogram = Plot {
        axis: Axis::Latency,
        x,
        lines: vec![bars],
        ..plot(
            "histogram",
            "Latency, all requests",
            "Two modes: before and during the spike.",
            Unit::Count,
            vec![],
        )
    };
    vec![requests, latency, histogram]
}

fn servers() -> Vec<Plot> {
    let busy = |at: f64| 0.31 + 0.69 * spike(at);
    let mut load = plot(
        "load-web",
        "web (100): utilization",
        "The band contains eight of ten members. Lines of single members can be added.",
        Unit::Share,
        vec![
            line("p10", 0, Style::BandLow, |at| (busy(at) - 0.18 - 0.04 * noise(6, at)).min(1.0)),
            line("p90", 0, Style::BandHigh, |at| (busy(at) + 0.12 + 0.04 * noise(7, at)).min(1.0)),
            line("mean", 0, Style::Line, |at| (busy(at) + 0.02 * noise(8, at)).min(1.0)),
            line("perceived by the clients", 3, Style::Dashed, |at| busy((at - 6.0).max(0.0)).min(1.0)),
        ],
    );
    load.top = Some(1.0);
    load.more_x = x_values(200);
    load.more = (0..100)
        .map(|i| {
            line_over(&load.more_x, &format!("web-{i}"), 1, Style::Line, |at| {
                (busy(at) + 0.2 * noise(100 + i, at)).min(1.0)
            })
        })
        .collect();
    let queue =
        |seed: u32| move |at: f64| libm::floor(150.0 * spike(at) * (1.0 + 0.3 * noise(seed, at)) + 1.0);
    let mut queues = plot(
        "queues",
        "Waiting requests",
        "",
        Unit::Count,
        vec![
            line("web-0", 0, Style::Step, queue(10)),
            line("web-1", 1, Style::Step, queue(11)),
            line(HOSTILE, 2, Style::Step, queue(12)),
        ],
    );
    queues.thresholds = vec![ReferenceLine { value: 200.0, label: text("capacity 200") }];
    for value in &mut queues.lines[1].y[620..760] {
        *value = None;
    }
    let many = (0..12_u32).map(|i| {
        let latency = move |at| 0.05 * f64::from(i + 1) * (1.0 + spike(at)) + 0.02 * noise(20 + i, at);
        line(&format!("shard-{i}"), i as usize, Style::Line, latency)
    });
    let mut attempts =
        plot("attempts", "Attempts per second", "First attempts and retries.", Unit::PerSecond, vec![]);
    attempts.x = (0..=60).map(|i| f64::from(i) * 5.0).collect();
    attempts.lines = vec![line_over(&attempts.x, "attempts", 4, Style::Bars, |at| {
        45.0 + 160.0 * spike(at) + 4.0 * noise(9, at)
    })];
    attempts.lines[0].y[60] = None;
    let wait =
        line("wait", 5, Style::Line, |at| 0.000_004 + 0.000_08 * spike(at) + 0.000_001 * noise(13, at));
    vec![
        load,
        queues,
        plot(
            "shards",
            "Latency by shard",
            "Lines beyond the eight colours are dashed.",
            Unit::Seconds,
            many.collect(),
        ),
        attempts,
        plot("wait", "Time waiting for the lock", "", Unit::Seconds, vec![wait]),
        plot("nothing", "Cold starts", "", Unit::Count, vec![]),
    ]
}

fn findings() -> Vec<FindingCard> {
    let note = |kind: &str, subject: &str, from, to, plot: &str, tone, sentence: &str| FindingCard {
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        from: Some(from),
        to: Some(to),
        text: sentence.to_owned(),
        evidence: vec![(text("longest queue"), text("197 of 200")), (text("offered"), text("142/s"))],
        plot: Some(plot.to_owned()),
        tone,
    };
    let mut all = vec![
        note(
            "overload",
            "web",
            64.0,
            131.5,
            "load-web",
            Tone::Bad,
            "Offered 142/s, capacity 128/s: all 100 members were busy for 67.5 s.",
        ),
        note(
            "slow_recovery",
            "web",
            120.0,
            212.0,
            "queues",
            Tone::Bad,
            "The queue took 92 s to empty after the end of the spike, one and a half times as long as the spike itself.",
        ),
        note(
            "recovered",
            "shoppers",
            212.0,
            300.0,
            "latency",
            Tone::Good,
            "Latency returned to its level before the spike.",
        ),
        note(
            "imbalance",
            HOSTILE,
            30.0,
            60.0,
            "queues",
            Tone::Plain,
            "One member had twice the queue of the others, although its load was the same.",
        ),
    ];
    all.push(FindingCard {
        text: text("No request was lost."),
        kind: text("conservation"),
        ..FindingCard::default()
    });
    all
}

/// The page.
pub(super) fn page() -> Page {
    let tile = |label: &str, value: &str, note: &str, tone| Tile {
        label: label.to_owned(),
        value: value.to_owned(),
        note: note.to_owned(),
        tone,
    };
    let row = |cells: &[&str]| -> Vec<String> { cells.iter().map(|cell| text(cell)).collect() };
    let table = Table {
        title: text("Servers"),
        heads: row(&["server", "completed", "rejected", "busy", "p99 wait", "state"]),
        rows: vec![
            row(&["web-0", "4,481", "31", "71.2 %", "5.85 s", "up"]),
            row(&["web-1", "4,502", "24", "71.9 %", "5.91 s", "ejected 124 s – 152 s"]),
            row(&[HOSTILE, "4,466", "46", "70.8 %", "6.02 s", "-"]),
        ],
        omitted: 97,
    };
    let span = |from, to, label: &str| Span { from, to, label: label.to_owned() };
    Page {
        format: FORMAT,
        title: format!("the sale {HOSTILE}"),
        subtitle: text("seed 1, replication 0, 5 min of virtual time, 18,038 requests, rushhour 0.1.0"),
        story: vec![
            text(
                "A shop with a hundred web servers, and a sale that lasts a minute. The capacity of the servers is 128 requests per second; the sale offers 140.",
            ),
            text(
                "Watch how long the queue remains after the end of the sale, and which load the clients perceive meanwhile.",
            ),
        ],
        tiles: vec![
            tile("offered", "18,038", "60.1/s", Tone::Plain),
            tile("completed", "17,931", "99.4 %", Tone::Good),
            tile("rejected", "101", "0.6 %", Tone::Bad),
            tile("p50", "539 ms", "of all requests", Tone::Plain),
            tile("p99", "6.78 s", "deadline 5 s", Tone::Bad),
            tile("retries", "1.07", "attempts per request", Tone::Plain),
        ],
        findings: findings(),
        leading: 3,
        seconds: SECONDS,
        spans: vec![
            span(60.0, 120.0, "shoppers: 140/s"),
            span(124.0, 152.0, "web-1 ejected by the balancer"),
        ],
        sections: vec![
            Section { title: text("Traffic"), plots: traffic(), ..Section::default() },
            Section {
                title: text("Servers"),
                plots: servers(),
                tables: vec![table.clone(), table],
                ..Section::default()
            },
        ],
        scenario: format!(
            "// A shop, and a sale that lasts a minute. {HOSTILE}\nScenario(\n    name: \"the sale\",\n    seed: 1,\n    \
             run_until: \"5min\",\n    sources: {{\n        \"shoppers\": (\n            arrivals: Poisson(rate: \
             Spike(base: \"40/s\", peak: \"140/s\", from: \"60s\", to: \"120s\")),\n            to: \"balancer\",\n        \
             ),\n    }},\n    nodes: {{\n        \"web\": Server(count: 100, queue: Fifo(capacity: 200)),\n    }},\n)\n"
        ),
        reproduce: vec![
            text("rushhour run sale.ron --seed 1 --out results"),
            text("rushhour report results"),
        ],
        remarks: vec![
            text("Lines of single members show every 50th sample."),
            text("Queues are sampled every 200 ms."),
        ],
    }
}

/// A very large page: 25 plots of four lines with 1,200 points each.
pub(super) fn large() -> Page {
    let x = x_values(1_200);
    let plots = (0..25).map(|id: u32| {
        let lines = (0..4_u32).map(|i| {
            line_over(&x, &format!("line {i}"), i as usize, Style::Line, |at| {
                3.0 + spike(at) + noise(id * 4 + i, at)
            })
        });
        Plot {
            x: x.clone(),
            lines: lines.collect(),
            ..plot(&format!("plot-{id}"), "A plot", "", Unit::Count, vec![])
        }
    });
    let section = Section { title: text("All"), plots: plots.collect(), ..Section::default() };
    Page {
        format: FORMAT,
        title: text("large"),
        seconds: SECONDS,
        sections: vec![section],
        ..Page::default()
    }
}
