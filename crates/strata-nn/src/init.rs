//! Initialisation of weights, by the names of torch's functions.

use thiserror::Error;

use crate::random::Stream;

/// How the weights of an affine layer begin. Biases begin at 0, but for [`WeightInit::TorchDefault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightInit {
    /// Uniform in ±√(6/(in+out)) (Glorot & Bengio 2010)
    XavierUniform,
    /// Normal with variance 2/(in+out)
    XavierNormal,
    /// Uniform in ±√(6/in) (He et al. 2015, gain of relu)
    KaimingUniform,
    /// Normal with variance 2/in
    KaimingNormal,
    /// Normal with variance 1/in (`LeCun` et al. 1998)
    LecunNormal,
    /// Uniform in ±√(3/in)
    LecunUniform,
    /// What `torch.nn.Linear` does by itself: weights and biases uniform in ±1/√in
    TorchDefault,
}

/// A name that no initialisation has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no initialisation `{name}`; there are {}", WeightInit::NAMES.join(", "))]
pub struct UnknownInit {
    /// What was asked for.
    pub name: String,
}

impl WeightInit {
    /// The names that [`WeightInit::from_name`] knows.
    pub const NAMES: [&'static str; 7] = [
        "xavier_uniform",
        "xavier_normal",
        "kaiming_uniform",
        "kaiming_normal",
        "lecun_normal",
        "lecun_uniform",
        "default",
    ];

    /// The initialisation `name`.
    ///
    /// # Errors
    /// An unknown name.
    pub fn from_name(name: &str) -> Result<Self, UnknownInit> {
        Ok(match name {
            "xavier_uniform" => Self::XavierUniform,
            "xavier_normal" => Self::XavierNormal,
            "kaiming_uniform" => Self::KaimingUniform,
            "kaiming_normal" => Self::KaimingNormal,
            "lecun_normal" => Self::LecunNormal,
            "lecun_uniform" => Self::LecunUniform,
            "default" => Self::TorchDefault,
            _ => {
                return Err(UnknownInit {
                    name: name.to_owned(),
                });
            }
        })
    }

    /// Weights `[outputs][inputs]` and biases `[outputs]` of one layer.
    pub(crate) fn draw(
        self,
        inputs: usize,
        outputs: usize,
        stream: &mut Stream,
    ) -> (Vec<f32>, Vec<f32>) {
        let (fan_in, fan_out) = (inputs.max(1) as f64, outputs as f64);
        let mut uniform = |n: usize, bound: f64| -> Vec<f32> {
            (0..n)
                .map(|_| (2.0 * stream.uniform() - 1.0) * bound as f32)
                .collect()
        };
        let n = inputs * outputs;
        let weights = match self {
            Self::XavierUniform => uniform(n, (6.0 / (fan_in + fan_out)).sqrt()),
            Self::KaimingUniform => uniform(n, (6.0 / fan_in).sqrt()),
            Self::LecunUniform => uniform(n, (3.0 / fan_in).sqrt()),
            Self::TorchDefault => {
                let bound = (1.0 / fan_in).sqrt();
                let weights = uniform(n, bound);
                let biases = uniform(outputs, bound);
                return (weights, biases);
            }
            Self::XavierNormal => normal(n, (2.0 / (fan_in + fan_out)).sqrt(), stream),
            Self::KaimingNormal => normal(n, (2.0 / fan_in).sqrt(), stream),
            Self::LecunNormal => normal(n, (1.0 / fan_in).sqrt(), stream),
        };
        (weights, vec![0.0; outputs])
    }
}

fn normal(n: usize, deviation: f64, stream: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| stream.normal() * deviation as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_are_as_documented() {
        let (inputs, outputs) = (300, 200);
        for (init, variance) in [
            (WeightInit::XavierUniform, 2.0 / 500.0),
            (WeightInit::XavierNormal, 2.0 / 500.0),
            (WeightInit::KaimingUniform, 2.0 / 300.0),
            (WeightInit::KaimingNormal, 2.0 / 300.0),
            (WeightInit::LecunNormal, 1.0 / 300.0),
            (WeightInit::LecunUniform, 1.0 / 300.0),
            (WeightInit::TorchDefault, 1.0 / 900.0),
        ] {
            let (weights, biases) = init.draw(inputs, outputs, &mut Stream::new(5, "init"));
            let measured =
                weights.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / weights.len() as f64;
            assert!(
                (measured / variance - 1.0).abs() < 0.03,
                "{init:?}: {measured} is not {variance}"
            );
            assert_eq!(
                biases.iter().all(|&b| b == 0.0),
                init != WeightInit::TorchDefault
            );
        }
    }
}
