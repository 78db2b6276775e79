//! Reports: that of load-aware routing shows every plot of the original experiment, and every report can be created
//! again from its data.

use rushhour::report::page::{self, Axis, Page, Plot, Style};
use rushhour::report::svg;

use crate::support::{Answer, rushhour};

/// A scenario whose run takes minutes, so that an error within the time limit of a test precedes the run.
const LONG_RUN: &str = r#"(name: "long", run_until: "1000h",
    sources: {"s": (arrivals: Poisson(rate: "90/s"), to: "a")}, nodes: {"a": Server(service: Constant("10ms"))})"#;

fn page_of(answer: &Answer, file: &str) -> Page {
    page::read(answer.read(file).as_bytes()).expect("the file is the data of a report")
}

fn plots(page: &Page) -> impl Iterator<Item = &Plot> {
    page.sections.iter().flat_map(|section| &section.plots)
}

fn plot<'a>(page: &'a Page, id: &str) -> &'a Plot {
    plots(page).find(|plot| plot.id == id).unwrap_or_else(|| panic!("there is no plot {id}"))
}

fn names(plot: &Plot) -> Vec<&str> {
    plot.lines.iter().map(|line| line.name.as_str()).collect()
}

/// The maximum of a line between two moments.
fn max_between(plot: &Plot, line: usize, from: f64, to: f64) -> f32 {
    let values = plot.x.iter().zip(&plot.lines[line].y);
    let inside = values.filter(|(x, _)| (from..to).contains(*x));
    inside.filter_map(|(_, y)| *y).fold(0.0, f32::max)
}

/// The table with this title: its headings, and the names of its rows.
fn table<'a>(page: &'a Page, title: &str) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut tables = page.sections.iter().flat_map(|section| &section.tables);
    let table = tables.find(|table| table.title == title).unwrap_or_else(|| panic!("no table {title}"));
    let names = table.rows.iter().map(|row| row[0].as_str());
    (table.heads.iter().map(String::as_str).collect(), names.collect())
}

const SERVERS: [&str; 3] = ["server-0", "server-1", "server-2"];

#[test]
fn the_report_of_load_aware_routing_shows_every_plot_of_the_original_experiment() {
    let answer = rushhour(&["run", "--out", "results", "--seed", "7", "--set", "run_until=64s"]).run();
    answer.good();
    let page = page_of(&answer, "results/report.json");

    let queue = plot(&page, "queue");
    assert_eq!(names(queue), SERVERS);
    assert!(
        max_between(queue, 2, 10.0, 25.0) > 90.0 && max_between(queue, 2, 35.0, 64.0) < 10.0,
        "the queue fills and empties"
    );
    assert!((queue.thresholds[0].value - 100.0).abs() < 1e-9, "the capacity of the queue");

    let load = plot(&page, "load");
    assert_eq!(names(load), SERVERS);
    assert!(load.thresholds.iter().any(|limit| (limit.value - 0.9).abs() < 1e-9), "{:?}", load.thresholds);
    assert!(load.x.len() <= 240, "the plot has {} bins", load.x.len());

    let perceived: Vec<&Plot> =
        plots(&page).filter(|plot| plot.title.ends_with("load of server-2")).collect();
    assert_eq!(names(perceived[0]), ["server-2 actual", "perceived by client"]);
    assert_eq!(perceived[0].lines[1].style, Style::Dashed);
    assert!(perceived[0].thresholds.iter().any(|limit| (limit.value - 0.9).abs() < 1e-9));

    let key = plot(&page, "key");
    assert_eq!((key.title.as_str(), names(key)), ("Requests with key 1001 by node", SERVERS.to_vec()));
    assert!(
        key.lines.iter().all(|line| line.style == Style::Bars) && (key.x[1] - key.x[0] - 1.0).abs() < 1e-9
    );
    assert!(
        max_between(key, 0, 0.0, 10.0) < 1.0 && max_between(key, 0, 13.0, 25.0) > 20.0,
        "the key is rerouted to server-0"
    );

    assert_eq!(names(plot(&page, "rehashed")), ["client-0", "client-1", "client-2"]);
    let latency = names(plot(&page, "latency")).join(" ");
    assert!(["p50", "p95", "p99"].iter().all(|percentile| latency.contains(percentile)), "{latency}");
    assert_eq!(plot(&page, "latency-histogram").axis, Axis::Latency);
    for id in ["throughput", "failures", "where-the-time-went", "arrivals", "completions", "rejections"] {
        assert!(!plot(&page, id).lines.is_empty(), "{id}");
    }

    assert_eq!(page.spans.len(), 1);
    assert!((page.spans[0].from - 10.0).abs() < 1e-9 && (page.spans[0].to - 25.0).abs() < 1e-9);
    assert_eq!(page.findings[0].kind, "oscillation");
    assert_eq!(page.findings[0].plot.as_deref(), Some("queue"));

    let (_, latencies) = table(&page, "Latency of completed requests");
    assert_eq!(latencies, ["all", "everyone", "customer-1001"]);
    let (figures, servers) = table(&page, "Servers");
    assert!(["utilization", "mean queue", "rejected"].iter().all(|figure| figures.contains(figure)));
    assert_eq!(servers, ["server (3)", "server-0", "server-1", "server-2"]);
    let (components, _) = table(&page, "Latency breakdown");
    assert!(["waiting", "service", "links"].iter().all(|name| components.contains(name)), "{components:?}");

    assert!(page.scenario.starts_with("// Load-aware routing meets a hot customer."));
    assert!(page.remarks.iter().any(|remark| remark.contains("run_until=64s")), "{:?}", page.remarks);
    assert_eq!(page.reproduce, ["rushhour run --seed 7 --set run_until=64s"]);
}

#[test]
fn sections_are_ordered_from_symptoms_to_causes() {
    let answer = rushhour(&["run", "--out", "."]).run();
    answer.good();
    let page = page_of(&answer, "report.json");
    let titles: Vec<&str> = page.sections.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(titles, ["Requests", "Latency", "Servers", "Clients", "Routing", "Keys", "Probes"]);
    let folded: Vec<bool> = page.sections.iter().map(|section| section.folded).collect();
    assert_eq!(
        folded,
        [false, false, false, false, false, false, true],
        "only the section of probes is collapsed"
    );
    let first: Vec<&str> = page.sections.iter().map(|section| section.plots[0].id.as_str()).collect();
    assert_eq!(first, ["throughput", "latency", "queue", "rehashed", "perceived-load-2", "key", "probe-0"]);
}

#[test]
fn ids_of_plots_are_unique_in_a_page_and_findings_refer_to_existing_plots() {
    for scenario in ["load_aware_routing", "reference", "mmc"] {
        let file = crate::harness::root().join(format!("scenarios/{scenario}.ron"));
        let answer = rushhour(&["run", &file.display().to_string(), "--out", "."]).run();
        answer.good();
        let page = page_of(&answer, "report.json");
        let mut ids: Vec<&str> = plots(&page).map(|plot| plot.id.as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{scenario}");
        for id in page.findings.iter().filter_map(|finding| finding.plot.as_deref()) {
            assert!(ids.contains(&id), "{scenario}: {id}");
        }
        for plot in plots(&page) {
            assert!(plot.lines.iter().all(|line| line.y.len() == plot.x.len()), "{scenario}: {}", plot.id);
        }
    }
}

#[test]
fn a_report_created_again_is_identical() {
    let answer = rushhour(&["run", "--out", ".", "--plots", "first", "--report", "alone/x.html"]).run();
    answer.good();
    let html = answer.read("report.html");
    assert_eq!(answer.read("alone/x.html"), html);
    let again =
        rushhour(&["report", ".", "--plots", "again"]).file("report.json", answer.read("report.json")).run();
    again.good();
    assert_eq!(again.read("report.html"), html);
    let pictures = |answer: &Answer, directory: &str| -> Vec<(String, String)> {
        let tree = answer.tree();
        let files = tree.iter().filter_map(|file| file.strip_prefix(&format!("{directory}/")));
        files.map(|file| (file.to_owned(), answer.read(&format!("{directory}/{file}")))).collect()
    };
    let first = pictures(&answer, "first");
    assert_eq!(first, pictures(&again, "again"));

    let page = page_of(&answer, "report.json");
    let mut names: Vec<String> = plots(&page).map(svg::file_name).collect();
    names.sort();
    assert_eq!(
        first.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(),
        names,
        "there is one picture for each plot"
    );
    for (name, picture) in &first {
        assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"), "{name}");
        assert!(!picture.contains("NaN") && picture.contains("<title"), "{name}");
    }
}

#[test]
fn a_report_without_other_output_is_a_file_of_any_name() {
    let answer = rushhour(&["run", "--report", "new/what happened.html", "--quiet"]).run();
    assert_eq!(answer.good().lines().count(), 1);
    assert_eq!(answer.tree(), ["new", "new/what happened.html"]);
    assert!(answer.read("new/what happened.html").ends_with("</html>\n"));
}

#[test]
fn paths_that_cannot_be_written_are_errors_before_the_run() {
    let refused = |arguments: &[&str], expected: &str| {
        let all = [&["run", "long.ron"], arguments].concat();
        let answer = rushhour(&all).file("long.ron", LONG_RUN).file("file", "x").run();
        let message = answer.bad(2);
        assert!(message.contains(expected), "{arguments:?}: {message}");
        assert_eq!(answer.tree(), ["file", "long.ron"], "{arguments:?}: no file was created");
    };
    refused(&["--out", "file/x"], "--out");
    refused(&["--plots", "file/x"], "--plots");
    refused(&["--report", "file/x.html"], "--report");
    refused(&["--report", "."], "not the name of a file");
    refused(&["--report", ".."], "not the name of a file");
    refused(&["--out", "new", "--plots", "file"], "--plots");
    refused(&["--out", "new", "--report", "new/summary.json"], "another file of this run");
    refused(&["--out", "new/../new", "--report", "new/series.csv"], "another file of this run");
    refused(&["--plots", "new", "--report", "new/queue.svg"], "another file of this run");
}

#[test]
fn two_outputs_share_a_directory() {
    let answer = rushhour(&["run", "--out", "all", "--plots", "all", "--report", "all/report.html"]).run();
    answer.good();
    let tree = answer.tree();
    for file in ["all/report.html", "all/report.json", "all/summary.json", "all/queue.svg"] {
        assert!(tree.iter().any(|other| other == file), "{file} is missing: {tree:?}");
    }
}

#[test]
fn a_report_with_a_million_samples_of_probes_is_small() {
    let scenario = r#"(name: "many samples", run_until: "100s",
        sources: {"s": (arrivals: Poisson(rate: "200/s"), to: "lb")},
        nodes: {"lb": LoadBalancer(policy: Random, to: "web"), "web": Server(count: 50, service: Exponential(mean: "10ms"))},
        probes: [(of: "web", gauges: [QueueDepth, Load], every: "10ms")])"#;
    let answer = rushhour(&["run", "-", "--report", "report.html", "--quiet"]).stdin(scenario).run();
    answer.good();
    let size = answer.read("report.html").len();
    // 50 servers, two gauges, 10,000 sample times.
    assert!(size < 1_500_000, "{size} bytes");
}
