//! librdkafka's callbacks: a delivery report becomes an outcome, an error is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message, Timestamp};
use rdkafka::producer::{DeliveryResult, ProducerContext};

use crate::error::DeliveryError;
use crate::meter::Meter;
use crate::record::{Outcome, Place, bytes};
use crate::state::{ENDED, ENDING, State};

/// What librdkafka calls, on the polling thread alone.
pub(crate) struct Context {
    pub(crate) state: Arc<State>,
    pub(crate) handler: Box<dyn Fn(Outcome) + Send + Sync>,
    pub(crate) meter: Meter,
    /// Whether the last error was told once, and is to come again.
    pub(crate) told: AtomicBool,
}

impl ClientContext for Context {
    /// Counts an error that is a connection's. `AllBrokersDown` is none: it follows the last broker's own.
    fn error(&self, error: KafkaError, reason: &str) {
        // rdkafka 0.39 tells a producer of each error twice, one after the other: where it takes the event off
        // the queue, and again in the producer's `poll`. Only the polling thread takes events.
        if self.told.fetch_xor(true, Ordering::Relaxed) {
            return;
        }
        use RDKafkaErrorCode as Code;
        if let Some(
            Code::BrokerTransportFailure
            | Code::Resolve
            | Code::SSL
            | Code::Authentication,
        ) = error.rdkafka_error_code()
        {
            self.meter.connection_error();
        }
        tracing::warn!(%error, reason, "the client has an error");
    }
}

impl ProducerContext for Context {
    /// The caller's number travels through librdkafka as it is: nothing is allocated for it.
    type DeliveryOpaque = usize;

    fn delivery(&self, report: &DeliveryResult<'_>, token: usize) {
        let (record, result) = match report {
            Ok(record) => {
                let place = Place {
                    partition: record.partition(),
                    offset: record.offset(),
                };
                (record, Ok(place))
            }
            Err((error, record)) => (record, Err(delivery_error(error))),
        };
        // A handler that panicked once is not called again, by whoever drops the client.
        if !self.state.is(ENDED) {
            (self.handler)(Outcome { token, result });
        }
        // Before the room is free, so that after `flush` the counters hold everything.
        let measured =
            self.meter.report(result.err().map(|error| error.class()));
        if measured && let Some(seconds) = age(record) {
            self.meter.latency(seconds);
        }
        // Where the handler panics, the record stays in the window, and `close` counts it there.
        if self.state.is(ENDING)
            && let Err(error) = result
            && matches!(
                error.code,
                RDKafkaErrorCode::PurgeQueue
                    | RDKafkaErrorCode::PurgeInflight
            )
        {
            self.state.given_up.fetch_add(1, Ordering::SeqCst);
        }
        self.state.leave(bytes(
            record.key(),
            record.payload(),
            record.headers(),
        ));
    }
}

/// Seconds since librdkafka stamped the record. A broker that stamps records itself hides that.
fn age(record: &BorrowedMessage<'_>) -> Option<f64> {
    let Timestamp::CreateTime(then) = record.timestamp() else {
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let age =
        now.checked_sub(Duration::from_millis(u64::try_from(then).ok()?))?;
    Some(age.as_secs_f64())
}

pub(crate) fn delivery_error(error: &KafkaError) -> DeliveryError {
    let code = match error {
        // A zero byte in a topic's name: it is no better next time.
        KafkaError::Nul(_) => RDKafkaErrorCode::InvalidTopic,
        error => {
            error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
        }
    };
    DeliveryError { code }
}
