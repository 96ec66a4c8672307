//! `anchorite.toml`, the environment and flags: they share one set of names, and the later ones take precedence.

use std::fs;

use harness::{Run, Site, anchorite_in, path_text};

fn site() -> Site {
    Site::new(&[("pumps.md", b"# Pumps\n\nA pump moves water uphill.\n")])
}

/// Builds in the folder next to the pages, which has `anchorite.toml`.
fn build(site: &Site, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let dir = site.beside("");
    anchorite_in(&dir, variables, &[&["build"], arguments].concat())
}

fn url(site: &Site) -> String {
    let run = site.run("search", &["water", "--limit", "1"]);
    run.stdout.lines().nth(1).unwrap_or("").trim().to_owned()
}

const GOOD: &str =
    "dir = 'pages'\nbundle = 'bundle'\ncache = 'cache'\nno_generator = true\nbase_url = '/file'\n";

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let site = site();
    fs::write(site.beside("anchorite.toml"), GOOD).expect("written");
    let run = build(&site, &[], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(url(&site), "/file/pumps.html#pumps");
    let variables = [("ANCHORITE_BASE_URL", "/environment")];
    assert_eq!(build(&site, &variables, &[]).code, 0);
    assert_eq!(url(&site), "/environment/pumps.html#pumps");
    assert_eq!(build(&site, &variables, &["--base-url", "/flag"]).code, 0);
    assert_eq!(url(&site), "/flag/pumps.html#pumps");
}

#[test]
fn a_switch_can_be_undone() {
    let site = site();
    site.write("empty.md", b"");
    fs::write(
        site.beside("anchorite.toml"),
        format!("{GOOD}strict = true\n"),
    )
    .expect("written");
    assert_eq!(build(&site, &[], &[]).code, 1, "the file is strict");
    assert_eq!(
        build(&site, &[("ANCHORITE_STRICT", "no")], &[]).code,
        0,
        "the environment is not"
    );
    assert_eq!(
        build(&site, &[("ANCHORITE_STRICT", "0")], &["--strict"]).code,
        1,
        "the flag is"
    );
    assert_eq!(
        build(&site, &[], &["--strict=false"]).code,
        0,
        "the flag is not"
    );
}

#[test]
fn paths_in_a_file_start_at_its_folder() {
    let site = site();
    let config = site.beside("anchorite.toml");
    fs::write(&config, GOOD).expect("written");
    let run = harness::anchorite(&["build", "--config", path_text(&config)]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        site.bundle().join("manifest.json").is_file(),
        "the bundle lies beside the file"
    );
}

#[test]
fn mistakes_are_named() {
    let site = site();
    let check = |text: &str, expected: &[&str]| {
        fs::write(site.beside("anchorite.toml"), text).expect("written");
        let run = build(&site, &[], &[]);
        assert_eq!(run.code, 2, "{text}: {}", run.stderr);
        for expected in expected {
            assert!(
                run.stderr.contains(expected),
                "expected `{expected}` in: {}",
                run.stderr
            );
        }
    };
    check(
        "\nbase-url = '/x'",
        &["line 2: unknown key `base-url`", "did you mean `base_url`?"],
    );
    check(
        "exlude = ['a']",
        &["unknown key `exlude`", "did you mean `exclude`?"],
    );
    check("base_url = ", &["anchorite.toml: line 1: "]);
    check("threads = 1.5", &["another kind: float"]);
    check("threads = 'many'", &["invalid value 'many'", "--threads"]);
    check("bundle = 'bundle'", &["no folder was given", "hint: "]);
    check(
        "dir = 'pages'",
        &["nothing says where the site goes", "--out", "--bundle"],
    );
    check(
        "dir = 'pages'\nsite = 'pages'\nbundle = 'bundle'",
        &["both a folder and a site"],
    );
    let run = harness::anchorite(&["build", "--config", "/nowhere.toml"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("could not read `/nowhere.toml`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_folder_on_the_command_line_comes_before_a_site_in_the_file() {
    let site = site();
    fs::write(
        site.beside("anchorite.toml"),
        GOOD.replace("dir =", "site ="),
    )
    .expect("written");
    assert_eq!(
        build(&site, &[], &[]).code,
        2,
        "a deployed site has no Markdown"
    );
    let run = build(&site, &[], &["pages"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}
