//! An item of a defaults list in its place: the paths, packages and keys that follow from it.

use super::entry::{Choice, Entry, What};

/// An entry and what it takes from the configuration that holds it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) entry: Entry,
    /// Group of the configuration that holds it.
    pub(crate) base: String,
    /// Package of the configuration that holds it.
    pub(crate) parent_package: String,
    /// `# @package` of its file, made absolute.
    header: Option<String>,
    /// Deleted on the command line, or optional and not there.
    pub(crate) deleted: bool,
    pub(crate) primary: bool,
}

impl Item {
    /// An entry below the root.
    pub(crate) fn at_root(entry: Entry) -> Self {
        Self::within(entry, "", "")
    }

    /// An entry of a configuration with this group and package.
    pub(crate) fn within(entry: Entry, base: &str, parent_package: &str) -> Self {
        let mut item = Self {
            entry,
            base: base.to_owned(),
            parent_package: parent_package.to_owned(),
            header: None,
            deleted: false,
            primary: false,
        };
        let package = item.entry.package.as_deref();
        item.entry.package = match package {
            Some("_here_") => Some(String::new()),
            Some(package) if package.contains("_group_") => {
                let group = item.default_package();
                Some(format!("_global_.{}", package.replace("_group_", &group)))
            }
            package => package.map(str::to_owned),
        };
        item
    }

    /// The same as the primary configuration.
    pub(crate) fn into_primary(self) -> Self {
        Self {
            primary: true,
            ..self
        }
    }

    /// Takes the header of the file; headers are absolute.
    pub(crate) fn set_header(&mut self, header: Option<&str>) {
        self.header = header.map(|header| match header {
            "" => "_global_".to_owned(),
            "_global_" => header.to_owned(),
            header if header.starts_with("_global_.") => header.to_owned(),
            header => format!("_global_.{header}"),
        });
    }

    pub(crate) fn is_self(&self) -> bool {
        self.entry.what == What::OwnContent
    }

    pub(crate) fn is_group(&self) -> bool {
        matches!(self.entry.what, What::Group(..))
    }

    /// The group as written, without its base.
    fn relative_group(&self) -> &str {
        match &self.entry.what {
            What::Group(group, _) => group.trim_start_matches('/'),
            What::Config(path) => folder_of(path.trim_start_matches('/')),
            What::OwnContent => "",
        }
    }

    /// The group from the root of the tree: what relative entries of this item's own list start from.
    pub(crate) fn group_path(&self) -> String {
        match &self.entry.what {
            What::Group(group, _) => joined(&self.base, group),
            What::Config(path) => match path.strip_prefix('/') {
                Some(absolute) => folder_of(absolute).to_owned(),
                None => match folder_of(path) {
                    "" => self.base.clone(),
                    folder => joined(&self.base, folder),
                },
            },
            What::OwnContent => self.base.clone(),
        }
    }

    /// The path of the file, without `.yaml`.
    pub(crate) fn config_path(&self) -> String {
        match &self.entry.what {
            What::Group(..) => format!(
                "{}/{}",
                self.group_path(),
                self.name().unwrap_or_else(|| "None".to_owned())
            ),
            What::Config(path) => joined(&self.base, path),
            What::OwnContent => joined(&self.base, "_self_"),
        }
    }

    /// The option; none for `null`.
    pub(crate) fn name(&self) -> Option<String> {
        match &self.entry.what {
            What::Group(_, Choice::Nothing) => None,
            What::Group(_, choice) => Some(choice.in_words()),
            What::Config(path) => Some(path.rsplit('/').next().unwrap_or(path).to_owned()),
            What::OwnContent => Some("_self_".to_owned()),
        }
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.name().as_deref() == Some("???")
    }

    /// Whether its option is an interpolation of other choices.
    pub(crate) fn is_interpolation(&self) -> bool {
        match &self.entry.what {
            What::Group(_, Choice::One(name)) => name.contains("${"),
            What::Config(path) => path.contains("${"),
            _ => false,
        }
    }

    /// The package that the group stands for.
    fn default_package(&self) -> String {
        self.group_path().replace('/', ".")
    }

    /// Where the content goes: the package in the list, the file's header, or the group's name.
    pub(crate) fn final_package(&self) -> String {
        self.placed(self.entry.package.as_deref().or(self.header.as_deref()))
    }

    fn placed(&self, package: Option<&str>) -> String {
        let relative;
        let package = if let Some(package) = package {
            package
        } else {
            relative = self.relative_group().replace('/', ".");
            &relative
        };
        let whole = match (self.parent_package.as_str(), package) {
            ("", package) => package.to_owned(),
            (parent, "") => parent.to_owned(),
            (parent, package) => format!("{parent}.{package}"),
        };
        match whole.rfind("_global_") {
            None => whole,
            Some(at) => whole
                .get(at + "_global_.".len()..)
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// The name by which an override reaches the entry: the group, and its package if it is another.
    pub(crate) fn override_key(&self) -> String {
        let group = self.group_path();
        let package = self.placed(self.entry.package.as_deref());
        match package.as_str() {
            package if package == self.default_package() => group,
            "" => format!("{group}@_global_"),
            package => format!("{group}@{package}"),
        }
    }

    /// The item as the printed tree shows it.
    pub(crate) fn label(&self) -> String {
        if self.is_group() {
            let name = self.name().unwrap_or_else(|| "null".to_owned());
            format!("{}: {name}", self.override_key())
        } else {
            self.config_path()
        }
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn joined(base: &str, path: &str) -> String {
    match (base, path.strip_prefix('/')) {
        (_, Some(absolute)) => absolute.to_owned(),
        ("", None) => path.to_owned(),
        (base, None) => format!("{base}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(group: &str, package: Option<&str>) -> Entry {
        Entry {
            package: package.map(str::to_owned),
            ..Entry::new(What::Group(group.to_owned(), Choice::One("x".to_owned())))
        }
    }

    /// Hydra 1.3.8, `GroupDefault.get_final_package` and `get_override_key`.
    #[test]
    fn packages_and_keys_follow_from_the_place() {
        for (entry, base, parent, package, key) in [
            (group("db", None), "", "", "db", "db"),
            (group("db/engine", None), "", "", "db.engine", "db/engine"),
            (group("db", Some("src")), "", "", "src", "db@src"),
            (group("db", Some("_global_")), "", "", "", "db@_global_"),
            (group("db", None), "srv", "srv", "srv.db", "srv/db"),
            (
                group("db", None),
                "srv",
                "backup",
                "backup.db",
                "srv/db@backup.db",
            ),
            (group("/db", None), "srv", "srv", "srv.db", "db@srv.db"),
            (group("/db", Some("_here_")), "srv", "srv", "srv", "db@srv"),
            (group("/db", Some("_global_.db")), "srv", "srv", "db", "db"),
            (
                group("db", Some("_group_.a")),
                "srv",
                "srv",
                "srv.db.a",
                "srv/db@srv.db.a",
            ),
        ] {
            let item = Item::within(entry, base, parent);
            assert_eq!(
                (item.final_package().as_str(), item.override_key().as_str()),
                (package, key)
            );
        }
    }

    #[test]
    fn headers_are_absolute_and_do_not_change_the_key() {
        let mut item = Item::within(group("db", None), "srv", "srv");
        item.set_header(Some("a.b"));
        assert_eq!(
            (item.final_package().as_str(), item.override_key().as_str()),
            ("a.b", "srv/db")
        );
    }
}
