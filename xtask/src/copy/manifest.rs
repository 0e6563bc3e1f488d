//! `Cargo.toml` of a copy. Comments and order stay; what is taken out is taken out as a table or a key.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// The top manifest of a workspace with these members, with the profiles of ours.
pub fn workspace(ours: &str, members: &[&str]) -> anyhow::Result<String> {
    let ours: DocumentMut = ours.parse()?;
    let mut manifest = DocumentMut::new();
    let mut table = Table::new();
    table["members"] = value(members.iter().copied().collect::<Array>());
    table["resolver"] = value("3");
    manifest["workspace"] = Item::Table(table);
    if let Some(profiles) = ours.get("profile") {
        let mut profiles = profiles.clone();
        drop_profiles_of_tools(&mut profiles);
        manifest["profile"] = profiles;
    }
    Ok(manifest.to_string())
}

/// Profiles of single packages are for what builds the book; Cargo warns where the package is not there.
fn drop_profiles_of_tools(profiles: &mut Item) {
    let Some(profiles) = profiles.as_table_like_mut() else { return };
    for (_, profile) in profiles.iter_mut() {
        let Some(packages) = profile.get_mut("package").and_then(Item::as_table_like_mut) else {
            continue;
        };
        let single: Vec<String> =
            packages.iter().map(|(name, _)| name.to_owned()).filter(|name| name != "*").collect();
        for name in single {
            packages.remove(&name);
        }
    }
}

/// A chapter's manifest for a place inside another project.
///
/// What only the book reads goes. Without tests, so do examples, tests, benches, and the path
/// dependencies of the tests.
pub fn for_project(text: &str, with_tests: bool) -> anyhow::Result<String> {
    let mut manifest: DocumentMut = text.parse()?;
    if let Some(package) = manifest.get_mut("package").and_then(Item::as_table_like_mut) {
        remove_chapter(package);
    }
    if with_tests {
        return Ok(manifest.to_string());
    }
    for targets in ["example", "test", "bench"] {
        manifest.remove(targets);
    }
    let mut empty = false;
    if let Some(table) = manifest.get_mut("dev-dependencies").and_then(Item::as_table_like_mut) {
        let paths: Vec<String> = table
            .iter()
            .filter(|(_, item)| has_path(item))
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in paths {
            table.remove(&name);
        }
        empty = table.is_empty();
    }
    if empty {
        manifest.remove("dev-dependencies");
    }
    Ok(manifest.to_string())
}

fn remove_chapter(package: &mut dyn TableLike) {
    let Some(metadata) = package.get_mut("metadata").and_then(Item::as_table_like_mut) else {
        return;
    };
    metadata.remove("chapter");
    if metadata.is_empty() {
        package.remove("metadata");
    }
}

/// Adds members, and a line to `[dependencies]`.
pub fn add(text: &str, members: &[String], dependency: Option<&str>) -> anyhow::Result<String> {
    let mut manifest: DocumentMut = text.parse()?;
    if let Some(list) = manifest["workspace"]["members"].as_array_mut() {
        for member in members {
            list.push(member);
        }
    }
    if let Some(line) = dependency {
        let line: DocumentMut = line.parse()?;
        let table = manifest.entry("dependencies").or_insert_with(toml_edit::table);
        for (name, item) in line.iter() {
            table[name] = item.clone();
        }
    }
    Ok(manifest.to_string())
}

/// The names of the dependencies by path in these tables.
pub fn path_dependencies(text: &str, tables: &[&str]) -> anyhow::Result<Vec<String>> {
    debug_assert!(tables.iter().all(|table| DEPENDENCIES.contains(table)));
    let manifest: DocumentMut = text.parse()?;
    let of = |table: &&str| manifest.get(table).and_then(Item::as_table_like);
    let entries = tables.iter().filter_map(of).flat_map(|table| table.iter());
    Ok(entries.filter(|(_, item)| has_path(item)).map(|(name, _)| name.to_owned()).collect())
}

/// True if the manifest has this table.
pub fn has_table(text: &str, table: &str) -> bool {
    text.parse::<DocumentMut>().is_ok_and(|manifest| manifest.contains_key(table))
}

/// The name of the package.
pub fn package_name(text: &str) -> Option<String> {
    let manifest: DocumentMut = text.parse().ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn has_path(dependency: &Item) -> bool {
    dependency.as_table_like().is_some_and(|table| table.contains_key("path"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAPTER: &str = r#"[package]
name = "events"
edition = "2024"

[package.metadata.chapter]
title = "Events"
runs = [{ name = "day", program = "events_run" }]

[features]
# Without it the crate is pure.
default = ["kafka"]
kafka = []

[dependencies]
serde = "1" # said once

[dev-dependencies]
logging = { path = "../logging" }
proptest = "1.12"

[[example]]
name = "events_run"
path = "examples/run.rs"

[[bin]]
name = "events"

[[test]]
name = "events_it"
"#;

    #[test]
    fn a_library_for_a_project_keeps_its_features_and_unit_test_dependencies() {
        insta::assert_snapshot!(for_project(CHAPTER, false).unwrap(), @r#"
        [package]
        name = "events"
        edition = "2024"

        [features]
        # Without it the crate is pure.
        default = ["kafka"]
        kafka = []

        [dependencies]
        serde = "1" # said once

        [dev-dependencies]
        proptest = "1.12"

        [[bin]]
        name = "events"
        "#);
    }

    #[test]
    fn with_tests_only_what_the_book_reads_goes() {
        let text = for_project(CHAPTER, true).unwrap();
        assert!(
            !text.contains("metadata") && text.contains("[[test]]") && text.contains("../logging"),
            "{text}"
        );
    }

    #[test]
    fn an_emptied_table_goes_too() {
        let text = for_project(&CHAPTER.replace("proptest = \"1.12\"\n", ""), false).unwrap();
        assert!(!text.contains("dev-dependencies"), "{text}");
    }

    #[test]
    fn path_dependencies_are_told_from_the_registrys() {
        let all = path_dependencies(CHAPTER, &DEPENDENCIES).unwrap();
        assert_eq!(all, ["logging"]);
        assert!(path_dependencies(CHAPTER, &["dependencies"]).unwrap().is_empty());
    }

    #[test]
    fn members_and_a_dependency_are_added_to_what_is_there() {
        let host = "[workspace]\nmembers = [\"a\"]\n\n[dependencies]\nserde = \"1\"\n";
        let text =
            add(host, &["events".to_owned()], Some("events = { path = \"events\" }")).unwrap();
        let manifest: DocumentMut = text.parse().unwrap();
        assert_eq!(manifest["workspace"]["members"].as_array().unwrap().len(), 2);
        assert_eq!(path_dependencies(&text, &["dependencies"]).unwrap(), ["events"]);
        assert!(text.contains("serde = \"1\""), "{text}");
    }

    #[test]
    fn a_workspace_has_our_profiles_but_those_of_the_books_tools() {
        let ours = "[workspace]\nmembers = [\"a\"]\n\n[profile.dev]\ndebug = \"line-tables-only\"\n\n\
                    [profile.dev.package.\"*\"]\ndebug = false\n\n[profile.dev.package.pulldown-cmark]\nopt-level = 2\n";
        let text = workspace(ours, &["events", "logging"]).unwrap();
        insta::assert_snapshot!(text, @r#"
        [workspace]
        members = ["events", "logging"]
        resolver = "3"

        [profile.dev]
        debug = "line-tables-only"

        [profile.dev.package."*"]
        debug = false
        "#);
    }
}
