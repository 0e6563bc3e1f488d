//! The one call into librdkafka that rdkafka's safe API lacks.
#![allow(unsafe_code)]

use std::time::Duration;

use rdkafka::bindings;
use rdkafka::client::{Client, ClientContext};

/// Sets how long a group of the client's mock cluster waits for more members before its first
/// rebalance: 3 s in librdkafka, as in a broker.
///
/// Does nothing where the client holds no mock cluster. `delay` is cut to whole milliseconds.
pub(crate) fn set_initial_rebalance_delay<C: ClientContext>(
    client: &Client<C>,
    delay: Duration,
) {
    let milliseconds = i32::try_from(delay.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client is alive for the whole call, so its handle is valid, and so is the mock
    // cluster that it owns; librdkafka takes the cluster's own lock inside the setter.
    unsafe {
        let mock =
            bindings::rd_kafka_handle_mock_cluster(client.native_ptr());
        if !mock.is_null() {
            bindings::rd_kafka_mock_group_initial_rebalance_delay_ms(
                mock,
                milliseconds,
            );
        }
    }
}
