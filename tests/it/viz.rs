//! The visualizer as a user meets it: pictures without a window, from the same run.

use crate::support::rushhour;

/// Width and height of a PNG, from its header.
fn size(png: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| png.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    png.starts_with(b"\x89PNG\r\n\x1a\n").then_some(())?;
    Some((number(16)?, number(20)?))
}

#[test]
#[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
fn pictures_of_moments_are_written_without_a_window() {
    let arguments = ["view", "--frames", "out", "--at", "12,15,20", "--size", "960x600"];
    let answer = rushhour(&arguments).run();
    answer.good();
    let files: Vec<String> = answer.tree().into_iter().filter(|file| file.ends_with(".png")).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    let pictures: Vec<Vec<u8>> = files.iter().map(|file| answer.bytes(file)).collect();
    for picture in &pictures {
        assert_eq!(size(picture), Some((960, 600)));
        // A picture of nothing is a few kilobytes.
        assert!(picture.len() > 40_000, "{} bytes", picture.len());
    }
    assert!(pictures[0] != pictures[1] && pictures[1] != pictures[2]);
}

#[test]
fn without_a_display_one_is_told_how_to_do_without() {
    let answer = rushhour(&["view"]).env("DISPLAY", "").run();
    let said = answer.bad(2);
    assert!(said.contains("no display") && said.contains("--frames"), "{said}");
}
