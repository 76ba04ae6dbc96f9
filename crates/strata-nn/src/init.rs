//! Initialisation of weights and biases, by the names and parameters of torch's functions.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::parameters::{ParameterError, Parameters, SettingError};
use crate::random::Stream;

/// How the weights of an affine layer begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WeightInit {
    /// Uniform in `±gain·√(6/(in+out))` (Glorot & Bengio 2010)
    XavierUniform {
        /// Scale (default 1).
        gain: f64,
    },
    /// Normal with variance `gain²·2/(in+out)`
    XavierNormal {
        /// Scale (default 1).
        gain: f64,
    },
    /// Uniform in `±gain·√(3/fan)` (He et al. 2015)
    KaimingUniform(Kaiming),
    /// Normal with variance `gain²/fan`
    KaimingNormal(Kaiming),
    /// Uniform in ±√(3/in)
    LecunUniform,
    /// Normal with variance 1/in (`LeCun` et al. 1998)
    LecunNormal,
    /// Orthonormal rows or columns times `gain` (Saxe et al. 2014)
    Orthogonal {
        /// Scale (default 1).
        gain: f64,
    },
    /// Uniform in `a..b` (torch's `uniform_`, defaults 0, 1)
    Uniform {
        /// Least value.
        a: f64,
        /// Greatest value.
        b: f64,
    },
    /// Normal (torch's `normal_`, defaults 0, 1)
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        std: f64,
    },
    /// All the same
    Constant {
        /// The value.
        val: f64,
    },
    /// What `torch.nn.Linear` does by itself: weights and biases uniform in ±1/√in
    TorchDefault,
    /// The coursework's `UniformInit(-0.1, 0.1)`
    Course,
}

/// Fan and gain of He et al.'s initialisations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kaiming {
    /// Gain of the nonlinearity (default √2, that of relu).
    pub gain: f64,
    /// Whether `fan` counts outputs (`mode: fan_out`) and not inputs.
    pub fan_out: bool,
}

/// How the biases of an affine layer begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BiasInit {
    /// At 0, but as torch does for [`WeightInit::TorchDefault`].
    OfWeights,
    /// All the same.
    Constant(f32),
}

const KIND: &str = "initialisation";

impl WeightInit {
    /// The names that [`WeightInit::from_name`] knows.
    pub const NAMES: [&'static str; 12] = [
        "xavier_uniform",
        "xavier_normal",
        "kaiming_uniform",
        "kaiming_normal",
        "lecun_uniform",
        "lecun_normal",
        "orthogonal",
        "uniform",
        "normal",
        "constant",
        "default",
        "course",
    ];

    /// Glorot's uniform initialisation with a gain of 1.
    pub const XAVIER_UNIFORM: Self = Self::XavierUniform { gain: 1.0 };

    /// The initialisation `name` with the parameters of torch's function, those absent at torch's defaults.
    ///
    /// # Errors
    /// An unknown name, an unknown parameter, or one of another type or out of range.
    pub fn from_name(name: &str, kwargs: &BTreeMap<String, Value>) -> Result<Self, SettingError> {
        let parsed = parse(name, &Parameters(kwargs)).map_err(|error| error.of(KIND, name))?;
        parsed.ok_or_else(|| SettingError::UnknownName {
            kind: KIND,
            name: name.to_owned(),
            known: &Self::NAMES,
        })
    }

    /// Weights `[outputs][inputs]` and biases `[outputs]` of one layer.
    pub(crate) fn draw(
        self,
        biases: BiasInit,
        inputs: usize,
        outputs: usize,
        stream: &mut Stream,
    ) -> (Vec<f32>, Vec<f32>) {
        let (fan_in, fan_out) = (inputs.max(1) as f64, outputs.max(1) as f64);
        let n = inputs * outputs;
        let weights = match self {
            Self::XavierUniform { gain } => {
                symmetric(n, gain * (6.0 / (fan_in + fan_out)).sqrt(), stream)
            }
            Self::XavierNormal { gain } => {
                normal(n, gain * (2.0 / (fan_in + fan_out)).sqrt(), stream)
            }
            Self::KaimingUniform(kaiming) => {
                let fan = if kaiming.fan_out { fan_out } else { fan_in };
                symmetric(n, kaiming.gain * (3.0 / fan).sqrt(), stream)
            }
            Self::KaimingNormal(kaiming) => {
                let fan = if kaiming.fan_out { fan_out } else { fan_in };
                normal(n, kaiming.gain / fan.sqrt(), stream)
            }
            Self::LecunUniform => symmetric(n, (3.0 / fan_in).sqrt(), stream),
            Self::LecunNormal => normal(n, (1.0 / fan_in).sqrt(), stream),
            Self::Orthogonal { gain } => orthogonal(outputs, inputs, gain, stream),
            Self::Uniform { a, b } => (0..n)
                .map(|_| (a + (b - a) * f64::from(stream.uniform())) as f32)
                .collect(),
            Self::Normal { mean, std } => {
                let mut weights = normal(n, std, stream);
                for weight in &mut weights {
                    *weight += mean as f32;
                }
                weights
            }
            Self::Constant { val } => vec![val as f32; n],
            Self::TorchDefault => symmetric(n, (1.0 / fan_in).sqrt(), stream),
            Self::Course => symmetric(n, 0.1, stream),
        };
        let biases = match (biases, self) {
            (BiasInit::Constant(value), _) => vec![value; outputs],
            (BiasInit::OfWeights, Self::TorchDefault) => {
                symmetric(outputs, (1.0 / fan_in).sqrt(), stream)
            }
            (BiasInit::OfWeights, _) => vec![0.0; outputs],
        };
        (weights, biases)
    }
}

/// None for a name that no initialisation has.
fn parse(name: &str, read: &Parameters) -> Result<Option<WeightInit>, ParameterError> {
    let known: &[&'static str] = match name {
        "xavier_uniform" | "xavier_normal" | "orthogonal" => &["gain"],
        "kaiming_uniform" | "kaiming_normal" => &["a", "mode", "nonlinearity"],
        "uniform" => &["a", "b"],
        "normal" => &["mean", "std"],
        "constant" => &["val"],
        _ if WeightInit::NAMES.contains(&name) => &[],
        _ => return Ok(None),
    };
    read.allow(known, &[])?;
    Ok(Some(match name {
        "xavier_uniform" => WeightInit::XavierUniform {
            gain: read.number("gain", 1.0)?,
        },
        "xavier_normal" => WeightInit::XavierNormal {
            gain: read.number("gain", 1.0)?,
        },
        "kaiming_uniform" => WeightInit::KaimingUniform(kaiming(read)?),
        "kaiming_normal" => WeightInit::KaimingNormal(kaiming(read)?),
        "lecun_uniform" => WeightInit::LecunUniform,
        "lecun_normal" => WeightInit::LecunNormal,
        "orthogonal" => WeightInit::Orthogonal {
            gain: read.number("gain", 1.0)?,
        },
        "uniform" => WeightInit::Uniform {
            a: read.number("a", 0.0)?,
            b: read.number("b", 1.0)?,
        },
        "normal" => WeightInit::Normal {
            mean: read.number("mean", 0.0)?,
            std: read.not_negative("std", 1.0)?,
        },
        "constant" => WeightInit::Constant {
            val: read.number("val", None)?,
        },
        "course" => WeightInit::Course,
        _ => WeightInit::TorchDefault,
    }))
}

/// torch's `calculate_gain` and fan; torch's own default nonlinearity, `leaky_relu` with `a = 0`, has the
/// gain of relu.
fn kaiming(read: &Parameters) -> Result<Kaiming, ParameterError> {
    const NONLINEARITIES: [&str; 7] = [
        "leaky_relu",
        "linear",
        "identity",
        "sigmoid",
        "tanh",
        "relu",
        "selu",
    ];
    let a = read.number("a", 0.0)?;
    let expected = "one of linear, sigmoid, tanh, relu, leaky_relu, selu";
    let gain = match read.choice("nonlinearity", &NONLINEARITIES, expected)? {
        0 => (2.0 / (1.0 + a * a)).sqrt(),
        4 => 5.0 / 3.0,
        5 => 2.0_f64.sqrt(),
        6 => 0.75,
        _ => 1.0,
    };
    let modes = ["fan_in", "fan_out"];
    let fan_out = read.choice("mode", &modes, "`fan_in` or `fan_out`")? == 1;
    Ok(Kaiming { gain, fan_out })
}

fn symmetric(n: usize, bound: f64, stream: &mut Stream) -> Vec<f32> {
    (0..n)
        .map(|_| (2.0 * stream.uniform() - 1.0) * bound as f32)
        .collect()
}

fn normal(n: usize, deviation: f64, stream: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| stream.normal() * deviation as f32).collect()
}

/// Gram–Schmidt in f64, each vector twice, which is enough for orthogonality to rounding.
fn orthogonal(rows: usize, columns: usize, gain: f64, stream: &mut Stream) -> Vec<f32> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| f64::from(stream.normal())).collect();
        for _ in 0..2 {
            for other in &vectors {
                let along: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                vector
                    .iter_mut()
                    .zip(other)
                    .for_each(|(a, b)| *a -= along * b);
            }
        }
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-6 {
            for x in &mut vector {
                *x /= norm;
            }
            vectors.push(vector);
        }
    }
    let at = |row: usize, column: usize| {
        if rows <= columns {
            vectors[row][column]
        } else {
            vectors[column][row]
        }
    };
    (0..rows * columns)
        .map(|i| (gain * at(i / columns, i % columns)) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(name: &str) -> WeightInit {
        WeightInit::from_name(name, &BTreeMap::new()).expect("a name without needed parameters")
    }

    #[test]
    fn variances_are_as_documented() {
        let (inputs, outputs) = (300, 200);
        for (name, variance) in [
            ("xavier_uniform", 2.0 / 500.0),
            ("xavier_normal", 2.0 / 500.0),
            ("kaiming_uniform", 2.0 / 300.0),
            ("kaiming_normal", 2.0 / 300.0),
            ("lecun_normal", 1.0 / 300.0),
            ("lecun_uniform", 1.0 / 300.0),
            ("orthogonal", 1.0 / 300.0),
            ("default", 1.0 / 900.0),
            ("course", 0.01 / 3.0),
            ("normal", 1.0),
        ] {
            let mut stream = Stream::new(5, "init");
            let (weights, biases) =
                init(name).draw(BiasInit::OfWeights, inputs, outputs, &mut stream);
            let measured =
                weights.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / weights.len() as f64;
            assert!(
                (measured / variance - 1.0).abs() < 0.03,
                "{name}: {measured} is not {variance}"
            );
            assert_eq!(biases.iter().all(|&b| b == 0.0), name != "default");
        }
    }

    #[test]
    fn orthogonal_rows_or_columns_are_orthonormal() {
        for (rows, columns) in [(7, 19), (19, 7), (1, 1)] {
            let weights = orthogonal(rows, columns, 2.0, &mut Stream::new(1, "init"));
            let vector = |i: usize| -> Vec<f64> {
                (0..rows.max(columns))
                    .map(|j| {
                        let at = if rows <= columns {
                            i * columns + j
                        } else {
                            j * columns + i
                        };
                        f64::from(weights[at])
                    })
                    .collect()
            };
            for i in 0..rows.min(columns) {
                for j in 0..=i {
                    let product: f64 = vector(i).iter().zip(vector(j)).map(|(a, b)| a * b).sum();
                    let expected = if i == j { 4.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-5, "{i}·{j} is {product}");
                }
            }
        }
    }

    #[test]
    fn parameters_are_checked() {
        let of = |name: &str, key: &str, value: Value| {
            WeightInit::from_name(name, &BTreeMap::from([(key.to_owned(), value)]))
        };
        assert!(of("kaiming_uniform", "mode", "fan_out".into()).is_ok());
        assert_eq!(
            of("kaiming_uniform", "gain", 1.0.into())
                .unwrap_err()
                .parameter(),
            Some("gain")
        );
        let missing = WeightInit::from_name("constant", &BTreeMap::new()).unwrap_err();
        assert_eq!(missing.parameter(), Some("val"));
        let constant = of("constant", "val", 0.5.into()).expect("a constant");
        let (weights, biases) =
            constant.draw(BiasInit::Constant(0.25), 2, 3, &mut Stream::new(1, "init"));
        assert_eq!((weights, biases), (vec![0.5; 6], vec![0.25; 3]));
    }
}
