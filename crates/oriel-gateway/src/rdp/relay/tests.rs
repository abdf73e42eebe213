//! The relay with a limit, and its pings, over streams within the process and a clock that moves when all wait.

use std::sync::Arc;

use oriel_rdp::x224::{ConnectionConfirm, SecurityProtocols};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

/// Both sides of a connection whose relay runs, with its limit.
fn relaying(max_kbits: Option<u32>, buffer: usize) -> (DuplexStream, DuplexStream) {
    measured(max_kbits, buffer, Arc::new(Measures::new()))
}

fn measured(max_kbits: Option<u32>, buffer: usize, measures: Arc<Measures>) -> (DuplexStream, DuplexStream) {
    let (browser, of_browser) = duplex(buffer);
    let (host, of_host) = duplex(buffer);
    tokio::spawn(async move {
        let (reader, writer) = tokio::io::split(of_browser);
        let mut browser = Browser { reader: Reader::new(reader, &[]), writer: Writer::new(writer) };
        let confirm = ConnectionConfirm::Selected { protocol: SecurityProtocols::SSL, flags: 0 };
        let mut host = Host::new(of_host, confirm, Vec::new());
        let filter = ChannelFilter::without_channels();
        let pace = Pace::new(max_kbits, Instant::now());
        relay(&mut browser, &mut host, &filter, &measures, pace).await
    });
    (browser, host)
}

/// Fast-path output of this many bytes.
fn picture(length: u16) -> Vec<u8> {
    let mut frame = vec![0x00];
    frame.extend((length | 0x8000).to_be_bytes());
    frame.resize(usize::from(length), 0xab);
    frame
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_over_time_and_nothing_piles_up() {
    const BUFFER: usize = 8 * 1024;
    const UPDATE: u16 = 4_000;
    // 800 kbit/s: 100,000 bytes a second.
    let (mut browser, mut host) = relaying(Some(800), BUFFER);
    let (began, written) = (Instant::now(), std::sync::Arc::new(AtomicU64::new(0)));
    let counted = written.clone();
    tokio::spawn(async move {
        while host.write_all(&picture(UPDATE)).await.is_ok() {
            counted.fetch_add(UPDATE.into(), Ordering::Relaxed);
        }
    });
    let mut arrived = 0_u64;
    let mut piece = vec![0; 64 * 1024];
    // Not for as long as a browser may be silent.
    while began.elapsed() < Duration::from_secs(45) {
        arrived += browser.read(&mut piece).await.expect("the connection stands") as u64;
        let allowed = began.elapsed().as_secs_f64() * 100_000.0 + 25_000.0 + 2.0 * f64::from(UPDATE);
        assert!(arrived as f64 <= allowed, "{arrived} bytes where {allowed} are allowed");
        // A batch, a message, and what the streams themselves hold.
        let held = written.load(Ordering::Relaxed).saturating_sub(arrived);
        assert!(held < (4 * BUFFER + 32 * 1024) as u64, "{held} bytes are held");
    }
    assert!(arrived >= 4_400_000, "only {arrived} of four and a half million bytes");
}

#[tokio::test(start_paused = true)]
async fn what_the_user_does_is_not_slowed_down() {
    let (mut browser, mut host) = relaying(Some(64), 64 * 1024);
    // More than the limit lets through in minutes.
    let writing = async {
        for _ in 0..15 {
            host.write_all(&picture(4_000)).await.expect("written");
        }
    };
    writing.await;
    let began = Instant::now();
    // A key, masked with zeros, as a browser sends it: RFC 6455, 5.2.
    browser.write_all(&[0x82, 0x84, 0, 0, 0, 0, 0x04, 0x04, 0x01, 0x1e]).await.expect("written");
    let mut key = [0; 4];
    host.read_exact(&mut key).await.expect("the key arrives");
    assert_eq!((key, began.elapsed()), ([0x04, 0x04, 0x01, 0x1e], Duration::ZERO));
    // A ping is answered while the picture waits.
    browser.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.expect("written");
    let mut piece = vec![0; 64 * 1024];
    let mut all = Vec::new();
    while !all.windows(2).any(|pair| pair == [0x8a, 0x00]) {
        let count = browser.read(&mut piece).await.expect("the connection stands");
        all.extend_from_slice(&piece[..count]);
    }
    assert!(all.len() < 15 * 4_000, "before all of the picture");
}

/// The round trip that brokers would be told, in microseconds; 0: none.
fn round_trip(measures: &Measures) -> u32 {
    let id = oriel_model::Id::generate(oriel_model::Timestamp::UNIX_EPOCH);
    let mut sample = crate::measures::Sample::new(id, Instant::now());
    sample.take(measures, Instant::now(), 1);
    sample.told().round_trip_us
}

/// The next ping's payload, and when it came.
async fn ping(browser: &mut DuplexStream) -> ([u8; 4], Instant) {
    let mut frame = [0; 6];
    browser.read_exact(&mut frame).await.expect("the connection stands");
    let [0x89, 4, payload @ ..] = frame else { panic!("no ping: {frame:?}") };
    (payload, Instant::now())
}

/// A pong, masked with zeros.
async fn pong(browser: &mut DuplexStream, payload: [u8; 4]) {
    browser.write_all(&[0x8a, 0x84, 0, 0, 0, 0]).await.expect("written");
    browser.write_all(&payload).await.expect("written");
}

#[tokio::test(start_paused = true)]
async fn a_round_trip_is_from_a_ping_to_its_own_answer() {
    let measures = Arc::new(Measures::new());
    let (mut browser, _host) = measured(None, 1_024, measures.clone());
    let (first, at) = ping(&mut browser).await;
    // An answer to nothing, and one that was asked for long ago, say nothing.
    pong(&mut browser, [9; 4]).await;
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert_eq!(round_trip(&measures), 0);
    pong(&mut browser, first).await;
    let (second, next) = ping(&mut browser).await;
    assert_eq!(next - at, PING_INTERVAL);
    assert_eq!(round_trip(&measures), 80_000);
    pong(&mut browser, first).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(round_trip(&measures), 80_000);
    pong(&mut browser, second).await;
    ping(&mut browser).await;
    assert_eq!(round_trip(&measures), 2_000_000);
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_a_ping_is_hardly_asked_and_stays_while_there_is_input() {
    let measures = Arc::new(Measures::new());
    let (mut browser, mut host) = measured(None, 1_024, measures.clone());
    let (_, began) = ping(&mut browser).await;
    let mut pings = 0_u32;
    while began.elapsed() < Duration::from_secs(300) {
        browser.write_all(&[0x82, 0x84, 0, 0, 0, 0, 0x04, 0x04, 0x01, 0x1e]).await.expect("written");
        host.read_exact(&mut [0; 4]).await.expect("the key arrives");
        if timeout(Duration::from_secs(1), ping(&mut browser)).await.is_ok() {
            pings += 1;
        }
    }
    assert!((14..=15).contains(&pings), "{pings} in five minutes, where one in {PING_PATIENCE:?} may come");
    assert_eq!(round_trip(&measures), 0);
    // Without input it is as if it were gone.
    let silent = Instant::now();
    while browser.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
    let passed = silent.elapsed();
    let expected = BROWSER_SILENCE_MAX - PING_INTERVAL..=BROWSER_SILENCE_MAX + PING_INTERVAL;
    assert!(expected.contains(&passed), "{passed:?}");
}
