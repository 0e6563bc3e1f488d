//! What is sent: orders of the shop, as JSON, from a seed.
//!
//! Zeros would compress a thousandfold, and one order sent again and again almost as well. So there are
//! thousands of different orders, with the ids, prices and repetitions that orders have.

use std::path::{Path, PathBuf};

use events::{Factory, OrderEvent, SUNDAY};

use crate::results::SIZES;

/// The seed of the factory: the same orders on every machine.
pub const SEED: u64 = 20_260_301;

/// How many different payloads there are: more than fit into the largest batch.
const DISTINCT: usize = 20_000;

/// Whole orders: envelope and data, as `events` writes them.
pub fn orders() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut factory = Factory::new(SEED, SUNDAY);
    (0..DISTINCT)
        .map(|_| {
            // About as many orders a second as the paced part sends, so that ids, which begin with
            // the time, resemble each other as much as they would.
            factory.pass(std::time::Duration::from_micros(100).try_into()?);
            let user = factory.user();
            let order = factory.order(&user);
            Ok(factory.first(OrderEvent::Placed(order)).to_json()?)
        })
        .collect()
}

/// The same text, cut into payloads of `size` bytes each.
pub fn cut(orders: &[Vec<u8>], size: usize) -> Vec<Vec<u8>> {
    let text = orders.concat();
    text.chunks_exact(size).take(DISTINCT).map(<[u8]>::to_vec).collect()
}

/// The payloads as files, one a line: what Kafka's own tool reads too.
pub struct Files {
    folder: PathBuf,
    /// The mean size of an order, in bytes.
    pub order_bytes: f64,
}

impl Files {
    /// Writes them.
    pub fn write(folder: &Path) -> anyhow::Result<Files> {
        let orders = orders()?;
        let bytes: usize = orders.iter().map(Vec::len).sum();
        let files = Files {
            folder: folder.to_owned(),
            order_bytes: bytes as f64 / orders.len() as f64,
        };
        std::fs::write(files.orders(), orders.join(&b'\n'))?;
        for size in SIZES {
            std::fs::write(
                files.cut(size),
                cut(&orders, size).join(&b'\n'),
            )?;
        }
        Ok(files)
    }

    /// Whole orders.
    pub fn orders(&self) -> PathBuf {
        self.folder.join("orders.txt")
    }

    /// Payloads of this size.
    pub fn cut(&self, size: usize) -> PathBuf {
        self.folder.join(format!("{size}.txt"))
    }
}
