//! Files of parameters: read, looked up, compared.
//!
//! * [`read`] goes by the suffix of a file: JSON, TOML, Python, and YAML for all others.
//! * [`lookup`] finds `a.b.0.c` in a value.
//! * [`select`] is what a stage keeps of a file in `dvc.lock`, [`status`] what has changed since.

mod python;
mod read;
mod select;

pub use python::{PythonProblem, read_python};
pub use read::{ParamsError, from_json, read, read_toml};
pub use select::{FileStatus, ParamChange, lock_section, lookup, select, status};
