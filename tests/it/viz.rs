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

#[test]
#[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
fn the_bench_has_as_many_dots_as_it_promises() {
    let answer = rushhour(&["view", "--bench", "--size", "640x400"]).run();
    let told = answer.good();
    let lines = |table: &str| {
        let rows = told.lines().skip_while(|line| !line.starts_with(table)).skip(1).take(3);
        rows.map(numbers).collect::<Vec<Vec<f64>>>()
    };
    for ((frames, parts), promised) in lines("Frames").iter().zip(lines("Parts")).zip([1e3, 1e4, 1e5]) {
        let [wanted, dots, frames, mean, median, most, worst, per_second] = frames[..] else {
            panic!("a line has its columns: {told}");
        };
        assert!((wanted - promised).abs() < 0.5, "{told}");
        // Poisson arrivals: five standard deviations.
        assert!((dots - wanted).abs() < 5.0 * wanted.sqrt(), "{dots} for {wanted}");
        assert!(frames >= 60.0 && 0.0 < median && median <= most && most <= worst, "{told}");
        // Both are rounded to a tenth.
        assert!((per_second - 1e3 / mean).abs() < 0.06 + 0.06 * per_second / mean, "{told}");
        // The list is timed by itself, on another moment: not exactly a part of what it is a part of.
        assert!(
            matches!(parts[..], [_, simulate, layout, list] if simulate + layout < worst && list < 2.0 * layout),
            "{told}"
        );
    }
    assert_eq!((lines("Frames").len(), lines("Parts").len()), (3, 3), "{told}");
}

/// The numbers of a line, in order.
fn numbers(line: &str) -> Vec<f64> {
    line.split_whitespace().filter_map(|word| word.replace(',', "").parse().ok()).collect()
}
