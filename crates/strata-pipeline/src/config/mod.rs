//! Settings of a project: `.dvc/config` and what lies above and beside it.
//!
//! * [`IniFile`] is one file, in the dialect of Git's configurations, edited without touching the rest of it.
//! * [`Config`] lays the levels over each other: system, global, project, local.

mod ini;
mod levels;

pub use ini::{IniError, IniFile};
pub use levels::{Config, Level};
