//! Finds circles among the source files of a crate: files that use each other, directly or around others.
//!
//! Rust allows them, but a reader who follows data through such files never arrives. Code that only tests compile doesn't
//! count, and neither does a parent that declares or re-exports its children.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use syn::visit::Visit;

use crate::run;

/// A module's path within its crate.
type Module = Vec<String>;

/// Prints the number of files and of circles, and fails if there is any.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut crates: BTreeMap<String, BTreeMap<Module, String>> = BTreeMap::new();
    for path in run::tracked_files()? {
        let Some((name, inside)) = place(&path) else {
            continue;
        };
        let text = fs::read_to_string(run::root().join(&path))
            .with_context(|| format!("could not read `{}`", path.display()))?;
        let files = crates.entry(name.to_owned()).or_default();
        // A program beside a library of the same crate only calls it, and comes after it.
        files.entry(module(inside)).or_insert(text);
    }
    let n_files: usize = crates.values().map(BTreeMap::len).sum();
    let mut n_circles = 0;
    for (name, texts) in &crates {
        for circle in circles(texts).with_context(|| format!("`{name}`"))? {
            n_circles += 1;
            eprintln!("{name}: {}", circle.join(", "));
        }
    }
    println!("{n_circles} circles among {n_files} files");
    if n_circles > 0 {
        bail!("{n_circles} circles: move what both need into a file of its own");
    }
    Ok(())
}

/// The crate of a source file and its path below `src`; `None` for other files and for those of tests.
fn place(path: &Path) -> Option<(&str, &Path)> {
    let (name, inside) = path.to_str()?.split_once("/src/")?;
    let inside = Path::new(inside);
    let is_source = name.starts_with("crate/") && inside.extension()? == "rs";
    let is_test = inside
        .with_extension("")
        .iter()
        .any(|part| part.to_string_lossy().ends_with("tests"));
    (is_source && !is_test).then_some((name, inside))
}

/// The module that a file holds, from its path below `src`.
fn module(path: &Path) -> Module {
    let path = path.with_extension("");
    let mut names: Module = path
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let is_root = names.len() == 1 && ["lib", "main"].contains(&names[0].as_str());
    if is_root || names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names
}

/// The circles among files, each as the sorted names of its modules.
fn circles(texts: &BTreeMap<Module, String>) -> anyhow::Result<Vec<Vec<String>>> {
    let modules: Vec<&Module> = texts.keys().collect();
    let index = |module: &[String]| modules.iter().position(|other| *other == module);
    let mut graph = DiGraphMap::<usize, ()>::new();
    for (idx, (module, text)) in texts.iter().enumerate() {
        let file = syn::parse_file(text).with_context(|| format!("module `{}`", name(module)))?;
        let mut paths = Paths::default();
        paths.visit_file(&file);
        for path in paths.found {
            // An item belongs to the deepest module that has a file.
            let whole = absolute(module, &path);
            let used = (0..=whole.len()).rev().find_map(|n| index(&whole[..n]));
            if let Some(used) = used.filter(|used| *used != idx) {
                graph.add_edge(idx, used, ());
            }
        }
    }
    let together = tarjan_scc(&graph).into_iter();
    let mut circles: Vec<Vec<String>> = together
        .filter(|circle| circle.len() > 1)
        .map(|circle| {
            let names: BTreeSet<String> = circle.iter().map(|idx| name(modules[*idx])).collect();
            names.into_iter().collect()
        })
        .collect();
    circles.sort();
    Ok(circles)
}

fn name(module: &[String]) -> String {
    match module {
        [] => "crate".to_owned(),
        _ => module.join("::"),
    }
}

/// A path in `module` from the crate's root.
fn absolute(module: &[String], path: &[String]) -> Module {
    let mut base = match path[0].as_str() {
        "crate" => Vec::new(),
        _ => module.to_vec(),
    };
    let mut rest = path;
    while let [first, others @ ..] = rest {
        match first.as_str() {
            "crate" | "self" => {}
            "super" => {
                base.pop();
            }
            _ => break,
        }
        rest = others;
    }
    base.extend(rest.iter().cloned());
    base
}

/// Collects the paths in a file that begin with `crate`, `super` or `self`.
#[derive(Default)]
struct Paths {
    found: BTreeSet<Vec<String>>,
}

impl Paths {
    fn add(&mut self, path: Vec<String>) {
        let is_inner = path
            .first()
            .is_some_and(|first| ["crate", "super", "self"].contains(&first.as_str()));
        if is_inner && path.len() > 1 {
            self.found.insert(path);
        }
    }

    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let longer = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&longer(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(longer(&name.ident)),
            syn::UseTree::Rename(name) => self.add(longer(&name.ident)),
            syn::UseTree::Glob(_) => self.add(before.to_vec()),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree);
                }
            }
        }
    }
}

impl<'f> Visit<'f> for Paths {
    fn visit_item(&mut self, item: &'f syn::Item) {
        if !attributes(item).iter().any(is_for_tests) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'f syn::ImplItemFn) {
        if !item.attrs.iter().any(is_for_tests) {
            syn::visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'f syn::ItemUse) {
        // A re-export is the address of an item, not a use of it.
        if matches!(item.vis, syn::Visibility::Inherited) {
            self.add_tree(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'f syn::Path) {
        let names = path.segments.iter();
        self.add(names.map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
}

/// True for `#[cfg(test)]`.
fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let is_test = |list: &syn::MetaList| list.tokens.to_string() == "test";
    attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(is_test)
}

/// The attributes of the kinds of items that may hold paths.
fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let texts = files
            .iter()
            .map(|(path, text)| (module(Path::new(path)), (*text).to_owned()));
        circles(&texts.collect()).expect("the files are Rust")
    }

    #[test]
    fn files_that_use_each_other_are_a_circle() {
        let direct = [
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "fn f() { super::a::g(); }"),
        ];
        assert_eq!(found(&direct), [["a", "b"]]);
        let around = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "use self::inner::I;"),
            ("a/inner.rs", "use crate::{b::{self, B}, c};"),
            ("b.rs", "use super::a::{A, T};"),
            ("c.rs", ""),
        ];
        assert_eq!(found(&around), [["a", "a::inner", "b"]]);
    }

    #[test]
    fn sources_of_crates_are_read_and_tests_are_not() {
        for (path, expected) in [
            (
                "crate/web/common/src/lib.rs",
                Some(("crate/web/common", "lib.rs")),
            ),
            (
                "crate/cli/src/build/read.rs",
                Some(("crate/cli", "build/read.rs")),
            ),
            ("crate/engine/src/check/tests.rs", None),
            ("crate/engine/src/unit/tests/any.rs", None),
            ("crate/model/src/weights_tests.rs", None),
            ("crate/model/src/kernels/steps/qkv.wgsl", None),
            ("tests/site/main.rs", None),
            ("www/src/index.ts", None),
        ] {
            let found = place(Path::new(path));
            let expected = expected.map(|(name, inside)| (name, Path::new(inside)));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn one_way_re_exports_and_tests_are_none() {
        let files = [
            ("lib.rs", "mod a; pub use a::A; pub(crate) use self::b::B;"),
            (
                "a.rs",
                "use crate::b::B;\n#[cfg(test)]\nmod tests { use crate::c::C; }",
            ),
            ("b.rs", "fn f() -> crate::Known { std::mem::take() }"),
            ("c.rs", "use crate::a::A;"),
        ];
        assert_eq!(found(&files), Vec::<Vec<String>>::new());
    }
}
