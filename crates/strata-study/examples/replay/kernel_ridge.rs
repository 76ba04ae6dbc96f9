//! Kernel ridge regression of several targets at the same points.

/// How alike two points are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kernel {
    /// `exp(−½ Σ ((x − y)/scale)²)`, with a scale for each coordinate: back to the mean where nothing is known.
    Gaussian(Vec<f64>),
    /// `(1 + x·y/4)^degree`: polynomials, which go on beyond what is known.
    Polynomial(i32),
}

/// Targets as functions of a point: their means and `k(x, X)·(K + λI)⁻¹·(y − mean)`.
pub(crate) struct KernelRidge {
    kernel: Kernel,
    points: Vec<Vec<f64>>,
    means: Vec<f64>,
    /// For each target one a point.
    weights: Vec<Vec<f64>>,
    /// For each target what each point differs by from what the others predict there.
    pub(crate) residuals: Vec<Vec<f64>>,
}

impl Kernel {
    fn of(&self, x: &[f64], y: &[f64]) -> f64 {
        match self {
            Self::Gaussian(scales) => {
                let pairs = x.iter().zip(y).zip(scales);
                let distance: f64 = pairs.map(|((x, y), scale)| ((x - y) / scale).powi(2)).sum();
                libm::exp(-0.5 * distance)
            }
            Self::Polynomial(degree) => (1.0 + 0.25 * dot(x, y)).powi(*degree),
        }
    }

    /// Kernels with other scales, each with one of them a step larger or smaller.
    fn neighbours(&self) -> Vec<Self> {
        let Self::Gaussian(scales) = self else {
            return Vec::new();
        };
        let moves = (0..scales.len()).flat_map(|place| [(place, 1.25), (place, 0.8)]);
        let moved = moves.map(|(place, factor)| {
            let mut scales = scales.clone();
            scales[place] = (scales[place] * factor).clamp(0.5, 50.0);
            Self::Gaussian(scales)
        });
        moved.collect()
    }
}

impl KernelRidge {
    /// The scales and the penalty that predict best what is left out, as far as steps from `kernel` lead.
    pub(crate) fn fit(kernel: Kernel, points: &[Vec<f64>], targets: &[Vec<f64>]) -> Self {
        let squares = |fit: &Self| fit.residuals.iter().flatten().map(|r| r * r).sum::<f64>();
        let fit = |kernel: Kernel, penalty: f64| {
            let fit = Self::with_penalty(kernel, penalty, points, targets);
            (squares(&fit), penalty, fit)
        };
        let mut best = fit(kernel, 1e-2);
        loop {
            let (before, penalty, ref fitted) = best;
            let kernel = fitted.kernel.clone();
            let same = [
                (kernel.clone(), 2.0 * penalty),
                (kernel.clone(), 0.5 * penalty),
            ];
            let others = kernel.neighbours().into_iter();
            let next = others.map(|kernel| (kernel, penalty)).chain(same);
            for (kernel, penalty) in next {
                let next = fit(kernel, penalty.max(1e-6));
                if next.0 < best.0 {
                    best = next;
                }
            }
            if best.0 > 0.999 * before {
                return best.2;
            }
        }
    }

    fn with_penalty(
        kernel: Kernel,
        penalty: f64,
        points: &[Vec<f64>],
        targets: &[Vec<f64>],
    ) -> Self {
        let n = points.len();
        let mut matrix: Vec<Vec<f64>> = points
            .iter()
            .map(|x| points.iter().map(|y| kernel.of(x, y)).collect())
            .collect();
        for (i, row) in matrix.iter_mut().enumerate() {
            row[i] += penalty;
        }
        cholesky(&mut matrix);
        // The diagonal of the inverse, from the columns of the inverse of the factor.
        let inverse_diagonal: Vec<f64> = (0..n)
            .map(|i| {
                let column = solve_lower(&matrix, |j| if i == j { 1.0 } else { 0.0 });
                dot(&column, &column)
            })
            .collect();
        let mut fit = Self {
            kernel,
            points: points.to_vec(),
            means: Vec::new(),
            weights: Vec::new(),
            residuals: Vec::new(),
        };
        for target in targets {
            let mean = target.iter().sum::<f64>() / n as f64;
            let weights = solve_upper(&matrix, solve_lower(&matrix, |i| target[i] - mean));
            // What is left out needs no other fit (Rasmussen & Williams 2006, equation 5.12).
            let residuals = weights.iter().zip(&inverse_diagonal).map(|(w, d)| w / d);
            fit.residuals.push(residuals.collect());
            fit.means.push(mean);
            fit.weights.push(weights);
        }
        fit
    }

    /// The targets at a point.
    pub(crate) fn predict(&self, point: &[f64]) -> Vec<f64> {
        let points = self.points.iter();
        let alike: Vec<f64> = points.map(|known| self.kernel.of(point, known)).collect();
        let targets = self.means.iter().zip(&self.weights);
        targets
            .map(|(mean, weights)| mean + dot(weights, &alike))
            .collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower factor in place of the lower half.
fn cholesky(matrix: &mut [Vec<f64>]) {
    for i in 0..matrix.len() {
        for j in 0..=i {
            let rest = matrix[i][j] - dot(&matrix[i][..j], &matrix[j][..j]);
            matrix[i][j] = if i == j {
                rest.sqrt()
            } else {
                rest / matrix[j][j]
            };
        }
    }
}

fn solve_lower(factor: &[Vec<f64>], target: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut solution: Vec<f64> = Vec::with_capacity(factor.len());
    for (i, row) in factor.iter().enumerate() {
        let known = dot(&row[..i], &solution);
        solution.push((target(i) - known) / row[i]);
    }
    solution
}

fn solve_upper(factor: &[Vec<f64>], mut target: Vec<f64>) -> Vec<f64> {
    for i in (0..target.len()).rev() {
        target[i] /= factor[i][i];
        let solved = target[i];
        for (other, weight) in target.iter_mut().zip(&factor[i][..i]) {
            *other -= weight * solved;
        }
    }
    target
}
