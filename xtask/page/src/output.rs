//! What is shown below the fields: a few kinds of block, drawn by `book/widgets/try.js`.

use crate::json::{laid_out, list, object, string};
use crate::lines::NumberedLine;

/// Blocks, shown from top to bottom. In JSON: `{"blocks": […]}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    blocks: Vec<Block>,
}

/// One block; in JSON its `kind` says which. All of them are values: the page decides how they look.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text {
        /// Plain text.
        text: String,
    },
    /// What is wrong with the inputs, each beside its field.
    Errors {
        /// In the order of the text.
        errors: Vec<ErrorAt>,
    },
    /// A JSON text as it is to be read.
    Json {
        /// What it is.
        title: String,
        /// Laid out already.
        text: String,
    },
    /// Rows and columns.
    Table {
        /// What it is.
        title: String,
        /// The columns.
        columns: Vec<Column>,
        /// The cells of each row, one a column.
        rows: Vec<Vec<String>>,
    },
    /// Amounts as bars, so that they can be compared at a glance.
    Bars {
        /// What they are.
        title: String,
        /// One below the other; the page scales them to the longest.
        bars: Vec<Bar>,
    },
    /// What the core said, as a recording keeps it, but for the time.
    Lines {
        /// The lines with their fields.
        lines: Vec<NumberedLine>,
    },
}

/// Something wrong in an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorAt {
    /// The input's name.
    pub input: String,
    /// The path of the field, such as `data.items[0].quantity`; empty for the whole input.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The line of the input in which it stands, from 1, where that is known.
    pub line: Option<usize>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// True for amounts, which are compared digit by digit and so stand at the right.
    pub amount: bool,
}

/// An amount, or what lies between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Whose amount it is.
    pub label: String,
    /// Where the bar begins: 0 for an amount.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// What is written beside it.
    pub text: String,
}

impl Bar {
    /// An amount, written as a number.
    pub fn amount(label: impl Into<String>, amount: u64) -> Self {
        Self { label: label.into(), from: 0, to: amount, text: amount.to_string() }
    }
}

impl Column {
    /// A column of words.
    pub fn words(name: &str) -> Self {
        Self { name: name.to_owned(), amount: false }
    }

    /// A column of amounts.
    pub fn amounts(name: &str) -> Self {
        Self { name: name.to_owned(), amount: true }
    }
}

impl Output {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more block.
    #[must_use]
    pub fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// A paragraph.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.block(Block::Text { text: text.into() })
    }

    /// What is wrong with the inputs.
    #[must_use]
    pub fn errors(self, errors: impl IntoIterator<Item = ErrorAt>) -> Self {
        self.block(Block::Errors { errors: errors.into_iter().collect() })
    }

    /// A JSON text, which is laid out for people.
    #[must_use]
    pub fn json(self, title: &str, text: &str) -> Self {
        self.block(Block::Json { title: title.to_owned(), text: laid_out(text) })
    }

    /// A table.
    #[must_use]
    pub fn table(self, title: &str, columns: Vec<Column>, rows: Vec<Vec<String>>) -> Self {
        self.block(Block::Table { title: title.to_owned(), columns, rows })
    }

    /// Amounts as bars.
    #[must_use]
    pub fn bars(self, title: impl Into<String>, bars: impl IntoIterator<Item = Bar>) -> Self {
        self.block(Block::Bars { title: title.into(), bars: bars.into_iter().collect() })
    }

    /// The answer that the page gets.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        object(&mut out, |answer| answer.list("blocks", &self.blocks, Block::write));
        out
    }
}

impl Block {
    fn write(&self, out: &mut String) {
        object(out, |block| match self {
            Self::Text { text } => {
                block.text("kind", "text");
                block.text("text", text);
            }
            Self::Errors { errors } => {
                block.text("kind", "errors");
                block.list("errors", errors, ErrorAt::write);
            }
            Self::Json { title, text } => {
                block.text("kind", "json");
                block.text("title", title);
                block.text("text", text);
            }
            Self::Table { title, columns, rows } => {
                block.text("kind", "table");
                block.text("title", title);
                block.list("columns", columns, Column::write);
                block.list("rows", rows, |cells, out| {
                    list(out, cells, |text, out| string(out, text));
                });
            }
            Self::Bars { title, bars } => {
                block.text("kind", "bars");
                block.text("title", title);
                block.list("bars", bars, Bar::write);
            }
            Self::Lines { lines } => {
                block.text("kind", "lines");
                block.list("lines", lines, NumberedLine::write);
            }
        });
    }
}

impl ErrorAt {
    fn write(&self, out: &mut String) {
        object(out, |error| {
            error.text("input", &self.input);
            error.text("path", &self.path);
            error.text("message", &self.message);
            if let Some(line) = self.line {
                error.member("line", |out| out.push_str(&line.to_string()));
            }
        });
    }
}

impl Bar {
    fn write(&self, out: &mut String) {
        object(out, |bar| {
            bar.text("label", &self.label);
            bar.member("from", |out| out.push_str(&self.from.to_string()));
            bar.member("to", |out| out.push_str(&self.to.to_string()));
            bar.text("text", &self.text);
        });
    }
}

impl Column {
    fn write(&self, out: &mut String) {
        object(out, |column| {
            column.text("name", &self.name);
            column.member("amount", |out| out.push_str(if self.amount { "true" } else { "false" }));
        });
    }
}
