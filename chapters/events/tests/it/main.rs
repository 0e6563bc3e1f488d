//! What the events promise to those who read them, on a broker and by the programs of the chapter.
#![forbid(unsafe_code)]

/// Clients, and one way to wait for a record.
mod common;
/// The shapes that others rely on: a whole day and one event of each type, byte for byte.
mod golden;
/// What a consumer meets: poison, types of a newer producer, amounts as floats, wrong keys.
mod poison;
/// The programs that a reader starts: what they print, and how they end.
mod programs;
/// Events as records: keys, headers, order within an order.
mod records;
/// The files of records that the Docker test cluster is loaded with.
mod test_cluster;
