//! Triangular matrices, row by row in one vector.

/// The scalar product. Eight sums at once, so that it is vectorised; the order of the sums is the same everywhere.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    let halves = [
        sums[0] + sums[4],
        sums[1] + sums[5],
        sums[2] + sums[6],
        sums[3] + sums[7],
    ];
    (halves[0] + halves[2]) + (halves[1] + halves[3]) + rest
}

/// `target += factor · source`.
pub(super) fn add_scaled(target: &mut [f64], factor: f64, source: &[f64]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target += factor * source;
    }
}

/// A lower triangular matrix of `n` rows of `n` numbers; what is above the diagonal is 0.
#[derive(Debug, Clone)]
pub(super) struct Lower {
    n: usize,
    cells: Vec<f64>,
}

impl Lower {
    /// The Cholesky factor `L` of `A = L Lᵀ`, of which the lower half is read. None, if `A` is not positive definite.
    pub(super) fn cholesky(mut cells: Vec<f64>, n: usize) -> Option<Self> {
        for i in 0..n {
            let (above, row) = cells.split_at_mut(i * n);
            for j in 0..i {
                let other = &above[j * n..=j * n + j];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            if !(pivot > 0.0 && pivot.is_finite()) {
                return None;
            }
            row[i] = pivot.sqrt();
            row[i + 1..n].fill(0.0);
        }
        Some(Self { n, cells })
    }

    /// The row up to the diagonal.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.cells[i * self.n..=i * self.n + i]
    }

    /// The logarithm of the determinant.
    pub(super) fn log_determinant(&self) -> f64 {
        (0..self.n).map(|i| libm::log(self.row(i)[i])).sum()
    }

    /// `L⁻¹`.
    pub(super) fn inverse(&self) -> Self {
        let n = self.n;
        let mut cells = vec![0.0; n * n];
        for i in 0..n {
            let factors = self.row(i);
            let (above, row) = cells.split_at_mut(i * n);
            row[i] = 1.0;
            for k in 0..i {
                let other = &above[k * n..=k * n + k];
                add_scaled(&mut row[..=k], -factors[k], other);
            }
            for cell in &mut row[..=i] {
                *cell /= factors[i];
            }
        }
        Self { n, cells }
    }

    /// `L x`.
    pub(super) fn times(&self, x: &[f64]) -> Vec<f64> {
        let rows = (0..self.n).map(|i| self.row(i));
        rows.map(|row| dot(row, &x[..row.len()])).collect()
    }

    /// `Lᵀ x`.
    pub(super) fn transposed_times(&self, x: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; self.n];
        for (i, x) in x.iter().enumerate() {
            let row = self.row(i);
            add_scaled(&mut product[..row.len()], *x, row);
        }
        product
    }

    /// The lower half of `Lᵀ L`, which is symmetric.
    pub(super) fn gram(&self) -> Self {
        let n = self.n;
        let mut cells = vec![0.0; n * n];
        for k in 0..n {
            let row = self.row(k);
            for i in 0..=k {
                add_scaled(&mut cells[i * n..=i * n + i], row[i], &row[..=i]);
            }
        }
        Self { n, cells }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    #[test]
    fn factors_and_inverses_multiply_to_what_they_are_of() {
        let mut random = Random::new(1, "test", 0);
        for n in [1, 3, 8, 21] {
            let root: Vec<Vec<f64>> = (0..n)
                .map(|_| (0..n + 2).map(|_| random.normal()).collect())
                .collect();
            let a: Vec<f64> = (0..n * n)
                .map(|cell| dot(&root[cell / n], &root[cell % n]))
                .collect();
            let l = Lower::cholesky(a.clone(), n).expect("positive definite");
            let inverse = l.inverse();
            let a_inverse = inverse.gram();
            let x: Vec<f64> = (0..n).map(|_| random.normal()).collect();
            let b: Vec<f64> = (0..n).map(|i| dot(&a[i * n..(i + 1) * n], &x)).collect();
            let solved = inverse.transposed_times(&inverse.times(&b));
            let cell = |i: usize, j: usize| a_inverse.row(i.max(j))[i.min(j)];
            for i in 0..n {
                assert!((solved[i] - x[i]).abs() < 1e-9);
                let by_inverse: f64 = (0..n).map(|j| cell(i, j) * b[j]).sum();
                assert!((by_inverse - x[i]).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert!(Lower::cholesky(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(Lower::cholesky(vec![f64::NAN], 1).is_none());
        let two = Lower::cholesky(vec![4.0], 1).expect("positive definite");
        assert_eq!(two.log_determinant(), std::f64::consts::LN_2);
    }
}
