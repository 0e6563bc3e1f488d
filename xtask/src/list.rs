//! `cargo xtask list`: the chapters, and what runs here.

use std::process::ExitCode;

use testbed::kind::{self, BrokerChoice};
use testbed::machine::Machine;

use crate::project::{Chapter, Project};
use crate::say::Spinner;

/// What `list` takes.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask list\n  cargo xtask list --runs    every run of every chapter"
)]
pub struct Args {
    /// Show each chapter's runs, too
    #[arg(long)]
    runs: bool,
}

/// Prints the table.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let machine = {
        let _spinner = Spinner::start("Looking at this machine");
        Machine::probe()
    };
    let header = ["", "Chapter", "Question", "Minutes", "Needs", "Here"].map(str::to_owned);
    let rows: Vec<[String; 6]> =
        project.chapters.iter().map(|chapter| row(chapter, &machine)).collect();
    print!("{}", table(&header, &rows));
    if args.runs {
        for chapter in &project.chapters {
            println!("\n{}", chapter.slug);
            for run in &chapter.runs {
                println!("  cargo xtask run {} {:12} {}", chapter.slug, run.name, run.says());
            }
        }
    }
    let back: Vec<String> =
        project.chapters.iter().filter_map(|chapter| held_back(chapter, &machine)).collect();
    if !back.is_empty() {
        println!("\n{}\n`cargo xtask doctor` says more.", back.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(chapter: &Chapter, machine: &Machine) -> [String; 6] {
    let mut needs: Vec<String> = Vec::new();
    for need in chapter.runs.iter().flat_map(|run| run.needs.iter()) {
        if !needs.contains(&need.to_string()) {
            needs.push(need.to_string());
        }
    }
    let able = chapter.runs.iter().filter(|run| serves(run, machine).is_ok()).count();
    let here = match able {
        _ if able == chapter.runs.len() => "yes".to_owned(),
        0 => "no".to_owned(),
        _ => format!("{able} of {} runs", chapter.runs.len()),
    };
    [
        chapter.number_text(),
        chapter.slug.clone(),
        chapter.question().to_owned(),
        chapter.minutes().to_string(),
        needs.join(", "),
        here,
    ]
}

/// The kind of broker that a run gets here, or why it gets none.
pub fn serves(run: &crate::project::Run, machine: &Machine) -> Result<kind::Kind, kind::NoBroker> {
    kind::choose(&BrokerChoice::Auto, &run.needs, || machine.clone())
}

fn held_back(chapter: &Chapter, machine: &Machine) -> Option<String> {
    let (run, error) =
        chapter.runs.iter().find_map(|run| serves(run, machine).err().map(|error| (run, error)))?;
    Some(format!("{} {}: {error}", chapter.slug, run.name))
}

/// Columns as wide as their widest cell.
pub fn table<const N: usize>(header: &[String; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        std::iter::once(header)
            .chain(rows)
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in std::iter::once(header).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_characters_not_bytes() {
        let text = table(
            &["A".into(), "B".into()],
            &[["über".into(), "x".into()], ["abc".into(), "y".into()]],
        );
        assert_eq!(text, "A     B\nüber  x\nabc   y\n");
    }
}
