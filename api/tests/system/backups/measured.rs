//! How fast a dump and a bucket are, and what memory they take.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use age::x25519::Identity;
use ocim::backups::Backups as _;
use ocim::backups::files::place::Place as _;
use ocim::backups::files::place::bucket::{Bucket, Transfer};
use ocim::backups::port::Progress;
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;

use super::{AT, Place, contract, make};
use crate::system::resources::mariadb::MariaDb;
use crate::system::resources::swift::Swift;
use crate::system::resources::{only, servers};

/// The least share of the speed of the same programs in a pipe.
const LEAST_SHARE: f64 = 0.6;
/// The most memory that a dump may add to this process, in kB.
const MOST_MEMORY: u64 = 100_000;

/// Of a table of `OCIM_MEASURED_MB` (500) megabytes: mostly words, and some random digits.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs MariaDB: make test-resources"]
async fn a_measured_dump_is_as_fast_as_a_pipe_of_programs_and_takes_little_memory() {
    let megabytes = megabytes();
    let mariadb = MariaDb::start().await;
    let server = only(&servers(&mariadb.table("")));
    let source = make(&*server, "ocim_old").await;
    mariadb.execute("CREATE TABLE ocim_old.t (id INT PRIMARY KEY, a LONGTEXT)").await;
    for part in 0..megabytes.div_ceil(10) {
        mariadb
            .execute(&format!(
                "INSERT INTO ocim_old.t SELECT seq, CONCAT(REPEAT(CONCAT('the state of student ', seq, ' at '), 25), SHA2(seq, 512), \
                 SHA2(-seq, 512)) FROM ocim_old.seq_{}_to_{}",
                part * 10_000 + 1,
                (part + 1) * 10_000
            ))
            .await;
    }
    let place = Place::new();
    let whole = place.files.dump("1/1", &source, &Progress::default()).await.unwrap();
    reset_peak();
    let before = peak();
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    let mut read = 0;
    for round in 0..3 {
        let progress = Progress::default();
        let began = Instant::now();
        place.files.dump(AT, &source, &progress).await.unwrap();
        ours = ours.min(began.elapsed());
        read = progress.bytes.load(Ordering::Relaxed);
        let began = Instant::now();
        pipe(&mariadb, &place);
        theirs = theirs.min(began.elapsed());
        println!("round {round}: ocim {ours:?}, pipe {theirs:?} (the best until now)");
    }
    let memory = peak().saturating_sub(before);
    let speed = |time: Duration| read as f64 / 1e6 / time.as_secs_f64();
    let share = speed(ours) / speed(theirs);
    println!(
        "dump of {} MB in {} MB: ocim {:.0} MB/s, mariadb-dump | zstd -3 | age {:.0} MB/s: {:.0} %; peak memory +{:.1} MB",
        read / 1_000_000,
        whole.bytes / 1_000_000,
        speed(ours),
        speed(theirs),
        share * 100.0,
        memory as f64 / 1000.0
    );
    let began = Instant::now();
    let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    let target = make(&*server, "ocim_new").await;
    reset_peak();
    let (before, dumped) = (peak(), began.elapsed());
    place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap();
    let took = began.elapsed() - dumped;
    println!("load: {:.0} MB/s; peak memory +{:.1} MB", speed(took), (peak() - before) as f64 / 1000.0);
    assert!(share >= LEAST_SHARE, "{share}");
    assert!(memory <= MOST_MEMORY && peak() - before <= MOST_MEMORY, "{memory} kB, {} kB", peak() - before);
}

/// The same with programs alone.
fn pipe(mariadb: &MariaDb, place: &Place) {
    let options = place.dir.path().join("options.cnf");
    let root = format!(
        "[client]\nprotocol=tcp\nhost=127.0.0.1\nport={}\nuser=root\npassword=\"p@ss/word\"\nskip-ssl\n",
        mariadb.port
    );
    fs::write(&options, root).unwrap();
    let recipient = Identity::to_public(&place.key);
    let script = format!(
        "set -o pipefail; mariadb-dump --defaults-file={} --single-transaction --quick --skip-lock-tables --hex-blob \
         --default-character-set=utf8mb4 ocim_old | zstd -q -3 | age -r {recipient} > {}",
        options.display(),
        place.dir.path().join("pipe").display()
    );
    let status = Command::new("bash").args(["-c", &script]).status().unwrap();
    assert!(status.success());
}

/// The highest resident memory of this process, in kB.
fn peak() -> u64 {
    of_status("VmHWM:")
}

fn of_status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Lets the highest memory begin anew at what is used now.
fn reset_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// A file of `OCIM_MEASURED_MB` (500) megabytes in a bucket. No other test may change what is measured, so it is not the highest memory.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Swift: make test-resources"]
async fn a_measured_file_in_a_bucket_takes_little_memory() {
    let megabytes = megabytes();
    let swift = Swift::start().await;
    swift.ask(Some("ocim"), reqwest::Method::PUT, contract::NAME, "").await;
    let objects = contract::objects(swift.port, "ocim:admin", "k/ey-1");
    let place = Bucket::new(objects, "files/ocim-backups", Transfer::default());
    let (file, never) = (contract::path("1/2/large"), CancellationToken::new());
    let before = resident();
    let began = Instant::now();
    let mut unfinished = place.begin(&file, &never).await.unwrap();
    let written = tokio::task::spawn_blocking(move || {
        let chunk = contract::content(1_000_000);
        let most = (0..megabytes).map(|_| {
            unfinished.write_all(&chunk).unwrap();
            resident()
        });
        let most = most.max().unwrap_or_default();
        unfinished.keep().unwrap();
        most
    });
    let most = written.await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "upload: {:.0} MB/s; memory +{:.1} MB",
        megabytes as f64 / seconds,
        most.saturating_sub(before) as f64 / 1e3
    );
    assert!(most.saturating_sub(before) <= MOST_MEMORY, "{before} kB, {most} kB");

    let (before, began) = (resident(), Instant::now());
    let stored = place.open(&file, &never).await.unwrap().unwrap();
    assert_eq!(stored.bytes, megabytes * 1_000_000);
    let read = tokio::task::spawn_blocking(move || {
        let (mut content, mut chunk, mut most) = (stored.content, vec![0; 1_000_000], 0);
        while content.read(&mut chunk).unwrap() > 0 {
            most = most.max(resident());
        }
        most
    });
    let most = read.await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "download: {:.0} MB/s; memory +{:.1} MB",
        megabytes as f64 / seconds,
        most.saturating_sub(before) as f64 / 1e3
    );
    assert!(most.saturating_sub(before) <= MOST_MEMORY, "{before} kB, {most} kB");
}

/// How much is measured.
fn megabytes() -> u64 {
    std::env::var("OCIM_MEASURED_MB").map_or(500, |text| text.parse().unwrap())
}

/// The resident memory of this process, in kB.
fn resident() -> u64 {
    of_status("VmRSS:")
}
