//! Standard exponential and standard normal draws by a ziggurat of 256 layers.
//!
//! The area under the density is covered by 256 horizontal layers of equal area. 8 bits of a random word select a
//! layer, and 53 other bits a point across it. In 98 to 99 of 100 draws, that point is under the density at every
//! height of the layer, and is returned after one multiplication and one comparison. The method is from Marsaglia,
//! Tsang: "The ziggurat method for generating random variables", 2000; the rule that layer and point must not share
//! bits is from Doornik: "An improved ziggurat method to generate normal random samples", 2005. The tables are computed
//! by the compiler, with basic arithmetic.

use rand::Rng;

use crate::engine::random::Draw;

/// The start of the tail in the lowest layer of the exponential density.
const EXPONENTIAL_EDGE: f64 = 7.697_117_470_131_05;
/// The start of the tail in the lowest layer of the normal density.
const NORMAL_EDGE: f64 = 3.654_152_885_361_009;

static EXPONENTIAL: Tables = Tables::exponential();
static NORMAL: Tables = Tables::normal();

/// The right ends of the layers, from the lowest and widest to the highest, and the density at each.
struct Tables {
    /// `x[0]` is the width of a rectangle with the height and the area of the lowest layer; `x[256]` is zero.
    x: [f64; 257],
    density: [f64; 257],
}

/// An exponential draw with mean 1.
#[inline]
#[must_use]
pub fn exponential<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    let bits = rng.next_u64();
    let layer = (bits & 0xff) as usize;
    let x = fraction(bits) * EXPONENTIAL.x[layer];
    if x < EXPONENTIAL.x[layer + 1] { x } else { exponential_rare(layer, x, rng) }
}

/// The rare cases: the tail of the lowest layer, and the wedges where a layer exceeds the density.
#[cold]
fn exponential_rare<R: Rng + ?Sized>(mut layer: usize, mut x: f64, rng: &mut R) -> f64 {
    // The exponential law is memoryless: a draw in the tail is the edge plus another draw.
    let mut offset = 0.0;
    loop {
        if layer == 0 {
            offset += EXPONENTIAL_EDGE;
        } else if EXPONENTIAL.height(layer, rng) < libm::exp(-x) {
            return offset + x;
        }
        let bits = rng.next_u64();
        layer = (bits & 0xff) as usize;
        x = fraction(bits) * EXPONENTIAL.x[layer];
        if x < EXPONENTIAL.x[layer + 1] {
            return offset + x;
        }
    }
}

/// A normal draw with mean 0 and standard deviation 1.
#[inline]
#[must_use]
pub fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    let bits = rng.next_u64();
    let layer = (bits & 0xff) as usize;
    let x = signed_fraction(bits) * NORMAL.x[layer];
    if x.abs() < NORMAL.x[layer + 1] { x } else { normal_rare(layer, x, rng) }
}

/// The rare cases, as those of [`exponential_rare`].
#[cold]
fn normal_rare<R: Rng + ?Sized>(mut layer: usize, mut x: f64, rng: &mut R) -> f64 {
    loop {
        if layer == 0 {
            return normal_tail(rng).copysign(x);
        }
        if NORMAL.height(layer, rng) < libm::exp(-0.5 * x * x) {
            return x;
        }
        let bits = rng.next_u64();
        layer = (bits & 0xff) as usize;
        x = signed_fraction(bits) * NORMAL.x[layer];
        if x.abs() < NORMAL.x[layer + 1] {
            return x;
        }
    }
}

/// A normal draw above the edge (Marsaglia: "Generating a variable from the tail of the normal distribution", 1964).
fn normal_tail<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    loop {
        let excess = exponential(rng) / NORMAL_EDGE;
        if 2.0 * exponential(rng) > excess * excess {
            return NORMAL_EDGE + excess;
        }
    }
}

/// The upper 53 of the 64 bits as a number in [0, 1).
#[inline]
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// The upper 53 of the 64 bits as a number in [-1, 1).
#[inline]
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
fn signed_fraction(bits: u64) -> f64 {
    (bits.cast_signed() >> 11) as f64 * (1.0 / 4_503_599_627_370_496.0)
}

impl Tables {
    /// A uniform height in a layer.
    fn height<R: Rng + ?Sized>(&self, layer: usize, rng: &mut R) -> f64 {
        let (low, high) = (self.density[layer], self.density[layer + 1]);
        low + (high - low) * rng.uniform()
    }

    const fn exponential() -> Self {
        // The tail above the edge has the area e^-edge: that of a rectangle of width 1.
        let mut tables = Self { x: [0.0; 257], density: [1.0; 257] };
        tables.x[0] = EXPONENTIAL_EDGE + 1.0;
        tables.x[1] = EXPONENTIAL_EDGE;
        tables.density[1] = exp(-EXPONENTIAL_EDGE);
        tables.density[0] = exp(-EXPONENTIAL_EDGE - 1.0);
        let area = tables.x[0] * tables.density[1];
        let mut i = 1;
        while i < 255 {
            tables.density[i + 1] = tables.density[i] + area / tables.x[i];
            tables.x[i + 1] = -ln(tables.density[i + 1]);
            i += 1;
        }
        tables
    }

    const fn normal() -> Self {
        // The area of the tail above the edge / the density there is Mills' ratio: its continued fraction (DLMF 7.9.3).
        let mut fraction = NORMAL_EDGE;
        let mut k = 200.0;
        while k > 0.0 {
            fraction = NORMAL_EDGE + k / fraction;
            k -= 1.0;
        }
        let mut tables = Self { x: [0.0; 257], density: [1.0; 257] };
        tables.x[0] = NORMAL_EDGE + 1.0 / fraction;
        tables.x[1] = NORMAL_EDGE;
        tables.density[1] = exp(-0.5 * NORMAL_EDGE * NORMAL_EDGE);
        tables.density[0] = exp(-0.5 * tables.x[0] * tables.x[0]);
        let area = tables.x[0] * tables.density[1];
        let mut i = 1;
        while i < 255 {
            tables.density[i + 1] = tables.density[i] + area / tables.x[i];
            tables.x[i + 1] = sqrt(-2.0 * ln(tables.density[i + 1]));
            i += 1;
        }
        tables
    }
}

/// e^x for |x| < 700, by a Taylor series around the nearest multiple of ln 2. The functions of libm are not const.
#[expect(clippy::cast_possible_truncation, reason = "the power of two is a small integer")]
const fn exp(x: f64) -> f64 {
    let power = (x * std::f64::consts::LOG2_E + if x < 0.0 { -0.5 } else { 0.5 }) as i64;
    // ln 2 in two parts. The first has trailing zero bits, so that its multiples are exact.
    let multiple = power as f64;
    let rest = x - multiple * 0.693_147_180_369_123_8 - multiple * 1.908_214_929_270_587_7e-10;
    let (mut term, mut sum, mut n) = (1.0, 0.0, 0.0);
    while n < 22.0 {
        sum += term;
        n += 1.0;
        term *= rest / n;
    }
    sum * f64::from_bits((1023 + power).cast_unsigned() << 52)
}

/// The logarithm of `x` in (0, 1) by Halley's method on [`exp`].
const fn ln(x: f64) -> f64 {
    let mut y = 0.0;
    let mut i = 0;
    while i < 12 {
        let power = exp(y);
        y += 2.0 * (x - power) / (x + power);
        i += 1;
    }
    y
}

/// The square root by Newton's method.
const fn sqrt(x: f64) -> f64 {
    let mut root = if x > 1.0 { x } else { 1.0 };
    let mut i = 0;
    while i < 40 {
        root = 0.5 * (root + x / root);
        i += 1;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::testing::{assert_follows, assert_moments, golden_of};
    use crate::engine::random::RandomStream;

    const DRAWS: usize = 400_000;

    fn check_tables(tables: &Tables, density: impl Fn(f64) -> f64) {
        let area = tables.x[0] * tables.density[1];
        for i in 0..257 {
            let expected = density(tables.x[i]);
            assert!((tables.density[i] / expected - 1.0).abs() < 1e-14, "layer {i}: {expected}");
        }
        for i in 1..256 {
            let layer = tables.x[i] * (tables.density[i + 1] - tables.density[i]);
            assert!((layer / area - 1.0).abs() < 1e-10, "layer {i} has {layer}, not {area}");
        }
    }

    #[test]
    fn the_layers_lie_on_the_density_and_have_equal_areas() {
        check_tables(&EXPONENTIAL, |x| libm::exp(-x));
        check_tables(&NORMAL, |x| libm::exp(-0.5 * x * x));
    }

    #[test]
    fn the_tail_has_the_area_of_the_integral() {
        let tail = 0.5 * libm::erfc(NORMAL_EDGE / 2_f64.sqrt()) * (2.0 * std::f64::consts::PI).sqrt();
        let area = (NORMAL.x[0] - NORMAL_EDGE) * NORMAL.density[1];
        assert!((area / tail - 1.0).abs() < 1e-12, "{area} {tail}");
    }

    #[test]
    fn exponential_draws_follow_the_exponential_law() {
        let mut stream = RandomStream::from_seed(11);
        let draws: Vec<f64> = (0..DRAWS).map(|_| exponential(&mut stream)).collect();
        assert_moments(&draws, 1.0, 1.0);
        assert_follows(draws, |x| -libm::expm1(-x));
    }

    #[test]
    fn normal_draws_follow_the_normal_law() {
        let mut stream = RandomStream::from_seed(12);
        let draws: Vec<f64> = (0..DRAWS).map(|_| normal(&mut stream)).collect();
        assert_moments(&draws, 0.0, 1.0);
        assert_follows(draws, |x| 0.5 * libm::erfc(-x / 2_f64.sqrt()));
    }

    #[test]
    fn draws_in_the_tails_have_the_right_frequency_and_mean() {
        let (mut stream, draws) = (RandomStream::from_seed(13), 4_000_000_u32);
        let (mut counts, mut excesses) = ([0.0, 0.0], [0.0, 0.0]);
        for _ in 0..draws {
            for (i, (x, edge)) in
                [(exponential(&mut stream), EXPONENTIAL_EDGE), (normal(&mut stream).abs(), NORMAL_EDGE)]
                    .into_iter()
                    .enumerate()
            {
                if x >= edge {
                    counts[i] += 1.0;
                    excesses[i] += x - edge;
                }
            }
        }
        // Counts have a Poisson distribution. The excess over the edge is exponential with mean 1. For the normal law
        // its mean is the hazard rate minus the edge, 0.2426, and its standard deviation is below its mean.
        let mills = NORMAL.x[0] - NORMAL_EDGE;
        for (i, (probability, excess)) in [
            (EXPONENTIAL.density[1], 1.0),
            (libm::erfc(NORMAL_EDGE / 2_f64.sqrt()), 1.0 / mills - NORMAL_EDGE),
        ]
        .into_iter()
        .enumerate()
        {
            let expected = probability * f64::from(draws);
            assert!((counts[i] - expected).abs() < 4.5 * expected.sqrt(), "{} {expected}", counts[i]);
            assert!((excesses[i] / counts[i] - excess).abs() < 4.5 * excess / counts[i].sqrt());
        }
    }

    #[test]
    fn the_values_never_change() {
        let mut stream = RandomStream::from_seed(1);
        assert_eq!(golden_of(|| exponential(&mut stream)), GOLDEN_EXPONENTIAL);
        assert_eq!(golden_of(|| normal(&mut stream)), GOLDEN_NORMAL);
    }

    const GOLDEN_EXPONENTIAL: [u64; 6] = [
        0x3ff1_8c77_d02d_6b73,
        0x3ff2_1461_4b0a_2e4f,
        0x3fd7_20f8_a475_8f4b,
        0x3fe0_f7f8_b226_c06a,
        0x3fcd_9502_9366_1f36,
        0x6d92_5226_9e8e_3fa6,
    ];
    const GOLDEN_NORMAL: [u64; 6] = [
        0xbfce_8840_4bcb_c065,
        0xbfec_1b59_cd85_d214,
        0xbfa4_b438_31e0_5d0b,
        0x3feb_7fc7_a871_3d71,
        0xbfbe_2568_335f_2790,
        0xcdfa_fb47_7a3c_0009,
    ];
}
