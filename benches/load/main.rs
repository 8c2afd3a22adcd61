//! The gateway under load: `cargo bench --bench load -- [--connections N] [--seconds N] [--rate N]
//! [--lines N] [--count N] [--again]`.
//!
//! Starts `abigate serve --dev` as a program of its own in a temporary folder and sends it entry
//! summaries over real TLS, one a batch, from this program's one thread. Each must be accepted. Without
//! a rate every connection sends its next batch when the last is answered; with one, batches are due at
//! fixed moments and the time until the answer counts from the moment at which a batch was due, so a
//! gateway that falls behind cannot hide it.
//!
//! - `--connections N`: how many at once (32)
//! - `--seconds N`: for how long (10), unless `--count` says how many
//! - `--rate N`: summaries a second over all connections; 0 is as many as can be (0)
//! - `--lines N`: line items of a summary, 1 to 998 (10)
//! - `--count N`: stop after so many summaries
//! - `--again`: file the same entry numbers again and again, as replacements
//!
//! It prints what was reached, the times to an answer, the processor time that the gateway and this
//! program took for a summary, and the gateway's memory over time.

mod gateway;
mod summary;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep_until};

use gateway::Gateway;
use summary::Summary;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What one run does.
#[derive(Clone, Copy, Debug)]
struct Plan {
    connections: u32,
    seconds: u64,
    rate: u64,
    lines: usize,
    count: u64,
    again: bool,
}

impl Plan {
    fn read() -> Result<Self, Failure> {
        let mut plan =
            Self { connections: 32, seconds: 10, rate: 0, lines: 10, count: u64::MAX, again: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || -> Result<u64, Failure> {
                Ok(words.next().ok_or_else(|| format!("{word}: a number is missing"))?.parse()?)
            };
            match word.as_str() {
                "--connections" => plan.connections = u32::try_from(number()?)?.max(1),
                "--seconds" => plan.seconds = number()?,
                "--rate" => plan.rate = number()?,
                "--lines" => plan.lines = usize::try_from(number()?)?.clamp(1, 998),
                "--count" => (plan.count, plan.seconds) = (number()?, u64::MAX / 4),
                "--again" => plan.again = true,
                // what cargo says to every bench
                "--bench" => {}
                _ => return Err(format!("{word}: no such option").into()),
            }
        }
        Ok(plan)
    }
}

/// What all connections share.
#[derive(Debug)]
struct Run {
    plan: Plan,
    begun: Instant,
    next: AtomicU64,
    answered: AtomicU64,
}

impl Run {
    /// The number of the next summary to send, from zero, and when it is due.
    fn next(&self) -> Option<(u64, Option<Instant>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = match self.plan.rate {
            0 => None,
            rate => Some(self.begun + Duration::from_nanos(number.saturating_mul(1_000_000_000) / rate)),
        };
        let over = due.unwrap_or_else(Instant::now).duration_since(self.begun).as_secs() >= self.plan.seconds;
        (number < self.plan.count && !over).then_some((number, due))
    }
}

fn main() -> Result<(), Failure> {
    let plan = Plan::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(load(plan))
}

async fn load(plan: Plan) -> Result<(), Failure> {
    let summary = Arc::new(Summary::new(plan.lines)?);
    let gateway = Gateway::start()?;
    let mut connections = Vec::new();
    for number in 0..plan.connections {
        let mut connection = gateway.connect().await?;
        // a connection's first batch pays for its password
        exchange(&mut connection, &summary.batch(u64::from(number)), &mut Vec::new()).await?;
        connections.push(connection);
    }
    let before = (gateway.cpu()?, gateway::own_cpu()?);
    let run = Arc::new(Run { plan, begun: Instant::now(), next: 0.into(), answered: 0.into() });
    let mut tasks = JoinSet::new();
    for (number, connection) in (0_u64..).zip(connections) {
        tasks.spawn(converse(connection, number, Arc::clone(&run), Arc::clone(&summary)));
    }
    let mut memory = vec![gateway.memory()?];
    let mut seconds = interval(Duration::from_secs(1));
    let (mut times, mut failure): (Vec<u32>, Option<Failure>) = (Vec::new(), None);
    loop {
        tokio::select! {
            done = tasks.join_next() => match done {
                Some(Ok(Ok(mut found))) => times.append(&mut found),
                Some(failed) => {
                    let failed = failed.map_err(Failure::from).and_then(|found| found);
                    failure = failure.or(failed.err());
                    run.next.store(plan.count.min(u64::MAX / 2), Ordering::Relaxed);
                }
                None => break,
            },
            _ = seconds.tick() => memory.push(gateway.memory()?),
        }
    }
    let elapsed = run.begun.elapsed();
    let spent = (gateway.cpu()? - before.0, gateway::own_cpu()? - before.1);
    report(&run, elapsed, spent, &mut times, &memory);
    gateway.stop()?;
    // what was reached is told all the same
    failure.map_or(Ok(()), Err)
}

/// Sends batches on one connection until there are no more; how long each took, in microseconds.
async fn converse(
    mut connection: gateway::Connection,
    slot: u64,
    run: Arc<Run>,
    summary: Arc<Summary>,
) -> Result<Vec<u32>, Failure> {
    let mut answer = Vec::new();
    let mut times = Vec::new();
    while let Some((number, due)) = run.next() {
        if let Some(due) = due {
            sleep_until(due.into()).await;
        }
        let begun = due.unwrap_or_else(Instant::now);
        // the first numbers were used before the clock began; each connection has its own to use again
        let number = if run.plan.again { slot } else { u64::from(run.plan.connections) + number };
        exchange(&mut connection, &summary.batch(number), &mut answer).await?;
        run.answered.fetch_add(1, Ordering::Relaxed);
        // a soak of hours keeps no more than this of it
        if times.len() < 1 << 20 {
            times.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
    connection.shutdown().await?;
    Ok(times)
}

/// Sends a batch and reads its answer, which must accept.
async fn exchange(
    connection: &mut gateway::Connection,
    batch: &[u8],
    answer: &mut Vec<u8>,
) -> Result<(), Failure> {
    connection.write_all(batch).await?;
    connection.flush().await?;
    answer.clear();
    // the answer ends with its Z-record
    let ended = |answer: &[u8]| {
        answer.ends_with(b"\n")
            && answer.rsplit(|&byte| byte == b'\n').nth(1).is_some_and(|row| row.starts_with(b"Z"))
    };
    while !ended(answer) {
        if connection.read_buf(answer).await? == 0 {
            return Err("the gateway closed the connection".into());
        }
    }
    match summary::is_accepted(answer) {
        true => Ok(()),
        false => Err(format!("not accepted:\n{}", String::from_utf8_lossy(answer)).into()),
    }
}

fn report(run: &Run, elapsed: Duration, spent: (f64, f64), times: &mut [u32], memory: &[u64]) {
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        f64::from(times.get(index).copied().unwrap_or_default()) / 1000.0
    };
    let answered = run.answered.load(Ordering::Relaxed);
    let plan = run.plan;
    println!(
        "{} connections, {} lines a summary, {}",
        plan.connections,
        plan.lines,
        if plan.rate == 0 {
            "as fast as answers come".to_owned()
        } else {
            format!("{} a second due", plan.rate)
        }
    );
    println!(
        "{answered} summaries accepted in {:.1} s: {:.0} a second",
        elapsed.as_secs_f64(),
        answered as f64 / elapsed.as_secs_f64()
    );
    println!(
        "time to answer: median {:.1} ms, 99 % {:.1} ms, 99.9 % {:.1} ms, longest {:.1} ms",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
    let each = |seconds: f64| seconds * 1e6 / answered.max(1) as f64;
    println!("processor time a summary: gateway {:.0} µs, load {:.0} µs", each(spent.0), each(spent.1));
    let quarter = |part: usize| memory.get((memory.len() - 1) * part / 4).copied().unwrap_or_default() >> 20;
    println!(
        "gateway's memory in MiB: {} at the start, {} {} {} {} at each quarter",
        quarter(0),
        quarter(1),
        quarter(2),
        quarter(3),
        quarter(4)
    );
}
