//! The machine, the versions and the settings that stand beside the numbers.

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::util::get_rdkafka_version;
use testbed::Cluster;
use testbed::local::{Java, Tools};

use crate::Plan;
use crate::payload::Files;
use crate::quiet;
use crate::results::{self, IN_FLIGHT, PACED_RATE, SETTINGS};

/// What is known before the first round, and what is noted on the way.
pub struct About {
    about: results::About,
    /// Whether this build of librdkafka has the codec.
    pub has_zstd: bool,
    /// The command of Kafka's own tool.
    pub java_command: String,
}

impl About {
    /// Looks at the machine.
    pub fn begin(
        cluster: &Cluster,
        files: &Files,
    ) -> anyhow::Result<About> {
        let java = Java::ask(Tools::from_environment()?.java)?;
        let seconds =
            std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
        let today = events::Timestamp::from_second(seconds.try_into()?)?;
        let about = results::About {
            date: today.to_string().chars().take(10).collect(),
            processor: processor(),
            processors: std::thread::available_parallelism()?.get(),
            memory_gib: memory_gib(),
            system: format!(
                "{} {}",
                std::env::consts::OS,
                std::env::consts::ARCH
            ),
            others_percent: None,
            kafka: cluster.version.clone().context("no version")?,
            librdkafka: get_rdkafka_version().1,
            java: java.build.lines().next().unwrap_or_default().to_owned(),
            rounds: 0,
            setting_rounds: 0,
            settings: SETTINGS
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            in_flight: IN_FLIGHT,
            java_command: String::new(),
            order_bytes: files.order_bytes,
            paced_rate: PACED_RATE,
        };
        Ok(About {
            about,
            has_zstd: has_zstd()?,
            java_command: String::new(),
        })
    }

    /// Waits until the machine is quiet, and notes how quiet it is.
    ///
    /// # Errors
    ///
    /// It stays busy.
    pub async fn until_quiet(&mut self) -> anyhow::Result<()> {
        if let Some(percent) = quiet::until_quiet().await? {
            let (low, high) =
                self.about.others_percent.unwrap_or((percent, percent));
            self.about.others_percent =
                Some((low.min(percent), high.max(percent)));
        }
        Ok(())
    }

    /// What is written beside the numbers.
    pub fn end(self, plan: Plan) -> results::About {
        let About { about, java_command, .. } = self;
        results::About {
            rounds: plan.rounds,
            setting_rounds: plan.setting_rounds,
            java_command,
            ..about
        }
    }
}

/// Whether this build of librdkafka has the codec.
pub fn has_zstd() -> anyhow::Result<bool> {
    let config = ClientConfig::new().create_native_config()?;
    let features = config.get("builtin.features")?;
    Ok(features.split(',').any(|one| one == "zstd"))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or(std::env::consts::ARCH, |(_, model)| model).to_owned()
}

fn memory_gib() -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total =
        text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|line| line.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1_048_576.0
}
