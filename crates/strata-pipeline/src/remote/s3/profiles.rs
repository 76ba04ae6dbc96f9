//! `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::hash::is_missing;

/// The profiles of both files; of an option that both have, that of the file of credentials counts.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    by_name: BTreeMap<String, Profile>,
}

#[derive(Default)]
pub(super) struct Profile {
    options: BTreeMap<String, String>,
}

/// A profile holds keys.
impl std::fmt::Debug for Profile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.options.keys()).finish()
    }
}

impl Profile {
    pub(super) fn get(&self, option: &str) -> Option<&str> {
        self.options.get(option).map(String::as_str)
    }
}

impl Profiles {
    /// Reads both files; one that is not there is empty.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn read(config: Option<&Path>, credentials: Option<&Path>) -> std::io::Result<Self> {
        let mut profiles = Self::default();
        for (path, is_config) in [(config, true), (credentials, false)] {
            let Some(path) = path else { continue };
            match fs_err::read_to_string(path) {
                Ok(text) => profiles.lay(&text, is_config),
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(profiles)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Profile> {
        self.by_name.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// In the file of configuration a profile's section is `[profile NAME]`, but for `[default]`. Indented lines belong to
    /// the option above them, and none of those is asked for.
    fn lay(&mut self, text: &str, is_config: bool) {
        let mut current: Option<String> = None;
        for line in text.lines() {
            let plain = line.trim();
            if plain.is_empty() || plain.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = plain
                .strip_prefix('[')
                .and_then(|rest| rest.split(']').next())
            {
                let section = section.trim();
                let of_profile = section.strip_prefix("profile").map(str::trim_start);
                current = match of_profile {
                    _ if !is_config || section == "default" => Some(section.to_owned()),
                    Some(name) => Some(name.trim_matches(['"', '\'']).to_owned()),
                    None => None,
                };
                if let Some(name) = &current {
                    self.by_name.entry(name.clone()).or_default();
                }
                continue;
            }
            let is_inner = line.starts_with([' ', '\t']);
            if let (Some(name), Some((option, value)), false) =
                (&current, plain.split_once('='), is_inner)
            {
                let profile = self.by_name.entry(name.clone()).or_default();
                let option = option.trim().to_lowercase();
                profile.options.insert(option, value.trim().to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_make_one_profile() {
        let mut profiles = Profiles::default();
        profiles.lay(
            "[default]\nregion = a\n[profile me]\nregion = b\ns3 =\n  region = inner\n[sso-session x]\nregion = c\n",
            true,
        );
        profiles.lay(
            "[me]\naws_access_key_id=K\n# comment\nAWS_SECRET_ACCESS_KEY = S=1\n",
            false,
        );
        assert_eq!(profiles.names().collect::<Vec<_>>(), ["default", "me"]);
        let me = profiles
            .get("me")
            .map(|me| (me.get("region"), me.get("aws_secret_access_key")));
        assert_eq!(me, Some((Some("b"), Some("S=1"))));
        assert_eq!(
            format!("{:?}", profiles.get("me")),
            "Some({\"aws_access_key_id\", \"aws_secret_access_key\", \"region\", \"s3\"})"
        );
    }
}
