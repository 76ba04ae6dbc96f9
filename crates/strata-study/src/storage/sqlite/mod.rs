//! Studies in a file of SQLite, in the schema of Optuna 3.2 to 5.0, so that Optuna and its dashboard may use the
//! same file at the same time.
//!
//! * `storage` is the storage itself, `write` its statements that change something.
//! * `read` makes trials of rows; those that are finished are read once.
//! * `connection` opens the file, waits for other processes and decides what is on disk when.
//! * `schema` makes the tables and checks those that are there.

mod connection;
mod read;
mod schema;
mod storage;
mod write;

pub use storage::SqliteStorage;
