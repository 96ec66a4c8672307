//! Compares the licences of dependencies with those that `deny.toml` accepts, and makes sure that all come from one registry.
//!
//! `deny.toml` is cargo-deny's, which checks more: advisories, for one. It takes minutes to install and a network to ask, so
//! this checks on every run what Cargo can print, for the targets that the file names.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, bail};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::run;

/// The part of `deny.toml` that is read.
#[derive(Deserialize)]
struct Deny {
    licenses: Licences,
    graph: Graph,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

/// The part of `cargo metadata` that is read.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Clone, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    license_file: Option<String>,
    /// Absent for a package of this workspace.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

/// Fails with a line for each dependency that is not accepted.
pub(crate) fn check() -> anyhow::Result<()> {
    let path = run::root().join("deny.toml");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let deny: Deny = toml::from_str(&text).context("`deny.toml`")?;
    let allowed = parsed(&deny.licenses.allow)?;
    let mut refused = BTreeSet::new();
    let mut registries = BTreeSet::new();
    for target in &deny.graph.targets {
        let printed = run::output(run::cargo().args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform",
            target,
        ]))?;
        let Metadata { packages, resolve } = serde_json::from_str(&printed)?;
        let used: BTreeSet<String> = resolve.nodes.into_iter().map(|node| node.id).collect();
        for package in packages.iter().filter(|package| used.contains(&package.id)) {
            refused.extend(refusal(package, &allowed));
            registries.extend(package.source.clone());
        }
    }
    if registries.len() > 1 {
        refused.insert(format!(
            "dependencies come from several places: {registries:?}"
        ));
    }
    for line in &refused {
        eprintln!("{line}");
    }
    if !refused.is_empty() {
        bail!(
            "{} dependencies are not what `deny.toml` accepts",
            refused.len()
        );
    }
    Ok(())
}

/// The licences as requirements; `WITH` adds an exception.
fn parsed(names: &[String]) -> anyhow::Result<Vec<LicenseReq>> {
    let mut parsed = Vec::new();
    for name in names {
        let expression =
            Expression::parse(name).with_context(|| format!("`deny.toml`: licence `{name}`"))?;
        parsed.extend(expression.requirements().map(|one| one.req.clone()));
    }
    Ok(parsed)
}

/// The reason why a dependency is refused, if it is.
fn refusal(package: &Package, allowed: &[LicenseReq]) -> Option<String> {
    let name = format!("{} {}", package.name, package.version);
    // The workspace's own packages have no source.
    let source = package.source.as_deref()?;
    if !source.starts_with("registry+") && !source.starts_with("sparse+") {
        return Some(format!("{name}: its source is `{source}`, not a registry"));
    }
    let Some(licence) = &package.license else {
        return match &package.license_file {
            Some(file) => Some(format!("{name}: its licence is a text, `{file}`: read it")),
            None => Some(format!("{name}: it names no licence")),
        };
    };
    // Older packages write `MIT/Apache-2.0`.
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
        return Some(format!("{name}: licence `{licence}` is no SPDX expression"));
    };
    let is_allowed = expression.evaluate(|needed| allowed.contains(needed));
    (!is_allowed)
        .then(|| format!("{name}: licence `{licence}` is not among those that are accepted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_refused_for_its_licence_or_its_source() {
        let allowed = parsed(&["MIT", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned));
        let allowed = allowed.expect("both are known");
        let registry = "registry+https://index.example";
        for (licence, source, expected) in [
            (Some("MIT"), Some(registry), None),
            (Some("GPL-3.0 OR MIT"), Some(registry), None),
            (Some("Unlicense/MIT"), Some(registry), None),
            (Some("Apache-2.0 WITH LLVM-exception"), Some(registry), None),
            (Some("Apache-2.0"), Some(registry), Some("is not among")),
            (
                Some("MIT AND GPL-3.0"),
                Some(registry),
                Some("is not among"),
            ),
            (Some("ours"), Some(registry), Some("no SPDX expression")),
            (None, Some(registry), Some("names no licence")),
            (
                Some("MIT"),
                Some("git+https://a.example/b"),
                Some("not a registry"),
            ),
            (None, None, None),
        ] {
            let package = Package {
                id: String::new(),
                name: "a".to_owned(),
                version: "1.0.0".to_owned(),
                license: licence.map(str::to_owned),
                license_file: None,
                source: source.map(str::to_owned),
            };
            let found = refusal(&package, &allowed);
            assert_eq!(
                found.is_some(),
                expected.is_some(),
                "{licence:?}: {found:?}"
            );
            let found = found.unwrap_or_default();
            assert!(found.contains(expected.unwrap_or_default()), "{found}");
        }
    }
}
