//! Compares keys with what Kafka's own classes say of them.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use producers_absolute::partition;

/// What `interop/Golden.java` says of `customer-1` to `customer-200`, of
/// twelve partitions each.
const JAVA: [u32; 200] = [
    9, 2, 10, 1, 6, 7, 7, 8, 11, 3, 2, 2, 1, 4, 1, 7, 4, 0, 6, 4, 1, 8, 6,
    3, 10, 5, 3, 0, 6, 5, 7, 3, 7, 0, 8, 0, 8, 5, 1, 1, 5, 9, 11, 10, 2, 5,
    9, 3, 4, 9, 7, 10, 6, 10, 8, 8, 1, 0, 9, 7, 7, 3, 4, 1, 10, 10, 7, 11,
    1, 0, 9, 4, 0, 1, 4, 6, 1, 9, 8, 4, 4, 1, 8, 3, 8, 11, 8, 5, 2, 2, 10,
    3, 7, 2, 9, 3, 6, 7, 4, 10, 3, 1, 10, 10, 8, 7, 10, 9, 10, 1, 1, 9, 6,
    2, 6, 4, 4, 5, 1, 10, 3, 7, 0, 9, 7, 7, 3, 1, 9, 7, 9, 6, 3, 0, 9, 7,
    6, 6, 8, 5, 2, 6, 0, 10, 9, 2, 1, 3, 3, 0, 4, 4, 4, 0, 2, 3, 9, 8, 5,
    6, 5, 0, 0, 11, 9, 8, 6, 8, 7, 8, 2, 7, 2, 2, 0, 3, 8, 3, 9, 4, 1, 7,
    3, 9, 6, 7, 11, 2, 5, 9, 9, 6, 8, 11, 1, 5, 4, 7, 8, 10,
];

fn main() -> ExitCode {
    let keys = (1..).zip(JAVA);
    let wrong: Vec<_> = keys
        .map(|(n, java)| (format!("customer-{n}"), java))
        .filter(|(key, java)| partition(key.as_bytes(), 12) != *java)
        .collect();
    if let Some((key, java)) = wrong.first() {
        eprintln!(
            "of {} keys {} have another partition than Java's client gives them; the first is {key}, which belongs to {java} of 12",
            JAVA.len(),
            wrong.len()
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
