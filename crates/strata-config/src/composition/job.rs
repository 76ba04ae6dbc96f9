//! The folders and files of a job, and the jobs of a sweep.

use std::path::{Path, PathBuf};

use crate::compose::ComposeRequest;
use crate::composition::Composition;
use crate::error::ConfigError;
use crate::hydra_node::is_of_hydra;
use crate::interpolation::resolve::Resolver;
use crate::interpolation::resolvers::Context;
use crate::multirun::basic::{self, SweepPlan};
use crate::multirun::space::SearchSpace;
use crate::node::{Node, Value};
use crate::overrides::parser::COMMAND_LINE;
use crate::python;
use crate::search_path::HYDRA_TREE;
use crate::yaml::to_yaml;

impl Composition {
    /// Lets `oc.env` see the variables of `hydra.job.env_set`, as the job does.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn apply_env_set(&mut self) -> Result<(), ConfigError> {
        let node = self.select("hydra.job.env_set")?;
        let map = node.as_ref().and_then(Node::as_map);
        let variables = map.into_iter().flatten().map(|(name, value)| {
            let value = (!matches!(value.value, Value::Null)).then(|| python::str_of(value));
            (name.to_string(), value.unwrap_or_default())
        });
        self.context.variables = variables.collect();
        Ok(())
    }

    /// Where the job puts its files: `hydra.run.dir`, or for a job of a sweep `hydra.sweep.subdir` below
    /// `hydra.sweep.dir`.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn run_dir(&self) -> Result<PathBuf, ConfigError> {
        if self.request.job_number.is_none() {
            return self.extract("hydra.run.dir");
        }
        let subdir: PathBuf = self.extract("hydra.sweep.subdir")?;
        Ok(self.sweep_dir()?.join(subdir))
    }

    /// Whether this is one job of several.
    pub fn is_job_of_a_sweep(&self) -> bool {
        self.request.job_number.is_some()
    }

    /// `hydra.sweep.dir`: the folder of a sweep.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn sweep_dir(&self) -> Result<PathBuf, ConfigError> {
        self.extract("hydra.sweep.dir")
    }

    /// Whether several jobs are meant: by the request, by `hydra.mode`, or, where that says nothing, because a
    /// sweeper was chosen that searches.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn is_multirun(&self) -> Result<bool, ConfigError> {
        if self.request.multirun {
            return Ok(true);
        }
        let mode = self.select("hydra.mode")?;
        match mode.as_ref().and_then(Node::as_str) {
            Some(mode) => Ok(mode == "MULTIRUN"),
            None => Ok(!matches!(self.sweeper()?.as_str(), "BasicSweeper" | "")),
        }
    }

    /// The sweeper: the last word of `hydra.sweeper._target_`; nothing if there is none.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn sweeper(&self) -> Result<String, ConfigError> {
        let target = self.select("hydra.sweeper._target_")?;
        let target = target.as_ref().and_then(Node::as_str).unwrap_or_default();
        Ok(target.rsplit('.').next().unwrap_or_default().to_owned())
    }

    /// The jobs of the sweep, by `hydra.sweeper.params` and the overrides.
    ///
    /// # Errors
    /// A sweep that cannot be enumerated.
    pub fn sweep_plan(&self) -> Result<SweepPlan, ConfigError> {
        basic::plan(self, &self.overrides, &self.search_path)
    }

    /// What a search varies, by `hydra.sweeper.search_space`, `hydra.sweeper.params` and the overrides.
    ///
    /// # Errors
    /// A sweep that is no distribution.
    pub fn search_space(&self) -> Result<SearchSpace, ConfigError> {
        SearchSpace::of_composition(self, basic::params(self)?)
    }

    /// Whether the value of a key comes from an override.
    pub fn is_typed(&self, key: &str) -> bool {
        let origin = self.root.descend(key).and_then(|node| node.origin.as_ref());
        origin.is_some_and(|origin| origin.source().name == COMMAND_LINE)
    }

    /// Whether the value of a key comes from an override or a file of the user's, not from Hydra's own.
    pub fn is_set_by_the_user(&self, key: &str) -> bool {
        let origin = self.root.descend(key).and_then(|node| node.origin.as_ref());
        origin.is_some_and(|origin| !origin.source().name.starts_with(HYDRA_TREE))
    }

    /// The request that this was composed from.
    pub fn request(&self) -> &ComposeRequest {
        &self.request
    }

    /// What a job of this sweep is composed from; it has the sweep's time.
    pub fn job_request(&self, number: usize, overrides: &[String]) -> ComposeRequest {
        let of_hydra = self.overrides.iter().filter(|o| is_of_hydra(o));
        let of_hydra = of_hydra.map(|override_| override_.text().to_owned());
        ComposeRequest {
            overrides: of_hydra.chain(overrides.iter().cloned()).collect(),
            multirun: false,
            job_number: Some(number),
            ..self.request.clone()
        }
    }

    /// Whether `hydra.run.dir` changes with the time, so that no two runs mean the same folder. Never of a
    /// job of a sweep, whose folder has a number.
    pub fn run_dir_is_of_its_time(&self) -> Result<bool, ConfigError> {
        if self.request.job_number.is_some() {
            return Ok(false);
        }
        let later = &self.context.now + jiff::Span::new().days(400).hours(1).minutes(1).seconds(1);
        let context = Context::new(later, self.context.resolvers.clone());
        let resolver = Resolver {
            root: &self.root,
            context: &context,
        };
        let dir = resolver
            .select("hydra.run.dir")?
            .map(|found| python::str_of(&found.node))
            .unwrap_or_default();
        Ok(Path::new(&dir) != self.run_dir()?)
    }

    /// The folder below the run directory for [`Composition::hydra_files`]; none for none.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn output_subdir(&self) -> Result<Option<String>, ConfigError> {
        self.extract("hydra.output_subdir")
    }

    /// Sets `hydra.runtime.output_dir`.
    pub fn set_output_dir(&mut self, folder: &Path) {
        let text = Value::Str(folder.display().to_string());
        *self.root.descend_or_insert("hydra.runtime.output_dir") = Node::new(text);
    }

    /// Sets `hydra.runtime.output_dir` to the folder that the job would get if it started now, for a
    /// check before there is one.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn assume_output_dir(&mut self) -> Result<(), ConfigError> {
        let folder = self.run_dir()?;
        self.set_output_dir(&folder);
        Ok(())
    }

    /// The files of `.hydra/`: name and content.
    ///
    /// # Errors
    /// None in practice: nothing is resolved.
    pub fn hydra_files(&self) -> Result<[(&'static str, String); 3], ConfigError> {
        let overrides = self
            .task_overrides()
            .into_iter()
            .map(|text| Node::new(Value::Str(text)));
        Ok([
            ("config.yaml", self.job_yaml(false, None)?),
            ("hydra.yaml", to_yaml(&self.parts_of(|key| key == "hydra"))),
            (
                "overrides.yaml",
                to_yaml(&Node::new(Value::List(overrides.collect()))),
            ),
        ])
    }

    /// The overrides of the job, without those of the hydra node, as typed.
    pub fn task_overrides(&self) -> Vec<String> {
        let of_task = self
            .overrides
            .iter()
            .filter(|override_| !is_of_hydra(override_));
        of_task
            .map(|override_| override_.text().to_owned())
            .collect()
    }
}
