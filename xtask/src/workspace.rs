//! What the workspace is made of, as cargo tells it.

use std::{env, path::PathBuf, sync::OnceLock};

use serde_json::Value;

use crate::cargo::Cargo;

/// A member, as far as the tasks need it.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Features by name, without `default`.
    pub(crate) features: Vec<String>,
    /// Packages that its library or program is built from (not those that only its tests use).
    pub(crate) builds_on: Vec<String>,
    /// The minimum Rust version it states.
    pub(crate) rust_version: String,
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    // Set by `cargo run`; the compile-time value serves a program that is started by hand.
    let manifest =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let mut folder = PathBuf::from(manifest);
    folder.pop();
    folder
}

/// All members, in cargo's order.
pub(crate) fn packages() -> Result<&'static [Package], String> {
    static PACKAGES: OnceLock<Result<Vec<Package>, String>> = OnceLock::new();
    let packages = PACKAGES.get_or_init(load).as_ref();
    packages.map(Vec::as_slice).map_err(Clone::clone)
}

fn load() -> Result<Vec<Package>, String> {
    let call = Cargo::new(["metadata", "--no-deps", "--format-version", "1"]);
    let output = call
        .output()
        .map_err(|error| format!("`{call}`: {error}\n"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let root: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("`{call}`: {error}\n"))?;
    Ok(list(&root["packages"]).iter().map(read).collect())
}

fn read(package: &Value) -> Package {
    let features = package["features"].as_object();
    let dependencies = list(&package["dependencies"]).iter();
    Package {
        name: text(&package["name"]).to_owned(),
        features: features
            .into_iter()
            .flat_map(|features| features.keys())
            .filter(|name| *name != "default")
            .cloned()
            .collect(),
        builds_on: dependencies
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]).to_owned())
            .collect(),
        rust_version: text(&package["rust_version"]).to_owned(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
