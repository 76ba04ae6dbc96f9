//! The stages of one `dvc.yaml`, each resolved when it is asked for.

use std::sync::OnceLock;

use indexmap::IndexMap;

use super::context::{Context, Origin, Scope};
use super::group::{Expansion, GroupProblem, foreach, matrix};
use super::interpolate::{ParsingOptions, Site, resolve, resolve_text};
use super::problem::TemplateProblem;
use super::text::scalar_text;
use super::{Files, expression};
use crate::definition::path::join;
use crate::definition::{DefinitionError, Place, StageDefinition};
use crate::value::{Map, Value};

/// Where a `dvc.yaml` lies and how its templates are filled in.
#[derive(Debug, Clone, Default)]
pub struct ResolverOptions {
    /// The folder of the file from the current folder, empty for the current folder; for messages alone.
    pub directory: String,
    /// How mappings in commands are written.
    pub parsing: ParsingOptions,
}

/// A group of stages that `foreach` or `matrix` generates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name in the file.
    pub name: String,
    /// The names of its stages, `name@key`.
    pub members: Vec<String>,
}

#[derive(Debug)]
struct Entry<'a> {
    data: &'a Value,
    kind: EntryKind<'a>,
    /// Groups are expanded once, when they are first asked for.
    expansion: OnceLock<Result<Expansion, DefinitionError>>,
}

#[derive(Debug, Clone, Copy)]
enum EntryKind<'a> {
    Stage,
    Foreach(&'a Value),
    Matrix(&'a Value),
}

/// The stages of one `dvc.yaml`.
///
/// The data must have passed [`check_pipeline`](crate::definition::check_pipeline). Variables are loaded at once,
/// each stage is resolved when it is asked for: a stage with a wrong template does not hinder the others.
pub struct Resolver<'a> {
    files: &'a dyn Files,
    options: ResolverOptions,
    /// The path of the `dvc.yaml` from the current folder.
    pub(super) file: String,
    pub(super) dvcfile: &'a Value,
    pub(super) context: Context,
    entries: IndexMap<&'a str, Entry<'a>>,
}

impl<'a> Resolver<'a> {
    /// Loads `params.yaml` beside the `dvc.yaml` and the `vars` of the file.
    ///
    /// # Errors
    /// A file of variables is missing, unreadable or no mapping, or sets again what is set already.
    pub fn new(
        dvcfile: &'a Value,
        files: &'a dyn Files,
        options: ResolverOptions,
    ) -> Result<Self, DefinitionError> {
        let file = join(&options.directory, "dvc.yaml");
        let context = load_context(dvcfile, files, &options.directory)
            .map_err(|problem| template_error(&file, Place::Key("vars".to_owned()), problem))?;
        let stages = dvcfile.get("stages").and_then(Value::as_map);
        let entries = stages.into_iter().flatten().filter_map(|(name, data)| {
            let kind = if let Some(data) = data.get("matrix") {
                EntryKind::Matrix(data)
            } else if let Some(data) = data.get("foreach") {
                EntryKind::Foreach(data)
            } else {
                EntryKind::Stage
            };
            let entry = Entry {
                data,
                kind,
                expansion: OnceLock::new(),
            };
            Some((name.as_str()?, entry))
        });
        Ok(Self {
            entries: entries.collect(),
            files,
            options,
            file,
            dvcfile,
            context,
        })
    }

    /// The names of all stages in the order of the file, those of a group in its place.
    ///
    /// # Errors
    /// A group cannot be expanded.
    pub fn stage_names(&self) -> Result<Vec<String>, DefinitionError> {
        let mut names = Vec::new();
        for (name, entry) in &self.entries {
            match self.expansion(name, entry) {
                None => names.push((*name).to_owned()),
                Some(expansion) => names.extend(member_names(name, expansion?)),
            }
        }
        Ok(names)
    }

    /// The groups in the order of the file.
    ///
    /// # Errors
    /// A group cannot be expanded.
    pub fn groups(&self) -> Result<Vec<Group>, DefinitionError> {
        let expansions = self.entries.iter().filter_map(|(name, entry)| {
            let expansion = self.expansion(name, entry)?;
            Some(expansion.map(|expansion| Group {
                name: (*name).to_owned(),
                members: member_names(name, expansion).collect(),
            }))
        });
        expansions.collect()
    }

    /// The stages of one group, if there is a group of that name.
    ///
    /// # Errors
    /// The group cannot be expanded.
    pub fn group(&self, name: &str) -> Result<Option<Group>, DefinitionError> {
        let Some(expansion) = self
            .entries
            .get(name)
            .and_then(|entry| self.expansion(name, entry))
        else {
            return Ok(None);
        };
        let members = member_names(name, expansion?).collect();
        Ok(Some(Group {
            name: name.to_owned(),
            members,
        }))
    }

    /// The group that generates a stage; nothing for a stage that stands in the file itself.
    pub fn generated_from<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (group, _) = self.split(name)?;
        (group != name).then_some(group)
    }

    /// Whether the data of a stage changes when its templates are filled in.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn is_parametrized(&self, name: &str) -> Result<bool, DefinitionError> {
        let raw = self.entries.get(name).map(|entry| entry.data);
        Ok(raw != Some(&self.resolve_value(name)?))
    }

    /// A stage with its templates filled in.
    ///
    /// # Errors
    /// There is no such stage, or its templates or variables are wrong.
    pub fn resolve(&self, name: &str) -> Result<StageDefinition, DefinitionError> {
        StageDefinition::from_value(name, &self.resolve_value(name)?, &self.file)
    }

    /// The same as data of a `dvc.yaml`, without `vars`.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn resolve_value(&self, name: &str) -> Result<Value, DefinitionError> {
        let (group, key) = self.split(name).ok_or_else(|| self.not_found(name))?;
        let entry = self
            .entries
            .get(group)
            .ok_or_else(|| self.not_found(name))?;
        let (data, shadows) = match (entry.kind, self.expansion(group, entry)) {
            (EntryKind::Foreach(_), Some(expansion)) => {
                let shadows = self.member(name, key, expansion?)?;
                (entry.data.get("do").unwrap_or(&Value::Null), shadows)
            }
            (EntryKind::Matrix(_), Some(expansion)) => {
                (entry.data, self.member(name, key, expansion?)?)
            }
            _ => (entry.data, Vec::new()),
        };
        let scope = Scope::new(&self.context, shadows);
        let skipped: &[&str] = match entry.kind {
            EntryKind::Matrix(_) => &["vars", "matrix"],
            _ => &["vars"],
        };
        self.check_syntax(group, data, skipped)?;
        self.fill_in(name, data, skipped, scope)
    }

    /// Variables that `item` and `key` of a group hide; only groups that were asked for are known.
    pub fn warnings(&self) -> Vec<String> {
        let expansions = self.entries.values().filter_map(|entry| {
            let expansion = entry.expansion.get()?.as_ref().ok()?;
            expansion.warning.clone()
        });
        expansions.collect()
    }

    /// The place of a stage: its group, and the key if it is a member.
    ///
    /// A name in the file goes first; otherwise both names and keys may contain `@`.
    fn split<'n>(&self, name: &'n str) -> Option<(&'n str, Option<&'n str>)> {
        if let Some(entry) = self.entries.get(name) {
            return matches!(entry.kind, EntryKind::Stage).then_some((name, None));
        }
        name.match_indices('@')
            .map(|(at, _)| (&name[..at], &name[at + 1..]))
            .find_map(|(group, key)| {
                let expansion = self.expansion(group, self.entries.get(group)?)?;
                // A group that cannot be expanded is taken, so that its error is told.
                let known = expansion.map_or(true, |expansion| expansion.members.contains_key(key));
                known.then_some((group, Some(key)))
            })
    }

    /// The stages of a group; nothing for a stage that is none.
    fn expansion<'e>(
        &self,
        name: &str,
        entry: &'e Entry<'a>,
    ) -> Option<Result<&'e Expansion, DefinitionError>> {
        let scope = || Scope::new(&self.context, Vec::new());
        let expanded = match entry.kind {
            EntryKind::Stage => return None,
            EntryKind::Foreach(data) => entry.expansion.get_or_init(|| {
                foreach(&scope(), name, data).map_err(|p| self.group_error(name, "foreach", p))
            }),
            EntryKind::Matrix(data) => entry.expansion.get_or_init(|| {
                matrix(&scope(), name, data).map_err(|p| self.group_error(name, "matrix", p))
            }),
        };
        Some(expanded.as_ref().map_err(Clone::clone))
    }

    fn group_error(&self, name: &str, key: &str, problem: GroupProblem) -> DefinitionError {
        let place = format!("stages.{name}.{key}");
        match problem {
            GroupProblem::Template(problem) => self.error_at(&place, problem),
            GroupProblem::NotIterable { variable, found } => DefinitionError::NotIterable {
                file: self.file.clone(),
                key: variable.map_or_else(|| place.clone(), |name| format!("{place}.{name}")),
                expected: "list/dictionary",
                found,
            },
        }
    }

    fn member(
        &self,
        name: &str,
        key: Option<&str>,
        expansion: &Expansion,
    ) -> Result<Vec<(&'static str, Value)>, DefinitionError> {
        let shadows = key.and_then(|key| expansion.members.get(key));
        shadows.cloned().ok_or_else(|| self.not_found(name))
    }

    /// Looks at all keys before any is filled in, as DVC does.
    fn check_syntax(
        &self,
        name: &str,
        data: &Value,
        skipped: &[&str],
    ) -> Result<(), DefinitionError> {
        for (key, value) in data.as_map().into_iter().flatten() {
            let key = key.python_str();
            if !skipped.contains(&key.as_str()) {
                expression::check(value)
                    .map_err(|problem| self.error_at(&format!("stages.{name}.{key}"), problem))?;
            }
        }
        Ok(())
    }

    fn fill_in(
        &self,
        name: &str,
        data: &Value,
        skipped: &[&str],
        mut scope: Scope<'_>,
    ) -> Result<Value, DefinitionError> {
        self.load_stage_variables(name, data, &mut scope)?;
        let mut resolved = Map::new();
        for (key, value) in data.as_map().into_iter().flatten() {
            let key_text = key.python_str();
            if skipped.contains(&key_text.as_str()) {
                continue;
            }
            let site = if key_text == "cmd" {
                Site::Command(self.options.parsing)
            } else {
                Site::Stage
            };
            let value = resolve(&scope, site, value)
                .map_err(|problem| self.error_at(&format!("stages.{name}.{key_text}"), problem))?;
            resolved.insert(key.clone(), value);
        }
        Ok(Value::Map(resolved))
    }

    fn load_stage_variables(
        &self,
        name: &str,
        data: &Value,
        scope: &mut Scope<'_>,
    ) -> Result<(), DefinitionError> {
        let Some(Value::List(vars)) = data.get("vars") else {
            return Ok(());
        };
        let place = format!("stages.{name}.vars");
        vars.iter()
            .try_for_each(expression::check_none)
            .map_err(|problem| self.error_at(&place, problem))?;
        // The folder is looked up without the stage's own variables, which may lie in it.
        let wdir = match data.get("wdir").and_then(Value::as_str) {
            None => String::new(),
            Some(wdir) => resolve_text(scope, Site::Anything, wdir)
                .map(|wdir| scalar_text(&wdir))
                .map_err(|problem| self.error_at(&format!("stages.{name}.wdir"), problem))?,
        };
        let origin = Origin {
            files: self.files,
            directory: &self.options.directory,
            wdir: &wdir,
            stage: name,
        };
        let reserved = scope.reserved();
        scope
            .context
            .to_mut()
            .load(&origin, vars, &reserved)
            .map_err(|problem| match problem {
                TemplateProblem::PartiallyLoaded { .. } | TemplateProblem::WhollyLoaded { .. } => {
                    self.error_at(&place, problem)
                }
                _ => template_error(&self.file, Place::Stage(name.to_owned()), problem),
            })
    }

    pub(super) fn error_at(&self, key: &str, problem: TemplateProblem) -> DefinitionError {
        template_error(&self.file, Place::Key(key.to_owned()), problem)
    }

    fn not_found(&self, name: &str) -> DefinitionError {
        let names: Vec<String> = self
            .entries
            .iter()
            .flat_map(|(name, entry)| match self.expansion(name, entry) {
                Some(Ok(expansion)) => member_names(name, expansion).collect(),
                _ => vec![(*name).to_owned()],
            })
            .collect();
        let closest = strata_diag::closest(name, names.iter().map(String::as_str));
        DefinitionError::StageNotFound {
            file: self.file.clone(),
            name: name.to_owned(),
            closest: closest.map(str::to_owned),
        }
    }
}

fn load_context(
    dvcfile: &Value,
    files: &dyn Files,
    directory: &str,
) -> Result<Context, TemplateProblem> {
    let vars = dvcfile.get("vars").and_then(Value::as_list);
    let vars = vars.unwrap_or_default();
    vars.iter().try_for_each(expression::check_none)?;
    let origin = Origin {
        files,
        directory,
        wdir: "",
        stage: "",
    };
    let mut context = Context::default();
    context.load_default(&origin)?;
    context.load(&origin, vars, &[])?;
    Ok(context)
}

fn template_error(file: &str, place: Place, problem: TemplateProblem) -> DefinitionError {
    DefinitionError::Template {
        file: file.to_owned(),
        place,
        problem: Box::new(problem),
    }
}

fn member_names<'e>(group: &'e str, expansion: &'e Expansion) -> impl Iterator<Item = String> + 'e {
    expansion
        .members
        .keys()
        .map(move |key| format!("{group}@{key}"))
}
