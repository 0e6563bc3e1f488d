//! `cargo xtask exercise`: the reader's own work, in copies that git ignores.
//!
//! An exercise stands in its chapter, `chapters/<slug>/exercises/<name>/`: `exercise.toml` says what is to be done,
//! `starter/` is what the reader begins with, `solution/` holds the files in which the solution differs, and
//! `check/main.rs` is the program that looks at what the reader made and says what it saw.

mod catalog;
mod check;
mod difference;
mod progress;
mod proof;
mod watch;
mod workbench;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use self::catalog::{Catalog, Exercise};
use self::check::Verdict;
use self::progress::{Progress, State};
use crate::list::table;
use crate::project::Project;
use crate::say::Usage;

pub use proof::prove;

/// What `exercise` takes.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask exercise list                     what there is, and what you have done\n  \
    cargo xtask exercise start forgotten          your copy, in my-exercises/quickstart-forgotten\n  \
    cargo xtask exercise check                    the one that you started last\n  \
    cargo xtask exercise watch                    check it each time you save, until Ctrl-C\n  \
    cargo xtask exercise hint                     the next of three hints\n  \
    cargo xtask exercise solution                 what to change in your copy\n\n\
    An exercise is named as its page names it, quickstart/forgotten, or by a part that no other has.\n\
    Inside its folder, or right after it was started, it needs no name.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List the exercises: which are new, started and done
    List,
    /// Make your copy of an exercise and say what is to be done
    Start {
        /// The exercise
        exercise: String,
    },
    /// Check your copy
    Check {
        /// The exercise [default: the one around this folder, else the last]
        exercise: Option<String>,
    },
    /// Check your copy each time you save it, until Ctrl-C
    Watch {
        /// The exercise [default: the one around this folder, else the last]
        exercise: Option<String>,
    },
    /// Show the next of three hints
    Hint {
        /// The exercise [default: the one around this folder, else the last]
        exercise: Option<String>,
    },
    /// Show how your copy becomes the solution
    Solution {
        /// The exercise [default: the one around this folder, else the last]
        exercise: Option<String>,
    },
    /// Begin again: your copy is moved aside, not removed
    Reset {
        /// The exercise
        exercise: String,
    },
}

/// Does what was asked.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let desk = Desk {
        project,
        catalog: Catalog::read(project)?,
        progress: Progress::read(&workbench::copies(project))?,
    };
    match args.verb {
        Verb::List => desk.list(),
        Verb::Start { exercise } => desk.start(&exercise),
        Verb::Check { exercise } => desk.check(exercise.as_deref()),
        Verb::Watch { exercise } => desk.watch(exercise.as_deref()),
        Verb::Hint { exercise } => desk.hint(exercise.as_deref()),
        Verb::Solution { exercise } => desk.solution(exercise.as_deref()),
        Verb::Reset { exercise } => desk.reset(&exercise),
    }
}

/// Everything that a command looks at.
struct Desk<'a> {
    project: &'a Project,
    catalog: Catalog,
    progress: Progress,
}

impl Desk<'_> {
    fn list(&self) -> anyhow::Result<ExitCode> {
        let header = ["Exercise", "Kind", "State", "Title"].map(str::to_owned);
        let row = |exercise: &Exercise| {
            let state = match (self.progress.of(&exercise.id).done, self.is_started(exercise)) {
                (true, _) => "done",
                (false, true) => "started",
                (false, false) => "new",
            };
            [
                exercise.id.clone(),
                exercise.says.kind.to_string(),
                state.to_owned(),
                exercise.says.title.clone(),
            ]
        };
        let rows: Vec<[String; 4]> = self.catalog.iter().map(row).collect();
        print!("{}", table(&header, &rows));
        Ok(ExitCode::SUCCESS)
    }

    fn start(mut self, word: &str) -> anyhow::Result<ExitCode> {
        let exercise = self.catalog.find(word)?.clone();
        if self.is_started(&exercise) {
            return Err(Usage::error(format!(
                "{} exists, and your work is not overwritten: go on there, or begin again with \
                 `cargo xtask exercise reset {}`, which moves it aside",
                self.shown(&workbench::copy_of(self.project, &exercise)),
                exercise.id
            )));
        }
        self.begin(&exercise)
    }

    fn reset(mut self, word: &str) -> anyhow::Result<ExitCode> {
        let exercise = self.catalog.find(word)?.clone();
        self.started(&exercise)?;
        let old = workbench::move_aside(self.project, &exercise)?;
        println!("Your work is now in {}.\n", self.shown(&old));
        self.begin(&exercise)
    }

    fn begin(&mut self, exercise: &Exercise) -> anyhow::Result<ExitCode> {
        let folder = workbench::make(self.project, exercise)?;
        self.progress.set(&exercise.id, State::default())?;
        let page = self.project.chapter(&exercise.slug)?.pages.first();
        let page = page.map(|page| format!("The page:  book/{}\n", page.path)).unwrap_or_default();
        println!(
            "{}: {}\n\n{}\n\nYour copy: {}\n{page}Check it:  cargo xtask exercise check\n\
             On saving: cargo xtask exercise watch\nStuck?     cargo xtask exercise hint",
            exercise.id,
            exercise.says.title,
            exercise.says.task.trim(),
            self.shown(&folder),
        );
        Ok(ExitCode::SUCCESS)
    }

    fn check(mut self, word: Option<&str>) -> anyhow::Result<ExitCode> {
        let exercise = self.named(word)?;
        let passed = self.check_once(&exercise)?;
        Ok(ExitCode::from(u8::from(!passed)))
    }

    fn watch(mut self, word: Option<&str>) -> anyhow::Result<ExitCode> {
        let exercise = self.named(word)?;
        let folder = workbench::copy_of(self.project, &exercise);
        let shown = self.shown(&folder);
        watch::each_save(&folder, || {
            self.check_once(&exercise)?;
            println!("\nSave a file in {shown}, and it is checked again. Ctrl-C ends this.\n");
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Checks, says what comes next, and writes down what was reached.
    fn check_once(&mut self, exercise: &Exercise) -> anyhow::Result<bool> {
        let folder = self.started(exercise)?;
        let before = self.progress.of(&exercise.id);
        let verdict = check::run(self.project, &folder)?;
        let done = before.done || verdict == Verdict::Passed;
        let hints = before.hints;
        self.progress.set(&exercise.id, State { done, hints })?;
        match verdict {
            Verdict::Passed => println!(
                "{}: done.\n\n{}\n\n{}",
                exercise.id,
                exercise.says.why.trim(),
                self.next(exercise)
            ),
            Verdict::Failed => println!("\nNot yet. {}", hint_left(hints)),
            Verdict::DoesNotCompile => println!("\nIt does not compile yet: see above."),
        }
        Ok(verdict == Verdict::Passed)
    }

    fn next(&self, exercise: &Exercise) -> String {
        match self.catalog.next(exercise, |id| self.progress.of(id).done) {
            Some(next) => format!(
                "Next: {}, {:?}: cargo xtask exercise start {}",
                next.id, next.says.title, next.id
            ),
            None => "That was the last: all exercises are done.".to_owned(),
        }
    }

    fn hint(mut self, word: Option<&str>) -> anyhow::Result<ExitCode> {
        let exercise = self.named(word)?;
        self.started(&exercise)?;
        let state = self.progress.of(&exercise.id);
        match exercise.says.hints.get(state.hints) {
            Some(hint) => {
                println!("Hint {} of 3: {}", state.hints + 1, hint.trim());
                self.progress.set(&exercise.id, State { hints: state.hints + 1, ..state })?;
            }
            None => {
                for (at, hint) in exercise.says.hints.iter().enumerate() {
                    println!("Hint {} of 3: {}", at + 1, hint.trim());
                }
                println!("\n{}", hint_left(state.hints));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn solution(self, word: Option<&str>) -> anyhow::Result<ExitCode> {
        let exercise = self.named(word)?;
        let folder = self.started(&exercise)?;
        match difference::to_solution(&exercise, &folder)?.as_str() {
            "" => println!("Your copy is the solution, to the letter."),
            text => print!("{text}"),
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The exercise of this name; without one that around the current folder, else the last.
    fn named(&self, word: Option<&str>) -> anyhow::Result<Exercise> {
        if let Some(word) = word {
            return self.catalog.find(word).cloned();
        }
        let here = std::env::current_dir().context("the current folder cannot be read")?;
        let around = |one: &&Exercise| {
            let copy = workbench::copy_of(self.project, one);
            copy.canonicalize().is_ok_and(|copy| here.starts_with(copy))
        };
        let last = || self.catalog.iter().find(|one| Some(one.id.as_str()) == self.progress.last());
        self.catalog.iter().find(around).or_else(last).cloned().ok_or_else(|| {
            Usage::error(
                "which exercise? None is started; `cargo xtask exercise list` shows them all",
            )
        })
    }

    fn is_started(&self, exercise: &Exercise) -> bool {
        workbench::copy_of(self.project, exercise).is_dir()
    }

    /// The reader's copy, which must be there.
    fn started(&self, exercise: &Exercise) -> anyhow::Result<PathBuf> {
        if !self.is_started(exercise) {
            return Err(Usage::error(format!(
                "{} is not started: `cargo xtask exercise start {}` makes your copy",
                exercise.id, exercise.id
            )));
        }
        Ok(workbench::copy_of(self.project, exercise))
    }

    /// A path as one would type it in the repository.
    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.project.root).unwrap_or(path).display().to_string()
    }
}

/// What to do when it does not work.
fn hint_left(shown: usize) -> &'static str {
    match shown {
        0 => "`cargo xtask exercise hint` gives the first of three hints.",
        1 | 2 => "`cargo xtask exercise hint` gives the next hint.",
        _ => "All hints are shown; `cargo xtask exercise solution` shows what to change.",
    }
}
