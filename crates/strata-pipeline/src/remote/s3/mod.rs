//! A bucket of Amazon's S3, or of a server that speaks its language, as a remote.
//!
//! * [`S3Settings`] are the options of DVC, [`Environment`] what Amazon's own tools read besides them.
//! * `Client` asks the server: requests signed (Signature Version 4), answered, or tried again.
//! * [`S3Remote`] does what a remote does with such requests.

mod client;
mod credentials;
mod existing;
mod profiles;
mod settings;
mod store;
mod upload;

pub use credentials::Environment;
pub use settings::S3Settings;
pub use store::S3Remote;
