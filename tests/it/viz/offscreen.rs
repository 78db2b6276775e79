//! Pictures and films without a window: correct, complete, and identical in every run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::pixels::{Difference, Pixels};
use super::position_of;
use crate::harness::root;
use crate::support::rushhour;

/// The reference picture, at 12 s. `RUSHHOUR_BLESS=1 cargo test --features viz --test it viz -- --ignored` renders it
/// again.
const STORED: &str = "tests/it/viz/frame-12s.png";
/// Width and height of the reference picture.
const SIZE: (u16, u16) = (800, 500);
/// Maximum difference from the reference picture: drivers round differently at edges. A missing box differs by more,
/// and so does the picture a quarter of a second later, as tests show.
const TOLERANCE: Difference = Difference { mean: 0.05, share: 0.002 };

/// Pictures of the built-in scenario at some times, in the size of the reference picture.
fn pictures(times: &str) -> Vec<Vec<u8>> {
    let arguments = ["view", "--headless", "--frames", "out", "--at", times, "--size", "800x500"];
    let answer = rushhour(&arguments).run();
    answer.good();
    let files: Vec<String> = answer.tree().into_iter().filter(|file| file.ends_with(".png")).collect();
    assert_eq!(answer.tree().len(), files.len() + 1, "the directory, and only pictures in it");
    files.iter().map(|file| answer.bytes(file)).collect()
}

fn is_close(difference: Difference) -> bool {
    difference.mean < TOLERANCE.mean && difference.share < TOLERANCE.share
}

#[test]
#[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
fn pictures_match_the_reference_and_are_the_same_every_time() {
    let files = pictures("12,12.25,15,20");
    assert_eq!(files.len(), 4);
    let stored: PathBuf = root().join(STORED);
    if std::env::var_os("RUSHHOUR_BLESS").is_some() {
        std::fs::write(&stored, &files[0]).expect("the picture can be written");
    }
    let stored = Pixels::of(&std::fs::read(&stored).expect("the picture of 12 s"));
    let decoded: Vec<Pixels> = files.iter().map(|png| Pixels::of(png)).collect();
    let differences: Vec<Difference> = decoded.iter().map(|picture| picture.difference(&stored)).collect();
    println!("{differences:?}");
    assert!(is_close(differences[0]), "{differences:?}: `RUSHHOUR_BLESS=1` stores a new reference picture");
    // The other pictures differ, even that of a quarter of a second later.
    for (time, difference) in ["12.25", "15", "20"].iter().zip(&differences[1..]) {
        assert!(!is_close(*difference), "{time} s: {difference:?}");
    }
    // Requests move from the busy source to the load balancer: each is a dot of about ten pixels.
    let (source, router) = (position_of("customer-1001", SIZE), position_of("router", SIZE));
    // At this size, the names are above the boxes, and the path is between the middles of the boxes.
    let (columns, rows) = (source.0 + 34..router.0 - 34, router.1 + 18..source.1 + 24);
    let dots = |picture: &Pixels| picture.count_colour(columns.clone(), rows.clone(), [0xe6, 0x9f, 0x00]);
    let dots: Vec<usize> = decoded.iter().map(dots).collect();
    println!("{dots:?}");
    assert!(dots.iter().all(|dots| *dots > 40), "{dots:?}");
    let [first, ..] = &*pictures("12") else { panic!("no picture was written") };
    assert!(*first == files[0], "the same command writes the same pixels");
}

#[test]
fn the_tolerance_detects_a_missing_box() {
    let stored = || Pixels::of(&std::fs::read(root().join(STORED)).expect("the picture of 12 s"));
    assert!(is_close(stored().difference(&stored())));
    // Only a part of a box with nothing but a name in it.
    let (x, y) = position_of("client-1", SIZE);
    let without = stored().without(x - 30..x + 30, y - 11..y + 16).difference(&stored());
    println!("{without:?}");
    assert!(!is_close(without), "{without:?}");
}

#[test]
#[ignore = "needs a Vulkan driver and ffmpeg; .ci/run installs them and runs this"]
fn films_are_complete_and_the_same_every_time() {
    let film = |name: &str| {
        let arguments =
            ["view", "--film", name, "--from", "12", "--to", "13", "--fps", "10", "--size", "640x400"];
        let answer = rushhour(&arguments).run();
        answer.good();
        assert_eq!(answer.tree(), [name], "no other file is left");
        (
            Command::new("ffprobe")
                .args(["-v", "error", "-count_frames", "-show_entries", "stream=width,height,nb_read_frames"])
                .args(["-of", "csv=p=0"])
                .arg(answer.path(name))
                .output()
                .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
                .expect("ffprobe comes with ffmpeg"),
            answer.bytes(name),
        )
    };
    let (probe, gif) = film("a.gif");
    // The first and the last frame, and nine between them.
    assert_eq!(probe, "640,400,11");
    assert!(gif.starts_with(b"GIF89a"));
    assert!(film("a.gif").1 == gif, "the same command writes the same pixels");
    assert_eq!(film("b.mp4").0, "640,400,11");
}

#[test]
fn invalid_arguments_are_rejected_before_anything_is_rendered() {
    let error = |arguments: &[&str]| {
        let answer = rushhour(&[&["view"], arguments].concat()).env("PATH", "").run();
        let error = answer.bad(2).to_owned();
        assert!(answer.tree().is_empty(), "{:?}", answer.tree());
        error
    };
    assert!(error(&["--film", "a.avi"]).contains(".gif or .mp4"));
    let missing = error(&["--film", "a.gif"]);
    assert!(missing.contains("ffmpeg") && missing.contains("--frames DIR --at"), "{missing}");
    assert!(error(&["--film", "a.gif", "--speed", "3"]).contains("0.5, 1, 2, 4"));
    assert!(error(&["--film", "a.gif", "--frames", "b"]).contains("cannot be used with"));
    assert!(error(&["--headless"]).contains("--frames"));
    assert!(error(&["--frames", "b", "--at", "3..1/1"]).contains("3..1/1"));
    assert!(error(&["--frames", "b", "--set", "run_until=-1"]).contains("run_until"));
}

#[cfg(unix)]
#[test]
#[ignore = "needs a Vulkan driver and ffmpeg; .ci/run installs them and runs this"]
fn ctrl_c_leaves_complete_pictures_and_no_film() {
    let interrupt = |arguments: &[&str], has_started: &dyn Fn(&[String]) -> bool| {
        let mut program = rushhour(&[&["view", "--size", "640x400"], arguments].concat());
        let mut child = program.start();
        let names = |program: &crate::support::Program| {
            let entries = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
            let directory = program.directory();
            let entries = entries(directory.to_owned()).chain(entries(directory.join("out")));
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let started = (0..3_000).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            has_started(&names(&program)) || child.try_wait().expect("the process can be polled").is_some()
        });
        assert!(started, "no file is written");
        std::thread::sleep(Duration::from_millis(500));
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.expect("kill can be run").success());
        let answer = program.end(child);
        assert!(answer.bad(1).contains("interrupted after "), "{}", answer.stderr);
        answer
    };
    let film = interrupt(&["--film", "a.mp4"], &|names| names.iter().any(|name| name.ends_with(".mp4")));
    assert_eq!(film.tree(), [] as [&str; 0]);
    let stills = interrupt(&["--frames", "out", "--at", "1..60/0.1"], &|names| {
        names.iter().any(|name| name.ends_with("s.png"))
    });
    let written: Vec<_> = stills.tree().into_iter().filter(|name| name != "out").collect();
    assert!(!written.is_empty() && written.len() < 591, "{written:?}");
    for name in written {
        assert_eq!(Pixels::of(&stills.bytes(&name)).width, 640, "{name} is complete");
    }
}
