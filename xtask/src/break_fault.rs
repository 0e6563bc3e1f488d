//! `cargo xtask break`: causes a fault of a chapter, and says what it was.

use std::process::ExitCode;

use crate::list::table;
use crate::project::{Chapter, Fault, Project, without_the_word_chapter};
use crate::run;
use crate::say::Usage;

/// What `break` takes.
#[derive(clap::Args)]
#[command(
    override_usage = "cargo xtask break [chapter] CHAPTER [FAULT] [OPTIONS]",
    after_help = "Examples:\n  \
        cargo xtask break quickstart              what can go wrong in it\n  \
        cargo xtask break quickstart forgotten    cause it: what to watch for, the run, why, and the cure\n\n\
        Nothing of yours is broken: the program that fails is the chapter's, and so is its Kafka."
)]
pub struct Args {
    /// A chapter by number, slug or unique part of a slug; then the name of one of its faults
    #[arg(required = true, num_args = 1..=3, value_name = "CHAPTER [FAULT]")]
    words: Vec<String>,
    #[command(flatten)]
    options: run::Options,
}

/// Causes the fault; without one, lists those of the chapter.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    match without_the_word_chapter(&args.words) {
        [chapter] => {
            print!("{}", list(project.chapter(chapter)?)?);
            Ok(ExitCode::SUCCESS)
        }
        [chapter, fault] => {
            let chapter = project.chapter(chapter)?;
            cause(project, chapter, chapter.fault(fault)?, &args.options)
        }
        words => Err(Usage::error(format!(
            "{:?} is one word too many: cargo xtask break CHAPTER [FAULT]",
            words.join(" ")
        ))),
    }
}

/// The exit code is 0 once the program has run: that it fails may be the fault itself.
fn cause(
    project: &Project,
    chapter: &Chapter,
    fault: &Fault,
    options: &run::Options,
) -> anyhow::Result<ExitCode> {
    let broken = chapter.run(Some(&fault.run))?;
    run::refuse_what_is_not_taken(chapter, broken, options)?;
    println!("Watch for this: {}\n", fault.symptom);
    let status = run::start(project, chapter, broken, options, &[])?;
    println!("\n{}", explanation(fault));
    // 130 and 143: somebody ended it.
    let ended = [130, 143].contains(&crate::child::code(status));
    Ok(if ended { crate::child::exit_code(status) } else { ExitCode::SUCCESS })
}

fn explanation(fault: &Fault) -> String {
    format!("Why:      {}\nThe cure: {}\nThe step: book/{}", fault.cause, fault.fix, fault.step)
}

fn list(chapter: &Chapter) -> anyhow::Result<String> {
    if chapter.faults.is_empty() {
        return Err(Usage::error(format!(
            "chapter {:?} has no fault to cause: `cargo xtask run {}` runs it as it is",
            chapter.slug, chapter.slug
        )));
    }
    let header = ["Fault", "What you see"].map(str::to_owned);
    let rows: Vec<[String; 2]> =
        chapter.faults.iter().map(|fault| [fault.name.clone(), fault.symptom.clone()]).collect();
    Ok(format!(
        "{}\nCause one: cargo xtask break {} {}\n",
        table(&header, &rows),
        chapter.slug,
        rows[0][0]
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const FAULTY: &str = "[package]\nname = \"a\"\n[package.metadata.chapter]\n\
        runs = [{ name = \"r\", program = \"a_run\" }]\nfaults = [\n\
        { name = \"lost\", run = \"r\", symptom = \"The topic is empty.\", cause = \"Nobody waits.\", \
        fix = \"Wait.\", step = \"p/a.md#wait\", test = \"faults::lost\" },\n]\n";

    #[test]
    fn the_faults_of_a_chapter_are_listed_with_what_is_seen() {
        let chapter = Chapter::parse(FAULTY, Path::new(".")).unwrap();
        insta::assert_snapshot!(list(&chapter).unwrap(), @r"
        Fault  What you see
        lost   The topic is empty.

        Cause one: cargo xtask break a lost
        ");
        insta::assert_snapshot!(explanation(&chapter.faults[0]), @r"
        Why:      Nobody waits.
        The cure: Wait.
        The step: book/p/a.md#wait
        ");
    }

    #[test]
    fn an_unknown_fault_is_answered_with_the_known() {
        let chapter = Chapter::parse(FAULTY, Path::new(".")).unwrap();
        let said = chapter.fault("lots").unwrap_err();
        assert!(said.is::<Usage>());
        assert_eq!(
            said.to_string(),
            "chapter \"a\" has no fault \"lots\": did you mean \"lost\"? It has lost"
        );
        let none = Chapter::parse("[package]\nname = \"a\"\n", Path::new(".")).unwrap();
        assert!(list(&none).unwrap_err().to_string().contains("has no fault to cause"));
    }
}
