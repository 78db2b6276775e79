//! Pictures and films without a window, from the same run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::pixels::{Difference, Pixels};
use super::place_of;
use crate::harness::root;
use crate::support::rushhour;

/// The picture that is compared with, of 12 s. `RUSHHOUR_BLESS=1 cargo test --features viz --test it viz -- --ignored`
/// takes it again.
const STORED: &str = "tests/it/viz/frame-12s.png";
/// Its width and height.
const SIZE: (u16, u16) = (800, 500);
/// A picture may differ from the stored one by less than this, for another driver rounds otherwise at the edges of things.
/// A box that is missing differs by more, and so does the next quarter of a second, as tests show.
const CLOSE: Difference = Difference { mean: 0.05, share: 0.002 };

/// Pictures of the built-in scenario at some moments, as large as the stored one.
fn pictures(moments: &str) -> Vec<Vec<u8>> {
    let arguments = ["view", "--headless", "--frames", "out", "--at", moments, "--size", "800x500"];
    let answer = rushhour(&arguments).run();
    answer.good();
    let files: Vec<String> = answer.tree().into_iter().filter(|file| file.ends_with(".png")).collect();
    assert_eq!(answer.tree().len(), files.len() + 1, "the directory, and no other file in it");
    files.iter().map(|file| answer.bytes(file)).collect()
}

fn is_close(difference: Difference) -> bool {
    difference.mean < CLOSE.mean && difference.share < CLOSE.share
}

#[test]
#[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
fn pictures_of_moments_look_as_they_did_and_are_the_same_every_time() {
    let taken = pictures("12,12.25,15,20");
    assert_eq!(taken.len(), 4);
    let stored: PathBuf = root().join(STORED);
    if std::env::var_os("RUSHHOUR_BLESS").is_some() {
        std::fs::write(&stored, &taken[0]).expect("the picture can be written");
    }
    let stored = Pixels::of(&std::fs::read(&stored).expect("the picture of 12 s"));
    let seen: Vec<Pixels> = taken.iter().map(|png| Pixels::of(png)).collect();
    let from_stored: Vec<Difference> = seen.iter().map(|picture| picture.from(&stored)).collect();
    println!("{from_stored:?}");
    assert!(is_close(from_stored[0]), "{from_stored:?}: `RUSHHOUR_BLESS=1` stores the picture anew");
    // A quarter of a second later is another picture already, let alone the spread and the return.
    for (moment, other) in ["12.25", "15", "20"].iter().zip(&from_stored[1..]) {
        assert!(!is_close(*other), "{moment} s: {other:?}");
    }
    // Requests are on their way from the busy source to the load balancer: each is a dot of some ten pixels.
    let (source, router) = (place_of("customer-1001", SIZE), place_of("router", SIZE));
    let (columns, rows) = (source.0 + 34..router.0 - 34, router.1..source.1 + 6);
    let dots = |picture: &Pixels| picture.of_colour(columns.clone(), rows.clone(), [0xe6, 0x9f, 0x00]);
    let dots: Vec<usize> = seen.iter().map(dots).collect();
    println!("{dots:?}");
    assert!(dots.iter().all(|dots| *dots > 40), "{dots:?}");
    let [first, ..] = &*pictures("12") else { panic!("there is no picture") };
    assert!(*first == taken[0], "the same command makes the same pixels");
}

#[test]
fn a_picture_without_a_box_is_not_close_to_one_with_it() {
    let stored = || Pixels::of(&std::fs::read(root().join(STORED)).expect("the picture of 12 s"));
    assert!(is_close(stored().from(&stored())));
    // Nothing but a name in a box, and somewhat less than all of it.
    let (x, y) = place_of("client-1", SIZE);
    let without = stored().without(x - 30..x + 30, y - 11..y + 16).from(&stored());
    println!("{without:?}");
    assert!(!is_close(without), "{without:?}");
}

#[test]
#[ignore = "needs a Vulkan driver and ffmpeg; .ci/run installs them and runs this"]
fn films_are_whole_and_the_same_every_time() {
    let film = |name: &str| {
        let arguments =
            ["view", "--film", name, "--from", "12", "--to", "13", "--fps", "10", "--size", "640x400"];
        let answer = rushhour(&arguments).run();
        answer.good();
        assert_eq!(answer.tree(), [name], "nothing else is left");
        (
            Command::new("ffprobe")
                .args(["-v", "error", "-count_frames", "-show_entries", "stream=width,height,nb_read_frames"])
                .args(["-of", "csv=p=0"])
                .arg(answer.path(name))
                .output()
                .map(|probed| String::from_utf8_lossy(&probed.stdout).trim().to_owned())
                .expect("ffprobe comes with ffmpeg"),
            answer.bytes(name),
        )
    };
    let (said, gif) = film("a.gif");
    // The first and the last moment, and nine between.
    assert_eq!(said, "640,400,11");
    assert!(gif.starts_with(b"GIF89a"));
    assert!(film("a.gif").1 == gif, "the same command makes the same pixels");
    assert_eq!(film("b.mp4").0, "640,400,11");
}

#[test]
fn what_cannot_be_filmed_is_refused_before_anything_is_painted() {
    let said = |arguments: &[&str]| {
        let answer = rushhour(&[&["view"], arguments].concat()).env("PATH", "").run();
        let said = answer.bad(2).to_owned();
        assert!(answer.tree().is_empty(), "{:?}", answer.tree());
        said
    };
    assert!(said(&["--film", "a.avi"]).contains(".gif or .mp4"));
    let missing = said(&["--film", "a.gif"]);
    assert!(missing.contains("ffmpeg") && missing.contains("--frames DIR --at"), "{missing}");
    assert!(said(&["--film", "a.gif", "--speed", "3"]).contains("0.5, 1, 2, 4"));
    assert!(said(&["--film", "a.gif", "--frames", "b"]).contains("cannot be used with"));
    assert!(said(&["--headless"]).contains("--frames"));
    assert!(said(&["--frames", "b", "--at", "3..1/1"]).contains("3..1/1"));
    assert!(said(&["--frames", "b", "--set", "run_until=-1"]).contains("run_until"));
}

#[cfg(unix)]
#[test]
#[ignore = "needs a Vulkan driver and ffmpeg; .ci/run installs them and runs this"]
fn ctrl_c_leaves_whole_pictures_and_no_film() {
    let interrupted = |arguments: &[&str], begun: &dyn Fn(&[String]) -> bool| {
        let mut program = rushhour(&[&["view", "--size", "640x400"], arguments].concat());
        let mut child = program.start();
        let names = |program: &crate::support::Program| {
            let open = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
            let directory = program.directory();
            let entries = open(directory.to_owned()).chain(open(directory.join("out")));
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let begins = (0..3_000).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            begun(&names(&program)) || child.try_wait().expect("it can be asked").is_some()
        });
        assert!(begins, "nothing is written");
        std::thread::sleep(Duration::from_millis(500));
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.expect("kill can be run").success());
        let answer = program.end(child);
        assert!(answer.bad(1).contains("interrupted after "), "{}", answer.stderr);
        answer
    };
    let film = interrupted(&["--film", "a.mp4"], &|names| names.iter().any(|name| name.ends_with(".mp4")));
    assert_eq!(film.tree(), [] as [&str; 0]);
    let stills = interrupted(&["--frames", "out", "--at", "1..60/0.1"], &|names| {
        names.iter().any(|name| name.ends_with("s.png"))
    });
    let written: Vec<_> = stills.tree().into_iter().filter(|name| name != "out").collect();
    assert!(!written.is_empty() && written.len() < 591, "{written:?}");
    for name in written {
        assert_eq!(Pixels::of(&stills.bytes(&name)).width, 640, "{name} is whole");
    }
}
