//! What can go wrong with a record, and whether trying again can help.

use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode;

use crate::config::ConfigError;

/// Whether another attempt can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The same record may go through later: the broker, the network or our own queue is the cause.
    ///
    /// Mostly the client has tried for `delivery_timeout` already. Two kinds come at once: a record that
    /// was purged, and a code that librdkafka does not name among those that it tries again, such as
    /// `UNKNOWN_SERVER_ERROR`. The record may be in the log all the same: its answer may have been lost,
    /// so that a record sent anew can be there twice.
    Retriable,
    /// This record meets the same answer until somebody changes it, the topic, the rights or, where a
    /// batch was too large, `batch_bytes`; others go through.
    Record,
    /// This producer sends nothing any more: make a new one; where rights are missing, end.
    Fatal,
}

impl Class {
    /// As the label of a counter.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Retriable => "retriable",
            Class::Record => "record",
            Class::Fatal => "fatal",
        }
    }
}

// ANCHOR: class
/// What a code means for the record that it came for.
///
/// Codes: <https://kafka.apache.org/protocol#protocol_error_codes>, and
/// librdkafka's own.
pub fn class(code: RDKafkaErrorCode) -> Class {
    use RDKafkaErrorCode as Code;
    match code {
        // Too large. Brokers say it of a batch, and each record in it gets
        // this answer: Java's client splits the batch, librdkafka does
        // not. Small records get it too where `batch.size` is above the
        // topic's `max.message.bytes`.
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge => {
            Class::Record
        }
        // The record itself: without a key for a compacted topic, an
        // impossible timestamp, a partition that the topic lacks. The same
        // bytes meet the same answer each time.
        Code::InvalidRecord
        | Code::InvalidMessageSize
        | Code::InvalidTimestamp
        | Code::UnknownPartition
        | Code::BadMessage => Class::Record,
        // Where it goes: a name that no topic may have, a topic that is
        // not there, or one that we may not write. Somebody can mend the
        // last two, but not by trying; other topics go on.
        Code::InvalidTopic
        | Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::TopicAuthorizationFailed
        | Code::PolicyViolation
        | Code::InvalidArgument => Class::Record,
        // An idempotent producer whose numbers no longer fit those of the
        // broker cannot tell which records are in the log. Going on could
        // lose or double some, so librdkafka refuses all others.
        Code::Fatal
        | Code::GaplessGuarantee
        | Code::OutOfOrderSequenceNumber
        | Code::UnknownProducerId
        | Code::InvalidProducerIdMapping
        | Code::ProducerFenced
        | Code::Fenced
        | Code::TransactionalIdAuthorizationFailed => Class::Fatal,
        // Nobody is let in, whatever is sent: credentials, rights on the
        // cluster, or a broker that cannot do what was asked of it.
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::ClusterAuthorizationFailed
        | Code::UnsupportedVersion
        | Code::UnsupportedFeature
        | Code::UnsupportedCompressionType
        | Code::UnsupportedForMessageFormat
        | Code::InvalidRequiredAcks => Class::Fatal,
        // The broker knows a newer epoch of this producer, and stores
        // nothing under the old one. Without transactions librdkafka takes
        // another epoch and goes on, but not with this record. Sent again
        // it has a new number: if an earlier attempt was stored and its
        // answer lost, it is in the log twice.
        Code::InvalidProducerEpoch => Class::Retriable,
        // The rest comes from the state of broker, network or queue, and
        // passes: no leader, too few replicas, a batch that was damaged on
        // its way, a time-out, a full queue, purged before it was sent. A
        // code that we do not know is taken as one of these: a caller that
        // gives up after some attempts loses less than one that gives up
        // at once.
        _ => Class::Retriable,
    }
}
// ANCHOR_END: class

/// Why a record was not taken. Nothing was queued, and no outcome will come for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// It is larger than `max_record_bytes`.
    #[error(
        "the record takes up to {bytes} bytes in its batch and {limit} are allowed: send less, or raise max_record_bytes and the topic's max.message.bytes"
    )]
    TooLarge {
        /// What it may take in a batch: its key, payload and headers, and the lengths and numbers around
        /// them.
        bytes: u64,
        /// The most that are allowed.
        limit: u64,
    },
    /// [`Producer::try_send`](crate::Producer::try_send) alone: as much is under way as may be.
    #[error(
        "as much is under way as the window holds: wait with `send`, or drop the record on purpose"
    )]
    WindowFull,
    /// The producer was closed, or its thread ended because a handler panicked.
    #[error("the producer is closed: make a new one")]
    Closed,
    /// librdkafka refused it: a name that no topic may have, a partition that the topic lacks, a dead
    /// producer.
    #[error(
        "librdkafka refuses the record, and nothing was queued: its class says whether to try again, to drop the record or to make a new producer"
    )]
    Refused(#[source] DeliveryError),
}

impl SendError {
    /// Whether another attempt can succeed.
    pub fn class(&self) -> Class {
        match self {
            // It is as large next time.
            SendError::TooLarge { .. } => Class::Record,
            // Room comes with the next answers.
            SendError::WindowFull => Class::Retriable,
            // A closed producer stays closed.
            SendError::Closed => Class::Fatal,
            SendError::Refused(error) => error.class(),
        }
    }
}

/// Why a record that was taken is not known to be in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not delivered: {code}")]
pub struct DeliveryError {
    /// What the broker or librdkafka said.
    pub code: RDKafkaErrorCode,
}

impl DeliveryError {
    /// Whether another attempt can succeed: see [`class`].
    pub fn class(&self) -> Class {
        class(self.code)
    }
}

/// Why no producer was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting breaks a rule.
    #[error("a setting of the producer is wrong")]
    Config(#[from] ConfigError),
    /// librdkafka knows a property not, or not with this value, or not in this build. The value is not
    /// shown: it may be a password.
    #[error("librdkafka refuses the property {property}: {why}")]
    Property {
        /// The property, of a field or of `extra`.
        property: String,
        /// What librdkafka said.
        why: String,
    },
    /// librdkafka refuses settings that do not go together.
    #[error("librdkafka refuses the settings")]
    Client(#[source] rdkafka::error::KafkaError),
    /// The system has no thread for its polling.
    #[error("the producer's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// [`Producer::close`](crate::Producer::close) gave up records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given_up} records had no answer within {}, and were given up: their outcomes say which", show(.within))]
pub struct CloseError {
    /// How many records.
    pub given_up: u64,
    /// How long they were waited for.
    pub within: Duration,
}

fn show(within: &Duration) -> String {
    format!("{} ms", within.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_is_refused_the_producer_is_dead_or_time_helps() {
        use RDKafkaErrorCode as Code;
        for (code, expected) in [
            (Code::MessageSizeTooLarge, Class::Record),
            (Code::InvalidRecord, Class::Record),
            (Code::TopicAuthorizationFailed, Class::Record),
            (Code::OutOfOrderSequenceNumber, Class::Fatal),
            (Code::Fatal, Class::Fatal),
            (Code::Fenced, Class::Fatal),
            (Code::InvalidProducerEpoch, Class::Retriable),
            (Code::SaslAuthenticationFailed, Class::Fatal),
            (Code::NotEnoughReplicas, Class::Retriable),
            // CORRUPT_MESSAGE: the batch was damaged on its way.
            (Code::InvalidMessage, Class::Retriable),
            (Code::Unknown, Class::Retriable),
            (Code::MessageTimedOut, Class::Retriable),
            (Code::QueueFull, Class::Retriable),
            (Code::PurgeQueue, Class::Retriable),
        ] {
            assert_eq!(class(code), expected, "{code:?}");
        }
    }

    #[test]
    fn an_error_says_what_to_do() {
        let large =
            SendError::TooLarge { bytes: 2_000_000, limit: 1_000_000 };
        assert!(large.to_string().contains("raise max_record_bytes"));
        assert_eq!(large.class(), Class::Record);
        let code = RDKafkaErrorCode::UnknownPartition;
        let refused = SendError::Refused(DeliveryError { code });
        assert!(refused.to_string().contains("nothing was queued"));
        assert_eq!(refused.class(), Class::Record);
        assert_eq!(SendError::WindowFull.class(), Class::Retriable);
        assert_eq!(SendError::Closed.class(), Class::Fatal);
        let close =
            CloseError { given_up: 3, within: Duration::from_secs(2) };
        assert!(
            close
                .to_string()
                .starts_with("3 records had no answer within 2000 ms")
        );
    }
}
