//! The machine, the versions and the settings that stand beside the numbers.

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::util::get_rdkafka_version;
use testbed::Cluster;
use testbed::local::{Java, Tools};

use crate::Plan;
use crate::grid::PACED_RATE;
use crate::payload::Files;
use crate::results;
use crate::rounds::SETTINGS;

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
        let features = ClientConfig::new()
            .create_native_config()?
            .get("builtin.features")?;
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
            load: (f64::MAX, 0.0),
            kafka: cluster.version.clone().context("no version")?,
            librdkafka: get_rdkafka_version().1,
            java: java.build.lines().next().unwrap_or_default().to_owned(),
            rounds: 0,
            setting_rounds: 0,
            settings: SETTINGS
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            java_command: String::new(),
            order_bytes: files.order_bytes,
            paced_rate: PACED_RATE,
        };
        Ok(About {
            about,
            has_zstd: features.split(',').any(|one| one == "zstd"),
            java_command: String::new(),
        })
    }

    /// Notes how busy the machine is.
    pub fn note_load(&mut self) {
        let text =
            std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let minute =
            text.split(' ').next().and_then(|load| load.parse().ok());
        if let Some(load) = minute {
            let (low, high) = self.about.load;
            self.about.load = (f64::min(low, load), f64::max(high, load));
        }
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
