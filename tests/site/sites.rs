//! Sites made from documents, and sites that search and chat are added to: each file, link and line, and bad input.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use harness::{Run, Site, anchorite, path_text};

/// Notes as somebody might keep them.
fn notes() -> Site {
    Site::new(&[
        (
            "README.md",
            b"# Allotment\n\nFirst the [tools](tools.md#spade), then [compost](garden/compost.md) and the [log](log.txt).\n\n\
              ![A spade](img/spade%201.png)\n",
        ),
        (
            "tools.md",
            b"---\ntitle: Tools & care\n---\nKeep tools dry.\n\n## Spade\n\nOil the handle.\n",
        ),
        (
            "garden/compost.md",
            b"# Compost\n\nTurn the heap. See [seeds](../my%20stuff/seeds%20%26%20dates.md).\n",
        ),
        ("my stuff/seeds & dates.md", b"# Seeds: dates\n\nPeas are sown in March.\n"),
        ("log.txt", b"Log\n===\n\nThe pump broke in April.\n"),
        (
            "old.html",
            b"<html><head><title>Old</title><link rel=stylesheet href=old.css></head><body><h1>Butt</h1>\
              <p>It holds 210 litres. <a href=\"tools.md#spade\">Tools</a></body></html>",
        ),
        ("old.css", b"body {}"),
        ("img/spade 1.png", b"\x89PNG"),
        ("draft.md", b"---\ndraft: true\n---\n# Draft\n\nNot yet.\n"),
        ("robots.txt", b"User-agent: *\n"),
        (".env", b"SECRET=1\n"),
        ("anchorite.toml", b""),
    ])
}

fn build(site: &Site, extra: &[&str]) -> Run {
    let (pages, out) = (site.pages(), site.beside("site"));
    let fixed = ["build", path_text(&pages), "--out", path_text(&out)];
    let quick = ["--no-cache", "--no-calibration", "--no-reader"];
    anchorite(&[&fixed[..], &quick, extra].concat())
}

/// The files below a folder, with their contents, apart from the bundle and what pages load.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).expect("below the root");
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                files.insert(path_text(name).to_owned(), fs::read(&path).expect("a file"));
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(root, root, &mut all);
    all.retain(|name, _| !name.starts_with("anchorite/"));
    all
}

fn text(root: &Path, name: &str) -> String {
    fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_folder_of_notes_becomes_a_site() {
    let site = notes();
    let run = build(&site, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("site of 6 pages and 3 other files"),
        "{}",
        run.stderr
    );
    let root = site.beside("site");
    let names: Vec<String> = files(&root).into_keys().collect();
    assert_eq!(
        names,
        [
            "garden/compost.html",
            "img/spade 1.png",
            "index.html",
            "llms.txt",
            "log.html",
            "my stuff/seeds & dates.html",
            "old.css",
            "old.html",
            "robots.txt",
            "tools.html",
        ],
        "no draft, nothing hidden, no configuration"
    );
    for (page, part) in [
        ("index.html", "<a href=\"tools.html#spade\">"),
        ("index.html", "<a href=\"log.html\">"),
        ("index.html", "src=\"img/spade%201.png\""),
        ("index.html", "<title>Allotment</title>"),
        ("tools.html", "<h1>Tools &amp; care</h1>"),
        ("tools.html", "<h2 id=\"spade\">"),
        ("tools.html", "<title>Tools &amp; care · Allotment</title>"),
        ("tools.html", "<anchorite-search bundle=\"./anchorite/\""),
        (
            "garden/compost.html",
            "<anchorite-chat bundle=\"../anchorite/\">",
        ),
        (
            "garden/compost.html",
            "href=\"../my%20stuff/seeds%20%26%20dates.html\"",
        ),
        (
            "garden/compost.html",
            "href=\"../garden/compost.html\" aria-current=\"page\"",
        ),
        (
            "llms.txt",
            "# Allotment\n\n## Pages\n\n- [Allotment](index.html)\n- [Tools & care](tools.html)\n",
        ),
        ("log.html", "The pump broke in April."),
        ("old.html", "<a href=\"tools.html#spade\">"),
        (
            "old.html",
            "src=\"./anchorite/anchorite-widget.js\"></script><!-- /anchorite --></body>",
        ),
    ] {
        let found = text(&root, page);
        assert!(found.contains(part), "`{part}` in {page}: {found}");
    }
    for (query, url) in [
        ("spade handle", "tools.html#spade"),
        ("peas", "my%20stuff/seeds%20&%20dates.html#seeds-dates"),
        ("pump", "log.html"),
        ("litres", "old.html"),
    ] {
        let found = anchorite(&["search", path_text(&root), query, "--json"]);
        found.works();
        let hits: serde_json::Value = serde_json::from_str(&found.stdout).expect("JSON");
        assert_eq!(hits[0]["url"], url, "{query}");
    }
}

#[test]
fn a_site_without_a_first_page_gets_one() {
    let site = Site::new(&[
        ("b.md", b"# Bees\n\nThey fly.\n"),
        ("a/ant.md", b"# Ants\n\nThey walk.\n"),
    ]);
    let run = build(&site, &["--title", "Insects <3"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let page = text(&site.beside("site"), "index.html");
    for part in [
        "<h1>Insects &lt;3</h1>",
        "<a href=\"./b.html\">Bees</a>",
        "<a href=\"./a/ant.html\">Ants</a>",
    ] {
        assert!(page.contains(part), "`{part}` in {page}");
    }
}

#[test]
fn building_again_removes_what_is_gone_and_keeps_what_others_put_there() {
    let site = notes();
    assert_eq!(build(&site, &[]).code, 0);
    let root = site.beside("site");
    fs::write(root.join("CNAME"), "notes.example").expect("a file");
    let before = files(&root);
    let run = build(&site, &[]);
    assert!(run.stderr.contains(" 0 files changed\n"), "{}", run.stderr);
    assert_eq!(files(&root), before, "the same again");
    fs::remove_dir_all(site.pages().join("garden")).expect("removed");
    assert_eq!(build(&site, &[]).code, 0);
    assert!(
        !root.join("garden").exists(),
        "the page that is gone, and its folder"
    );
    assert_eq!(text(&root, "CNAME"), "notes.example");
}

#[test]
fn nothing_of_others_is_replaced() {
    let site = notes();
    let root = site.beside("site");
    fs::create_dir_all(&root).expect("a folder");
    fs::write(root.join("tools.html"), "mine").expect("a file");
    build(&site, &[]).fails(&[
        "tools.html` is there already, and no build wrote it",
        "hint: ",
    ]);
    assert_eq!(
        files(&root).len(),
        1,
        "nothing is written: {:?}",
        files(&root).keys()
    );
    fs::remove_file(root.join("tools.html")).expect("removed");
    assert_eq!(build(&site, &[]).code, 0);
    // The folder of another program's page.
    let other = Site::new(&[("a.md", b"# A\n\nText.\n")]);
    let (pages, app) = (other.pages(), other.beside("app"));
    fs::create_dir_all(&app).expect("a folder");
    fs::write(
        app.join("manifest.json"),
        "{\"name\": \"An app\", \"icons\": []}",
    )
    .expect("a file");
    let run = anchorite(&[
        "build",
        path_text(&pages),
        "--bundle",
        path_text(&app),
        "--no-cache",
        "--no-reader",
    ]);
    run.fails(&["is not a bundle's manifest, and would be replaced"]);
    assert!(text(&app, "manifest.json").contains("An app"));
}

#[test]
fn the_folder_of_the_bundle_belongs_to_builds_alone() {
    let site = notes();
    site.write("anchorite/manifest.json", b"{}");
    build(&site, &[]).fails(&["would lie in the site's folder `anchorite`", "--exclude"]);
    assert!(!site.beside("site").exists(), "nothing is written");
    assert_eq!(build(&site, &["--exclude", "anchorite"]).code, 0);
    let root = site.beside("site");
    fs::remove_file(root.join("anchorite/written.json")).expect("removed");
    fs::remove_file(root.join("anchorite/manifest.json")).expect("removed");
    let run = build(&site, &["--exclude", "anchorite"]);
    run.fails(&["is there already, and no build wrote it"]);
    let deployed = deployed();
    let own = deployed.pages().join("anchorite/anchorite.js");
    fs::create_dir_all(own.parent().expect("a folder")).expect("a folder");
    fs::write(&own, "mine").expect("a file");
    add(&deployed, &["--inject"]).fails(&["holds files that no build wrote", "--out"]);
    assert_eq!(fs::read_to_string(&own).expect("a file"), "mine");
}

#[test]
fn html_without_text_is_published_as_it_is() {
    let site = notes();
    let moved = b"<!doctype html><meta http-equiv=refresh content='0; url=tools.html'>";
    site.write("moved.html", moved);
    assert_eq!(build(&site, &[]).code, 0);
    let found = files(&site.beside("site"));
    assert_eq!(found["moved.html"], moved);
}

#[test]
fn an_output_inside_the_documents_is_not_read_and_one_among_them_refused() {
    let site = notes();
    let pages = site.pages();
    let inside = pages.join("public");
    for _ in 0..2 {
        let run = anchorite(&[
            "build",
            path_text(&pages),
            "--out",
            path_text(&inside),
            "--no-cache",
            "--no-reader",
            "--no-calibration",
        ]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stderr.contains("site of 6 pages and 3 other"),
            "{}",
            run.stderr
        );
    }
    let run = anchorite(&[
        "build",
        path_text(&pages),
        "--out",
        path_text(&pages),
        "--no-cache",
    ]);
    run.fails(&["would be written among its documents", "--out"]);
    assert!(!pages.join("anchorite").exists(), "nothing is written");
}

#[test]
fn a_folder_that_cannot_be_written_fails_before_the_work() {
    let site = notes();
    let file = site.beside("file");
    fs::write(&file, "").expect("a file");
    let (pages, out) = (site.pages(), file.join("site"));
    let run = anchorite(&[
        "build",
        path_text(&pages),
        "--out",
        path_text(&out),
        "--no-cache",
    ]);
    run.fails(&["could not write into", "hint: "]);
}

#[test]
fn a_page_that_cannot_be_read_is_named_and_the_others_stand() {
    let site = notes();
    site.write("bad.md", b"a\0b");
    let run = build(&site, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("bad.md"), "{}", run.stderr);
    let root = site.beside("site");
    assert!(!root.join("bad.html").exists() && root.join("tools.html").exists());
}

/// A site as a generator makes it.
fn deployed() -> Site {
    let page = |title: &str| {
        format!(
            "<!doctype html><html lang=en><head><title>{title}</title></head>\n<body><main><h1>{title}</h1><p>About {title}.</p></main></body></html>\n"
        )
    };
    let (home, lamps, lost) = (page("Home"), page("Lamps"), page("Lost"));
    Site::new(&[
        ("index.html", home.as_bytes()),
        ("shop/lamps/index.html", lamps.as_bytes()),
        ("404.html", lost.as_bytes()),
        ("manifest.json", b"{\"name\": \"An app\"}"),
    ])
}

fn add(site: &Site, extra: &[&str]) -> Run {
    let pages = site.pages();
    let quick = ["--no-cache", "--no-calibration", "--no-reader"];
    anchorite(&[&["build", "--site", path_text(&pages)][..], &quick, extra].concat())
}

#[test]
fn a_deployed_site_gets_a_folder_and_the_line_for_its_pages() {
    let site = deployed();
    let before = files(&site.pages());
    let run = add(&site, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "<script type=\"module\" src=\"/anchorite/anchorite-widget.js\"></script>\n"
    );
    assert_eq!(files(&site.pages()), before, "no page changes");
    for name in [
        "anchorite.js",
        "anchorite-widget.js",
        "anchorite_search_bg.wasm",
        "manifest.json",
    ] {
        assert!(
            site.pages().join("anchorite").join(name).is_file(),
            "{name}"
        );
    }
    let run = add(&site, &["--base-url", "/docs/", "--json"]);
    assert!(run.stdout.starts_with('{'), "JSON alone: {}", run.stdout);
    let found = anchorite(&["search", path_text(&site.pages()), "lamps", "--json"]);
    assert!(
        found.stdout.contains("/docs/shop/lamps/"),
        "{}",
        found.stdout
    );
}

#[test]
fn every_page_gets_the_line_and_loses_it_again() {
    let site = deployed();
    let pages = site.pages();
    let before = files(&pages);
    for _ in 0..2 {
        let run = add(&site, &["--inject"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    for (page, script) in [
        ("index.html", "./anchorite/anchorite-widget.js"),
        (
            "shop/lamps/index.html",
            "../../anchorite/anchorite-widget.js",
        ),
    ] {
        let found = text(&pages, page);
        let line = format!(
            "<!-- anchorite --><script type=\"module\" src=\"{script}\"></script><!-- /anchorite --></body>"
        );
        assert_eq!(found.matches(&line).count(), 1, "{page}: {found}");
    }
    assert_eq!(
        files(&pages)["404.html"],
        before["404.html"],
        "shown at any address"
    );
    let run = add(&site, &["--eject"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(files(&pages), before, "as it was");
    assert!(!pages.join("anchorite").exists(), "nothing is left");
    assert_eq!(add(&site, &["--eject"]).code, 0, "nothing to take out");
    // A configuration that asks for the line doesn't keep it from being taken out, nor do pages that are left out today.
    let config = site.beside("anchorite.toml");
    fs::write(&config, "inject = true\nexclude = ['shop/**']\n").expect("a file");
    assert_eq!(add(&site, &["--inject"]).code, 0);
    let run = add(&site, &["--eject", "--config", path_text(&config)]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(files(&pages), before, "as it was");
}

#[test]
fn options_that_do_not_go_together_are_told() {
    let site = deployed();
    let (pages, out) = (site.pages(), site.beside("elsewhere"));
    let (pages, out) = (path_text(&pages), path_text(&out));
    let run = |arguments: &[&str]| anchorite(&[&["build"], arguments, &["--no-cache"]].concat());
    run(&[pages, "--inject", "--out", out]).fails(&["no site was given", "--site"]);
    run(&["--site", pages, "--inject", "--bundle", out]).fails(&["--inject and --bundle exclude"]);
    run(&["--site", pages, "--inject", "--eject"]).fails(&["--inject and --eject exclude"]);
    run(&["--site", pages, "--inject", "--out", out]).fails(&["is outside of it"]);
    let odd = format!("{pages}/se arch#1");
    let odd = run(&[
        "--site",
        pages,
        "--out",
        &odd,
        "--no-calibration",
        "--no-reader",
    ]);
    assert!(
        odd.stdout
            .contains("src=\"/se%20arch%231/anchorite-widget.js\""),
        "{}{}",
        odd.stdout,
        odd.stderr
    );
    run(&[pages, "--out", out, "--bundle", out]).fails(&["both --out and --bundle"]);
    run(&[pages]).fails(&["nothing says where the site goes"]);
    assert!(
        !PathBuf::from(out).join("manifest.json").exists(),
        "nothing is built"
    );
}
