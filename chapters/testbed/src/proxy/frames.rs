//! Just enough of Kafka's protocol to know which bytes are the answer to which request.
//!
//! Every request and answer is a frame: its length (4 bytes), then for a request the API key
//! (2 bytes), API version (2 bytes) and correlation id (4 bytes), for an answer the correlation id.
//! Only on a connection without TLS can this be read.

/// Follows one direction of a connection from its first byte on.
#[derive(Debug)]
pub(super) struct Frames {
    /// How many bytes of a frame, after its length, hold what we look for: 8 in a request, 4 in an
    /// answer.
    wanted: usize,
    /// The length and the wanted bytes, as far as they have come.
    head: [u8; 12],
    filled: usize,
    /// How much of the frame is still to come behind its head.
    skip: usize,
    /// Set when a length was impossible: this is no Kafka (or TLS), and never will be again.
    lost: bool,
}

/// A frame's head was seen in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The API key; 0 for an answer, which has none.
    pub api_key: i16,
    /// Which request and answer belong together.
    pub correlation_id: i32,
    /// Where in the looked-at bytes the frame begins; 0 if it began before them.
    pub start: usize,
}

/// No frame is longer: Kafka's `socket.request.max.bytes` is 100 MiB by default, an answer's limit
/// lies in the same order. What reads as longer is a TLS record (its first byte is at least 0x14)
/// or an HTTP request.
const LONGEST: usize = 0x1000_0000;

impl Frames {
    /// Of what a client sends.
    pub(super) fn requests() -> Self {
        Frames { wanted: 8, head: [0; 12], filled: 0, skip: 0, lost: false }
    }

    /// Of what a broker sends.
    pub(super) fn answers() -> Self {
        Frames { wanted: 4, ..Self::requests() }
    }

    /// Looks at the next bytes of the stream; tells of each head that ends in them.
    pub(super) fn look(
        &mut self,
        bytes: &[u8],
        mut tell: impl FnMut(Head),
    ) {
        let mut at = 0;
        let mut start = 0;
        while at < bytes.len() && !self.lost {
            if self.skip > 0 {
                let step = self.skip.min(bytes.len() - at);
                self.skip -= step;
                at += step;
                continue;
            }
            if self.filled == 0 {
                start = at;
            }
            self.head[self.filled] = bytes[at];
            self.filled += 1;
            at += 1;
            if self.filled == 4 + self.wanted {
                match self.body() {
                    Some(skip) => {
                        tell(self.head(start));
                        self.skip = skip;
                        self.filled = 0;
                    }
                    None => self.lost = true,
                }
            }
        }
    }

    /// How long the frame is behind its head; `None` if no frame has such a length.
    fn body(&self) -> Option<usize> {
        let length = usize::try_from(self.number(0))
            .ok()
            .filter(|length| *length <= LONGEST)?;
        length.checked_sub(self.wanted)
    }

    fn head(&self, start: usize) -> Head {
        let api_key = if self.wanted == 8 {
            i16::from_be_bytes([self.head[4], self.head[5]])
        } else {
            0
        };
        Head { api_key, correlation_id: self.number(self.wanted), start }
    }

    fn number(&self, at: usize) -> i32 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| self.head[at + i]);
        i32::from_be_bytes([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(api_key: i16, correlation_id: i32, body: usize) -> Vec<u8> {
        let mut frame = ((8 + body) as i32).to_be_bytes().to_vec();
        frame.extend(api_key.to_be_bytes());
        frame.extend([0, 9]);
        frame.extend(correlation_id.to_be_bytes());
        frame.extend(vec![0xab; body]);
        frame
    }

    fn answer(correlation_id: i32, body: usize) -> Vec<u8> {
        let mut frame = ((4 + body) as i32).to_be_bytes().to_vec();
        frame.extend(correlation_id.to_be_bytes());
        frame.extend(vec![0xcd; body]);
        frame
    }

    fn heads(mut frames: Frames, pieces: &[&[u8]]) -> Vec<Head> {
        let mut heads = Vec::new();
        for piece in pieces {
            frames.look(piece, |head| heads.push(head));
        }
        heads
    }

    #[test]
    fn requests_are_told_by_key_and_id() {
        let stream = [request(18, 1, 20), request(0, 2, 300)].concat();
        assert_eq!(
            heads(Frames::requests(), &[&stream]),
            [
                Head { api_key: 18, correlation_id: 1, start: 0 },
                Head { api_key: 0, correlation_id: 2, start: 32 },
            ]
        );
    }

    #[test]
    fn what_is_no_kafka_is_followed_no_further() {
        assert_eq!(
            heads(
                Frames::requests(),
                &[b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n"]
            ),
            []
        );
        let tls = [
            [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0].as_slice(),
            &request(0, 1, 4),
        ]
        .concat();
        assert_eq!(heads(Frames::requests(), &[&tls]), []);
        let too_short =
            [[0, 0, 0, 2, 0, 0, 0, 1].as_slice(), &answer(7, 4)].concat();
        assert_eq!(heads(Frames::answers(), &[&too_short]), []);
    }

    proptest! {
        #[test]
        fn pieces_tell_the_same_as_the_whole(
            frames in prop::collection::vec((any::<i32>(), 0usize..40), 1..8),
            cuts in prop::collection::vec(1usize..30, 0..40),
        ) {
            let stream: Vec<u8> = frames.iter().flat_map(|(id, body)| answer(*id, *body)).collect();
            let mut pieces = Vec::new();
            let mut rest = stream.as_slice();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            let ids: Vec<i32> =
                heads(Frames::answers(), &pieces).iter().map(|head| head.correlation_id).collect();
            let sent: Vec<i32> = frames.iter().map(|(id, _)| *id).collect();
            prop_assert_eq!(ids, sent);
        }
    }
}
