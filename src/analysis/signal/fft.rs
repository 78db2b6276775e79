//! The fast Fourier transform, radix 2, in plain arithmetic.
//!
//! Cooley, Tukey: "An algorithm for the machine calculation of complex Fourier series", 1965. FFT libraries choose
//! instructions by the machine, which changes the last bits of results; this implementation gives the same bits
//! everywhere.

use std::f64::consts::TAU;

/// Roots of unity for transforms of one length.
#[derive(Clone, Debug)]
pub struct Fft {
    length: usize,
    cosines: Vec<f64>,
    sines: Vec<f64>,
}

impl Fft {
    /// Creates transforms of the smallest power of two that is at least `length`.
    #[must_use]
    pub fn at_least(length: usize) -> Self {
        let length = length.max(2).next_power_of_two();
        let (sines, cosines) = (0..length / 2).map(|k| libm::sincos(TAU * k as f64 / length as f64)).unzip();
        Self { length, cosines, sines }
    }

    /// Returns the length of the transforms.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Returns the cosine of the angular frequency of a bin, which is at most half the length.
    #[must_use]
    pub fn cosine(&self, bin: usize) -> f64 {
        self.cosines.get(bin).copied().unwrap_or(-1.0)
    }

    /// Transforms a series in place: `X[k]` = sum of `x[n] e^(-2 pi i k n / length)`.
    ///
    /// # Panics
    /// If the real or the imaginary part does not have the length of the transform.
    pub fn forward(&self, real: &mut [f64], imaginary: &mut [f64]) {
        assert!(
            real.len() == self.length && imaginary.len() == self.length,
            "the series has the length of the transform"
        );
        self.reorder(real, imaginary);
        let mut half = 1;
        while half < self.length {
            let stride = self.length / (2 * half);
            for block in (0..self.length).step_by(2 * half) {
                for k in 0..half {
                    let (c, s) = (self.cosines[k * stride], -self.sines[k * stride]);
                    let (low, high) = (block + k, block + k + half);
                    let re = real[high] * c - imaginary[high] * s;
                    let im = real[high] * s + imaginary[high] * c;
                    (real[high], imaginary[high]) = (real[low] - re, imaginary[low] - im);
                    real[low] += re;
                    imaginary[low] += im;
                }
            }
            half *= 2;
        }
    }

    fn reorder(&self, real: &mut [f64], imaginary: &mut [f64]) {
        let shift = usize::BITS - self.length.trailing_zeros();
        for i in 0..self.length {
            let j = i.reverse_bits() >> shift;
            if i < j {
                real.swap(i, j);
                imaginary.swap(i, j);
            }
        }
    }

    /// Returns the squared absolute values of the transform of a series that is padded with zeros, one per bin.
    ///
    /// # Panics
    /// If the series is longer than the transform.
    #[must_use]
    pub fn power(&self, series: impl ExactSizeIterator<Item = f64>) -> Vec<f64> {
        assert!(series.len() <= self.length, "the series is no longer than the transform");
        let mut real: Vec<f64> = series.collect();
        real.resize(self.length, 0.0);
        let mut imaginary = vec![0.0; self.length];
        self.forward(&mut real, &mut imaginary);
        real.iter().zip(&imaginary).map(|(re, im)| re * re + im * im).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Draw, RandomStream};

    #[test]
    fn the_transform_equals_the_sum_that_defines_it() {
        let mut stream = RandomStream::from_seed(3);
        for length in [2, 4, 8, 64] {
            let x: Vec<(f64, f64)> = (0..length).map(|_| (stream.uniform(), stream.uniform())).collect();
            let (mut re, mut im): (Vec<f64>, Vec<f64>) = x.iter().copied().unzip();
            Fft::at_least(length).forward(&mut re, &mut im);
            for k in 0..length {
                let mut sum = (0.0, 0.0);
                for (n, (a, b)) in x.iter().enumerate() {
                    let (s, c) = libm::sincos(-TAU * (k * n) as f64 / length as f64);
                    sum = (sum.0 + a * c - b * s, sum.1 + a * s + b * c);
                }
                assert!((sum.0 - re[k]).abs() < 1e-12 && (sum.1 - im[k]).abs() < 1e-12, "{length} {k}");
            }
        }
    }
}
