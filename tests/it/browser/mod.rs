//! Reports work offline in a browser: every plot is drawn, nothing is loaded, the console has no warnings, and pointer
//! and keyboard control work.
//!
//! These tests need Chromium; `.ci/run` installs it and runs them. If `RUSHHOUR_SCREENSHOTS` is set to a directory,
//! they save screenshots there.

mod driver;
mod sample;

use std::path::{Path, PathBuf};

use rushhour::report::page::{self, FORMAT, Page};
use rushhour::report::palette::PALETTE;
use rushhour::report::{html, svg};
use serde_json::{Value, json};

use crate::support::rushhour;
use driver::Browser;

const ESCAPE: char = '\u{e00c}';
const RIGHT: char = '\u{e014}';
const ENTER: char = '\u{e007}';

fn written(page: &Page, file: &Path) -> usize {
    let mut out = Vec::new();
    html::write(page, &mut out).expect("a write to memory succeeds");
    std::fs::write(file, &out).expect("a file can be written");
    out.len()
}

/// The directory for screenshots, or `None` if none are wanted.
fn pictures() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("RUSHHOUR_SCREENSHOTS")?);
    std::fs::create_dir_all(&path).expect("a directory can be created");
    Some(path)
}

/// Checks what holds for every report. Leaves it open in the browser, in light colours and desktop width.
fn check(browser: &Browser, file: &Path) {
    for kind in ["browser", "performance"] {
        browser.log(kind);
    }
    browser.resize(1360, 1000);
    browser.open(file);
    browser.until("window.rushhour && rushhour.ready");
    browser.run("rushhour.theme('light'); rushhour.drawAll();");
    settle(browser);
    every_plot_is_drawn(browser);
    if browser.value("rushhour.charts.some((chart) => chart.time && !chart.empty)") == json!(true) {
        the_pointer_reads_values_and_zooms(browser);
        keys_move_the_cursor(browser);
        the_legend_has_keyboard_control(browser);
    }
    findings_link_to_their_plots(browser);
    the_dark_theme_changes_colours(browser);
    the_report_fits_a_phone(browser);
    assert_eq!(browser.value("rushhour.errors"), json!([]));
    nothing_was_loaded_and_no_warning_was_logged(browser);
}

/// Checks a report on disk.
pub(crate) fn check_report(file: &Path) -> Browser {
    let browser = Browser::start();
    check(&browser, file);
    browser
}

/// Waits for two frames, after which all requested changes are visible.
fn settle(browser: &Browser) {
    browser.run("window.settled = false; requestAnimationFrame(() => requestAnimationFrame(() => { window.settled = true; }));");
    browser.until("window.settled");
}

fn every_plot_is_drawn(browser: &Browser) {
    let plots = browser.value("rushhour.plots");
    assert_eq!(browser.value("rushhour.drawn"), plots);
    assert_eq!(browser.value("document.querySelectorAll('.canvas canvas').length"), plots);
    // Curves have colours; axes and grid are grey.
    let blank = "[...document.querySelectorAll('.canvas canvas')].filter((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let coloured = 0;
        for (let i = 0; i < data.length; i += 4)
            if (data[i + 3] > 100 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 24) coloured++;
        return coloured < 30;
    }).map((canvas) => canvas.closest('.plot').dataset.plot)";
    assert_eq!(browser.value(blank), json!([]), "plots without curves");
}

/// A point of the first time plot: at this fraction of its width, and half of its height.
fn point_of_plot(browser: &Browser, across: f64) -> (i64, i64) {
    browser.run(
        "window.chart = rushhour.charts.find((chart) => chart.time && !chart.empty);
         document.documentElement.style.scrollBehavior = 'auto'; chart.element.scrollIntoView({ block: 'center' });",
    );
    settle(browser);
    let at = browser.value(&format!(
        "(() => {{ const box = chart.u.over.getBoundingClientRect();
         return [Math.round(box.left + box.width * {across}), Math.round(box.top + box.height / 2)]; }})()"
    ));
    (
        at[0].as_i64().expect("a coordinate is a whole number"),
        at[1].as_i64().expect("a coordinate is a whole number"),
    )
}

fn the_pointer_reads_values_and_zooms(browser: &Browser) {
    let at = point_of_plot(browser, 0.5);
    let values = "chart.entries.map((entry) => entry.value.textContent).join()";
    let idle = browser.value(values);
    browser.point(at, None);
    settle(browser);
    let at_pointer = browser.value(values);
    assert!(idle.as_str().is_some_and(|idle| idle.starts_with("max")), "{idle}");
    assert!(
        at_pointer != idle
            && at_pointer.as_str().is_some_and(|text| text.contains(|c: char| c.is_ascii_digit())),
        "{at_pointer}"
    );
    assert!(browser.value("chart.where.textContent").as_str().is_some_and(|time| time.contains(' ')));

    let (from, to) = (point_of_plot(browser, 0.3), point_of_plot(browser, 0.6));
    browser.point(from, Some(to));
    settle(browser);
    let zoomed = "rushhour.charts.filter((chart) => chart.u && chart.time).every((chart) =>
        Math.abs(chart.u.scales.x.min - rushhour.range[0]) < 1e-6 && Math.abs(chart.u.scales.x.max - rushhour.range[1]) < 1e-6)";
    assert_eq!(
        browser.value(zoomed),
        json!(true),
        "all time plots zoom to the range selected in one of them"
    );
    browser.key(ESCAPE);
    settle(browser);
    assert_eq!(browser.value("rushhour.range"), Value::Null, "Escape shows the whole run");
}

fn keys_move_the_cursor(browser: &Browser) {
    browser.run("chart.host.focus()");
    browser.point((10, 10), None);
    browser.key(RIGHT);
    browser.key(RIGHT);
    assert_eq!(browser.value("chart.u.cursor.idx"), json!(1), "the cursor moves by one sample");
    assert!(
        browser
            .value("document.getElementById('live').textContent")
            .as_str()
            .is_some_and(|text| text.len() > 5)
    );
    browser.key('+');
    settle(browser);
    assert!(browser.value("rushhour.range").is_array(), "+ zooms");
    browser.key(ESCAPE);
    assert_eq!(browser.value("rushhour.range"), Value::Null);
}

fn the_legend_has_keyboard_control(browser: &Browser) {
    browser.run("window.entry = chart.entries[0]; entry.button.focus();");
    let before = browser.value("entry.on");
    browser.key(ENTER);
    settle(browser);
    let state = "[entry.on, entry.button.getAttribute('aria-pressed') === 'true', chart.u.series[1].show]";
    let toggled = before == json!(false);
    assert_eq!(browser.value(state), json!([toggled, toggled, toggled]));
    browser.key(ENTER);
    settle(browser);
    assert_eq!(browser.value(state), json!([!toggled, !toggled, !toggled]));
}

fn findings_link_to_their_plots(browser: &Browser) {
    browser.run("window.go = [...document.querySelectorAll('.finding')].find((card) => card.querySelector('.when').textContent && card.querySelector('button.go'));");
    if browser.value("!!window.go") == json!(false) {
        return;
    }
    browser.run("go.querySelector('button.go').focus()");
    browser.key(ENTER);
    settle(browser);
    if browser.value("rushhour.charts.some((chart) => chart.time && !chart.empty)") == json!(true) {
        let state = browser.value("[go.className, rushhour.range, document.getElementById('reset').hidden]");
        assert!(state[0].as_str().is_some_and(|class| class.contains("chosen")), "{state}");
    }
    browser.key(ESCAPE);
    settle(browser);
    assert_eq!(browser.value("rushhour.range"), Value::Null);
}

fn the_dark_theme_changes_colours(browser: &Browser) {
    let state = "[getComputedStyle(document.body).backgroundColor, rushhour.drawn]";
    let light = browser.value(state);
    browser.run("rushhour.theme('dark')");
    settle(browser);
    let dark = browser.value(state);
    assert_ne!(light[0], dark[0]);
    assert_eq!(light[1], dark[1], "all plots are drawn again");
    every_plot_is_drawn(browser);
    browser.run("rushhour.theme('light')");
    settle(browser);
}

fn the_report_fits_a_phone(browser: &Browser) {
    browser.resize(390, 844);
    settle(browser);
    let widths = browser.value("[document.documentElement.scrollWidth, innerWidth]");
    assert_eq!(widths, json!([390, 390]), "the page does not scroll horizontally");
    browser.resize(1360, 1000);
    settle(browser);
}

fn nothing_was_loaded_and_no_warning_was_logged(browser: &Browser) {
    let warnings: Vec<_> = browser
        .log("browser")
        .into_iter()
        .filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")))
        .collect();
    assert!(warnings.is_empty(), "{warnings:?}");
    let mut requested = Vec::new();
    for entry in browser.log("performance") {
        let message: Value = serde_json::from_str(entry["message"].as_str().expect("the log has this text"))
            .expect("a message is JSON");
        if message["message"]["method"] == "Network.requestWillBeSent" {
            requested.push(
                message["message"]["params"]["request"]["url"]
                    .as_str()
                    .expect("the log has this text")
                    .to_owned(),
            );
        }
    }
    // Internal pages of the browser do not count.
    requested.retain(|url| !url.starts_with("data:") && !url.starts_with("chrome:"));
    assert!(requested.len() == 1 && requested[0].starts_with("file://"), "{requested:?}");
    let loaded = "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => !name.startsWith('data:'))";
    assert_eq!(browser.value(loaded), json!([]));
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn a_report_with_all_features_works() {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let file = directory.path().join("report.html");
    written(&sample::page(), &file);
    let browser = check_report(&file);

    browser.run("document.querySelector('.more').click()");
    assert_eq!(
        browser.value("document.querySelectorAll('.finding').length"),
        json!(5),
        "the other findings are shown on demand"
    );
    assert_eq!(
        browser.value("document.querySelectorAll('img').length"),
        json!(0),
        "names do not become tags"
    );
    assert_eq!(
        browser.value("document.querySelector('h1').textContent"),
        json!(format!("the sale {}", sample::HOSTILE))
    );
    browser.run("document.querySelector('.finding button.go').click()");
    settle(&browser);
    let range = browser.value("rushhour.range");
    assert!(range[0].as_f64().is_some_and(|from| from > 30.0 && from < 64.0), "{range}");
    assert!(range[1].as_f64().is_some_and(|to| to > 131.5 && to < 170.0), "{range}");
    assert_eq!(browser.value("document.querySelector('.plot.chosen').dataset.plot"), json!("load-web"));

    let add = "window.chart = rushhour.charts.find((chart) => chart.plot.id === 'load-web');
        const select = chart.legend.querySelector('select'); select.value = '17'; select.dispatchEvent(new Event('change'));";
    browser.run(add);
    settle(&browser);
    assert_eq!(browser.value("chart.u.series.length"), json!(6), "a further member is drawn");
    assert_eq!(browser.value("chart.entries[chart.entries.length - 1].name"), json!("web-17"));
    if let Some(pictures) = pictures() {
        take_pictures(&browser, &pictures);
    }
}

fn take_pictures(browser: &Browser, pictures: &Path) {
    browser.screenshot(&pictures.join("zoomed.png"));
    browser.key(ESCAPE);
    for (name, theme, width) in [
        ("light", "light", 1360),
        ("dark", "dark", 1360),
        ("phone", "light", 390),
        ("phone-dark", "dark", 390),
    ] {
        browser.resize(width, 1000);
        browser.run(&format!("rushhour.theme('{theme}'); scrollTo(0, 0);"));
        settle(browser);
        browser.screenshot(&pictures.join(format!("{name}.png")));
    }
    browser.run("rushhour.theme('dark')");
    browser.resize(1360, 1000);
    browser.print(&pictures.join("print.pdf"));
    let page = sample::page();
    for plot in page.sections.iter().flat_map(|section| &section.plots) {
        let mut out = Vec::new();
        svg::plot(&page, plot, &mut out).expect("a write to memory succeeds");
        std::fs::write(pictures.join(svg::file_name(plot)), out).expect("a file can be written");
    }
    let mut data = Vec::new();
    page::write(&page, &mut data).expect("a write to memory succeeds");
    std::fs::write(pictures.join("report.json"), data).expect("a file can be written");
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn an_empty_report_works() {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let file = directory.path().join("report.html");
    written(&Page { format: FORMAT, title: "empty".to_owned(), ..Page::default() }, &file);
    let browser = check_report(&file);
    if let Some(pictures) = pictures() {
        browser.screenshot(&pictures.join("empty.png"));
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn a_browser_renders_the_pictures() {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let page = sample::page();
    let browser = Browser::start();
    for plot in page.sections.iter().flat_map(|section| &section.plots) {
        let file = directory.path().join(svg::file_name(plot));
        let mut out = Vec::new();
        svg::plot(&page, plot, &mut out).expect("a write to memory succeeds");
        std::fs::write(&file, out).expect("a file can be written");
        browser.open(&file);
        let root = browser
            .value("[document.documentElement.tagName, document.querySelectorAll('parsererror').length]");
        assert_eq!(root, json!(["svg", 0]), "{}", plot.id);
        if let Some(pictures) = pictures() {
            browser.resize(780, 420);
            browser.screenshot(&pictures.join(format!("svg-{}.png", plot.id)));
        }
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn a_large_report_opens_at_once() {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let file = directory.path().join("report.html");
    let size = written(&sample::large(), &file);
    assert!(size < 1_200_000, "{size} bytes");
    let browser = Browser::start();
    browser.open(&file);
    browser.until("window.rushhour && rushhour.ready");
    let opened = browser.value("performance.now()");
    let all = browser.value(
        "(() => { const from = performance.now(); rushhour.drawAll(); return performance.now() - from; })()",
    );
    settle(&browser);
    println!("{size} bytes, open after {opened} ms, all plots drawn in {all} ms more");
    every_plot_is_drawn(&browser);
    // A hundred lines of 1,200 points take a tenth of this on a slow machine. The limit detects quadratic growth.
    assert!(all.as_f64().is_some_and(|ms| ms < 5_000.0), "{all} ms");
}

#[test]
fn a_report_is_created_again_from_its_data() {
    let mut data = Vec::new();
    page::write(&sample::page(), &mut data).expect("a write to memory succeeds");
    let program = rushhour(&["report", ".", "--plots", "pictures"]).file("report.json", &data);
    let answer = program.run();
    answer.good();
    assert!(answer.read("report.html").contains("id=\"page\""));
    let pictures = answer.tree().iter().filter(|file| file.ends_with(".svg")).count();
    assert_eq!(pictures, 9, "{:?}", answer.tree());
    assert!(answer.read("pictures/load-web.svg").contains("</svg>"));
}

#[test]
fn a_directory_without_a_valid_report_is_an_error_with_a_hint() {
    let refused = |program: crate::support::Program| {
        let answer = program.run();
        let message = answer.bad(2).to_owned();
        (message, answer.tree())
    };
    let (message, tree) = refused(rushhour(&["report", "nowhere", "--plots", "pictures"]));
    assert!(message.contains("report.json") && message.contains("--out"), "{message}");
    assert_eq!(tree, [] as [&str; 0], "no file was created");
    let (message, tree) = refused(rushhour(&["report", "."]).file("report.json", "{\"format\":99}"));
    assert!(message.contains("format 99") && message.contains("run the scenario again"), "{message}");
    assert_eq!(tree, ["report.json"]);
    let (message, _) = refused(rushhour(&["report", "."]).file("report.json", "no JSON"));
    assert!(message.contains("not the data of a report"), "{message}");
}

/// Runs a scenario of the repository and checks its report in a browser.
fn run_and_check(scenario: &str) -> (Browser, crate::support::Answer) {
    let file = crate::harness::root().join(format!("scenarios/{scenario}.ron"));
    let answer = rushhour(&["run", &file.display().to_string(), "--out", ".", "--quiet"]).run();
    answer.good();
    let browser = check_report(&answer.path("report.html"));
    if let Some(pictures) = pictures() {
        browser.run("scrollTo(0, 0)");
        settle(&browser);
        browser.screenshot(&pictures.join(format!("{scenario}.png")));
    }
    (browser, answer)
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn the_report_of_load_aware_routing_works() {
    let (browser, _answer) = run_and_check("load_aware_routing");
    assert_eq!(browser.value("document.querySelector('.finding .kind').textContent"), json!("oscillation"));
    let digits =
        "[...document.querySelectorAll('.when')].every((when) => !/\\d\\.\\d{3}/.test(when.textContent))";
    assert_eq!(browser.value(digits), json!(true), "times have at most three digits");

    browser.run("document.querySelector('.finding button.go').click()");
    settle(&browser);
    assert_eq!(browser.value("document.querySelector('.plot.chosen').dataset.plot"), json!("queue"));
    let range = browser.value("rushhour.range");
    let [from, to] = [&range[0], &range[1]].map(|end| end.as_f64().expect("a bound is in seconds"));
    assert!(
        from > 3.0 && from < 11.0 && to > 20.0 && to < 35.0,
        "the range is that of the oscillation, with a margin: {range}"
    );
    let seen = "(() => { const box = document.querySelector('.plot.chosen').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; })()";
    browser.until(seen);

    let legends = "(() => { const chart = rushhour.charts.find((chart) => chart.plot.id === 'latency-histogram'); return chart.entries.map((entry) => entry.value.textContent); })()";
    let idle = browser.value(legends).to_string();
    assert!(idle.contains("total 1,194"), "a histogram shows its total: {idle}");
    assert_eq!(browser.value("document.querySelectorAll('details.folded[open]').length"), json!(0));
    browser.run("rushhour.show('probe-0')");
    settle(&browser);
    assert_eq!(
        browser.value("document.querySelectorAll('details.folded[open]').length"),
        json!(1),
        "the section of probes is expanded on demand"
    );
    let wide = "rushhour.charts.find((chart) => chart.plot.id === 'probe-0').u.width > 400";
    browser.until(wide);
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn the_report_of_a_fleet_works() {
    let (browser, _answer) = run_and_check("fleet");
    let entries =
        "rushhour.charts.find((chart) => chart.plot.id === 'queue').entries.map((entry) => entry.name)";
    let names = browser.value(entries);
    assert_eq!(names[0], "server (1,000), min to max", "a band and the largest series: {names}");
    assert!(names.as_array().is_some_and(|names| names.len() <= 6), "{names}");
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn html_and_svg_have_the_same_colours() {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let file = directory.path().join("report.html");
    written(&sample::page(), &file);
    let browser = Browser::start();
    browser.open(&file);
    browser.until("window.rushhour && rushhour.ready");
    for (number, colour) in PALETTE.colours.iter().enumerate() {
        for (theme, expected) in [("light", colour.light), ("dark", colour.dark)] {
            browser.run(&format!("rushhour.theme('{theme}')"));
            let repeated = number + PALETTE.colours.len();
            let actual = browser.value(&format!("[{number}, {repeated}].map(rushhour.colours.colour)"));
            assert_eq!(actual, json!([expected, expected]));
        }
        let dashes = browser.value(&format!("rushhour.colours.dash({}, false)", number * 8));
        assert_eq!(dashes, json!(PALETTE.dash(number * 8)));
    }
}
