//! A bundle that was changed in transit: every change is detected and named.

use std::fs;
use std::path::PathBuf;

use harness::Site;

fn built() -> Site {
    let site = Site::new(&[("pumps.md", b"# Pumps\n\nA pump moves water uphill.\n")]);
    let run = site.build(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    site
}

/// The smallest content-addressed file, in which a change is quickly noticed.
fn smallest_file(site: &Site) -> PathBuf {
    let files = fs::read_dir(site.bundle().join("files"))
        .expect("files")
        .flatten()
        .map(|entry| entry.path());
    files
        .min_by_key(|path| fs::metadata(path).expect("a length").len())
        .expect("a file")
}

#[track_caller]
fn check_refused(site: &Site, expected: &[&str]) {
    site.run("inspect", &[]).fails(expected);
}

#[test]
fn a_whole_bundle_passes() {
    let run = built().run("inspect", &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("every hash is right"), "{}", run.stdout);
}

#[test]
fn one_bit_changed_is_noticed() {
    let site = built();
    let path = smallest_file(&site);
    let mut bytes = fs::read(&path).expect("bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("written");
    let name = path
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    check_refused(&site, &[&name, "expected", "found"]);
}

#[test]
fn a_file_cut_short_is_noticed() {
    let site = built();
    let path = smallest_file(&site);
    let bytes = fs::read(&path).expect("bytes");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    check_refused(&site, &["expected", "found"]);
}

#[test]
fn a_missing_file_is_named() {
    let site = built();
    let path = smallest_file(&site);
    fs::remove_file(&path).expect("removed");
    let name = path
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    check_refused(&site, &[&name, "could not read"]);
}

#[test]
fn a_newer_version_is_refused() {
    let site = built();
    let path = site.bundle().join("manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    manifest["format"] = 999.into();
    fs::write(&path, manifest.to_string()).expect("written");
    check_refused(&site, &["999"]);
}

/// Version 3 had neither readers nor thresholds; everything else is the same.
#[test]
fn a_bundle_of_the_version_before_is_judged_by_the_thresholds_for_all_sites() {
    let site = built();
    let path = site.bundle().join("manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    manifest["format"] = 3.into();
    let fields = manifest.as_object_mut().expect("an object");
    fields.remove("calibration");
    fs::write(&path, manifest.to_string()).expect("written");
    let run = site.run("inspect", &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("the thresholds for all sites (0.60)"),
        "{}",
        run.stdout
    );
    let run = site.run("ask", &["What moves water uphill?", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("A pump moves water uphill."),
        "it still answers: {}",
        run.stdout
    );
}

#[test]
fn a_manifest_that_is_none_is_refused() {
    let site = built();
    fs::write(site.bundle().join("manifest.json"), "<html>404</html>").expect("written");
    check_refused(&site, &["manifest"]);
}

#[test]
fn a_folder_without_a_manifest_is_named() {
    let site = Site::new(&[]);
    check_refused(&site, &["manifest.json"]);
}
