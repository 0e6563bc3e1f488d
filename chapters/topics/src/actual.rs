//! What a cluster has.

use std::collections::BTreeMap;

/// One topic as a cluster has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actual {
    /// Its partitions.
    pub partitions: i32,
    /// On how many brokers each partition is stored: the smallest number, where they differ.
    pub replication_factor: i32,
    /// Every setting that is in force, with the brokers' defaults among them.
    pub configs: BTreeMap<String, Setting>,
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its value.
    pub value: String,
    /// True if it was set on this topic; false if it comes from the broker or from Kafka's defaults.
    pub on_topic: bool,
}

impl Actual {
    /// The value in force.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.configs.get(name).map(|setting| setting.value.as_str())
    }

    /// What was set on this topic, by name.
    pub fn on_topic(&self) -> impl Iterator<Item = (&str, &str)> {
        self.configs
            .iter()
            .filter(|(_, setting)| setting.on_topic)
            .map(|(name, setting)| (name.as_str(), setting.value.as_str()))
    }
}
