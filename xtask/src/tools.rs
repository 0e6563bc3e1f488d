//! What this machine has beyond what `testbed` asks for: compilers, OpenSSL's headers, Cargo tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testbed::machine::{State, Tool, install, on_path};

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

/// Compose: Docker's plugin, or the program on the PATH.
pub fn compose() -> Option<Vec<&'static str>> {
    let candidates = [vec!["docker", "compose"], vec!["docker-compose"]];
    candidates.into_iter().find(|words| {
        let (program, rest) = (words[0], &words[1..]);
        on_path(program).is_some() && first_line(program, &[rest, &["version"]].concat()).is_some()
    })
}
