//! From `tracing` to standard output: which lines are written, and in which form.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::ecs::{self, Stamp};
use crate::librdkafka;
use crate::line::{Fields, Level, Line, Value};
use crate::text::{self, Palette};

/// Installs the subscriber for the whole program: its log lines go to standard output from now on.
///
/// Three variables choose what is written:
/// - `LOG_FORMAT`: `text` (default) for people, `json` for machines.
/// - `RUST_LOG`: levels per target, `payment=debug,librdkafka=info` or `warn`; the default is `info`.
///   librdkafka's own lines are written from `warn` on unless its target is named.
/// - `NO_COLOR`: no colours, as when standard output is not a terminal.
///
/// `OTEL_SERVICE_NAME` names the service in lines without a field `process`; the default is the program's name.
///
/// When the reader of standard output goes away (`| head`), no further line is written, and nothing else changes: the
/// program flushes, leaves its group and ends as it would have. One that never ends by itself goes on, without a word:
/// end it with Ctrl-C, or limit its time (`timeout 10 program | head`).
///
/// # Errors
/// When a variable has a value that cannot be meant, or a subscriber is installed already.
pub fn init() -> Result<(), InitError> {
    let settings = Settings::read(
        |name| std::env::var(name).ok(),
        std::io::stdout().is_terminal(),
    )?;
    let subscriber = settings.subscriber(StandardOutput::default());
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| InitError::Twice)
}

/// Why the subscriber could not be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// `LOG_FORMAT` is neither `text` nor `json`.
    #[error(
        "LOG_FORMAT is `{0}`: set it to `text` or `json`, or leave it away"
    )]
    Format(String),
    /// `RUST_LOG` is no list of levels per target.
    #[error(
        "RUST_LOG is `{given}`: write levels per target, as in `info,librdkafka=debug`"
    )]
    Levels {
        /// What it was set to.
        given: String,
        /// What the parser objects to.
        source: ParseError,
    },
    /// A program has one subscriber.
    #[error(
        "log lines have a subscriber already: call `logging::init()` once, at the start of `main`"
    )]
    Twice,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Aligned text for people.
    Text {
        /// Whether with ANSI colours.
        colour: bool,
    },
    /// JSON by the Elastic Common Schema.
    Json,
}

/// What the environment asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How lines are written.
    pub form: Form,
    /// From which level on, per target.
    pub levels: Targets,
    /// `service.name` of lines that have no field `process`.
    pub service: String,
}

impl Settings {
    /// Reads the settings from variables. `terminal` says whether a person reads the output.
    ///
    /// # Errors
    /// As [`init`].
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        terminal: bool,
    ) -> Result<Self, InitError> {
        let variable =
            |name| variable(name).filter(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        let colour = terminal && !dumb && variable("NO_COLOR").is_none();
        let form = match variable("LOG_FORMAT").as_deref() {
            None | Some("text") => Form::Text { colour },
            Some("json") => Form::Json,
            Some(other) => return Err(InitError::Format(other.to_owned())),
        };
        let levels = levels(variable("RUST_LOG"))?;
        let service =
            variable("OTEL_SERVICE_NAME").unwrap_or_else(program_name);
        Ok(Settings { form, levels, service })
    }

    /// A subscriber that writes to `out`.
    pub fn subscriber(
        self,
        out: impl Write + Send + 'static,
    ) -> impl Subscriber + Send + Sync {
        let layer = Lines::new(self.form, self.service, out);
        // The levels stand above the layer, not inside it: so a line that is off is known to be off at its call
        // site, and costs one comparison.
        tracing_subscriber::registry().with(layer).with(self.levels)
    }
}

// ANCHOR: levels
fn levels(asked: Option<String>) -> Result<Targets, InitError> {
    let levels = Targets::new()
        .with_default(LevelFilter::INFO)
        // librdkafka, and the callbacks of its Rust client.
        .with_targets([(librdkafka::LIBRDKAFKA, LevelFilter::WARN)])
        .with_target("rdkafka", LevelFilter::WARN);
    let Some(given) = asked else { return Ok(levels) };
    let asked: Targets = match given.parse() {
        Ok(asked) => asked,
        Err(source) => return Err(InitError::Levels { given, source }),
    };
    let default = asked.default_level().unwrap_or(LevelFilter::INFO);
    Ok(levels.with_default(default).with_targets(asked))
}
// ANCHOR_END: levels

fn program_name() -> String {
    let program = std::env::args_os().next().unwrap_or_default();
    let stem =
        std::path::Path::new(&program).file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// Writes to standard output, until nobody reads it any more.
#[derive(Default)]
struct StandardOutput {
    closed: bool,
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match io::stdout().write_all(bytes) {
            // Who reads has seen enough; the program's own work is not done. To end it here, in the middle of any
            // call, would lose what its producers hold and report success.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed { Ok(()) } else { io::stdout().flush() }
    }
}

/// The layer that makes a [`Line`] of each event and writes it.
struct Lines {
    form: Form,
    service: String,
    output: Mutex<Output>,
}

struct Output {
    out: Box<dyn Write + Send>,
    palette: Palette,
    /// When the first line was written: its time is 0.
    first: Option<Instant>,
    /// Kept from line to line for its memory.
    buffer: String,
    complained: bool,
}

impl Lines {
    fn new(
        form: Form,
        service: String,
        out: impl Write + Send + 'static,
    ) -> Self {
        let output = Output {
            out: Box::new(out),
            palette: Palette::default(),
            first: None,
            buffer: String::new(),
            complained: false,
        };
        Lines { form, service, output: Mutex::new(output) }
    }

    fn write(&self, mut line: Line) {
        // The clock is read while the output is held: the order of the lines is the order of their times.
        let mut output =
            self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let output = &mut *output;
        output.buffer.clear();
        match self.form {
            Form::Text { colour } => {
                let now = Instant::now();
                let passed =
                    now.duration_since(*output.first.get_or_insert(now));
                line.t_ms =
                    u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
                let palette = colour.then_some(&mut output.palette);
                text::write_text(&line, palette, &mut output.buffer);
            }
            Form::Json => {
                let since_1970 = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                let micros = i64::try_from(since_1970.as_micros())
                    .unwrap_or(i64::MAX);
                let stamp = Stamp { micros, service: &self.service };
                ecs::write_json(&line, stamp, &mut output.buffer);
            }
        }
        let written = output.out.write_all(output.buffer.as_bytes());
        if let (Err(error), false) = (written, output.complained) {
            output.complained = true;
            // A log line that cannot be written must not end the program; nor may it vanish without a word.
            let _ = writeln!(
                io::stderr(),
                "log lines cannot be written: {error}"
            );
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(
        &self,
        attributes: &Attributes<'_>,
        id: &Id,
        context: Context<'_, S>,
    ) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::new();
        attributes
            .record(&mut Taker { fields: &mut fields, message: None });
        span.extensions_mut().insert(fields);
    }

    fn on_record(
        &self,
        id: &Id,
        values: &Record<'_>,
        context: Context<'_, S>,
    ) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(&mut Taker { fields, message: None });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::new();
        // From the outermost span inwards, then the line: the nearest value wins.
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                for (name, value) in of_span.iter() {
                    fields.set(name, value.clone());
                }
            }
        }
        let mut message = String::new();
        event.record(&mut Taker {
            fields: &mut fields,
            message: Some(&mut message),
        });
        let target = metadata.target();
        let mut line = Line {
            t_ms: 0,
            level: level(*metadata.level()),
            target: target.to_owned(),
            message,
            fields,
        };
        if librdkafka::is_from_client(target) {
            librdkafka::take_apart(&mut line);
        }
        if target == crate::RUN && line.process().is_none() {
            line.fields.set("process", self.service.as_str());
        }
        self.write(line);
    }
}

fn level(level: tracing::Level) -> Level {
    match level {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::ERROR => Level::Error,
    }
}

/// Takes the fields of a line or a span.
struct Taker<'a> {
    fields: &'a mut Fields,
    message: Option<&'a mut String>,
}

impl Taker<'_> {
    fn take(&mut self, field: &Field, value: impl Into<Value>) {
        match (field.name(), &mut self.message) {
            ("message", Some(message)) => {
                **message = value.into().to_string()
            }
            (name, _) => self.fields.set(ecs::short_name(name), value),
        }
    }
}

impl Visit for Taker<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value);
    }

    fn record_error(
        &mut self,
        field: &Field,
        error: &(dyn std::error::Error + 'static),
    ) {
        // The chain: the cause is what helps.
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.take(field, text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests;
