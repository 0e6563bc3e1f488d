//! Whether the machine is quiet enough to measure.
//!
//! Not by the load average: that lags a minute behind, and the last round is in it.

use std::time::{Duration, Instant};

/// What all else may take of the processors, in percent. The broker that waits for the next round is in it.
const QUIET_PERCENT: f64 = 10.0;

/// How long one look takes: a hundred ticks of each processor.
const LOOK: Duration = Duration::from_secs(1);

/// How long somebody else may keep the machine busy.
const PATIENCE: Duration = Duration::from_secs(300);

/// Waits until it is, while this program does nothing itself; what all else took then, in percent. `None` where the
/// system does not say: without `/proc`.
///
/// # Errors
///
/// It stays busy.
pub async fn until_quiet() -> anyhow::Result<Option<f64>> {
    let start = Instant::now();
    let mut told = false;
    while let Some(percent) = look().await {
        if percent <= QUIET_PERCENT {
            return Ok(Some(percent));
        }
        anyhow::ensure!(
            start.elapsed() < PATIENCE,
            "the machine is busy: for {} minutes something else has taken {percent:.0} % of its processors. \
             Close what runs and start again",
            PATIENCE.as_secs() / 60
        );
        if !told {
            eprintln!(
                "the machine is busy: something else takes {percent:.0} % of its processors; \
                 waiting until it is at most {QUIET_PERCENT:.0} %"
            );
            told = true;
        }
    }
    Ok(None)
}

async fn look() -> Option<f64> {
    let before = Ticks::now()?;
    tokio::time::sleep(LOOK).await;
    busy_percent(before, Ticks::now()?)
}

/// What the processors have done since the machine was started, in ticks.
#[derive(Clone, Copy)]
pub struct Ticks {
    all: u64,
    idle: u64,
}

impl Ticks {
    fn now() -> Option<Ticks> {
        Ticks::read(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// Reads the first line of `/proc/stat`.
    pub fn read(text: &str) -> Option<Ticks> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line
            .split_whitespace()
            // user nice system idle iowait irq softirq steal; what guests took is in user and nice already.
            .take(8)
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        let idle = ticks.get(3)? + ticks.get(4)?;
        Some(Ticks { all: ticks.iter().sum(), idle })
    }
}

/// How much of the time in between they were not idle; `None` if no time has passed.
pub fn busy_percent(before: Ticks, after: Ticks) -> Option<f64> {
    let all = after.all.checked_sub(before.all).filter(|all| *all > 0)?;
    let idle = after.idle.saturating_sub(before.idle);
    Some(100.0 * all.saturating_sub(idle) as f64 / all as f64)
}
