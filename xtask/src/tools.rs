//! What this machine has beyond what `testbed` asks for: compilers, OpenSSL's headers, Cargo tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testbed::machine::{State, Tool, install, on_path};

/// A tool of this version, or what is missing.
pub fn found(name: &'static str, version: Option<String>, missing: &str, mend: String) -> Tool {
    Tool {
        name,
        state: version.map_or_else(|| State::Missing(missing.to_owned()), State::Ready),
        mend,
    }
}

/// Names under which the C compiler goes.
const C_COMPILERS: [&str; 3] = ["cc", "gcc", "clang"];

/// Names under which make goes.
const MAKES: [&str; 2] = ["make", "gmake"];

/// A C compiler.
pub fn c_compiler() -> Tool {
    let version = C_COMPILERS.iter().find_map(|program| first_line(program, &["--version"]));
    without_c_compiler(version)
}

/// make.
pub fn make() -> Tool {
    without_make(MAKES.iter().find_map(|program| first_line(program, &["--version"])))
}

/// What librdkafka is built by, before Cargo is asked to: else it says so in a page of C's errors. Only looked up on
/// the PATH, which takes no time; `doctor` starts each.
pub fn ready_to_build() -> anyhow::Result<()> {
    // Who names a compiler has one.
    let is_named = std::env::var_os("CC").is_some_and(|name| !name.is_empty());
    let is_there =
        |names: &[&str]| names.iter().find_map(|name| on_path(name)).map(|_| String::new());
    let compiler = if is_named { Some(String::new()) } else { is_there(&C_COMPILERS) };
    for tool in [without_c_compiler(compiler), without_make(is_there(&MAKES))] {
        demand(&tool)?;
    }
    Ok(())
}

/// Fails with what is missing, and what mends it.
pub fn demand(tool: &Tool) -> anyhow::Result<()> {
    match &tool.state {
        State::Ready(_) => Ok(()),
        State::Missing(what) | State::Unfit(what) => {
            anyhow::bail!("{what}. To mend: {}", tool.mend)
        }
    }
}

fn without_c_compiler(version: Option<String>) -> Tool {
    let what = "no cc, gcc or clang on the PATH: librdkafka is written in C";
    found("C compiler", version, what, developer_tools("build-essential"))
}

fn without_make(version: Option<String>) -> Tool {
    let what = "no make on the PATH: librdkafka is built by it";
    found("make", version, what, developer_tools("make"))
}

/// macOS has all of them in one package.
fn developer_tools(apt: &str) -> String {
    if cfg!(target_os = "macos") { "xcode-select --install".to_owned() } else { install(apt, "") }
}

/// OpenSSL's headers and `pkg-config`, by which its build script finds them.
pub fn openssl() -> Tool {
    let mend = install("libssl-dev pkg-config", "openssl@3 pkgconf");
    let named = std::env::var_os("OPENSSL_DIR").map(|folder| PathBuf::from(folder).join("include"));
    let named = named.or_else(|| std::env::var_os("OPENSSL_INCLUDE_DIR").map(PathBuf::from));
    // On macOS the build script knows Homebrew's folders; on Linux it asks pkg-config only.
    let brewed = ["/opt/homebrew/opt/openssl@3/include", "/usr/local/opt/openssl@3/include"];
    let state = if let Some(folder) = named {
        match has_headers(&folder) {
            true => State::Ready(folder.display().to_string()),
            false => State::Unfit(format!(
                "no openssl/ssl.h in {}, which OPENSSL_DIR names",
                folder.display()
            )),
        }
    } else if let Some(version) = first_line("pkg-config", &["--modversion", "openssl"]) {
        State::Ready(version)
    } else if let Some(folder) =
        brewed.iter().find(|folder| cfg!(target_os = "macos") && has_headers(Path::new(folder)))
    {
        State::Ready((*folder).to_owned())
    } else if on_path("pkg-config").is_none() {
        State::Missing("no pkg-config, which finds OpenSSL's headers".to_owned())
    } else {
        State::Missing("OpenSSL's headers are not installed".to_owned())
    };
    Tool { name: "OpenSSL", state, mend }
}

fn has_headers(include: &Path) -> bool {
    include.join("openssl").join("ssl.h").is_file()
}

/// Where a Chromium, or a browser made of it, may be.
const CHROMIUMS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const CHROMIUMS_OF_MACOS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The browser that tries the book's pages: the one that `CHROMIUM` names, else the first that is here.
pub fn chromium_path() -> Option<PathBuf> {
    match std::env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        Some(named) => Some(PathBuf::from(named)),
        None => CHROMIUMS
            .iter()
            .find_map(|name| on_path(name))
            .or_else(|| CHROMIUMS_OF_MACOS.iter().map(PathBuf::from).find(|path| path.is_file())),
    }
}

/// Chromium, by the path above.
pub fn chromium() -> Tool {
    let state = match chromium_path() {
        None => State::Missing("no chromium or google-chrome on the PATH".to_owned()),
        Some(path) => match first_line(&path.to_string_lossy(), &["--version"]) {
            Some(version) => State::Ready(version),
            None => State::Unfit(format!("{} does not start as a browser", path.display())),
        },
    };
    Tool { name: "Chromium", state, mend: install("chromium", "--cask chromium") }
}

/// The oldest Node that the browser tests' packages run on.
const NODE_AT_LEAST: u32 = 20;

/// Node and npm, which run the browser tests and fetch their packages.
pub fn node() -> Tool {
    let state = match first_line("node", &["--version"]) {
        None => State::Missing("no node on the PATH".to_owned()),
        Some(version) if major(&version).is_none_or(|major| major < NODE_AT_LEAST) => {
            State::Unfit(format!("{version} is too old: {NODE_AT_LEAST} is needed"))
        }
        Some(_) if on_path("npm").is_none() => State::Missing("no npm on the PATH".to_owned()),
        Some(version) => State::Ready(version),
    };
    Tool { name: "Node", state, mend: install("nodejs npm", "node") }
}

/// `20` of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

/// The variable that names a compiler for WebAssembly, where the ordinary one makes none. The package `book`, which
/// compiles what readers try, looks for it in the same way.
const WASM_RUSTC: &str = "WASM_RUSTC";

/// What browsers run.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// A Rust compiler that has std for WebAssembly: what `WASM_RUSTC` names, else the ordinary one. Where it is ready,
/// its state is how to call it.
pub fn webassembly() -> Tool {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let named = variable(WASM_RUSTC);
    let rustc = named.clone().or_else(|| variable("RUSTC")).unwrap_or_else(|| "rustc".to_owned());
    let folder = first_line(&rustc, &["--print", "target-libdir", "--target", WASM_TARGET]);
    let state = match (folder.is_some_and(|folder| has_std(Path::new(&folder))), named) {
        (true, _) => State::Ready(rustc),
        (false, Some(named)) => {
            State::Unfit(format!("{named}, which {WASM_RUSTC} names, has no std for {WASM_TARGET}"))
        }
        (false, None) => State::Missing(format!("no std for {WASM_TARGET}")),
    };
    Tool { name: "WebAssembly", state, mend: format!("rustup target add {WASM_TARGET}") }
}

fn has_std(folder: &Path) -> bool {
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| is_std(&entry.file_name().to_string_lossy()))
}

/// The programs of LLVM that count which lines ran.
pub struct LlvmTools {
    /// `llvm-cov`.
    pub cov: PathBuf,
    /// `llvm-profdata`.
    pub profdata: PathBuf,
}

/// cargo-llvm-cov, and LLVM's tools for what this compiler writes: what `LLVM_COV` and `LLVM_PROFDATA` name, else
/// rustup's component, else the system's of the same major version.
pub fn llvm() -> Result<LlvmTools, String> {
    if on_path("cargo-llvm-cov").is_none() {
        return Err("no cargo-llvm-cov (to mend: cargo install cargo-llvm-cov --locked)".to_owned());
    }
    let named = |variable| std::env::var_os(variable).filter(|path| !path.is_empty());
    if let (Some(cov), Some(profdata)) = (named("LLVM_COV"), named("LLVM_PROFDATA")) {
        return Ok(LlvmTools { cov: cov.into(), profdata: profdata.into() });
    }
    let component = first_line("rustc", &["--print", "target-libdir"])
        .and_then(|folder| Some(Path::new(&folder).parent()?.join("bin")))
        .map(|bin| (bin.join("llvm-cov"), bin.join("llvm-profdata")))
        .filter(|(cov, profdata)| cov.is_file() && profdata.is_file());
    let of_system = || {
        let major = llvm_major()?;
        let program = |name: &str| on_path(&format!("{name}-{major}"));
        program("llvm-cov").zip(program("llvm-profdata"))
    };
    let (cov, profdata) = component.or_else(of_system).ok_or(
        "no llvm-cov for this compiler (to mend: rustup component add llvm-tools, or set LLVM_COV and LLVM_PROFDATA)",
    )?;
    Ok(LlvmTools { cov, profdata })
}

/// The major version of the LLVM in the compiler.
fn llvm_major() -> Option<String> {
    let output = Command::new("rustc").arg("-vV").stdin(Stdio::null()).output().ok()?;
    major_of_llvm(&String::from_utf8_lossy(&output.stdout))
}

/// `22` of the line `LLVM version: 22.1.2`.
fn major_of_llvm(text: &str) -> Option<String> {
    let version = text.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next().map(str::to_owned)
}

/// The first line that a program prints on standard output, if it is there and succeeds.
pub fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

/// How Compose is called: as Docker's plugin, or as the program on the PATH, which may be one of version 1.
const COMPOSES: [(&str, &[&str]); 2] = [("docker", &["compose"]), ("docker-compose", &[])];

/// The oldest Compose that has `up --wait`.
const COMPOSE_AT_LEAST: u32 = 2;

/// Where Docker itself keeps plugins of a user, and where it says to fetch this one from: no package of Debian 12
/// has version 2.
const COMPOSE_PLUGIN: &str = "curl -fL --create-dirs -o ~/.docker/cli-plugins/docker-compose \
    https://github.com/docker/compose/releases/latest/download/docker-compose-linux-$(uname -m) \
    && chmod +x ~/.docker/cli-plugins/docker-compose";

/// Docker Compose.
pub struct Compose {
    /// Whether it is here, and new enough.
    pub tool: Tool,
    called: (&'static str, &'static [&'static str]),
}

impl Compose {
    /// A command that its arguments are added to.
    ///
    /// # Errors
    ///
    /// It is not here, or too old.
    pub fn command(&self) -> anyhow::Result<Command> {
        demand(&self.tool)?;
        let (program, arguments) = self.called;
        let mut command = Command::new(program);
        command.args(arguments);
        Ok(command)
    }
}

/// Compose: Docker's plugin, or the program on the PATH.
pub fn compose() -> Compose {
    compose_among(|program, arguments| {
        on_path(program)?;
        first_line(program, &[arguments, &["version", "--short"]].concat())
    })
}

/// The first that is new enough, by what each says of its version. What is no number was built by somebody for
/// themselves, of newer code.
fn compose_among(version: impl Fn(&str, &[&str]) -> Option<String>) -> Compose {
    let [mut called, _] = COMPOSES;
    let mut state =
        State::Missing("neither `docker compose` nor docker-compose is here".to_owned());
    for one in COMPOSES {
        let Some(version) = version(one.0, one.1) else { continue };
        if major(&version).is_none_or(|major| major >= COMPOSE_AT_LEAST) {
            called = one;
            state = State::Ready(version);
            break;
        }
        state = State::Unfit(format!(
            "Compose {version} is too old: {COMPOSE_AT_LEAST} or newer is needed, for `up --wait`"
        ));
    }
    let mend = match state {
        _ if cfg!(target_os = "macos") => install("", "docker-compose"),
        State::Unfit(_) => COMPOSE_PLUGIN.to_owned(),
        // Ubuntu's package, or that of Debian 13.
        _ => format!("{} || {}", install("docker-compose-v2", ""), install("docker-compose", "")),
    };
    Compose { tool: Tool { name: "Compose", state, mend }, called }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llvms_version_is_read() {
        let said = "rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n";
        assert_eq!(major_of_llvm(said).as_deref(), Some("22"));
        assert_eq!(major_of_llvm("rustc 1.95.0"), None);
    }

    /// By what `docker compose` and `docker-compose` say of their versions.
    fn compose_of(plugin: Option<&str>, program: Option<&str>) -> Compose {
        compose_among(|name, _| {
            let version = if name == "docker" { plugin } else { program };
            version.map(str::to_owned)
        })
    }

    #[test]
    fn a_compose_of_version_1_is_none() {
        let old = compose_of(None, Some("1.29.2"));
        let said = old.command().unwrap_err().to_string();
        assert!(said.starts_with("Compose 1.29.2 is too old: 2 or newer is needed"), "{said}");
        assert!(said.contains("To mend: ") && said.ends_with(&old.tool.mend), "{said}");
        let none = compose_of(None, None).command().unwrap_err().to_string();
        assert!(none.starts_with("neither `docker compose` nor docker-compose is here."), "{none}");
        assert!(none.contains("install docker-compose"), "{none}");
    }

    #[test]
    fn a_compose_of_a_later_version_is_called_as_it_is_installed() {
        let called = |plugin, program| {
            let compose = compose_of(plugin, program);
            let State::Ready(version) = &compose.tool.state else { return String::new() };
            format!("{version}: {}", crate::child::line(&compose.command().unwrap()))
        };
        assert_eq!(called(Some("2.40.3"), Some("1.29.2")), "2.40.3: docker compose");
        assert_eq!(called(None, Some("v5.0.1")), "v5.0.1: docker-compose");
        assert_eq!(called(Some("1.0.6"), Some("2.26.1-4")), "2.26.1-4: docker-compose");
        assert_eq!(called(Some("dev"), None), "dev: docker compose");
    }

    #[test]
    fn nodes_version_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v8.1.0-nightly"), Some(8));
        assert_eq!(major("node"), None);
    }
}
