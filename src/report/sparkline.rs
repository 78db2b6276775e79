//! A series over time as a line of blocks, and the axis below it.

use crate::format::columns::WIDTH;

/// The most characters of a line: as many as the timeline of the largest run has intervals.
pub const LONGEST: usize = 60;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One character a value, from a blank for nothing to a full block for `top`.
#[must_use]
pub fn sparkline(values: &[f32], top: f32) -> String {
    values.iter().map(|&value| block(value, top)).collect()
}

/// Values in the characters that there are: more than fit are averaged.
#[must_use]
pub fn fitted(values: &[f32]) -> Vec<f32> {
    let characters = values.len().min(LONGEST);
    (0..characters)
        .map(|at| {
            let (from, to) = (at * values.len() / characters, (at + 1) * values.len() / characters);
            #[expect(clippy::cast_precision_loss, reason = "a picture of a few pixels")]
            let mean = values[from..to].iter().sum::<f32>() / (to - from) as f32;
            mean
        })
        .collect()
}

fn block(value: f32, top: f32) -> char {
    if value <= 0.0 || top <= 0.0 {
        return ' ';
    }
    let eighths = (value / top * 8.0).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 1 and 8")]
    let index = eighths.clamp(1.0, 8.0) as usize - 1;
    BLOCKS[index]
}

/// The axis under lines that start in column `indent`: the start, the middle and the end of the run.
#[must_use]
pub fn axis(indent: usize, labels: [&str; 3]) -> String {
    let [start, middle, end] = labels;
    let length = LONGEST.min(WIDTH - indent);
    let mut line = format!("{}{start}", " ".repeat(indent));
    for (label, at) in [(middle, length / 2 - middle.len() / 2), (end, length - end.len().min(length))] {
        // A label that would touch the one before it is left out.
        if let Some(blanks) = (indent + at).checked_sub(line.len()).filter(|blanks| *blanks > 0) {
            line += &" ".repeat(blanks);
            line += label;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_blank_and_the_top_a_full_block() {
        assert_eq!(sparkline(&[0.0, 0.01, 0.5, 1.0, 2.0], 1.0), " ▁▄██");
        assert_eq!(sparkline(&[0.0, 0.0], 0.0), "  ");
        assert_eq!(sparkline(&[], 1.0), "");
        assert_eq!(fitted(&[1.0; 119]), [1.0; LONGEST]);
        assert_eq!(fitted(&[0.5, 0.25]), [0.5, 0.25]);
    }

    #[test]
    fn the_axis_ends_where_the_lines_end() {
        assert_eq!(
            axis(2, ["0 s", "30 s", "60 s"]),
            format!("  0 s{}30 s{}60 s", " ".repeat(25), " ".repeat(24))
        );
        assert_eq!(axis(2, ["0 s", "30 s", "60 s"]).len(), 2 + LONGEST);
    }
}
