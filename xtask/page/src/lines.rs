//! What a core says by `tracing`, as lines with numbers: there is no clock in a module.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use logging::{Fields, Level, RUN, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::json::{object, string};

/// A line as a recording keeps it, with `n` where that has the time.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberedLine {
    /// Its place among the lines of one call, from 1.
    pub n: usize,
    /// How much it matters; left out where that is `info`.
    pub level: Level,
    /// What happened.
    pub message: String,
    /// The particulars.
    pub fields: Fields,
}

impl NumberedLine {
    pub(crate) fn write(&self, out: &mut String) {
        object(out, |line| {
            line.member("n", |out| out.push_str(&self.n.to_string()));
            if self.level != Level::Info {
                line.text("level", self.level.as_str());
            }
            line.text("message", &self.message);
            for (name, value) in self.fields.iter() {
                line.member(name, |out| match value {
                    Value::Text(text) => string(out, text),
                    // With a point or an exponent, as JSON has it; what is not finite came as a text.
                    Value::Float(number) => out.push_str(&format!("{number:?}")),
                    Value::Int(_) | Value::Bool(_) => out.push_str(&value.to_string()),
                });
            }
        });
    }
}

/// Runs `work`, and gives beside its result every line of target `run` that it wrote.
pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, Vec<NumberedLine>) {
    let collected = Collector::default();
    let result = tracing::subscriber::with_default(collected.clone(), work);
    let lines = std::mem::take(&mut collected.state().lines);
    (result, lines)
}

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lines: Vec<NumberedLine>,
    /// The fields of each span; a span's id is its place, from 1.
    spans: Vec<Fields>,
    /// The places of the spans that are entered, the innermost last.
    entered: Vec<usize>,
}

impl Collector {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Spans of any target: they lend their fields to the lines inside.
        metadata.is_span() || metadata.target() == RUN
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::new();
        attributes.record(&mut Taker { fields: &mut fields, message: None });
        let mut state = self.state();
        state.spans.push(fields);
        Id::from_u64(state.spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        if let Some(fields) = self.state().spans.get_mut(place(id)) {
            values.record(&mut Taker { fields, message: None });
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut state = self.state();
        let mut fields = Fields::new();
        // From the outermost span inwards, then the line: the nearest value wins.
        for span in state.entered.iter().filter_map(|at| state.spans.get(*at)) {
            for (name, value) in span.iter() {
                fields.set(name, value.clone());
            }
        }
        let mut message = String::new();
        event.record(&mut Taker { fields: &mut fields, message: Some(&mut message) });
        let level = Level::parse(event.metadata().level().as_str()).unwrap_or_default();
        let n = state.lines.len() + 1;
        state.lines.push(NumberedLine { n, level, message, fields });
    }

    fn enter(&self, id: &Id) {
        self.state().entered.push(place(id));
    }

    fn exit(&self, id: &Id) {
        let mut state = self.state();
        if let Some(at) = state.entered.iter().rposition(|entered| *entered == place(id)) {
            state.entered.remove(at);
        }
    }
}

fn place(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap_or_default().saturating_sub(1)
}

/// Takes the fields of a line or a span.
struct Taker<'a> {
    fields: &'a mut Fields,
    message: Option<&'a mut String>,
}

impl Taker<'_> {
    fn take(&mut self, field: &Field, value: impl Into<Value>) {
        match (field.name(), &mut self.message) {
            ("message", Some(message)) => **message = value.into().to_string(),
            // Cores use the short names. For the long ones of the Elastic Common Schema, which `logging` translates,
            // each module would carry that schema's table.
            (name, _) => self.fields.set(name.strip_prefix("r#").unwrap_or(name), value),
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

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing::{info, info_span, warn};

    use super::*;

    fn json(line: &NumberedLine) -> String {
        let mut out = String::new();
        line.write(&mut out);
        out
    }

    #[test]
    fn lines_of_a_run_are_numbered_and_take_the_fields_of_their_spans() {
        let (result, lines) = during(|| {
            let shop = info_span!("shop", process = "shop", user = tracing::field::Empty);
            let _in_shop = shop.enter();
            info!(target: "run", partition = 1, offset = 34_u64, "acknowledged");
            shop.record("user", "quiet-otter-17");
            {
                let _inner = info_span!("packer", process = "packer-1").entered();
                warn!(target: "run", late = true, r#type = "order_placed", share = 0.5, why = ?Some(3), "lost");
            }
            info!("a line of another target");
            info!(target: "run", "stopped");
            7
        });
        assert_eq!(result, 7);
        assert_eq!(
            lines.iter().map(json).collect::<Vec<_>>(),
            [
                r#"{"n":1,"message":"acknowledged","process":"shop","partition":1,"offset":34}"#,
                r#"{"n":2,"level":"warn","message":"lost","process":"packer-1","user":"quiet-otter-17","late":true,"type":"order_placed","share":0.5,"why":"Some(3)"}"#,
                r#"{"n":3,"message":"stopped","process":"shop","user":"quiet-otter-17"}"#,
            ]
        );
    }
}
