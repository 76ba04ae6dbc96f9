//! The pruners and samplers that are compared.

use strata_study::pruners::{
    HyperbandPruner, NopPruner, PatientPruner, PercentilePruner, Pruner, SuccessiveHalvingPruner,
};
use strata_study::samplers::{GpOptions, GpSampler, Sampler, SamplerName, TpeOptions, TpeSampler};

type Made<T> = Box<dyn Fn() -> Box<T> + Sync>;

/// A method by its name.
pub(crate) struct Method<T: ?Sized> {
    pub(crate) name: String,
    make: Made<T>,
}

impl<T: ?Sized> Method<T> {
    /// A new one.
    pub(crate) fn make(&self) -> Box<T> {
        (self.make)()
    }
}

fn pruner<P: Pruner + 'static>(
    name: String,
    make: impl Fn() -> P + Sync + 'static,
) -> Method<dyn Pruner> {
    let make: Made<dyn Pruner> = Box::new(move || Box::new(make()));
    Method { name, make }
}

fn sampler<S: Sampler + 'static>(
    name: &str,
    make: impl Fn() -> S + Sync + 'static,
) -> Method<dyn Sampler> {
    Method {
        name: name.to_owned(),
        make: Box::new(move || Box::new(make())),
    }
}

/// All of ours but two. A threshold needs a bound that only the study at hand could name, and Wilcoxon's test is for
/// steps that are instances of one problem, not for epochs, which grow with each other.
pub(crate) fn pruners() -> Vec<Method<dyn Pruner>> {
    let mut all = vec![pruner("none".to_owned(), || NopPruner)];
    for (keep, n_startup_trials, n_warmup_steps) in [
        (75.0, 5, 0),
        (75.0, 5, 3),
        (50.0, 5, 0),
        (50.0, 5, 2),
        (50.0, 5, 3),
        (50.0, 5, 5),
        (50.0, 10, 0),
        (50.0, 10, 3),
        (25.0, 5, 0),
        (25.0, 5, 2),
        (25.0, 5, 3),
        (25.0, 10, 0),
        (10.0, 5, 0),
        (10.0, 5, 3),
    ] {
        let name = format!("percentile {keep} startup {n_startup_trials} warmup {n_warmup_steps}");
        all.push(pruner(name, move || PercentilePruner {
            n_startup_trials,
            n_warmup_steps,
            ..PercentilePruner::new(keep)
        }));
    }
    for (min_resource, reduction_factor) in [(1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4), (3, 3)]
    {
        let name = format!("halving min {min_resource} factor {reduction_factor}");
        all.push(pruner(name, move || SuccessiveHalvingPruner {
            min_resource: Some(min_resource),
            reduction_factor,
            ..SuccessiveHalvingPruner::default()
        }));
    }
    for reduction_factor in [2, 3, 4] {
        let name = format!("hyperband factor {reduction_factor}");
        all.push(pruner(name, move || HyperbandPruner {
            reduction_factor,
            ..HyperbandPruner::default()
        }));
    }
    for patience in [1, 3] {
        let name = format!("patient {patience} median");
        all.push(pruner(name, move || PatientPruner {
            wrapped: Some(Box::new(PercentilePruner::median())),
            patience,
            min_delta: 0.0,
        }));
    }
    all
}

/// All of ours that are for one objective.
pub(crate) fn samplers() -> Vec<Method<dyn Sampler>> {
    let named = |name: SamplerName| Method {
        name: name.name().to_owned(),
        make: Box::new(move || name.build(1)) as Made<dyn Sampler>,
    };
    vec![
        named(SamplerName::Random),
        named(SamplerName::Qmc),
        named(SamplerName::CmaEs),
        named(SamplerName::TpeUnivariate),
        named(SamplerName::TpeMultivariate),
        sampler("tpe_skip_duplicates", || {
            TpeSampler::new(TpeOptions {
                skip_duplicates: true,
                ..TpeOptions::default()
            })
        }),
        named(SamplerName::Gp),
        sampler("gp_strata", || {
            GpSampler::new(GpOptions {
                use_pruned: true,
                skip_duplicates: true,
                ..GpOptions::default()
            })
        }),
    ]
}
