//! Pictures as pixels, and the difference between two of them.

use std::io::Cursor;
use std::ops::Range;

/// Difference of a channel, 0 to 255, above which a pixel differs visibly.
const VISIBLE: u8 = 8;

/// A picture: three bytes per pixel, row by row.
#[derive(PartialEq)]
pub(crate) struct Pixels {
    pub(crate) width: usize,
    pub(crate) height: usize,
    rgb: Vec<u8>,
}

/// The difference between two pictures of the same size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// Mean difference of all channels, 0 to 255.
    pub(crate) mean: f64,
    /// Share of the pixels that differ visibly, 0 to 1.
    pub(crate) share: f64,
}

impl Pixels {
    /// Decodes a PNG as this program writes it.
    pub(crate) fn of(png: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(png)).read_info().expect("a PNG");
        let mut rgb = vec![0; reader.output_buffer_size().expect("the picture fits into memory")];
        let info = reader.next_frame(&mut rgb).expect("a whole PNG");
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        rgb.truncate(info.buffer_size());
        Self { width: info.width as usize, height: info.height as usize, rgb }
    }

    /// A range of its rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Self {
        let rgb = self.rgb[3 * self.width * rows.start..3 * self.width * rows.end].to_vec();
        Self { width: self.width, height: rows.len(), rgb }
    }

    /// The picture with a rectangle filled with the colour four rows above its upper left corner.
    pub(crate) fn without(mut self, columns: Range<usize>, rows: Range<usize>) -> Self {
        let at = |x: usize, y: usize| 3 * (y * self.width + x);
        let background: [u8; 3] =
            self.rgb[at(columns.start, rows.start - 4)..][..3].try_into().expect("three bytes");
        for (x, y) in rows.flat_map(|y| columns.clone().map(move |x| (x, y))) {
            self.rgb[3 * (y * self.width + x)..][..3].copy_from_slice(&background);
        }
        self
    }

    /// The number of pixels in a rectangle that are close to a colour.
    pub(crate) fn count_colour(&self, columns: Range<usize>, rows: Range<usize>, colour: [u8; 3]) -> usize {
        let offsets = rows.flat_map(|y| columns.clone().map(move |x| 3 * (y * self.width + x)));
        let is_close = |at: &usize| self.rgb[*at..][..3].iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 48);
        offsets.filter(is_close).count()
    }

    /// The difference from another picture.
    pub(crate) fn difference(&self, other: &Self) -> Difference {
        assert_eq!((self.width, self.height), (other.width, other.height), "the pictures have the same size");
        let difference = |(a, b): (&u8, &u8)| a.abs_diff(*b);
        let sum: f64 = self.rgb.iter().zip(&other.rgb).map(|pair| f64::from(difference(pair))).sum();
        let pixels = self.rgb.as_chunks::<3>().0.iter().zip(other.rgb.as_chunks::<3>().0);
        let visible = pixels.filter(|(a, b)| a.iter().zip(*b).map(difference).max() > Some(VISIBLE)).count();
        Difference {
            mean: sum / self.rgb.len() as f64,
            share: visible as f64 / (self.width * self.height) as f64,
        }
    }
}
