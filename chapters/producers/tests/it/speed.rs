//! What the page on speed says, held to what was measured: `benches/results/speed.json`, which
//! `cargo xtask bench producers -- --write` writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use producers::partition::SplitMix64;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use testbed::{TestTopic, cluster};
use tokio::time::timeout;

use results::{
    ALL_AT_ONCE, AWAIT_EACH, FLOOR, FUTURES, IN_FLIGHT, JAVA, LIBRARY,
    Line, PACED_RATE, Results, SETTINGS, SIZES, broken_promises,
};
use tables::{BATCH, CODECS, LINGER};

// The bench's own modules: one source for what is measured, shown and promised.
// What starts and measures child processes is for the bench alone.
#[allow(dead_code)]
#[path = "../../benches/speed/job.rs"]
mod job;
#[path = "../../benches/speed/layout.rs"]
mod layout;
#[path = "../../benches/speed/order.rs"]
mod order;
#[allow(dead_code)]
#[path = "../../benches/speed/paced.rs"]
mod paced;
#[path = "../../benches/speed/plots.rs"]
mod plots;
#[allow(dead_code)]
#[path = "../../benches/speed/quiet.rs"]
mod quiet;
#[path = "../../benches/speed/results.rs"]
mod results;
#[path = "../../benches/speed/shapes.rs"]
mod shapes;
#[path = "../../benches/speed/tables.rs"]
mod tables;

use crate::common::{PATIENCE, command, shop, stored};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results")
}

fn committed() -> Result<Results, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(folder().join("speed.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// What the bench measures is work that was done: each shape leaves all of its records in the log.
#[tokio::test]
async fn every_shape_sends_every_record() -> Outcome {
    let cluster = cluster("").await?;
    let folder = tempfile::tempdir()?;
    let payloads = folder.path().join("payloads.txt");
    std::fs::write(&payloads, "2 mugs\n1 teapot\n")?;
    for shape in [
        job::Shape::AwaitEach,
        job::Shape::Buffered(10),
        job::Shape::Futures,
        job::Shape::Unbounded,
        job::Shape::Library,
        job::Shape::Floor,
    ] {
        let topic = TestTopic::new(&cluster, "speed", 2).await?;
        let settings = [
            ("bootstrap.servers", cluster.bootstrap.as_str()),
            ("batch.size", "65536"),
            ("linger.ms", "1"),
        ];
        let job = job::Job {
            shape,
            properties: settings
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            topic: topic.name().to_owned(),
            payloads: payloads.clone(),
            records: 200,
            in_flight: 50,
            paced: Some(job::Pace { records: 100, rate: 10_000 }),
        };
        if shape == job::Shape::Library {
            assert_eq!(shapes::library_config(&job)?.window_records, 50);
        }
        let work = move || {
            shapes::measure(&job).map_err(|error| error.to_string())
        };
        let measured = tokio::task::spawn_blocking(work).await??;
        assert_eq!(measured.flat_out.records, 200, "{shape:?}");
        // Half of them are "2 mugs", half "1 teapot".
        assert_eq!(measured.flat_out.bytes, 100 * (6 + 8), "{shape:?}");
        let paced = measured.paced.ok_or("nothing was paced")?;
        let timed: u64 =
            paced.latencies.iter().map(|(_, count)| count).sum();
        assert_eq!(timed, 100, "{shape:?}");

        let reader: BaseConsumer = cluster.client_config().create()?;
        for (partition, sent) in [(0, 200), (1, 100)] {
            let ends = reader.fetch_watermarks(
                topic.name(),
                partition,
                Duration::from_secs(30),
            )?;
            let all = (shapes::WARM + sent) as i64;
            assert_eq!(ends, (0, all), "{shape:?}");
        }
    }
    Ok(())
}

/// Seven rounds of thirteen: all take part in each, and nobody comes after the same one more than three times.
#[test]
fn who_comes_after_whom_changes_each_round() {
    let mut random = SplitMix64::new(1031);
    let rounds: Vec<_> =
        (0..7).map(|_| order::draw(13, &mut random)).collect();
    let mut followed = HashMap::new();
    for round in &rounds {
        let mut all = round.clone();
        all.sort_unstable();
        assert_eq!(all, (0..13).collect::<Vec<_>>());
        for two in round.windows(2) {
            *followed.entry((two[0], two[1])).or_insert(0) += 1;
        }
    }
    let most = followed.values().max();
    assert!(most <= Some(&3), "{rounds:?}");
}

/// Whoever edits a table, or changes how it is made, has to make it again.
#[test]
fn tables_and_plots_show_what_was_measured() -> Outcome {
    let results = committed()?;
    let made = tables::tables(&results).into_iter();
    for (name, text) in made.chain(plots::plots(&results)) {
        let path = folder().join(&name);
        assert_eq!(std::fs::read_to_string(path)?, text, "{name}");
    }
    // Predictions on the page look their answers up in this file.
    assert_eq!(tables::answers(&results), include_str!("output/speed.txt"));
    Ok(())
}

/// What is committed was measured with what is here: these versions, these settings, this bound. Not with this very
/// code: whoever changes the producer measures again because the promises are at stake, not because a comment moved.
#[test]
fn results_are_of_what_is_here() -> Outcome {
    let about = committed()?.about;
    assert_eq!(about.kafka, testbed::version::KAFKA);
    assert_eq!(about.librdkafka, rdkafka::util::get_rdkafka_version().1);
    let settings = SETTINGS
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    assert_eq!(about.settings, settings);
    assert_eq!(about.in_flight, IN_FLIGHT);
    assert_eq!(about.paced_rate, PACED_RATE);
    // The row's name says the bound too.
    assert!(FUTURES.contains(&tables::number(IN_FLIGHT.into())));
    Ok(())
}

/// A trial that has lost a row, moved one or renamed a column says which.
#[test]
fn another_layout_is_told_apart() -> Outcome {
    let committed = serde_json::to_value(committed()?)?;
    let differs = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut trial = committed.clone();
        change(&mut trial);
        layout::difference(&trial, &committed, true)
    };
    assert_eq!(differs(&|_| {}), None);
    // Numbers do not count, and rounds are numbers.
    let other = differs(&|trial| {
        trial["peers"][0]["cpu"]["low"] = 1.into();
        trial["peers"][0]["cpu_of_rounds"] = serde_json::json!([1.0]);
    });
    assert_eq!(other, None);
    let remove = |trial: &mut serde_json::Value| {
        trial["peers"].as_array_mut().and_then(Vec::pop)
    };
    let lost = differs(&|trial| _ = remove(trial)).ok_or("not seen")?;
    assert!(
        lost.contains("nothing more where") || lost.contains(JAVA),
        "{lost}"
    );
    let moved = differs(&|trial| {
        if let Some(rows) = trial["cells"].as_array_mut() {
            rows.swap(0, 1);
        }
    });
    let moved = moved.ok_or("not seen")?;
    assert!(moved.contains("codec=\"snappy\""), "{moved}");
    let renamed = differs(&|trial| {
        if let Some(row) = trial["shapes"][0].as_object_mut() {
            row.remove("rate");
        }
    });
    assert!(renamed.ok_or("not seen")?.contains(AWAIT_EACH));
    Ok(())
}

/// Half of the time between two looks at `/proc/stat` nobody was idle, waiting for a disk included.
#[test]
fn what_the_processors_did_is_read_from_proc_stat() -> Outcome {
    let at = |busy: u64, idle: u64| {
        let text =
            format!("cpu  {busy} 0 0 {idle} 5 0 0 0 99 0\ncpu0 1 2\n");
        quiet::Ticks::read(&text).ok_or("not read")
    };
    let percent = quiet::busy_percent(at(100, 100)?, at(200, 200)?);
    assert_eq!(percent, Some(50.0));
    assert_eq!(quiet::busy_percent(at(100, 100)?, at(100, 100)?), None);
    assert!(quiet::Ticks::read("intr 1 2").is_none());
    Ok(())
}

/// Every row and column is there, in order, and each range holds its median.
#[test]
fn nothing_is_missing_from_the_results() -> Outcome {
    let results = committed()?;
    assert!(results.about.rounds >= 7, "{}", results.about.rounds);
    let shapes: Vec<&str> =
        results.shapes.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(shapes.first(), Some(&AWAIT_EACH));
    assert_eq!(&shapes[4..], [ALL_AT_ONCE, FUTURES, LIBRARY, FLOOR]);
    let peers: Vec<(&str, usize)> = results
        .peers
        .iter()
        .map(|line| (line.name.as_str(), line.size))
        .collect();
    let wanted = SIZES.map(|size| {
        [FUTURES, LIBRARY, FLOOR, JAVA].map(|name| (name, size))
    });
    assert_eq!(peers, wanted.concat());

    let cells: Vec<(u64, u64, &str)> = results
        .cells
        .iter()
        .map(|cell| (cell.batch, cell.linger, cell.codec.as_str()))
        .collect();
    let mut wanted = Vec::new();
    for batch in [16_384, 131_072, BATCH] {
        for linger in [0, 5, 50] {
            wanted.extend(CODECS.map(|codec| (batch, linger, codec)));
        }
    }
    assert_eq!(cells, wanted);

    // At the fixed rate only those are timed that tell of each record.
    let timed = |line: &&Line| line.paced.is_some();
    let names: Vec<&str> = results
        .peers
        .iter()
        .filter(timed)
        .map(|line| line.name.as_str())
        .collect();
    assert_eq!(names, [FUTURES, LIBRARY, FLOOR, FUTURES, LIBRARY, FLOOR]);
    let of_peers = results.peers.iter().filter_map(|line| line.paced);
    let of_cells = results.cells.iter().map(|cell| cell.paced.latency);
    for latency in of_peers.chain(of_cells) {
        assert!(
            0.0 < latency.p50_ms
                && latency.p50_ms <= latency.p99_ms
                && latency.p99_ms <= latency.p999_ms
                && latency.p999_ms <= latency.max_ms,
            "{latency:?}"
        );
    }

    let lines = results.shapes.iter().chain(&results.peers);
    let of_lines =
        lines.flat_map(|line| [line.rate, line.cpu, line.peak_mib]);
    let of_cells = results
        .cells
        .iter()
        .flat_map(|cell| [cell.rate, cell.mb, cell.cpu, cell.paced.cpu]);
    for spread in of_lines.chain(of_cells) {
        assert!(
            0.0 < spread.low
                && spread.low <= spread.median
                && spread.median <= spread.high,
            "{spread:?}"
        );
    }
    Ok(())
}

/// claim: speed-one-await-moved
///
/// Awaited one by one, less than 200 records a second; with many in flight, hundreds of times as many.
#[test]
fn one_await_moved_is_hundredfold() -> Outcome {
    let results = committed()?;
    let rate = |name: &str| {
        let mut shapes = results.shapes.iter();
        shapes.find(|line| line.name == name).map(|line| line.rate.median)
    };
    let awaited = rate(AWAIT_EACH).ok_or("no such shape")?;
    let in_flight = rate(FUTURES).ok_or("no such shape")?;
    assert!(awaited < 200.0, "{awaited}");
    assert!(in_flight > 300.0 * awaited, "{in_flight}");
    Ok(())
}

/// claim: speed-fuller-batches-compress-better
///
/// At a fixed rate, no codec makes less of 50 ms of orders than of what comes without any linger, and zstd, which
/// finds most, makes much more.
#[test]
fn a_fuller_batch_compresses_better() -> Outcome {
    let results = committed()?;
    for codec in CODECS {
        let ratio = |linger| {
            let cell = results.cell(BATCH, linger, codec);
            cell.map(|cell| cell.paced.ratio).ok_or("no such cell")
        };
        let (hasty, patient) = (ratio(0)?, ratio(50)?);
        if codec == "none" {
            // Nothing is compressed: the log is a little longer than the orders.
            assert!(0.8 < hasty && patient < 1.0, "{hasty} {patient}");
        } else {
            let least = if codec == "zstd" { 1.2 } else { 0.99 };
            assert!(patient > least * hasty, "{codec}: {hasty} {patient}");
        }
    }
    Ok(())
}

/// claim: speed-linger-saves-cpu
///
/// At a fixed rate, a client without linger sends more requests, and takes more CPU for the same orders.
#[test]
fn a_client_that_lingers_takes_less_cpu() -> Outcome {
    let results = committed()?;
    let cpu = |linger| {
        let cell = results.cell(BATCH, linger, "none");
        cell.map(|cell| cell.paced.cpu.median).ok_or("no such cell")
    };
    assert!(cpu(0)? > 1.5 * cpu(50)?, "{} {}", cpu(0)?, cpu(50)?);
    Ok(())
}

/// claim: speed-unbounded-is-no-faster
///
/// A future for each record at once holds several times the memory of a bound, and is not faster for it.
#[test]
fn more_in_flight_takes_memory_and_gives_no_speed() -> Outcome {
    let results = committed()?;
    let shape = |name: &str| {
        let mut shapes = results.shapes.iter();
        shapes.find(|line| line.name == name).ok_or("no such shape")
    };
    let at_once =
        format!("{} sends at once", tables::number(IN_FLIGHT.into()));
    let (all, bounded) = (shape(ALL_AT_ONCE)?, shape(&at_once)?);
    assert!(all.rate.median < bounded.rate.high, "{all:?} {bounded:?}");
    assert!(
        all.peak_mib.median > 3.0 * bounded.peak_mib.median,
        "{all:?} {bounded:?}"
    );
    Ok(())
}

/// claim: speed-small-batches-fill-before-their-time
///
/// As fast as it goes, 5 ms bring more orders than 16 KiB hold, in each round.
#[test]
fn a_small_batch_is_full_before_its_time() -> Outcome {
    let results = committed()?;
    let small = 16_384;
    let cell = results.cell(small, LINGER, "none").ok_or("no such cell")?;
    let brought = cell.mb.low * 1e6 * LINGER as f64 / 1e3;
    assert!(brought > small as f64, "{brought}");
    Ok(())
}

/// At a fixed rate half of the records wait for the linger and its request, whatever sends them.
#[test]
fn at_a_fixed_rate_the_linger_decides() -> Outcome {
    let results = committed()?;
    let paced = results.peers.iter().filter_map(|line| line.paced);
    let halves: Vec<f64> = paced.map(|latency| latency.p50_ms).collect();
    let (least, most) = halves
        .iter()
        .fold((f64::MAX, 0.0_f64), |(a, b), p| (a.min(*p), b.max(*p)));
    assert!(halves.len() == 6 && most < 1.5 * least, "{halves:?}");
    Ok(())
}

/// claim: speed-half-wait-for-the-linger
///
/// Half of the orders are acknowledged sooner without a linger than with 50 ms, which they wait for.
#[test]
fn half_of_the_orders_are_quicker_without_a_linger() -> Outcome {
    let results = committed()?;
    let p50 = |linger| {
        let cell = results.cell(BATCH, linger, "none");
        cell.map(|cell| cell.paced.latency.p50_ms).ok_or("no such cell")
    };
    assert!(p50(0)? < p50(50)?, "{} {}", p50(0)?, p50(50)?);
    Ok(())
}

/// claim: speed-library-keeps-up
///
/// The chapter's producer: at most 1.15 times the CPU of the floor, less than FutureProducer at 100 bytes, and not
/// slower than the floor ever was.
#[test]
fn what_is_promised_of_the_library_was_measured() -> Outcome {
    assert_eq!(broken_promises(&committed()?), Vec::<String>::new());
    Ok(())
}

/// The bench ends with an error that names the promise, or nobody would see that it is broken.
#[test]
fn a_broken_promise_is_named() -> Outcome {
    let change = |change: &dyn Fn(&mut results::Line)| {
        let mut results = committed()?;
        let mut peers = results.peers.iter_mut();
        let ours = |line: &&mut results::Line| {
            line.name == LIBRARY && line.size == SIZES[0]
        };
        change(peers.find(ours).ok_or("no such peer")?);
        let mut broken = broken_promises(&results);
        // What was measured at the other size is another test's.
        broken.retain(|promise| {
            promise.contains(&format!("at {} B", SIZES[0]))
        });
        Ok::<_, Box<dyn std::error::Error>>(broken)
    };
    let dear = change(&|line| {
        line.cpu_of_rounds.iter_mut().for_each(|cpu| *cpu *= 10.0);
    })?;
    assert_eq!(dear.len(), 2, "{dear:?}");
    assert!(dear[0].contains("times the floor's CPU"), "{dear:?}");
    assert!(dear[1].contains("FutureProducer"), "{dear:?}");
    let slow = change(&|line| line.rate.median /= 1000.0)?;
    assert_eq!(slow.len(), 1, "{slow:?}");
    assert!(slow[0].contains("the floor at least"), "{slow:?}");
    let gone = change(&|line| line.name.clear())?;
    assert!(gone[0].contains("not all of the peers"), "{gone:?}");
    Ok(())
}

/// claim: speed-an-awaited-send-waits-for-the-linger
///
/// Ten sends, each awaited, take ten lingers at least: a batch that nothing is added to waits all the same. Ten
/// sends that are awaited afterwards share one.
#[tokio::test]
async fn an_awaited_send_waits_for_the_linger() -> Outcome {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let linger = Duration::from_millis(200);
    let producer: FutureProducer = cluster
        .client_config()
        .set("linger.ms", linger.as_millis().to_string())
        .create()?;
    let send = || {
        let order =
            FutureRecord::<(), _>::to(topic.name()).payload("2 mugs");
        producer.send(order, Timeout::Never)
    };
    send().await.map_err(|(error, _)| error)?;

    let start = Instant::now();
    for _ in 0..10 {
        send().await.map_err(|(error, _)| error)?;
    }
    let awaited = start.elapsed();

    let start = Instant::now();
    let sends = futures::future::join_all((0..10).map(|_| send())).await;
    let together = start.elapsed();
    assert!(sends.iter().all(Result::is_ok));

    assert!(awaited >= 10 * linger, "{awaited:?}");
    assert!(together < awaited / 2, "{together:?} of {awaited:?}");
    Ok(())
}

/// claim: speed-a-full-queue-refuses
///
/// A thousand orders for a queue that holds a hundred: the program ends with 0, and the topic holds a hundred.
#[tokio::test]
async fn a_full_queue_refuses_what_it_cannot_hold() -> Outcome {
    let cluster = shop().await?;
    let mut program = command("producers_full", &cluster.bootstrap)?;
    let output = program.env("LOG_FORMAT", "json").output();
    let output = timeout(PATIENCE, output).await??;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("\"labels.stored\":100"), "{said}");

    assert_eq!(stored(&cluster, "orders")?, 100);
    Ok(())
}
