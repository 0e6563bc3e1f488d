//! `interop/Golden.java` runs again, on the jars of the local Kafka, and says what its files say.

/// Needs Java and Maven as a local cluster does, though none is started.
mod own_cluster {
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use producers::backoff::{Backoff, Client};
    use testbed::local::{Java, Tools};
    use testbed::machine::java_program;

    type Result<T = ()> =
        std::result::Result<T, Box<dyn std::error::Error>>;

    /// What the program prints; `None` where Java has no compiler, which a JRE has not.
    fn golden(what: &str) -> Result<Option<String>> {
        let java = Java::ask(java_program())?;
        let modules =
            Command::new(&java.program).arg("--list-modules").output()?;
        if !String::from_utf8_lossy(&modules.stdout)
            .contains("jdk.compiler")
        {
            if std::env::var_os("CI").is_some() {
                return Err("this Java has no compiler: use a JDK".into());
            }
            eprintln!("left out: this Java has no compiler; use a JDK");
            return Ok(None);
        }
        let kafka = Tools::from_environment()?.install(&java)?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("interop/Golden.java");
        let output = Command::new(&java.program)
            .args(["-Dfile.encoding=UTF-8", "-cp", kafka.class_path()])
            .arg(source)
            .arg(what)
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr)
                .into_owned()
                .into());
        }
        Ok(Some(String::from_utf8(output.stdout)?))
    }

    /// Java's murmur2 and partition choice, key by key, are still those of the file.
    #[test]
    fn javas_keys_are_those_of_the_file() -> Result {
        if let Some(keys) = golden("keys")? {
            assert_eq!(keys, include_str!("../../interop/keys.tsv"));
        }
        Ok(())
    }

    /// Java's delays are drawn anew: their middles are those of the file, and all draws are in our bands.
    #[test]
    fn javas_delays_are_in_our_bands() -> Result {
        let Some(drawn) = golden("backoff")? else { return Ok(()) };
        let middles = |text: &str| -> Vec<String> {
            let four = |row: &str| {
                row.split('\t').take(4).collect::<Vec<_>>().join("\t")
            };
            text.lines().map(four).collect()
        };
        let file = include_str!("../../interop/backoff.tsv");
        assert_eq!(middles(&drawn), middles(file));
        let ms = Duration::from_millis;
        for row in drawn.lines().skip(1) {
            let cells: Vec<u64> = row
                .split('\t')
                .map(str::parse)
                .collect::<std::result::Result<_, _>>()?;
            let [first, longest, failed, _, least, most] = cells[..] else {
                return Err(row.into());
            };
            let backoff =
                Backoff::new(Client::Java, ms(first), ms(longest))?;
            let delay = backoff.delay(u32::try_from(failed)?);
            // Java cuts off below a millisecond.
            assert!(delay.at_least < ms(least + 1), "{row}: {delay:?}");
            assert!(ms(most) <= delay.at_most, "{row}: {delay:?}");
        }
        Ok(())
    }
}
