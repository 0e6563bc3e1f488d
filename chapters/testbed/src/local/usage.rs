//! What a process uses, as the system tells it.

/// From `/proc/PID/status`, which has it in KiB.
#[cfg(target_os = "linux")]
pub(crate) fn rss_bytes(pid: u32) -> Option<u64> {
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// From `/proc/PID/stat`, in ticks of 10 ms (`USER_HZ`), all threads together.
#[cfg(target_os = "linux")]
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold blanks.
    let fields: Vec<&str> =
        stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Whether each thread has been stopped by a signal; `None` if there is no such process.
#[cfg(target_os = "linux")]
pub(crate) fn is_stopped(pid: u32) -> Option<bool> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let mut states = threads.filter_map(|thread| {
        // A thread may end while we look.
        let stat =
            std::fs::read_to_string(thread.ok()?.path().join("stat"))
                .ok()?;
        stat.rsplit_once(')')?.1.trim_start().chars().next()
    });
    Some(states.all(|state| state == 'T'))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_stopped(pid: u32) -> Option<bool> {
    Some(ps(pid, "state=")?.starts_with('T'))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn rss_bytes(pid: u32) -> Option<u64> {
    Some(ps(pid, "rss=")?.parse::<u64>().ok()? * 1024)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    clock(&ps(pid, "time=")?)
}

#[cfg(not(target_os = "linux"))]
fn ps(pid: u32, column: &str) -> Option<String> {
    let output = std::process::Command::new("ps")
        .args(["-o", column, "-p", &pid.to_string()])
        .output()
        .ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let said = said.trim();
    (!said.is_empty()).then(|| said.to_owned())
}

/// Reads `ps`'s times: `0:01.53` on macOS, `00:00:01` elsewhere.
#[cfg(any(test, not(target_os = "linux")))]
fn clock(text: &str) -> Option<f64> {
    text.split(':').try_fold(0.0, |sum, part| {
        Some(sum * 60.0 + part.parse::<f64>().ok()?)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_read_as_ps_writes_them() {
        assert_eq!(super::clock("0:01.53"), Some(1.53));
        assert_eq!(super::clock("01:02:03"), Some(3723.0));
        assert_eq!(super::clock("-"), None);
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let pid = std::process::id();
        assert!(super::rss_bytes(pid).is_some_and(|bytes| bytes > 1 << 20));
        assert!(super::cpu_seconds(pid).is_some());
        assert_eq!(super::rss_bytes(u32::MAX), None);
    }
}
