//! Halton's sequence.

use crate::Random;

/// Halton's sequence (1960): the digits of the index in a prime base, mirrored at the point; another prime for
/// each dimension. The points of `scipy.stats.qmc.Halton`.
#[derive(Debug, Clone)]
pub(super) struct Halton {
    bases: Vec<u64>,
    /// For each dimension and place a permutation of the digits; none leaves them as they are.
    permutations: Vec<Vec<Vec<u64>>>,
}

impl Halton {
    /// The sequence as it is.
    pub(super) fn new(n_dimensions: usize) -> Self {
        let mut bases: Vec<u64> = Vec::with_capacity(n_dimensions);
        let mut next = 2_u64;
        while bases.len() < n_dimensions {
            if !bases.iter().any(|base| next.is_multiple_of(*base)) {
                bases.push(next);
            }
            next += 1;
        }
        Self {
            permutations: vec![Vec::new(); n_dimensions],
            bases,
        }
    }

    /// The sequence after a random permutation of the digits of each place (Owen 2017), as scipy does.
    pub(super) fn scrambled(n_dimensions: usize, random: &mut Random) -> Self {
        let mut halton = Self::new(n_dimensions);
        for (base, permutations) in halton.bases.iter().zip(&mut halton.permutations) {
            // As many places as change a float.
            let n_places = (54.0 / libm::log2(*base as f64)).ceil() as usize;
            for _ in 0..n_places {
                let mut permutation: Vec<u64> = (0..*base).collect();
                random.shuffle(&mut permutation);
                permutations.push(permutation);
            }
        }
        halton
    }

    /// The point of an index, each coordinate in `0.0..1.0`.
    pub(super) fn point(&self, index: u64) -> Vec<f64> {
        let dimensions = self.bases.iter().zip(&self.permutations);
        dimensions
            .map(|(base, permutations)| {
                let mut rest = index;
                let mut unit = 1.0 / *base as f64;
                let mut mirrored = 0.0;
                let mut place = 0;
                while rest > 0 || place < permutations.len() {
                    let digit = rest % base;
                    let permutation = permutations.get(place);
                    let digit = permutation.map_or(digit, |to| to[digit as usize]);
                    mirrored += digit as f64 * unit;
                    unit /= *base as f64;
                    rest /= base;
                    place += 1;
                }
                // Rounding may reach 1.
                mirrored.min(1.0_f64.next_down())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_has_as_many_points_scrambled_or_not() {
        let mut random = Random::new(1, "test", 0);
        for halton in [Halton::new(4), Halton::scrambled(4, &mut random)] {
            for (dimension, base) in [2_u64, 3, 5, 7].into_iter().enumerate() {
                let mut cells: Vec<u64> = (0..base * base)
                    .map(|i| (halton.point(i)[dimension] * (base * base) as f64 + 1e-9) as u64)
                    .collect();
                cells.sort_unstable();
                assert!(cells.into_iter().eq(0..base * base), "base {base}");
            }
        }
    }
}
