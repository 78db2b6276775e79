//! The bench of the picture, as a user runs it.

use crate::support::rushhour;

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
