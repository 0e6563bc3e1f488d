//! The fault proxy: each fault before a plain echo server first, then before a Kafka.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use testbed::eventually;
use testbed::proxy::{Counts, Direction, Link, Proxy, Then};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Result;

/// How long something may take that needs no time of its own: a machine may be busy.
const SOON: Duration = Duration::from_secs(30);

/// How long we listen to nothing before we believe that nothing comes.
const SILENCE: Duration = Duration::from_millis(150);

/// Answers every byte with itself, on a free port, until the test's runtime ends.
async fn echo() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let mut clients = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            clients.spawn(async move {
                let (mut from, mut to) = client.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
            });
        }
    });
    Ok(address)
}

/// A proxy before an echo server, and a client's connection through it that works.
async fn echoing() -> Result<(Proxy, TcpStream)> {
    let proxy = Proxy::start().await?;
    proxy.set_upstream(echo().await?);
    let mut client = TcpStream::connect(proxy.address()).await?;
    assert_eq!(there_and_back(&mut client, b"hello").await?, b"hello");
    // A byte is counted when it has been handed on: by then the client may have it already.
    eventually(SOON, "all five bytes are counted", async || {
        match proxy.counts() {
            Counts { to_broker: 5, to_client: 5, .. } => Ok(()),
            counts => Err(format!("{counts:?}")),
        }
    })
    .await?;
    Ok((proxy, client))
}

/// True if a new connection is reset, be it as soon as it stands.
async fn resets(proxy: &Proxy) -> Result<bool> {
    match TcpStream::connect(proxy.address()).await {
        Ok(mut client) => {
            Ok(the_end(&mut client).await?
                == Err(ErrorKind::ConnectionReset))
        }
        Err(error) => Ok(error.kind() == ErrorKind::ConnectionReset),
    }
}

async fn there_and_back(
    client: &mut TcpStream,
    bytes: &[u8],
) -> Result<Vec<u8>> {
    client.write_all(bytes).await?;
    receive(client, bytes.len()).await
}

async fn receive(client: &mut TcpStream, bytes: usize) -> Result<Vec<u8>> {
    let mut received = vec![0; bytes];
    timeout(SOON, client.read_exact(&mut received)).await??;
    Ok(received)
}

/// True if nothing at all comes, not even the end.
async fn is_silent(client: &mut TcpStream) -> bool {
    timeout(SILENCE, client.read_u8()).await.is_err()
}

/// Waits for the end of the connection; the error says whether it was a reset.
async fn the_end(
    client: &mut TcpStream,
) -> Result<std::result::Result<Vec<u8>, ErrorKind>> {
    let mut rest = Vec::new();
    let end = timeout(SOON, client.read_to_end(&mut rest)).await?;
    Ok(end.map(|_| rest).map_err(|error| error.kind()))
}

/// Bytes that show when one of them is missing, doubled or out of place.
fn numbered(bytes: u32) -> Vec<u8> {
    (0..bytes / 4).flat_map(u32::to_be_bytes).collect()
}

/// Without faults a proxy is a wire: everything arrives, and the closing of one half does too.
#[tokio::test]
async fn a_healthy_proxy_is_a_wire() -> Result {
    let (proxy, client) = echoing().await?;
    let bytes = numbered(4_000_000);
    let (mut from, mut to) = client.into_split();
    let sent = bytes.clone();
    let sender = tokio::spawn(async move {
        to.write_all(&sent).await?;
        to.shutdown().await
    });
    let mut received = Vec::new();
    timeout(SOON, from.read_to_end(&mut received)).await??;
    sender.await??;
    assert!(
        received == bytes,
        "{} bytes of {} came, or others",
        received.len(),
        bytes.len()
    );
    eventually(SOON, "the connection is counted as ended", async || {
        let counts = proxy.counts();
        if counts.open == 0 { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await?;
    let all = bytes.len() as u64 + 5;
    let expected = Counts {
        connections: 1,
        open: 0,
        refused: 0,
        to_broker: all,
        to_client: all,
    };
    assert_eq!(proxy.counts(), expected);
    Ok(())
}

/// A broker advertises the proxy's address before it listens itself: who comes early waits.
#[tokio::test]
async fn a_connection_waits_for_its_broker() -> Result {
    let proxy = Proxy::start().await?;
    let mut client = TcpStream::connect(proxy.address()).await?;
    client.write_all(b"early").await?;
    assert!(is_silent(&mut client).await);
    proxy.set_upstream(echo().await?);
    assert_eq!(receive(&mut client, 5).await?, b"early");
    Ok(())
}

/// A broker that is down: the client is reset, and finds it when it is up, elsewhere.
#[tokio::test]
async fn a_broker_that_moved_is_found() -> Result {
    let proxy = Proxy::start().await?;
    let nobody = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    proxy.set_upstream(nobody);
    assert!(resets(&proxy).await?);
    proxy.set_upstream(echo().await?);
    let mut client = TcpStream::connect(proxy.address()).await?;
    assert_eq!(there_and_back(&mut client, b"again").await?, b"again");
    Ok(())
}

/// 60 ms one way and 40 ms the other make 100 ms; healed, nothing is left of it.
#[tokio::test]
async fn latency_adds_up_over_both_ways() -> Result {
    let (proxy, mut client) = echoing().await?;
    proxy.latency(
        Direction::ToBroker,
        Duration::from_millis(60),
        Duration::ZERO,
    );
    proxy.latency(
        Direction::ToClient,
        Duration::from_millis(40),
        Duration::ZERO,
    );
    let start = Instant::now();
    there_and_back(&mut client, b"slow").await?;
    assert!(
        start.elapsed() >= Duration::from_millis(100),
        "{:?}",
        start.elapsed()
    );
    proxy.heal();
    assert_eq!(proxy.link(Direction::ToBroker), Link::default());
    there_and_back(&mut client, b"fast").await?;
    Ok(())
}

/// Latency is not a limit: a second of it holds back the first byte, not each one.
/// And healing lets go of what was on its way, so the test takes no second.
#[tokio::test]
async fn healing_lets_go_of_what_was_late() -> Result {
    let (proxy, mut client) = echoing().await?;
    proxy.latency(
        Direction::ToClient,
        Duration::from_secs(3_600),
        Duration::ZERO,
    );
    client.write_all(b"see you in an hour").await?;
    assert!(is_silent(&mut client).await);
    proxy.heal();
    assert_eq!(receive(&mut client, 18).await?, b"see you in an hour");
    Ok(())
}

/// Jitter delays each piece differently; TCP keeps their order all the same.
#[tokio::test]
async fn jitter_keeps_the_order() -> Result {
    let (proxy, client) = echoing().await?;
    for direction in [Direction::ToBroker, Direction::ToClient] {
        proxy.latency(
            direction,
            Duration::from_millis(1),
            Duration::from_millis(10),
        );
    }
    let bytes = numbered(200_000);
    let (mut from, mut to) = client.into_split();
    let sent = bytes.clone();
    let sender = tokio::spawn(async move {
        for piece in sent.chunks(4_001) {
            to.write_all(piece).await?;
        }
        to.shutdown().await
    });
    let mut received = Vec::new();
    timeout(SOON, from.read_to_end(&mut received)).await??;
    sender.await??;
    assert!(
        received == bytes,
        "{} bytes of {} came, or others",
        received.len(),
        bytes.len()
    );
    Ok(())
}

/// 100 kB/s: 40 kB take 0.4 s, over two connections together as over one.
#[tokio::test]
async fn bandwidth_is_shared() -> Result {
    let (proxy, mut one) = echoing().await?;
    let mut two = TcpStream::connect(proxy.address()).await?;
    there_and_back(&mut two, b"two").await?;
    proxy.bandwidth(Direction::ToClient, NonZeroU64::new(100_000));
    let start = Instant::now();
    let bytes = numbered(20_000);
    let (first, second) = tokio::join!(
        there_and_back(&mut one, &bytes),
        there_and_back(&mut two, &bytes)
    );
    assert!(first? == bytes && second? == bytes);
    assert!(
        start.elapsed() >= Duration::from_millis(390),
        "{:?}",
        start.elapsed()
    );
    Ok(())
}

/// Answers vanish, requests do not; after the partition they all arrive, in order.
#[tokio::test]
async fn a_blackhole_is_one_way_and_loses_nothing() -> Result {
    let (proxy, mut client) = echoing().await?;
    proxy.blackhole(Direction::ToClient);
    let before = proxy.counts();
    client.write_all(b"is anybody there?").await?;
    assert_eq!(
        before,
        Counts {
            connections: 1,
            open: 1,
            refused: 0,
            to_broker: 5,
            to_client: 5
        }
    );
    eventually(SOON, "the request arrives", async || {
        match proxy.counts().to_broker {
            22 => Ok(()),
            bytes => Err(format!("{bytes} bytes")),
        }
    })
    .await?;
    assert!(is_silent(&mut client).await, "the answer does not");
    assert_eq!(proxy.counts().to_client, before.to_client);
    proxy.heal();
    assert_eq!(receive(&mut client, 17).await?, b"is anybody there?");
    Ok(())
}

/// Into the dark a sender can write only what the buffers on the way hold. The proxy's memory is
/// bounded, and so the sender stands still.
#[tokio::test]
async fn a_blackhole_makes_the_sender_wait() -> Result {
    let (proxy, mut client) = echoing().await?;
    proxy.blackhole(Direction::ToBroker);
    // Loopback's socket buffers hold some megabytes; nobody's hold these.
    let bytes = vec![7; 64 * 1024 * 1024];
    assert!(
        timeout(Duration::from_millis(500), client.write_all(&bytes))
            .await
            .is_err()
    );
    assert_eq!(proxy.counts().to_broker, 5);
    Ok(())
}

/// While the way to the broker is dark, the broker does not hear of new connections either.
#[tokio::test]
async fn a_blackhole_hides_new_connections() -> Result {
    let proxy = Proxy::start().await?;
    let broker = TcpListener::bind("127.0.0.1:0").await?;
    proxy.set_upstream(broker.local_addr()?);
    proxy.blackhole(Direction::ToBroker);
    let _client = TcpStream::connect(proxy.address()).await?;
    assert!(timeout(SILENCE, broker.accept()).await.is_err());
    proxy.heal();
    timeout(SOON, broker.accept()).await??;
    Ok(())
}

/// Cut is FIN to both sides, reset is RST; a client that comes back is served.
#[tokio::test]
async fn cut_and_reset_end_what_is_open() -> Result {
    let (proxy, mut client) = echoing().await?;
    proxy.cut();
    assert_eq!(the_end(&mut client).await?, Ok(Vec::new()));

    let mut client = TcpStream::connect(proxy.address()).await?;
    there_and_back(&mut client, b"back").await?;
    proxy.reset();
    assert_eq!(
        the_end(&mut client).await?,
        Err(ErrorKind::ConnectionReset)
    );

    let mut client = TcpStream::connect(proxy.address()).await?;
    assert_eq!(there_and_back(&mut client, b"back").await?, b"back");
    Ok(())
}

/// The broker sees the same end as the client.
#[tokio::test]
async fn the_broker_sees_the_end_too() -> Result {
    let proxy = Proxy::start().await?;
    let broker = TcpListener::bind("127.0.0.1:0").await?;
    proxy.set_upstream(broker.local_addr()?);

    // A byte that went through shows that the proxy has both connections.
    let mut first = TcpStream::connect(proxy.address()).await?;
    let (mut upstream, _) = timeout(SOON, broker.accept()).await??;
    first.write_all(b"1").await?;
    receive(&mut upstream, 1).await?;
    proxy.cut();
    assert_eq!(the_end(&mut upstream).await?, Ok(Vec::new()));

    let mut second = TcpStream::connect(proxy.address()).await?;
    let (mut upstream, _) = timeout(SOON, broker.accept()).await??;
    second.write_all(b"2").await?;
    receive(&mut upstream, 1).await?;
    proxy.reset();
    assert_eq!(
        the_end(&mut upstream).await?,
        Err(ErrorKind::ConnectionReset)
    );
    Ok(())
}

/// A side that resets is not turned into one that closes in order: the other side sees a reset.
#[tokio::test]
async fn a_reset_goes_through() -> Result {
    let proxy = Proxy::start().await?;
    let broker = TcpListener::bind("127.0.0.1:0").await?;
    proxy.set_upstream(broker.local_addr()?);
    let mut client = TcpStream::connect(proxy.address()).await?;
    let (upstream, _) = timeout(SOON, broker.accept()).await??;
    upstream.set_zero_linger()?;
    drop(upstream);
    assert_eq!(
        the_end(&mut client).await?,
        Err(ErrorKind::ConnectionReset)
    );
    Ok(())
}

/// Who is connected stays; who comes is turned away, and counted.
#[tokio::test]
async fn new_connections_are_refused_until_healed() -> Result {
    let (proxy, mut old) = echoing().await?;
    proxy.refuse();
    assert!(resets(&proxy).await?);
    there_and_back(&mut old, b"still here").await?;
    assert_eq!(
        (proxy.counts().connections, proxy.counts().refused),
        (1, 1)
    );
    proxy.heal();
    let mut new = TcpStream::connect(proxy.address()).await?;
    there_and_back(&mut new, b"welcome").await?;
    Ok(())
}

/// Ten bytes of the answer get through, then the connection ends; the next one is whole.
#[tokio::test]
async fn an_answer_is_cut_in_its_middle() -> Result {
    let (proxy, mut client) = echoing().await?;
    proxy.after_bytes(Direction::ToClient, 10, Then::Cut);
    client.write_all(b"0123456789abcdef").await?;
    assert_eq!(the_end(&mut client).await?, Ok(b"0123456789".to_vec()));
    let mut client = TcpStream::connect(proxy.address()).await?;
    there_and_back(&mut client, b"0123456789abcdef").await?;
    Ok(())
}

/// Two faults at one answer: it is lost, and as none of its bytes got through, the count of them
/// goes on with the next connection's.
#[tokio::test]
async fn a_lost_answer_leaves_the_count_of_bytes_alone() -> Result {
    let (proxy, _hello) = echoing().await?;
    proxy.at_answer(0, Then::Cut);
    proxy.after_bytes(Direction::ToClient, 10, Then::Cut);

    // 16 bytes follow: API key 0 in version 7, correlation id 7. Echoed, version and correlation id
    // of the request stand where an answer has its correlation id.
    let request = [&[0, 0, 0, 16, 0, 0, 0, 7, 0, 0, 0, 7][..], b"a record"];
    let mut client = TcpStream::connect(proxy.address()).await?;
    client.write_all(&request.concat()).await?;
    assert_eq!(the_end(&mut client).await?, Ok(Vec::new()));

    let mut client = TcpStream::connect(proxy.address()).await?;
    client.write_all(b"0123456789abcdef").await?;
    assert_eq!(the_end(&mut client).await?, Ok(b"0123456789".to_vec()));
    Ok(())
}

/// The direction goes dark in front of an answer that is to be lost: healed before it gets that
/// far, the answer comes through.
#[tokio::test]
async fn healing_takes_back_what_was_to_come() -> Result {
    let (proxy, _hello) = echoing().await?;
    proxy.after_bytes(Direction::ToClient, 4, Then::Blackhole);
    proxy.at_answer(1, Then::Cut);
    // As above, with a first frame of 4 + 8 bytes before the one whose answer is to be lost.
    let request = [
        &[0, 0, 0, 8, 0, 0, 0, 6, 0, 0, 0, 6][..],
        &[0, 0, 0, 8, 0, 1, 0, 7, 0, 1, 0, 7],
    ]
    .concat();
    let mut client = TcpStream::connect(proxy.address()).await?;
    client.write_all(&request).await?;
    assert_eq!(receive(&mut client, 4).await?, request[..4]);
    assert!(is_silent(&mut client).await);
    proxy.heal();
    assert_eq!(receive(&mut client, 20).await?, request[4..]);
    Ok(())
}

/// The direction goes dark in the middle of an answer, and the rest comes when all is healed.
#[tokio::test]
async fn an_answer_goes_dark_in_its_middle() -> Result {
    let (proxy, mut client) = echoing().await?;
    proxy.after_bytes(Direction::ToClient, 10, Then::Blackhole);
    client.write_all(b"0123456789abcdef").await?;
    assert_eq!(receive(&mut client, 10).await?, b"0123456789");
    assert!(is_silent(&mut client).await);
    assert!(proxy.link(Direction::ToClient).blackhole);
    proxy.heal();
    assert_eq!(receive(&mut client, 6).await?, b"abcdef");
    Ok(())
}

/// Dropping the proxy ends its connections and gives its port back.
#[tokio::test]
async fn a_dropped_proxy_is_gone() -> Result {
    let (proxy, mut client) = echoing().await?;
    let (address, faults) = (proxy.address(), proxy.faults());
    drop(proxy);
    the_end(&mut client).await?.ok();
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
    // A handle that outlived it does nothing, and does no harm.
    faults.cut();
    faults.heal();
    assert_eq!(faults.counts().open, 0);
    Ok(())
}

/// Before a real broker that advertises the proxy's address.
mod own_cluster {
    use super::*;
    use crate::own_cluster::alone;
    use rdkafka::error::{KafkaError, RDKafkaErrorCode};
    use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
    use testbed::local::{LocalCluster, LocalOptions};
    use testbed::{Cluster, TestTopic};

    /// Produce, in the protocol's table of API keys.
    const PRODUCE: i16 = 0;

    async fn behind_a_proxy() -> Result<(Proxy, Cluster)> {
        // ANCHOR: proxy
        let proxy = Proxy::start().await?;
        let address = proxy.address().to_string();
        let options = LocalOptions::new(1).advertised(1, address);
        let kafka = LocalCluster::start(options).await?;
        proxy.set_upstream(kafka.broker(1)?.address().parse()?);
        // ANCHOR_END: proxy
        Ok((proxy, kafka.into()))
    }

    async fn send(
        producer: &FutureProducer,
        topic: &str,
    ) -> std::result::Result<(), KafkaError> {
        let order = FutureRecord::to(topic).key("17").payload("2 mugs");
        producer
            .send(order, None)
            .await
            .map(|_| ())
            .map_err(|(error, _)| error)
    }

    fn end_offset(producer: &FutureProducer, topic: &str) -> Result<i64> {
        Ok(producer.client().fetch_watermarks(topic, 0, SOON)?.1)
    }

    /// The broker has the record, and the producer is told that it failed: a time-out is not a no.
    /// When the answers come through again, records are delivered.
    #[tokio::test]
    async fn a_record_whose_answer_vanishes_times_out() -> Result {
        let _alone = alone().await;
        let (proxy, cluster) = behind_a_proxy().await?;
        assert_eq!(cluster.bootstrap, proxy.address().to_string());
        let orders = TestTopic::new(&cluster, "orders", 1).await?;
        let producer: FutureProducer = cluster
            .client_config()
            // Long enough for the first record's connection on a busy machine.
            .set("message.timeout.ms", "5000")
            .create()?;
        send(&producer, orders.name()).await?;
        assert_eq!(end_offset(&producer, orders.name())?, 1);

        proxy.blackhole(Direction::ToClient);
        let failed = send(&producer, orders.name())
            .await
            .expect_err("no answer came");
        assert_eq!(
            failed.rdkafka_error_code(),
            Some(RDKafkaErrorCode::MessageTimedOut)
        );

        proxy.heal();
        send(&producer, orders.name()).await?;
        assert_eq!(
            end_offset(&producer, orders.name())?,
            3,
            "the one that failed is there too"
        );
        Ok(())
    }

    /// claim: a-lost-acknowledgement-doubles
    ///
    /// The acknowledgement is lost, the producer sends again: twice in the log, once reported. With
    /// an idempotent producer it is there once.
    #[tokio::test]
    async fn a_lost_acknowledgement_doubles_a_record() -> Result {
        let _alone = alone().await;
        let (proxy, cluster) = behind_a_proxy().await?;
        for (idempotent, in_the_log) in [("false", 2), ("true", 1)] {
            let orders = TestTopic::new(&cluster, "orders", 1).await?;
            let producer: FutureProducer = cluster
                .client_config()
                .set("enable.idempotence", idempotent)
                .set("retry.backoff.ms", "50")
                .create()?;
            // ANCHOR: lost
            proxy.at_answer(PRODUCE, Then::Cut);
            send(&producer, orders.name()).await?;
            // ANCHOR_END: lost
            let found = end_offset(&producer, orders.name())?;
            assert_eq!(
                found, in_the_log,
                "enable.idempotence={idempotent}"
            );
        }
        Ok(())
    }
}
