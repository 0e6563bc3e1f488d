//! The README's picture of a first run: generated from the output that a test compares.

use anyhow::Context;

use super::Finding;
use super::tree::Tree;
use crate::project::Project;

/// Where the picture stands.
pub const PICTURE: &str = "book/images/first-run.svg";

/// What the first program prints; a test of the chapter holds this file to the program.
const OUTPUT: &str = "chapters/quickstart/tests/it/output/first.txt";

const LINE_HEIGHT: usize = 22;
const COLUMN_WIDTH: f64 = 8.43;
const MARGIN: usize = 20;

/// The picture is the generated one.
pub fn is_generated(tree: &Tree) -> Vec<Finding> {
    let Some(output) = tree.text(OUTPUT) else {
        // A project without this chapter has no such picture.
        return Vec::new();
    };
    if tree.text(PICTURE) == Some(picture(output).as_str()) {
        return Vec::new();
    }
    let what = format!("the picture does not show what {OUTPUT} holds");
    vec![Finding::new(PICTURE, 1, what, "write it by `cargo xtask tidy --fix`")]
}

/// Writes the picture again, and gives its path if it changed.
pub fn write(project: &Project) -> anyhow::Result<Option<String>> {
    let Ok(output) = std::fs::read_to_string(project.root.join(OUTPUT)) else {
        return Ok(None);
    };
    let path = project.root.join(PICTURE);
    let wanted = picture(&output);
    if std::fs::read_to_string(&path).is_ok_and(|text| text == wanted) {
        return Ok(None);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    std::fs::write(&path, wanted)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Some(PICTURE.to_owned()))
}

/// A terminal with the command and what it prints, line after line, as an SVG that moves by
/// itself, and stands still for who prefers that.
pub fn picture(output: &str) -> String {
    let mut lines = vec![
        ("prompt", "$ cargo xtask run chapter 1".to_owned()),
        ("note", "Broker: built in.".to_owned()),
    ];
    lines.extend(output.lines().map(|line| ("", line.trim_end().to_owned())));
    let columns = lines.iter().map(|(_, line)| line.chars().count()).max().unwrap_or(0).max(60);
    let width = 2 * MARGIN + (columns as f64 * COLUMN_WIDTH).ceil() as usize;
    let height = 2 * MARGIN + lines.len() * LINE_HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title\">\n\
         <title id=\"title\">The first run: an order is acknowledged and consumed</title>\n\
         <style>\n\
         rect {{ fill: #15191f; }}\n\
         text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; \
         fill: #d7dce2; white-space: pre; animation: appear 0.2s both; }}\n\
         .prompt {{ fill: #8fd6a5; }}\n\
         .note {{ fill: #8b95a3; }}\n\
         @keyframes appear {{ from {{ opacity: 0; }} }}\n\
         @media (prefers-reduced-motion: reduce) {{ text {{ animation: none; }} }}\n\
         </style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n"
    );
    for (n, (class, line)) in lines.iter().enumerate() {
        let y = MARGIN + n * LINE_HEIGHT + 15;
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        // The command stands there at once; what it prints follows.
        let delay = if n == 0 { 0.0 } else { 0.6 + 0.3 * n as f64 };
        svg.push_str(&format!(
            "<text{class} x=\"{MARGIN}\" y=\"{y}\" style=\"animation-delay:{delay:.1}s\">{}</text>\n",
            escape(line)
        ));
    }
    svg.push_str("</svg>\n");
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_something_else_is_found() {
        let sound = picture("INFO sent\n");
        let files = [(OUTPUT, "INFO sent\n"), (PICTURE, sound.as_str())];
        assert_eq!(is_generated(&Tree::of(&files)), []);
        let stale = [(OUTPUT, "INFO lost\n"), (PICTURE, sound.as_str())];
        assert_eq!(is_generated(&Tree::of(&stale)).len(), 1);
        assert_eq!(is_generated(&Tree::of(&files[..1])).len(), 1);
    }

    #[test]
    fn the_picture_shows_the_command_and_each_line() {
        let svg = picture(" INFO a: \"2 mugs\"\n WARN <b> & c\n");
        assert!(svg.contains(">$ cargo xtask run chapter 1</text>"), "{svg}");
        assert!(svg.contains("> INFO a: \"2 mugs\"</text>"), "{svg}");
        assert!(svg.contains("> WARN &lt;b&gt; &amp; c</text>"), "{svg}");
        assert_eq!(svg.matches("<text").count(), 4);
    }
}
