//! The benchmark of the picture, run as `rushhour view --bench`.

use crate::support::rushhour;

#[test]
#[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
fn the_benchmark_shows_the_announced_numbers_of_dots() {
    let answer = rushhour(&["view", "--bench", "--size", "640x400"]).run();
    let output = answer.good();
    let lines = |table: &str| {
        let rows = output.lines().skip_while(|line| !line.starts_with(table)).skip(1).take(3);
        rows.map(numbers).collect::<Vec<Vec<f64>>>()
    };
    for ((frames, parts), announced) in lines("Frames").iter().zip(lines("Parts")).zip([1e3, 1e4, 1e5]) {
        let [target, dots, frames, mean, median, p95, worst, per_second] = frames[..] else {
            panic!("a row has eight columns: {output}");
        };
        assert!((target - announced).abs() < 0.5, "{output}");
        // Poisson arrivals: five standard deviations.
        assert!((dots - target).abs() < 5.0 * target.sqrt(), "{dots} instead of {target}");
        assert!(frames >= 60.0 && 0.0 < median && median <= p95 && p95 <= worst, "{output}");
        // Both numbers are rounded to a tenth.
        assert!((per_second - 1e3 / mean).abs() < 0.06 + 0.06 * per_second / mean, "{output}");
        // The list is a part of the layout, but it is timed in other frames.
        assert!(
            matches!(parts[..], [_, simulate, layout, list] if simulate + layout < worst && list < 2.0 * layout),
            "{output}"
        );
    }
    assert_eq!((lines("Frames").len(), lines("Parts").len()), (3, 3), "{output}");
}

/// The numbers in a line, in order.
fn numbers(line: &str) -> Vec<f64> {
    line.split_whitespace().filter_map(|word| word.replace(',', "").parse().ok()).collect()
}
