//! Pictures as pixels, and how far one is from another.

use std::io::Cursor;
use std::ops::Range;

/// A channel that differs by more than this differs visibly.
const VISIBLE: u8 = 8;

/// A picture: three bytes a pixel, row by row.
#[derive(PartialEq)]
pub(crate) struct Pixels {
    pub(crate) width: usize,
    pub(crate) height: usize,
    rgb: Vec<u8>,
}

/// How far one picture is from another of the same size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// Mean of the differences of all channels, which go from 0 to 255.
    pub(crate) mean: f64,
    /// Share of the pixels that differ visibly.
    pub(crate) share: f64,
}

impl Pixels {
    /// Those of a PNG as this program writes it.
    pub(crate) fn of(png: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(png)).read_info().expect("a PNG");
        let mut rgb = vec![0; reader.output_buffer_size().expect("it fits into memory")];
        let info = reader.next_frame(&mut rgb).expect("a whole PNG");
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        rgb.truncate(info.buffer_size());
        Self { width: info.width as usize, height: info.height as usize, rgb }
    }

    /// Some of its rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Self {
        let rgb = self.rgb[3 * self.width * rows.start..3 * self.width * rows.end].to_vec();
        Self { width: self.width, height: rows.len(), rgb }
    }

    /// It with a rectangle in the colour that is 20 rows above it.
    pub(crate) fn without(mut self, columns: Range<usize>, rows: Range<usize>) -> Self {
        let at = |x: usize, y: usize| 3 * (y * self.width + x);
        let ground: [u8; 3] = self.rgb[at(columns.start, rows.start - 20)..][..3].try_into().expect("three");
        for (x, y) in rows.flat_map(|y| columns.clone().map(move |x| (x, y))) {
            self.rgb[3 * (y * self.width + x)..][..3].copy_from_slice(&ground);
        }
        self
    }

    /// How far it is from another.
    pub(crate) fn from(&self, other: &Self) -> Difference {
        assert_eq!((self.width, self.height), (other.width, other.height), "pictures have one size");
        let apart = |(a, b): (&u8, &u8)| a.abs_diff(*b);
        let sum: f64 = self.rgb.iter().zip(&other.rgb).map(|pair| f64::from(apart(pair))).sum();
        let pixels = self.rgb.as_chunks::<3>().0.iter().zip(other.rgb.as_chunks::<3>().0);
        let differ = pixels.filter(|(a, b)| a.iter().zip(*b).map(apart).max() > Some(VISIBLE)).count();
        Difference {
            mean: sum / self.rgb.len() as f64,
            share: differ as f64 / (self.width * self.height) as f64,
        }
    }
}
