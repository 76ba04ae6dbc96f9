//! Settings of a project: `.dvc/config` and what lies above and beside it.
//!
//! * [`IniFile`] is one file, in the dialect of Git's configurations, edited without touching the rest of it.
//! * [`Config`] lays the levels over each other: system, global, project, local.
//! * [`OptionName`] is what `config` is asked for; [`schema`] knows which options there are and what they take.

mod edit;
mod ini;
mod levels;
mod name;
mod schema;

pub use edit::ConfigFiles;
pub(crate) use edit::without_user;
pub use ini::{IniError, IniFile};
pub use levels::{Config, Level, Merged, remote_section};
pub use name::OptionName;
pub use schema::{Invalid, closest_option, is_secret, option_takes_path, validate};
