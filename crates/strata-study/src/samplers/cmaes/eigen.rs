//! The axes of a covariance.

/// A square matrix, row by row.
pub(super) type Matrix = Vec<Vec<f64>>;

/// The identity.
pub(super) fn identity(n: usize) -> Matrix {
    let row = |i| (0..n).map(|j| f64::from(u8::from(i == j))).collect();
    (0..n).map(row).collect()
}

/// The eigenvalues of a symmetric matrix, and its eigenvectors as columns, in no particular order.
///
/// Cyclic Jacobi rotations (Golub & Van Loan, Matrix Computations, section 8.5): slower than tridiagonal methods,
/// but short, accurate, and quick enough for the tens of parameters of a study. A matrix with infinities or NaN
/// gives such eigenvalues.
pub(super) fn symmetric_eigen(mut a: Matrix) -> (Vec<f64>, Matrix) {
    let n = a.len();
    let mut vectors = identity(n);
    // Convergence is quadratic; 5 to 10 sweeps are usual.
    for _ in 0..50 {
        let off_diagonal: f64 = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| a[i][j] * a[i][j])
            .sum();
        let diagonal: f64 = (0..n).map(|i| a[i][i] * a[i][i]).sum();
        if off_diagonal.is_nan() || off_diagonal <= 1e-32 * diagonal {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    ((0..n).map(|i| a[i][i]).collect(), vectors)
}

/// Makes the element `(p, q)` zero.
fn rotate(a: &mut Matrix, vectors: &mut Matrix, p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    // The smaller of the two angles.
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for row in a.iter_mut().chain(vectors.iter_mut()) {
        let (left, right) = (row[p], row[q]);
        row[p] = c * left - s * right;
        row[q] = s * left + c * right;
    }
    // p < q, so they are in different halves.
    let (upper_rows, lower_rows) = a.split_at_mut(q);
    for (upper, lower) in upper_rows[p].iter_mut().zip(&mut lower_rows[0]) {
        (*upper, *lower) = (c * *upper - s * *lower, s * *upper + c * *lower);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    #[test]
    fn the_axes_make_up_the_matrix() {
        let mut random = Random::new(1, "test", 0);
        for n in [1, 2, 5, 30] {
            let numbers: Vec<f64> = (0..n * n).map(|_| random.normal()).collect();
            let cell = |i: usize, j: usize| numbers[i.max(j) * n + i.min(j)];
            let row = |i| (0..n).map(|j| cell(i, j)).collect();
            let a: Matrix = (0..n).map(row).collect();
            let (values, vectors) = symmetric_eigen(a.clone());
            for i in 0..n {
                for j in 0..n {
                    let sum: f64 = (0..n)
                        .map(|k| vectors[i][k] * values[k] * vectors[j][k])
                        .sum();
                    assert!((sum - a[i][j]).abs() < 1e-12, "{n}: {i} {j}");
                    let dot: f64 = (0..n).map(|k| vectors[k][i] * vectors[k][j]).sum();
                    assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
                }
            }
        }
    }
}
