//! Sobol's sequence.

use super::joe_kuo::JOE_KUO;
use crate::Random;

const BITS: usize = 32;

/// Sobol's sequence (1967) with the direction numbers of Joe and Kuo (2008), in the order of the Gray code (Antonov
/// & Saleev 1979): the points of `scipy.stats.qmc.Sobol`.
///
/// Up to [`Sobol::MAX_DIMENSIONS`] dimensions. 2³² points differ; then they come again.
#[derive(Debug, Clone)]
pub(in crate::samplers) struct Sobol {
    /// The direction numbers of each dimension; the first bit is the highest.
    directions: Vec<[u32; BITS]>,
    /// The first point.
    shift: Vec<u32>,
}

impl Sobol {
    /// The number of dimensions that there are direction numbers for.
    pub(in crate::samplers) const MAX_DIMENSIONS: usize = JOE_KUO.len() + 1;

    /// The sequence as it is; dimensions beyond the greatest number are left out.
    pub(in crate::samplers) fn new(n_dimensions: usize) -> Self {
        let n = n_dimensions.min(Self::MAX_DIMENSIONS);
        Self {
            directions: (0..n).map(directions).collect(),
            shift: vec![0; n],
        }
    }

    /// The sequence after a random linear scramble of the digits and a random shift (Matoušek 1998; Owen 2003),
    /// as scipy does: each point is uniform, and the points together fill the cube as evenly as before.
    pub(in crate::samplers) fn scrambled(n_dimensions: usize, random: &mut Random) -> Self {
        let mut sobol = Self::new(n_dimensions);
        for (directions, shift) in sobol.directions.iter_mut().zip(&mut sobol.shift) {
            // A digit is the parity of itself and a random choice of the higher ones.
            let rows: Vec<u32> = (0..BITS)
                .map(|row| {
                    let itself = 1 << (BITS - 1 - row);
                    let higher = !(2 * (itself - 1) + 1);
                    itself | (random.next_u64() as u32 & higher)
                })
                .collect();
            for direction in directions {
                *direction = rows.iter().fold(0, |scrambled, row| {
                    (scrambled << 1) | ((row & *direction).count_ones() & 1)
                });
            }
            *shift = random.next_u64() as u32;
        }
        sobol
    }

    /// The point of an index, each coordinate in `0.0..1.0`.
    pub(in crate::samplers) fn point(&self, index: u64) -> Vec<f64> {
        let gray = index ^ (index >> 1);
        let dimensions = self.directions.iter().zip(&self.shift);
        dimensions
            .map(|(directions, shift)| {
                let bits = directions.iter().enumerate();
                let bits = bits.filter(|(bit, _)| gray >> bit & 1 == 1);
                let digits = bits.fold(*shift, |digits, (_, direction)| digits ^ direction);
                f64::from(digits) / (1_u64 << BITS) as f64
            })
            .collect()
    }
}

/// The direction numbers of a dimension, from 0.
fn directions(dimension: usize) -> [u32; BITS] {
    let mut numbers = [0; BITS];
    let Some(row) = dimension.checked_sub(1) else {
        for (i, number) in numbers.iter_mut().enumerate() {
            *number = 1 << (BITS - 1 - i);
        }
        return numbers;
    };
    let (polynomial, first) = JOE_KUO[row];
    let degree = first.len();
    for i in 0..BITS {
        numbers[i] = if i < degree {
            first[i] << (BITS - 1 - i)
        } else {
            let last = numbers[i - degree];
            (1..degree)
                .filter(|k| polynomial >> (degree - k) & 1 == 1)
                .fold(last ^ (last >> degree), |sum, k| sum ^ numbers[i - k])
        };
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In every block of 2^m points each of the 2^m intervals of a dimension has one, scrambled or not.
    #[test]
    fn every_interval_has_one_point() {
        let n = Sobol::MAX_DIMENSIONS;
        let mut random = Random::new(3, "test", 0);
        for sobol in [Sobol::new(n), Sobol::scrambled(n, &mut random)] {
            for block in [0, 5] {
                let points: Vec<Vec<f64>> = (block * 64..(block + 1) * 64)
                    .map(|i| sobol.point(i))
                    .collect();
                for dimension in 0..n {
                    let mut cells: Vec<u32> = points
                        .iter()
                        .map(|point| (point[dimension] * 64.0) as u32)
                        .collect();
                    cells.sort_unstable();
                    assert!(cells.into_iter().eq(0..64), "dimension {dimension}");
                }
            }
        }
    }

    /// The linear scramble keeps elementary intervals of two dimensions, which independent permutations would not.
    #[test]
    fn scrambled_points_stay_a_net() {
        for seed in 0..20 {
            let sobol = Sobol::scrambled(2, &mut Random::new(seed, "test", 0));
            let mut cells: Vec<u32> = (0..64)
                .map(|i| sobol.point(i))
                .map(|point| (point[0] * 8.0) as u32 * 8 + (point[1] * 8.0) as u32)
                .collect();
            cells.sort_unstable();
            assert!(cells.into_iter().eq(0..64));
        }
    }

    #[test]
    fn the_first_point_of_many_scrambles_is_uniform() {
        let first: Vec<f64> = (0..2000)
            .map(|seed| Sobol::scrambled(3, &mut Random::new(seed, "test", 0)).point(0)[2])
            .collect();
        let mean = first.iter().sum::<f64>() / 2000.0;
        assert!((mean - 0.5).abs() < 0.03, "{mean}");
    }
}
