//! What is better.

/// What is better for an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Less.
    Minimize,
    /// More.
    Maximize,
}

impl Direction {
    /// A value such that less is better.
    pub fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }

    /// Whether `a` is better than `b`; NaN is never better.
    pub fn is_better(self, a: f64, b: f64) -> bool {
        self.loss(a) < self.loss(b)
    }

    /// The best of the values that are numbers, the first of equals.
    pub fn best(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let numbers = values.filter(|value| !value.is_nan());
        numbers.reduce(|best, value| {
            if self.is_better(value, best) {
                value
            } else {
                best
            }
        })
    }

    /// `minimize`, `maximize`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimize => "minimize",
            Self::Maximize => "maximize",
        }
    }

    /// The direction of a name, in small or capital letters.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Minimize, Self::Maximize]
            .into_iter()
            .find(|direction| direction.name().eq_ignore_ascii_case(name))
    }
}
