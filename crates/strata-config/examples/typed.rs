//! A program of one's own on `strata-config`: types of a composed tree, a resolver, and errors with places.
//!
//! ```sh
//! cargo run -p strata-config --example typed -- server.port=8081
//! cargo run -p strata-config --example typed -- server.prot=8081     # and what is said of a slip
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)] // A program's own output.

use std::process::ExitCode;

use serde::Deserialize;
use strata_config::{ComposeRequest, ConfigError, ConfigSource, Value, compose};

/// The tree; a program with files on disk uses `ConfigSource::Directory`.
const FILES: &[(&str, &str)] = &[
    (
        "config.yaml",
        "defaults: [server: local, _self_]\nname: demo\nworkers: ${double:2}\n",
    ),
    ("server/local.yaml", "host: localhost\nport: 8080\n"),
    ("server/public.yaml", "host: 0.0.0.0\nport: 80\n"),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    name: String,
    workers: u32,
    server: Server,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    host: String,
    port: u16,
}

fn main() -> ExitCode {
    match config(std::env::args().skip(1).collect()) {
        Ok(config) => {
            let Server { host, port } = &config.server;
            println!(
                "{} on {host}:{port} with {} workers",
                config.name, config.workers
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", error.diagnostic().render_styled());
            ExitCode::from(2)
        }
    }
}

fn config(overrides: Vec<String>) -> Result<Config, ConfigError> {
    let source = ConfigSource::Embedded {
        name: "demo".to_owned(),
        files: FILES,
    };
    let mut request = ComposeRequest::new(source, "config");
    request.overrides = overrides;
    request
        .resolvers
        .register("double", |arguments| match arguments {
            [node] => match node.value {
                Value::Int(number) => Ok(Value::Int(2 * number)),
                _ => Err("takes an integer".to_owned()),
            },
            _ => Err("takes one argument".to_owned()),
        });
    compose(&request)?.extract("")
}
