//! What `dvc.yaml` and `.dvc` files say, checked and taken apart.
//!
//! 1. [`check_pipeline`] looks at the raw data of a `dvc.yaml`, before any template is filled in.
//! 2. [`Resolver`](crate::template::Resolver) fills in the templates of a stage.
//! 3. [`StageDefinition`] is the resolved stage with typed fields and normalised paths.
//!
//! [`DataFile`] is the same for a `.dvc` file, which knows no templates. Both have paths with how they are kept,
//! [`TrackedPath`].

mod checker;
mod data_file;
mod error;
pub(crate) mod path;
mod schema;
mod stage;
mod tracked;

pub use data_file::{DataEntry, DataFile};
pub use error::{DefinitionError, Place, SchemaError, SchemaProblem};
pub use path::normalise;
pub use schema::check_pipeline;
pub use stage::{Command, OutDefinition, OutKind, ParamsRequest, StageDefinition};
pub use tracked::TrackedPath;
