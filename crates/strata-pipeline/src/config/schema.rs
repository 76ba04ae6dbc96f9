//! Which options there are and what they take: DVC's `config_schema`, with voluptuous' words for what is wrong.

use thiserror::Error;

use super::levels::Merged;

/// What an option takes.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    /// A path; DVC takes none for the folder of the file of settings.
    Folder,
    Bool,
    /// A whole number.
    Int,
    /// A whole number from so much on.
    IntFrom(i64),
    /// A whole number of percent.
    Percent,
    Number,
    /// A number that is not negative.
    NumberFromZero,
    LinkTypes,
    OneOf(&'static [&'static str]),
    /// DVC asks for a type that no file of settings can give.
    Never(&'static str),
}

use Kind::{
    Bool, Folder, Int, IntFrom, LinkTypes, Never, Number, NumberFromZero, OneOf, Percent, Text,
};

type Table = &'static [(&'static str, Kind)];

const LOCAL: Table = &[
    ("type", LinkTypes),
    ("protected", Bool),
    ("shared", OneOf(&["group"])),
    ("slow_link_warning", Bool),
    ("verify", Bool),
];

const SECTIONS: &[(&str, &[Table])] = &[
    (
        "core",
        &[&[
            ("remote", Text),
            ("checksum_jobs", IntFrom(1)),
            ("interactive", Bool),
            ("analytics", Bool),
            ("hardlink_lock", Bool),
            ("no_scm", Bool),
            ("autostage", Bool),
            ("experiments", Bool),
            ("check_update", Bool),
            ("site_cache_dir", Text),
            ("machine", Text),
        ]],
    ),
    (
        "cache",
        &[
            &[
                ("dir", Folder),
                ("local", Text),
                ("s3", Text),
                ("gs", Text),
                ("hdfs", Text),
                ("webhdfs", Text),
                ("ssh", Text),
                ("azure", Text),
            ],
            LOCAL,
        ],
    ),
    (
        "state",
        &[&[
            ("dir", Text),
            ("row_limit", IntFrom(1)),
            ("row_cleanup_quota", Percent),
        ]],
    ),
    ("index", &[&[("dir", Text)]]),
    (
        "plots",
        &[&[
            ("html_template", Text),
            ("auto_open", Bool),
            ("out_dir", Text),
        ]],
    ),
    (
        "exp",
        &[&[
            ("code", Text),
            ("data", Text),
            ("models", Text),
            ("metrics", Text),
            ("params", Text),
            ("plots", Text),
            ("live", Text),
            ("auto_push", Bool),
            ("git_remote", Text),
        ]],
    ),
    (
        "parsing",
        &[&[
            ("bool", OneOf(&["store_true", "boolean_optional"])),
            ("list", OneOf(&["nargs", "append"])),
        ]],
    ),
    (
        "hydra",
        &[&[
            ("enabled", Bool),
            ("config_dir", Text),
            ("config_module", Text),
            ("config_name", Text),
            ("plugins_path", Text),
        ]],
    ),
    (
        "studio",
        &[&[
            ("token", Text),
            ("url", Text),
            ("repo_url", Text),
            ("offline", Bool),
        ]],
    ),
];

const DATABASE: Table = &[("url", Text), ("username", Text), ("password", Text)];

const MACHINE: Table = &[
    ("cloud", OneOf(&["aws", "azure"])),
    (
        "region",
        OneOf(&["us-west", "us-east", "eu-west", "eu-north"]),
    ),
    ("image", Text),
    ("spot", Bool),
    ("spot_price", Number),
    ("instance_hdd_size", Int),
    ("instance_type", Text),
    ("instance_gpu", Text),
    ("ssh_private", Text),
    ("startup_script", Text),
    ("setup_script", Text),
];

const REMOTE: Table = &[
    ("url", Text),
    ("checksum_jobs", IntFrom(1)),
    ("jobs", IntFrom(1)),
    ("worktree", Bool),
    ("no_traverse", Bool),
    ("version_aware", Bool),
];

const S3: Table = &[
    ("region", Text),
    ("profile", Text),
    ("credentialpath", Text),
    ("configpath", Text),
    ("endpointurl", Text),
    ("access_key_id", Text),
    ("secret_access_key", Text),
    ("session_token", Text),
    ("listobjects", Bool),
    ("use_ssl", Bool),
    ("allow_anonymous_login", Bool),
    ("ssl_verify", Text),
    ("sse", Text),
    ("sse_kms_key_id", Text),
    ("sse_customer_algorithm", Text),
    ("sse_customer_key", Text),
    ("acl", Text),
    ("grant_read", Text),
    ("grant_read_acp", Text),
    ("grant_write_acp", Text),
    ("grant_full_control", Text),
    ("cache_regions", Never("bool")),
    ("read_timeout", Int),
    ("connect_timeout", Int),
    ("verify", Bool),
];

const GOOGLE: Table = &[
    ("projectname", Text),
    ("credentialpath", Text),
    ("endpointurl", Text),
    ("verify", Bool),
    ("allow_anonymous_login", Bool),
];

const SSH: Table = &[
    ("type", LinkTypes),
    ("port", Int),
    ("user", Text),
    ("password", Text),
    ("ask_password", Bool),
    ("passphrase", Text),
    ("ask_passphrase", Bool),
    ("keyfile", Text),
    ("timeout", Int),
    ("gss_auth", Bool),
    ("allow_agent", Bool),
    ("max_sessions", Int),
    ("verify", Bool),
];

const HDFS: Table = &[
    ("user", Text),
    ("kerb_ticket", Text),
    ("replication", Never("int")),
];

const WEBHDFS: Table = &[
    ("kerberos", Bool),
    ("kerberos_principal", Text),
    ("proxy_to", Text),
    ("ssl_verify", Text),
    ("token", Text),
    ("use_https", Bool),
    ("user", Text),
    ("password", Text),
    ("data_proxy_target", Text),
    ("verify", Bool),
];

const AZURE: Table = &[
    ("connection_string", Text),
    ("sas_token", Text),
    ("account_name", Text),
    ("account_key", Text),
    ("tenant_id", Text),
    ("client_id", Text),
    ("client_secret", Text),
    ("allow_anonymous_login", Bool),
    ("exclude_environment_credential", Bool),
    ("exclude_visual_studio_code_credential", Bool),
    ("exclude_shared_token_cache_credential", Bool),
    ("exclude_managed_identity_credential", Bool),
    ("verify", Bool),
    ("timeout", Int),
    ("read_timeout", Int),
    ("connection_timeout", Int),
];

const OSS: Table = &[
    ("oss_key_id", Text),
    ("oss_key_secret", Text),
    ("oss_endpoint", Text),
    ("verify", Bool),
];

const GOOGLE_DRIVE: Table = &[
    ("profile", Text),
    ("gdrive_use_service_account", Bool),
    ("gdrive_client_id", Text),
    ("gdrive_client_secret", Text),
    ("gdrive_user_credentials_file", Text),
    ("gdrive_service_account_user_email", Text),
    ("gdrive_service_account_json_file_path", Text),
    ("gdrive_trash_only", Bool),
    ("gdrive_acknowledge_abuse", Bool),
    ("verify", Bool),
];

const HTTP: Table = &[
    ("auth", OneOf(&["basic", "digest", "custom"])),
    ("custom_auth_header", Text),
    ("user", Text),
    ("password", Text),
    ("ask_password", Bool),
    ("ssl_verify", Text),
    ("method", Text),
    ("connect_timeout", NumberFromZero),
    ("read_timeout", NumberFromZero),
    ("verify", Bool),
];

const WEBDAV: Table = &[
    ("user", Text),
    ("password", Text),
    ("ask_password", Bool),
    ("token", Text),
    ("bearer_token_command", Text),
    ("custom_auth_header", Text),
    ("cert_path", Text),
    ("key_path", Text),
    ("timeout", Int),
    ("ssl_verify", Text),
    ("verify", Bool),
];

/// The kinds of remotes by the scheme of their URL; `""` is a folder.
const SCHEMES: &[(&str, Table)] = &[
    ("", LOCAL),
    ("s3", S3),
    ("gs", GOOGLE),
    ("ssh", SSH),
    ("hdfs", HDFS),
    ("webhdfs", WEBHDFS),
    ("azure", AZURE),
    ("oss", OSS),
    ("gdrive", GOOGLE_DRIVE),
    ("http", HTTP),
    ("https", HTTP),
    ("webdav", WEBDAV),
    ("webdavs", WEBDAV),
];

/// Options whose values are paths: relative to the folder of the file that they stand in.
const PATHS: &[&str] = &[
    "url",
    "gdrive_user_credentials_file",
    "gdrive_service_account_json_file_path",
    "credentialpath",
    "configpath",
    "keyfile",
    "cert_path",
    "key_path",
];

/// Whether an option of a section of a file is a path that is kept relative to that file.
pub fn option_takes_path(section: &str, option: &str) -> bool {
    match section.split_once('"') {
        None => section == "cache" && option == "dir",
        Some((kind, _)) if kind.trim() == "remote" => PATHS.contains(&option),
        Some((kind, _)) => {
            kind.trim() == "machine" && matches!(option, "startup_script" | "setup_script")
        }
    }
}

/// Whether an option of a remote is a key that only its owner should see.
pub fn is_secret(option: &str) -> bool {
    const SECRETS: &[&str] = &[
        "access_key_id",
        "secret_access_key",
        "session_token",
        "sse_customer_key",
        "password",
        "passphrase",
        "token",
        "connection_string",
        "sas_token",
        "account_key",
        "client_secret",
        "oss_key_secret",
        "gdrive_client_secret",
    ];
    SECRETS.contains(&option)
}

/// A setting that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{why}")]
pub struct Invalid {
    /// Its section.
    pub section: String,
    /// Its name; none if the section as a whole is wrong.
    pub option: Option<String>,
    /// What is wrong, as DVC says it, and the closest name that would do.
    pub why: String,
}

/// Checks all settings.
///
/// # Errors
/// The first that is wrong.
pub fn validate(settings: &Merged) -> Result<(), Invalid> {
    for (section, options) in settings.sections() {
        let invalid = |option: Option<&str>, why| Invalid {
            section: section.to_owned(),
            option: option.map(str::to_owned),
            why,
        };
        let (tables, path) = match tables_of(section, settings) {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(why) => return Err(invalid(None, why)),
        };
        for (option, value) in options {
            let place = format!("@ data{path}['{option}']");
            let Some(kind) = kind_of(&tables, option) else {
                let names = tables
                    .iter()
                    .flat_map(|table| table.iter().map(|(name, _)| *name));
                let closest = strata_diag::closest(option, names);
                let why = with_hint(format!("extra keys not allowed {place}"), closest);
                return Err(invalid(Some(option), why));
            };
            check(kind, value).map_err(|why| {
                let why = format!("{why} for dictionary value {place}");
                invalid(Some(option), why)
            })?;
        }
    }
    Ok(())
}

/// The option that a name stands for, or was perhaps meant to stand for.
pub fn closest_option(section: &str, option: &str, settings: &Merged) -> Option<String> {
    let sections = SECTIONS.iter().map(|(name, _)| *name);
    let (section, tables) = if let Ok(found) = tables_of(section, settings) {
        (section, found?.0)
    } else {
        let section = strata_diag::closest(section, sections)?;
        (section, tables_of(section, settings).ok()??.0)
    };
    let names = || {
        tables
            .iter()
            .flat_map(|table| table.iter().map(|(name, _)| *name))
    };
    let shown = match section.split_once('"') {
        Some((kind, name)) => format!("{}.{}", kind.trim(), name.trim_end_matches('"')),
        None => section.to_owned(),
    };
    let name = names().find(|name| *name == option);
    let name = name.or_else(|| strata_diag::closest(option, names()))?;
    Some(format!("{shown}.{name}"))
}

fn with_hint(message: String, closest: Option<&str>) -> String {
    match closest {
        Some(name) => format!("{message}; did you mean '{name}'?"),
        None => message,
    }
}

fn kind_of(tables: &[Table], option: &str) -> Option<Kind> {
    let mut all = tables.iter().flat_map(|table| table.iter());
    all.find(|(name, _)| *name == option).map(|(_, kind)| *kind)
}

/// The options of a section and its place in DVC's words; none where anything goes.
fn tables_of(section: &str, settings: &Merged) -> Result<Option<(Vec<Table>, String)>, String> {
    let Some((kind, name)) = section.split_once('"') else {
        if section == "feature" {
            return Ok(None);
        }
        let known = SECTIONS.iter().find(|(name, _)| *name == section);
        let Some((_, tables)) = known else {
            let names = SECTIONS.iter().map(|(name, _)| *name);
            let closest = strata_diag::closest(section, names.chain(["remote", "db"]));
            let message = format!("extra keys not allowed @ data['{section}']");
            return Err(with_hint(message, closest));
        };
        return Ok(Some((tables.to_vec(), format!("['{section}']"))));
    };
    let (kind, name) = (kind.trim(), name.trim_end_matches('"'));
    let path = format!("['{kind}']['{name}']");
    match kind {
        "db" => Ok(Some((vec![DATABASE], path))),
        "machine" => Ok(Some((vec![MACHINE], path))),
        "remote" => {
            let place = format!("for dictionary value @ data{path}");
            let Some(url) = settings.get(section, "url") else {
                return Err(format!("expected 'url' {place}"));
            };
            let scheme = scheme_of(url);
            if scheme == "remote" {
                return Ok(None);
            }
            let known = SCHEMES.iter().find(|(name, _)| *name == scheme);
            let Some((_, table)) = known else {
                let names = SCHEMES.iter().map(|(name, _)| *name);
                let message = format!("Unsupported URL type {scheme}:// {place}");
                return Err(with_hint(message, strata_diag::closest(scheme, names)));
            };
            Ok(Some((vec![table, REMOTE], path)))
        }
        _ => Err(format!("extra keys not allowed @ data['{section}']")),
    }
}

/// The scheme of a URL with a host; a path has none.
fn scheme_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((scheme, rest)) if !rest.is_empty() && !rest.starts_with('/') => scheme,
        _ => "",
    }
}

fn check(kind: Kind, value: &str) -> Result<(), String> {
    let whole = || {
        value
            .trim()
            .replace('_', "")
            .parse::<i64>()
            .map_err(|_| "expected int".to_owned())
    };
    let number = || {
        value
            .trim()
            .parse::<f64>()
            .map_err(|_| "expected float".to_owned())
    };
    match kind {
        Text => Ok(()),
        Folder if value.trim().is_empty() => {
            Err("expected the path of a folder, found nothing".to_owned())
        }
        Folder => Ok(()),
        Bool => match value.to_lowercase().as_str() {
            "true" | "false" => Ok(()),
            _ => Err("expected true or false".to_owned()),
        },
        Int => whole().map(drop),
        IntFrom(least) if whole()? < least => Err(format!("value must be at least {least}")),
        IntFrom(_) => Ok(()),
        Percent => match whole()? {
            ..0 => Err("value must be at least 0".to_owned()),
            0..=100 => Ok(()),
            _ => Err("value must be at most 100".to_owned()),
        },
        Number => number().map(drop),
        NumberFromZero if number()? <= 0.0 => Err("value must be higher than 0".to_owned()),
        NumberFromZero => Ok(()),
        LinkTypes => {
            let known = ["reflink", "hardlink", "symlink", "copy"];
            let mut wrong = value
                .split(',')
                .map(str::trim)
                .filter(|name| !known.contains(name));
            match wrong.next() {
                None => Ok(()),
                Some(name) => Err(with_hint(
                    format!("Unsupported cache type(s): {name}"),
                    strata_diag::closest(name, known),
                )),
            }
        }
        OneOf(choices) if choices.contains(&value.to_lowercase().as_str()) => Ok(()),
        OneOf(choices) => Err(format!("expected one of {}", choices.join(", "))),
        Never(type_name) => Err(format!("expected {type_name}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::ini::IniFile;
    use super::*;

    fn problem(text: &str) -> Option<String> {
        let mut settings = Merged::default();
        settings.lay(&IniFile::parse("config", text).unwrap());
        validate(&settings).err().map(|invalid| invalid.why)
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_dvc() {
        for (text, expected) in [
            (
                "[core]\nremot = x",
                "extra keys not allowed @ data['core']['remot']; did you mean 'remote'?",
            ),
            (
                "[nonsense]\nx = 1",
                "extra keys not allowed @ data['nonsense']",
            ),
            (
                "['remote \"s\"']\nurl = /x\njobs = x",
                "expected int for dictionary value @ data['remote']['s']['jobs']",
            ),
            (
                "['remote \"s\"']\nurl = /x\njobs = 0",
                "value must be at least 1 for dictionary value @ data['remote']['s']['jobs']",
            ),
            (
                "['remote \"s\"']\nurl = /x\nregion = x",
                "extra keys not allowed @ data['remote']['s']['region']",
            ),
            (
                "['remote \"s\"']\nregion = x",
                "expected 'url' for dictionary value @ data['remote']['s']",
            ),
            (
                "['remote \"s\"']\nurl = foo://x/y",
                "Unsupported URL type foo:// for dictionary value @ data['remote']['s']",
            ),
            (
                "[cache]\ntype = foo",
                "Unsupported cache type(s): foo for dictionary value @ data['cache']['type']",
            ),
            (
                "[cache]\ndir = ",
                "expected the path of a folder, found nothing for dictionary value @ data['cache']['dir']",
            ),
            (
                "[core]\nautostage = maybe",
                "expected true or false for dictionary value @ data['core']['autostage']",
            ),
        ] {
            assert_eq!(problem(text).as_deref(), Some(expected), "{text}");
        }
        let good = "[core]\nautostage = True\n[cache]\ntype = \"hardlink,copy\"\n['remote \"s\"']\nurl = s3://b/p\n\
                    region = x\n['remote \"t\"']\nurl = remote://s/p\nanything = goes\n";
        assert_eq!(problem(good), None);
    }
}
