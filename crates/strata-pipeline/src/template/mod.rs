//! Templates: `${a.b[0].c}` in a `dvc.yaml`, filled in from parameters and variables.
//!
//! 1. `expression` finds the templates of a text.
//! 2. `context` gathers the variables: `params.yaml`, then `vars`; the same leaf from two sources is an error.
//! 3. `interpolate` puts the values in, whole or as the text of `text`.
//! 4. `group` expands `foreach` and `matrix` into named stages.
//! 5. [`Resolver`] does all this for one file, each stage when it is asked for.
//!
//! Values are resolved once: a text that comes from a variable is not looked at again. All recursion follows the
//! depth of the values, which their readers bound.

mod context;
mod expression;
mod group;
mod interpolate;
mod problem;
mod resolver;
mod sections;
mod text;

pub(crate) use text::type_name;

pub use interpolate::{BoolFlags, ListFlags, ParsingOptions};
pub use problem::{FileError, TemplateProblem};
pub use resolver::{Group, Resolver, ResolverOptions};
pub use sections::TopLevel;

use crate::value::Value;

/// Where variables are read from.
pub trait Files {
    /// The content of a file, by its path from the folder of the `dvc.yaml`; nothing if there is none.
    ///
    /// The reader goes by the suffix of the file, see [`params::read`](crate::params::read).
    ///
    /// # Errors
    /// The file is there and cannot be read.
    fn read_value(&self, path: &str) -> Result<Option<Value>, FileError>;
}
