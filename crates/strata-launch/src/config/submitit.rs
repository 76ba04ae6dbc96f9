//! `hydra/launcher=submitit_local` and `submitit_slurm`: jobs in processes of their own, here or on a cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use strata_config::{Composition, ConfigError, python};

use super::{PATH, Warnings};

/// What both of submitit's launchers have.
///
/// A job of ours is one process, so `nodes` and `tasks_per_node`, which would start it several times over in the same
/// folder, can only be 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SubmititConfig {
    /// Where scripts and output go. `%j` is the number of the job, `%A` and `%a` those of the array and of the job in it.
    pub submitit_folder: PathBuf,
    /// The minutes that a job may take; 0 is any time.
    pub timeout_min: u32,
    /// The cores of a job.
    pub cpus_per_task: Option<u32>,
    /// The GPUs of a job.
    pub gpus_per_node: Option<u32>,
    /// The memory of a job.
    pub mem_gb: Option<u32>,
    /// What the queue calls the jobs.
    pub name: String,
    /// One file for both outputs.
    pub stderr_to_stdout: bool,
}

/// The keys that only one value has a meaning for.
#[derive(Deserialize)]
struct OneProcess {
    nodes: u32,
    tasks_per_node: u32,
}

impl SubmititConfig {
    fn of(composition: &Composition, warnings: &mut Warnings) -> Result<Self, ConfigError> {
        const WHY: &str = "a job is one process";
        let config: Self = composition.extract(PATH)?;
        let OneProcess {
            nodes,
            tasks_per_node,
        } = composition.extract(PATH)?;
        if nodes != 1 {
            warnings.without_effect("nodes", nodes, WHY);
        }
        if tasks_per_node != 1 {
            warnings.without_effect("tasks_per_node", tasks_per_node, WHY);
        }
        Ok(config)
    }

    pub(super) fn of_local(
        composition: &Composition,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        const WHY: &str = "only a queue such as Slurm's keeps jobs to what they asked for";
        let config = Self::of(composition, warnings)?;
        for (key, value) in [
            ("cpus_per_task", config.cpus_per_task),
            ("gpus_per_node", config.gpus_per_node),
            ("mem_gb", config.mem_gb),
        ] {
            if let Some(value) = value {
                warnings.without_effect(key, value, WHY);
            }
        }
        Ok(config)
    }
}

/// What `hydra/launcher=submitit_slurm` sets. What is not said here is handed to `sbatch` under its own name.
#[derive(Debug, Clone, PartialEq)]
pub struct SlurmConfig {
    /// What it shares with `submitit_local`.
    pub common: SubmititConfig,
    /// What only Slurm has.
    pub queue: SlurmQueue,
}

/// What only Slurm has; the keys of [`SlurmConfig`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SlurmQueue {
    /// `--partition`.
    pub partition: Option<String>,
    /// `--qos`.
    pub qos: Option<String>,
    /// `--comment`.
    pub comment: Option<String>,
    /// `--constraint`.
    pub constraint: Option<String>,
    /// `--exclude`.
    pub exclude: Option<String>,
    /// `--gres`.
    pub gres: Option<String>,
    /// `--cpus-per-gpu`, which needs `gpus_per_task`.
    pub cpus_per_gpu: Option<u32>,
    /// `--gpus-per-task`.
    pub gpus_per_task: Option<u32>,
    /// `--mem-per-gpu`.
    pub mem_per_gpu: Option<String>,
    /// `--mem-per-cpu`.
    pub mem_per_cpu: Option<String>,
    /// `--account`.
    pub account: Option<String>,
    /// How many seconds before its time is up a job is asked to stop.
    pub signal_delay_s: u32,
    /// How often a job whose time was up is queued again, to go on where it stopped.
    pub max_num_timeout: u32,
    /// Any option of `sbatch`, by its name.
    pub additional_parameters: BTreeMap<String, ParameterValue>,
    /// How many jobs of an array run at the same time.
    pub array_parallelism: u32,
    /// Lines of shell before the job.
    pub setup: Option<Vec<String>>,
    /// Options of `srun`. Hydra's plugin has no such key yet, submitit has.
    #[serde(default)]
    pub srun_args: Option<Vec<String>>,
}

impl SlurmConfig {
    pub(super) fn of(
        composition: &Composition,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        let common = SubmititConfig::of(composition, warnings)?;
        let queue: SlurmQueue = composition.extract(PATH)?;
        if queue.array_parallelism == 0 {
            return Err(composition.error_at(
                "hydra.launcher.array_parallelism",
                "with `hydra.launcher.array_parallelism=0` no job would ever start",
                Some("it is the number of jobs that run at the same time"),
            ));
        }
        if queue.cpus_per_gpu.is_some() && queue.gpus_per_task.is_none() {
            warnings.say(format!(
                "`{PATH}.cpus_per_gpu` needs `{PATH}.gpus_per_task` to be set (`gpus_per_node` will not do)"
            ));
        }
        let limit_s = u64::from(common.timeout_min) * 60;
        if limit_s > 0 && u64::from(queue.signal_delay_s) >= limit_s {
            warnings.say(format!(
                "`{PATH}.signal_delay_s={}` is no less than the time that `{PATH}.timeout_min={}` gives: a job will be \
                 asked to stop as soon as it has started",
                queue.signal_delay_s, common.timeout_min
            ));
        }
        Ok(Self { common, queue })
    }
}

/// The value of an option of `sbatch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterValue {
    /// `true` or null: the option alone, `--exclusive`.
    Bare,
    /// `false`: the option is not given.
    Absent,
    /// A text or a number: `--mail-type=END`.
    Text(String),
}

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor)
    }
}

struct ParameterVisitor;

impl Visitor<'_> for ParameterVisitor {
    type Value = ParameterValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false or null")
    }

    fn visit_unit<E: Error>(self) -> Result<ParameterValue, E> {
        Ok(ParameterValue::Bare)
    }

    fn visit_bool<E: Error>(self, is_given: bool) -> Result<ParameterValue, E> {
        Ok(if is_given {
            ParameterValue::Bare
        } else {
            ParameterValue::Absent
        })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<ParameterValue, E> {
        Ok(ParameterValue::Text(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<ParameterValue, E> {
        Ok(ParameterValue::Text(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<ParameterValue, E> {
        Ok(ParameterValue::Text(python::float_repr(number)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ParameterValue, E> {
        Ok(ParameterValue::Text(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::LauncherConfig;
    use crate::config::tests::{launcher, refusal};

    use super::*;

    fn slurm(overrides: &[&str]) -> (SlurmConfig, Vec<String>) {
        let overrides = [&["hydra/launcher=submitit_slurm"], overrides].concat();
        match launcher(&overrides) {
            (LauncherConfig::SubmititSlurm(config), warnings) => (*config, warnings),
            other => panic!("not Slurm: {other:?}"),
        }
    }

    #[test]
    fn the_folder_and_the_name_are_resolved() {
        let (config, _) = slurm(&["hydra.sweep.dir=/sweeps/a b", "hydra.job.name=mlp"]);
        assert_eq!(
            config.common.submitit_folder,
            PathBuf::from("/sweeps/a b/.submitit/%j")
        );
        assert_eq!(config.common.name, "mlp");
        assert_eq!(
            (config.queue.signal_delay_s, config.queue.array_parallelism),
            (120, 256)
        );
    }

    #[test]
    fn options_of_sbatch_are_flags_or_texts() {
        let (config, _) = slurm(&[
            "+hydra.launcher.additional_parameters.mail-type=END",
            "+hydra.launcher.additional_parameters.exclusive=null",
            "+hydra.launcher.additional_parameters.contiguous=true",
            "+hydra.launcher.additional_parameters.overcommit=false",
            "+hydra.launcher.additional_parameters.nice=10",
        ]);
        let parameters = config
            .queue
            .additional_parameters
            .into_iter()
            .collect::<Vec<_>>();
        let expected = [
            ("contiguous", ParameterValue::Bare),
            ("exclusive", ParameterValue::Bare),
            ("mail-type", ParameterValue::Text("END".to_owned())),
            ("nice", ParameterValue::Text("10".to_owned())),
            ("overcommit", ParameterValue::Absent),
        ];
        assert_eq!(
            parameters,
            expected.map(|(key, value)| (key.to_owned(), value))
        );

        let message = refusal(&[
            "hydra/launcher=submitit_slurm",
            "+hydra.launcher.additional_parameters.nice=[1]",
        ]);
        assert!(
            message.contains("it must be a text, a number, true, false or null"),
            "{message}"
        );
    }

    #[test]
    fn what_would_start_a_job_twice_is_told_to_change_nothing() {
        let (_, warnings) = slurm(&["hydra.launcher.tasks_per_node=2", "hydra.launcher.nodes=3"]);
        assert_eq!(
            warnings,
            [
                "`hydra.launcher.nodes=3` changes nothing here: a job is one process",
                "`hydra.launcher.tasks_per_node=2` changes nothing here: a job is one process",
            ]
        );
    }

    #[test]
    fn a_job_that_would_be_stopped_at_once_is_told() {
        let (_, warnings) = slurm(&["hydra.launcher.timeout_min=2"]);
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].contains("asked to stop as soon as it has started"),
            "{warnings:?}"
        );
    }

    #[test]
    fn nothing_at_once_and_negative_times_are_refused() {
        let slurm = "hydra/launcher=submitit_slurm";
        let message = refusal(&[slurm, "hydra.launcher.array_parallelism=0"]);
        assert!(message.contains("no job would ever start"), "{message}");
        let message = refusal(&[slurm, "hydra.launcher.timeout_min=-1"]);
        assert!(message.contains("an integer of at least 0"), "{message}");
    }

    #[test]
    fn a_local_process_is_not_kept_to_cores_or_memory() {
        let (config, warnings) = launcher(&[
            "hydra/launcher=submitit_local",
            "hydra.launcher.cpus_per_task=2",
            "hydra.launcher.mem_gb=4",
        ]);
        assert!(matches!(config, LauncherConfig::SubmititLocal(_)));
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].starts_with("`hydra.launcher.cpus_per_task=2` changes nothing here"));
    }
}
