//! The chapters' cores, compiled for the page: one WebAssembly module for each chapter that has something to try.
//!
//! Cargo decides what is to be compiled again, in a target folder of its own.

pub mod imports;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::finding::Finding;
use crate::project::Project;
use crate::tries::module_path;

/// The variable that names a compiler which has std for the target, where the ordinary one has none.
const COMPILER: &str = "WASM_RUSTC";

/// What browsers run.
const TARGET: &str = "wasm32-unknown-unknown";

/// The most bytes that a module may take on its way to a reader: as much as one picture.
pub const MOST_BYTES: usize = 150_000;

/// Small before fast: a reader waits for the bytes, and then computes next to nothing.
const PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z"),
    ("CARGO_PROFILE_RELEASE_LTO", "true"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "true"),
];

/// The modules of a build.
#[derive(Debug, Clone, Default)]
pub struct Modules {
    built: BTreeMap<String, Module>,
    /// What the book lacks and the command that mends it, where nothing was compiled.
    pub left_out: Option<String>,
    /// What is wrong with those that were compiled.
    pub findings: Vec<Finding>,
}

/// A chapter's module.
#[derive(Debug, Clone)]
pub struct Module {
    bytes: Vec<u8>,
    /// How many bytes a reader fetches.
    pub gzipped: usize,
    /// Differs where the bytes do, so that no cache gives an old module to a new page.
    pub version: String,
}

impl Modules {
    /// Compiles what the chapters of `project` have to try, where there is a compiler for it.
    ///
    /// # Errors
    /// A module that does not compile, or cannot be read.
    pub fn build(project: &Project) -> Result<Modules> {
        let slugs: Vec<&str> = project
            .chapters
            .iter()
            .filter(|chapter| !chapter.tries.is_empty())
            .map(|chapter| chapter.slug.as_str())
            .collect();
        if slugs.is_empty() {
            return Ok(Modules::default());
        }
        let there = project.root.join("xtask/page").is_dir();
        let Some(compiler) = there.then(compiler).flatten() else {
            let what = format!(
                "left out: what readers try in a page ({}), for want of a compiler for {TARGET}: \
                 rustup target add {TARGET}",
                slugs.join(", ")
            );
            return Ok(Modules { left_out: Some(what), ..Modules::default() });
        };
        let folder = compile(&project.root, &compiler, &slugs)?;
        let mut modules = Modules::default();
        for slug in slugs {
            let path = folder.join(format!("{}.wasm", example(slug)));
            let bytes =
                fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let module = Module::new(bytes)?;
            modules.findings.extend(module.problem(slug)?);
            modules.built.insert(slug.to_owned(), module);
        }
        Ok(modules)
    }

    /// The module of this chapter.
    pub fn get(&self, slug: &str) -> Option<&Module> {
        self.built.get(slug)
    }

    /// Copies the modules into the built book: as they are, and as scripts for pages that are opened as files.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, book: &Path) -> Result<()> {
        for (slug, module) in &self.built {
            let path = book.join(module_path(slug));
            let folder = path.parent().unwrap_or(book);
            fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
            let script = path.with_extension("wasm.js");
            for (path, bytes) in [(path, module.bytes.clone()), (script, module.script(slug))] {
                fs::write(&path, bytes)
                    .with_context(|| format!("{} cannot be written", path.display()))?;
            }
        }
        Ok(())
    }

    /// The sizes, a line for each module.
    pub fn sizes(&self) -> Vec<String> {
        let line = |(slug, module): (&String, &Module)| {
            let kilobytes = module.gzipped.div_ceil(1000);
            let most = MOST_BYTES / 1000;
            format!("{}: {kilobytes} KB gzipped, of at most {most}", module_path(slug))
        };
        self.built.iter().map(line).collect()
    }
}

impl Module {
    fn new(bytes: Vec<u8>) -> Result<Module> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        let gzipped = gzip.finish()?.len();
        // Not for secrets: only to tell one build's bytes from another's.
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Ok(Module { bytes, gzipped, version: format!("{:016x}", hasher.finish()) })
    }

    /// Which law it breaks.
    fn problem(&self, slug: &str) -> Result<Option<Finding>> {
        let finding = |what: String, mend: &str| {
            Some(Finding::new(format!("chapters/{slug}/Cargo.toml"), 1, what, mend))
        };
        let imports = imports::imports(&self.bytes).with_context(|| module_path(slug))?;
        if let Some(first) = imports.first() {
            return Ok(finding(
                format!("its module for the page imports {first}, and {} in all", imports.len()),
                "keep clocks, random numbers and JavaScript out of the core: \
                 `cargo tree --no-default-features` shows who brings them",
            ));
        }
        if self.gzipped > MOST_BYTES {
            return Ok(finding(
                format!(
                    "its module for the page takes {} bytes gzipped, of at most {MOST_BYTES}",
                    self.gzipped
                ),
                "leave out what the page does not need",
            ));
        }
        Ok(None)
    }

    fn script(&self, slug: &str) -> Vec<u8> {
        let base64 = STANDARD.encode(&self.bytes);
        let name = serde_json::Value::from(slug);
        format!("(window.KafkaBookModules ??= {{}})[{name}] = \"{base64}\";\n").into_bytes()
    }
}

/// A compiler that has std for the target, looked for once: `cargo xtask doctor` looks for the same.
fn compiler() -> Option<OsString> {
    static FOUND: OnceLock<Option<OsString>> = OnceLock::new();
    let look = || {
        let named = |name| std::env::var_os(name).filter(|path| !path.is_empty());
        let rustc = named(COMPILER).or_else(|| named("RUSTC")).unwrap_or_else(|| "rustc".into());
        let output = Command::new(&rustc)
            .args(["--print", "target-libdir", "--target", TARGET])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let folder = String::from_utf8(output.stdout).ok()?;
        let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
        let mut entries = fs::read_dir(folder.trim()).ok()?.flatten();
        entries.any(|entry| is_std(&entry.file_name().to_string_lossy())).then_some(rustc)
    };
    FOUND.get_or_init(look).clone()
}

/// The example of the package `page` that is a chapter's module.
pub fn example(slug: &str) -> String {
    format!("{}_page", slug.replace('-', "_"))
}

/// Compiles the modules of these chapters, and gives the folder that holds them.
fn compile(root: &Path, compiler: &OsString, slugs: &[&str]) -> Result<PathBuf> {
    let target = match std::env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty()) {
        Some(path) => root.join(path),
        None => root.join("target"),
    };
    let target = target.join("wasm");
    let folder = target.join(TARGET).join("release").join("examples");
    if !slugs.iter().all(|slug| folder.join(format!("{}.wasm", example(slug))).is_file()) {
        eprintln!("Compiling what readers try in a page; the first time takes a minute.");
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(["build", "--quiet", "--release", "--package", "page"]);
    command.args(["--target", TARGET, "--target-dir"]).arg(&target);
    for slug in slugs {
        command.args(["--example", &example(slug)]);
    }
    // What Cargo told this process about the package `book` would make build scripts run again,
    // and flags for the machine's own compiler are not for this one.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_PROFILE_"];
        if of_package.iter().any(|prefix| name.starts_with(prefix))
            || ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"].contains(&&*name)
        {
            command.env_remove(&*name);
        }
    }
    command.env("RUSTC", compiler).envs(PROFILE);
    // The linker leaves five bytes for each address that it fills in; most need two.
    let mut flags = "-Clink-arg=--compress-relocations".to_owned();
    if let Some(home) = cargo_home() {
        // A panic names the file it stands in: the same on every machine, and nobody's home folder.
        let sources = home.join("registry").join("src");
        flags.push_str(&format!("\u{1f}--remap-path-prefix={}=registry", sources.display()));
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    let status = command.status().context("cargo does not start")?;
    ensure!(status.success(), "what readers try in a page does not compile: see above");
    Ok(folder)
}

fn cargo_home() -> Option<PathBuf> {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    named.or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_module_that_imports_is_refused() {
        let importing = [EMPTY, b"\x02\x0d\x01\x03env\x05clock\x00\x01"].concat();
        let finding = Module::new(importing).unwrap().problem("events").unwrap().unwrap();
        assert!(
            finding.to_string().starts_with(
                "chapters/events/Cargo.toml:1: its module for the page imports env.clock, and 1 in all: keep"
            ),
            "{finding}"
        );
        assert_eq!(Module::new(EMPTY.to_vec()).unwrap().problem("events").unwrap(), None);
    }

    #[test]
    fn a_module_that_is_too_large_is_refused() {
        // A section of its own (number 0) that holds what does not compress.
        let large = |bytes: usize| {
            let mut noise = 7_u64;
            let random = std::iter::repeat_with(|| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (noise >> 56) as u8
            });
            let length = [bytes & 0x7f | 0x80, bytes >> 7 & 0x7f | 0x80, bytes >> 14];
            let mut module = [EMPTY, &[0]].concat();
            module.extend(length.map(|part| part as u8));
            module.extend(random.take(bytes));
            Module::new(module).unwrap()
        };
        assert_eq!(large(MOST_BYTES - 500).problem("events").unwrap(), None);
        let finding = large(MOST_BYTES).problem("events").unwrap().unwrap();
        assert!(finding.what.contains("bytes gzipped, of at most 150000"), "{finding}");
    }

    #[test]
    fn a_module_is_written_as_bytes_and_as_a_script() {
        let folder = tempfile::tempdir().unwrap();
        let module = Module::new(EMPTY.to_vec()).unwrap();
        assert_ne!(module.version, Module::new(vec![0]).unwrap().version);
        let built = BTreeMap::from([("events".to_owned(), module)]);
        let modules = Modules { built, ..Modules::default() };
        modules.write(folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join("try/events.wasm")).unwrap(), EMPTY);
        assert_eq!(
            fs::read_to_string(folder.path().join("try/events.wasm.js")).unwrap(),
            "(window.KafkaBookModules ??= {})[\"events\"] = \"AGFzbQEAAAA=\";\n"
        );
        assert_eq!(modules.sizes(), ["try/events.wasm: 1 KB gzipped, of at most 150"]);
    }
}
