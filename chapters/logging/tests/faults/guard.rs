//! Lines under another order's id: `cargo xtask run logging guard`
//!
//! Packing works on three orders at once. The first time each of them holds its span with a guard while it waits,
//! the second time the span is given to the future. The last line counts the lines that bear the wrong id.
#![forbid(unsafe_code)]

use logging::{Correlation, CorrelationId};
use tokio::{join, task::yield_now};
use tracing::{Instrument, Span, info};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let (a, b, c) =
        join!(biased; held("order-1"), held("order-2"), held("order-3"));
    let held = a + b + c;
    let (a, b, c) =
        join!(biased; given("order-4"), given("order-5"), given("order-6"));
    let given = a + b + c;
    info!(target: "run", process = "shop", lines = 12, held, given, "outcome");
    Ok(())
}

/// The span that belongs to an order. The line of checkout says which id that is.
fn span(key: &str) -> Span {
    let id = CorrelationId::random();
    let correlation_id = id.as_str();
    info!(target: "run", process = "checkout", correlation_id, key, "drawn");
    Correlation::start(id).span()
}

// ANCHOR: held
async fn held(key: &str) -> u32 {
    let span = span(key);
    let _entered = span.enter(); // wrong: held over an .await
    pack(key, &span).await
}
// ANCHOR_END: held

// ANCHOR: given
async fn given(key: &str) -> u32 {
    let span = span(key);
    pack(key, &span).instrument(span.clone()).await
}
// ANCHOR_END: given

/// Two lines, and between them the wait for somebody else. How many of the two bear another order's id.
async fn pack(key: &str, span: &Span) -> u32 {
    let picked = Span::current() != *span;
    info!(target: "run", process = "packing", key, "picked");
    yield_now().await;
    let packed = Span::current() != *span;
    info!(target: "run", process = "packing", key, "packed");
    u32::from(picked) + u32::from(packed)
}
