//! The law that Kafka's version stands once.

use toml_edit::DocumentMut;

use super::Finding;
use super::tree::{File, Tree};

/// Where testbed says which Kafka it starts.
const CONSTANT: &str = "chapters/testbed/src/version.rs";

/// `[workspace.metadata.kafka]` is the source; testbed's constant and docker-compose.yml follow.
///
/// They are not generated from it, because a copied chapter has neither workspace nor build script.
pub fn kafka(tree: &Tree) -> Vec<Finding> {
    let Some((version, image)) = source(tree) else {
        let what = "no [workspace.metadata.kafka] with version and image";
        return vec![Finding::new(
            "Cargo.toml",
            1,
            what,
            "add it: it is the one source of Kafka's version",
        )];
    };
    let mut findings = Vec::new();
    if let Some(text) = tree.text(CONSTANT) {
        let file = File { path: CONSTANT, text };
        let wanted = format!("pub const KAFKA: &str = \"{version}\";");
        if !text.contains(&wanted) {
            let what = "another Kafka version than in [workspace.metadata.kafka]";
            findings.push(Finding::new(
                CONSTANT,
                file.line_of("KAFKA"),
                what,
                format!("write `{wanted}`"),
            ));
        }
    }
    if let Some(text) = tree.text("docker-compose.yml") {
        let file = File { path: "docker-compose.yml", text };
        for (number, line) in file.lines() {
            let Some(named) = line.trim().strip_prefix("image:").map(str::trim) else { continue };
            let is_kafka = named
                .strip_prefix(&*image)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@', '-']));
            if is_kafka && named != format!("{image}:{version}") {
                let what = format!("the image {named}");
                findings.push(Finding::new(
                    file.path,
                    number,
                    what,
                    format!("write {image}:{version}"),
                ));
            }
        }
    }
    findings
}

fn source(tree: &Tree) -> Option<(String, String)> {
    let manifest: DocumentMut = tree.text("Cargo.toml")?.parse().ok()?;
    let kafka = manifest.get("workspace")?.get("metadata")?.get("kafka")?;
    let text = |key: &str| kafka.get(key)?.as_str().map(str::to_owned);
    Some((text("version")?, text("image")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: (&str, &str) = (
        "Cargo.toml",
        "[workspace.metadata.kafka]\nversion = \"4.3.1\"\nimage = \"apache/kafka\"\n",
    );

    fn lines(files: &[(&str, &str)]) -> Vec<String> {
        kafka(&Tree::of(files))
            .iter()
            .map(|finding| format!("{}:{}", finding.path, finding.line))
            .collect()
    }

    #[test]
    fn constant_and_images_follow_the_workspace() {
        let good = [
            SOURCE,
            (CONSTANT, "pub const KAFKA: &str = \"4.3.1\";\n"),
            (
                "docker-compose.yml",
                "services:\n  kafka:\n    image: apache/kafka:4.3.1\n  ui:\n    image: other/ui:1\n",
            ),
        ];
        assert!(lines(&good).is_empty());
        let older = [
            SOURCE,
            (CONSTANT, "//! Versions.\npub const KAFKA: &str = \"4.0.0\";\n"),
            (
                "docker-compose.yml",
                "image: apache/kafka:4.3.1\nimage: apache/kafka:latest\nimage: apache/kafka\nimage: apache/kafka-native:4.3.1\n",
            ),
        ];
        assert_eq!(
            lines(&older),
            [
                format!("{CONSTANT}:2"),
                "docker-compose.yml:2".into(),
                "docker-compose.yml:3".into(),
                "docker-compose.yml:4".into()
            ]
        );
    }

    #[test]
    fn without_a_source_nothing_can_agree() {
        assert_eq!(lines(&[("Cargo.toml", "[workspace]\n")]), ["Cargo.toml:1"]);
    }
}
