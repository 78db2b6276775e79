//! A report works in a browser, offline: every plot is drawn, nothing is loaded, nothing is complained of, and mouse and keys
//! do what they promise.
//!
//! These tests need Chromium, which a build does not. `.ci/run` installs it and runs them. With `RUSHHOUR_SCREENSHOTS` set to
//! a directory they leave pictures there to be looked at.

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
    html::write(page, &mut out).expect("memory can be written");
    std::fs::write(file, &out).expect("a file can be written");
    out.len()
}

/// Where pictures go, if somebody wants to look at them.
fn pictures() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("RUSHHOUR_SCREENSHOTS")?);
    std::fs::create_dir_all(&path).expect("a directory can be made");
    Some(path)
}

/// Everything that holds for each report, whatever it shows. Leaves the browser in it, light and as wide as a desk.
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
        the_legend_obeys_keys(browser);
    }
    findings_lead_to_their_plots(browser);
    dark_is_dark(browser);
    a_phone_is_wide_enough(browser);
    assert_eq!(browser.value("rushhour.errors"), json!([]));
    nothing_was_loaded_or_complained_of(browser);
}

/// Checks a report on disk. For reports of real runs.
pub(crate) fn check_report(file: &Path) -> Browser {
    let browser = Browser::start();
    check(&browser, file);
    browser
}

/// Two frames later everything that was asked for is on the screen.
fn settle(browser: &Browser) {
    browser.run("window.settled = false; requestAnimationFrame(() => requestAnimationFrame(() => { window.settled = true; }));");
    browser.until("window.settled");
}

fn every_plot_is_drawn(browser: &Browser) {
    let plots = browser.value("rushhour.plots");
    assert_eq!(browser.value("rushhour.drawn"), plots);
    assert_eq!(browser.value("document.querySelectorAll('.canvas canvas').length"), plots);
    // Curves have colours; the frame of a plot is grey.
    let blank = "[...document.querySelectorAll('.canvas canvas')].filter((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let coloured = 0;
        for (let i = 0; i < data.length; i += 4)
            if (data[i + 3] > 100 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 24) coloured++;
        return coloured < 30;
    }).map((canvas) => canvas.closest('.plot').dataset.plot)";
    assert_eq!(browser.value(blank), json!([]), "these plots are blank");
}

/// A point of the first plot over time: so far from its left and its top.
fn within(browser: &Browser, across: f64) -> (i64, i64) {
    browser.run(
        "window.chart = rushhour.charts.find((chart) => chart.time && !chart.empty);
         document.documentElement.style.scrollBehavior = 'auto'; chart.element.scrollIntoView({ block: 'center' });",
    );
    settle(browser);
    let at = browser.value(&format!(
        "(() => {{ const box = chart.u.over.getBoundingClientRect();
         return [Math.round(box.left + box.width * {across}), Math.round(box.top + box.height / 2)]; }})()"
    ));
    (at[0].as_i64().expect("a pixel"), at[1].as_i64().expect("a pixel"))
}

fn the_pointer_reads_values_and_zooms(browser: &Browser) {
    let at = within(browser, 0.5);
    let values = "chart.entries.map((entry) => entry.value.textContent).join()";
    let idle = browser.value(values);
    browser.point(at, None);
    settle(browser);
    let read = browser.value(values);
    assert!(idle.as_str().is_some_and(|idle| idle.starts_with("max")), "{idle}");
    assert!(
        read != idle && read.as_str().is_some_and(|read| read.contains(|c: char| c.is_ascii_digit())),
        "{read}"
    );
    assert!(browser.value("chart.where.textContent").as_str().is_some_and(|place| place.contains(' ')));

    let (from, to) = (within(browser, 0.3), within(browser, 0.6));
    browser.point(from, Some(to));
    settle(browser);
    let zoomed = "rushhour.charts.filter((chart) => chart.u && chart.time).every((chart) =>
        Math.abs(chart.u.scales.x.min - rushhour.range[0]) < 1e-6 && Math.abs(chart.u.scales.x.max - rushhour.range[1]) < 1e-6)";
    assert_eq!(browser.value(zoomed), json!(true), "all plots over time follow the one that was dragged");
    browser.key(ESCAPE);
    settle(browser);
    assert_eq!(browser.value("rushhour.range"), Value::Null, "Escape shows the whole run");
}

fn keys_move_the_cursor(browser: &Browser) {
    browser.run("chart.host.focus()");
    browser.point((10, 10), None);
    browser.key(RIGHT);
    browser.key(RIGHT);
    assert_eq!(browser.value("chart.u.cursor.idx"), json!(1), "sample by sample");
    assert!(
        browser
            .value("document.getElementById('live').textContent")
            .as_str()
            .is_some_and(|said| said.len() > 5)
    );
    browser.key('+');
    settle(browser);
    assert!(browser.value("rushhour.range").is_array(), "+ zooms");
    browser.key(ESCAPE);
    assert_eq!(browser.value("rushhour.range"), Value::Null);
}

fn the_legend_obeys_keys(browser: &Browser) {
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

fn findings_lead_to_their_plots(browser: &Browser) {
    browser.run("window.go = [...document.querySelectorAll('.finding')].find((card) => card.querySelector('.when').textContent && card.querySelector('button.go'));");
    if browser.value("!!window.go") == json!(false) {
        return;
    }
    browser.run("go.querySelector('button.go').focus()");
    browser.key(ENTER);
    settle(browser);
    if browser.value("rushhour.charts.some((chart) => chart.time && !chart.empty)") == json!(true) {
        let told = browser.value("[go.className, rushhour.range, document.getElementById('reset').hidden]");
        assert!(told[0].as_str().is_some_and(|class| class.contains("chosen")), "{told}");
    }
    browser.key(ESCAPE);
    settle(browser);
    assert_eq!(browser.value("rushhour.range"), Value::Null);
}

fn dark_is_dark(browser: &Browser) {
    let looks = "[getComputedStyle(document.body).backgroundColor, rushhour.drawn]";
    let light = browser.value(looks);
    browser.run("rushhour.theme('dark')");
    settle(browser);
    let dark = browser.value(looks);
    assert_ne!(light[0], dark[0]);
    assert_eq!(light[1], dark[1], "all plots were drawn again");
    every_plot_is_drawn(browser);
    browser.run("rushhour.theme('light')");
    settle(browser);
}

fn a_phone_is_wide_enough(browser: &Browser) {
    browser.resize(390, 844);
    settle(browser);
    let wide = browser.value("[document.documentElement.scrollWidth, innerWidth]");
    assert_eq!(wide, json!([390, 390]), "nothing hangs over the edge");
    browser.resize(1360, 1000);
    settle(browser);
}

fn nothing_was_loaded_or_complained_of(browser: &Browser) {
    let diagnostics: Vec<_> = browser
        .log("browser")
        .into_iter()
        .filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")))
        .collect();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let mut asked_for = Vec::new();
    for entry in browser.log("performance") {
        let message: Value = serde_json::from_str(entry["message"].as_str().expect("text")).expect("JSON");
        if message["message"]["method"] == "Network.requestWillBeSent" {
            asked_for.push(message["message"]["params"]["request"]["url"].as_str().expect("text").to_owned());
        }
    }
    // The browser's own pages are none of the report's.
    asked_for.retain(|url| !url.starts_with("data:") && !url.starts_with("chrome:"));
    assert!(asked_for.len() == 1 && asked_for[0].starts_with("file://"), "{asked_for:?}");
    let loaded = "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => !name.startsWith('data:'))";
    assert_eq!(browser.value(loaded), json!([]));
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn a_report_with_everything_works() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("report.html");
    written(&sample::page(), &file);
    let browser = check_report(&file);

    browser.run("document.querySelector('.more').click()");
    assert_eq!(
        browser.value("document.querySelectorAll('.finding').length"),
        json!(5),
        "the others on demand"
    );
    assert_eq!(browser.value("document.querySelectorAll('img').length"), json!(0), "names are no tags");
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
    assert_eq!(browser.value("chart.u.series.length"), json!(6), "another member is drawn");
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
        svg::plot(&page, plot, &mut out).expect("memory can be written");
        std::fs::write(pictures.join(svg::file_name(plot)), out).expect("a file can be written");
    }
    let mut data = Vec::new();
    page::write(&page, &mut data).expect("memory can be written");
    std::fs::write(pictures.join("report.json"), data).expect("a file can be written");
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn a_report_of_nothing_works() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("report.html");
    written(&Page { format: FORMAT, title: "silence".to_owned(), ..Page::default() }, &file);
    let browser = check_report(&file);
    if let Some(pictures) = pictures() {
        browser.screenshot(&pictures.join("empty.png"));
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn a_picture_is_drawn_by_a_browser() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = sample::page();
    let browser = Browser::start();
    for plot in page.sections.iter().flat_map(|section| &section.plots) {
        let file = directory.path().join(svg::file_name(plot));
        let mut out = Vec::new();
        svg::plot(&page, plot, &mut out).expect("memory can be written");
        std::fs::write(&file, out).expect("a file can be written");
        browser.open(&file);
        let told = browser
            .value("[document.documentElement.tagName, document.querySelectorAll('parsererror').length]");
        assert_eq!(told, json!(["svg", 0]), "{}", plot.id);
        if let Some(pictures) = pictures() {
            browser.resize(780, 420);
            browser.screenshot(&pictures.join(format!("svg-{}.png", plot.id)));
        }
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn a_large_report_opens_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
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
    // A hundred lines of 1,200 places take a tenth of this on a slow machine; it is to find what grows with its square.
    assert!(all.as_f64().is_some_and(|taken| taken < 5_000.0), "{all} ms");
}

#[test]
fn a_report_is_drawn_again_from_its_data() {
    let mut data = Vec::new();
    page::write(&sample::page(), &mut data).expect("memory can be written");
    let program = rushhour(&["report", ".", "--plots", "pictures"]).file("report.json", &data);
    let answer = program.run();
    answer.good();
    assert!(answer.read("report.html").contains("id=\"page\""));
    let pictures = answer.tree().iter().filter(|file| file.ends_with(".svg")).count();
    assert_eq!(pictures, 9, "{:?}", answer.tree());
    assert!(answer.read("pictures/load-web.svg").contains("</svg>"));
}

#[test]
fn what_is_no_report_is_refused_with_a_hint() {
    let refused = |program: crate::support::Program| {
        let answer = program.run();
        let told = answer.bad(2).to_owned();
        (told, answer.tree())
    };
    let (told, tree) = refused(rushhour(&["report", "nowhere", "--plots", "pictures"]));
    assert!(told.contains("report.json") && told.contains("--out"), "{told}");
    assert_eq!(tree, [] as [&str; 0], "nothing was made");
    let (told, tree) = refused(rushhour(&["report", "."]).file("report.json", "{\"format\":99}"));
    assert!(told.contains("format 99") && told.contains("run the scenario again"), "{told}");
    assert_eq!(tree, ["report.json"]);
    let (told, _) = refused(rushhour(&["report", "."]).file("report.json", "no JSON"));
    assert!(told.contains("not the data of a report"), "{told}");
}

/// The report of a scenario that comes with the program, looked at in a browser.
fn real(scenario: &str) -> (Browser, crate::support::Answer) {
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
    let (browser, _answer) = real("load_aware_routing");
    assert_eq!(browser.value("document.querySelector('.finding .kind').textContent"), json!("oscillation"));
    let digits =
        "[...document.querySelectorAll('.when')].every((when) => !/\\d\\.\\d{3}/.test(when.textContent))";
    assert_eq!(browser.value(digits), json!(true), "times in three digits");

    browser.run("document.querySelector('.finding button.go').click()");
    settle(&browser);
    assert_eq!(browser.value("document.querySelector('.plot.chosen').dataset.plot"), json!("queue"));
    let range = browser.value("rushhour.range");
    let [from, to] = [&range[0], &range[1]].map(|end| end.as_f64().expect("seconds"));
    assert!(from > 3.0 && from < 11.0 && to > 20.0 && to < 35.0, "around the oscillation: {range}");
    let seen = "(() => { const box = document.querySelector('.plot.chosen').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; })()";
    browser.until(seen);

    let legends = "(() => { const chart = rushhour.charts.find((chart) => chart.plot.id === 'latency-histogram'); return chart.entries.map((entry) => entry.value.textContent); })()";
    let idle = browser.value(legends).to_string();
    assert!(idle.contains("in all 1,194"), "bars that are counted tell their sum: {idle}");
    assert_eq!(browser.value("document.querySelectorAll('details.folded[open]').length"), json!(0));
    browser.run("rushhour.show('probe-0')");
    settle(&browser);
    assert_eq!(
        browser.value("document.querySelectorAll('details.folded[open]').length"),
        json!(1),
        "shown on demand"
    );
    let wide = "rushhour.charts.find((chart) => chart.plot.id === 'probe-0').u.width > 400";
    browser.until(wide);
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn the_report_of_a_fleet_works() {
    let (browser, _answer) = real("fleet");
    let entries =
        "rushhour.charts.find((chart) => chart.plot.id === 'queue').entries.map((entry) => entry.name)";
    let names = browser.value(entries);
    assert_eq!(names[0], "server (1,000), least to most", "a band and the most notable: {names}");
    assert!(names.as_array().is_some_and(|names| names.len() <= 6), "{names}");
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn documents_and_pictures_have_the_same_colours() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("report.html");
    written(&sample::page(), &file);
    let browser = Browser::start();
    browser.open(&file);
    browser.until("window.rushhour && rushhour.ready");
    for (number, colour) in PALETTE.colours.iter().enumerate() {
        for (theme, expected) in [("light", colour.light), ("dark", colour.dark)] {
            browser.run(&format!("rushhour.theme('{theme}')"));
            let beyond = number + PALETTE.colours.len();
            let told = browser.value(&format!("[{number}, {beyond}].map(rushhour.colours.colour)"));
            assert_eq!(told, json!([expected, expected]));
        }
        let dashes = browser.value(&format!("rushhour.colours.dash({}, false)", number * 8));
        assert_eq!(dashes, json!(PALETTE.dash(number * 8)));
    }
}
