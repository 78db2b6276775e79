//! Sparklines: series over time drawn with block characters, and the time axis below them.

use crate::format::columns::WIDTH;

/// Maximum number of characters of a sparkline: the number of intervals in the timeline of the largest systems.
pub const MAX_CHARACTERS: usize = 60;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One character per value, from a blank for 0 to a full block for `top` and above.
#[must_use]
pub fn sparkline(values: &[f32], top: f32) -> String {
    values.iter().map(|&value| block(value, top)).collect()
}

/// Averages neighbouring values if there are more than [`MAX_CHARACTERS`].
#[must_use]
pub fn fitted(values: &[f32]) -> Vec<f32> {
    let characters = values.len().min(MAX_CHARACTERS);
    (0..characters)
        .map(|index| {
            let (from, to) = (index * values.len() / characters, (index + 1) * values.len() / characters);
            #[expect(clippy::cast_precision_loss, reason = "a sparkline has eight levels")]
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
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is between 1 and 8"
    )]
    let index = eighths.clamp(1.0, 8.0) as usize - 1;
    BLOCKS[index]
}

/// The axis below sparklines that start in column `indent`, with labels for the start, middle and end of the run.
#[must_use]
pub fn axis(indent: usize, labels: [&str; 3]) -> String {
    let [start, middle, end] = labels;
    let length = MAX_CHARACTERS.min(WIDTH - indent);
    let mut line = format!("{}{start}", " ".repeat(indent));
    for (label, offset) in [(middle, length / 2 - middle.len() / 2), (end, length - end.len().min(length))] {
        // A label that would touch the previous one is left out.
        if let Some(blanks) = (indent + offset).checked_sub(line.len()).filter(|blanks| *blanks > 0) {
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
    fn zero_is_a_blank_and_the_top_a_full_block() {
        assert_eq!(sparkline(&[0.0, 0.01, 0.5, 1.0, 2.0], 1.0), " ▁▄██");
        assert_eq!(sparkline(&[0.0, 0.0], 0.0), "  ");
        assert_eq!(sparkline(&[], 1.0), "");
        assert_eq!(fitted(&[1.0; 119]), [1.0; MAX_CHARACTERS]);
        assert_eq!(fitted(&[0.5, 0.25]), [0.5, 0.25]);
    }

    #[test]
    fn the_axis_is_as_wide_as_a_sparkline() {
        assert_eq!(
            axis(2, ["0 s", "30 s", "60 s"]),
            format!("  0 s{}30 s{}60 s", " ".repeat(25), " ".repeat(24))
        );
        assert_eq!(axis(2, ["0 s", "30 s", "60 s"]).len(), 2 + MAX_CHARACTERS);
    }
}
