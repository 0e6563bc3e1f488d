//! A record to send, and what became of it.

use rdkafka::message::{Headers, OwnedHeaders};

use crate::error::DeliveryError;

/// A record to send. Its bytes are copied into the producer's queue.
///
/// It has no timestamp: librdkafka stamps it when it is queued, and latency is counted from then. When
/// something happened in the shop belongs into the event itself.
#[derive(Debug)]
pub struct Record<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition, or `None` for the partitioner's choice.
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
    /// Headers.
    pub headers: Option<OwnedHeaders>,
    /// A number of your own, which comes back in the [`Outcome`].
    pub token: usize,
}

impl<'a> Record<'a> {
    /// A record without key and headers.
    pub fn new(
        topic: &'a str,
        payload: &'a [u8],
        token: usize,
    ) -> Record<'a> {
        let payload = Some(payload);
        Record {
            topic,
            partition: None,
            key: None,
            payload,
            headers: None,
            token,
        }
    }

    /// The same record with a key.
    pub fn key(mut self, key: &'a [u8]) -> Record<'a> {
        self.key = Some(key);
        self
    }

    /// The same record for this partition.
    pub fn partition(mut self, partition: i32) -> Record<'a> {
        self.partition = Some(partition);
        self
    }

    /// What it takes of the window.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(self.key, self.payload, self.headers.as_ref())
    }

    /// What librdkafka says that it may take in a batch, and compares with `message.max.bytes`: its own
    /// bytes, the length of each header's name and value, and the most that a record's numbers take.
    pub(crate) fn bytes_in_batch(&self) -> u64 {
        let headers = self.headers.as_ref().map_or(0, |headers| {
            let lengths = headers.iter().map(|header| {
                let value = header.value.map_or(0, <[u8]>::len);
                length_bytes(header.key.len()) + length_bytes(value)
            });
            lengths.sum()
        });
        self.bytes() + headers + AROUND_A_RECORD
    }
}

/// `RD_KAFKAP_MESSAGE_V2_MAX_OVERHEAD`: length, attributes, the distances of timestamp and offset, and the
/// lengths of key, payload and headers, each as long as it can be.
const AROUND_A_RECORD: u64 = 36;

/// How many bytes a length takes: Kafka's protocol has seven bits in each, and one bit more for the sign.
fn length_bytes(length: usize) -> u64 {
    let bits = usize::BITS - ((length << 1) | 1).leading_zeros();
    bits.div_ceil(7).into()
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its partition.
    pub partition: i32,
    /// Its offset; negative where nobody said one.
    ///
    /// With `Acks::None` nobody ever does. With idempotence nobody does where the record's own answer was lost,
    /// and the answer to a later batch, or "I have that one already" to a retry, stands for it.
    pub offset: i64,
}

/// What became of a record: exactly one for each that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The number that came with the record.
    pub token: usize,
    /// Where it stands, or why it is not known to stand anywhere.
    pub result: Result<Place, DeliveryError>,
}

/// What a record takes of the window: it is counted when it enters, and from the report when it leaves.
pub(crate) fn bytes<H: Headers>(
    key: Option<&[u8]>,
    payload: Option<&[u8]>,
    headers: Option<&H>,
) -> u64 {
    let len = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len);
    let headers = headers.map_or(0, |headers| {
        let sizes = headers.iter().map(|h| h.key.len() + len(h.value));
        sizes.sum()
    });
    (len(key) + len(payload) + headers) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_a_byte_for_seven_bits() {
        for (length, bytes) in [
            (0, 1),
            (63, 1),
            (64, 2),
            (8_191, 2),
            (8_192, 3),
            (1_048_575, 3),
            (1_048_576, 4),
        ] {
            assert_eq!(length_bytes(length), bytes, "{length}");
        }
    }
}
