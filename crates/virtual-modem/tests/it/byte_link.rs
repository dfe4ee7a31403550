//! The line's own faults, on a line without a module.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};
use virtual_modem::{ByteAction, ByteFault, ByteFaults, ByteLink, ByteSwarm, Vendor, VirtualModem, Way};

/// The host's end of a line with a fault at the fourth byte of a direction, and the far end.
fn line(way: Way, action: ByteAction) -> (ByteLink<DuplexStream>, DuplexStream, ByteFaults) {
    let (near, far) = tokio::io::duplex(64);
    let faults = ByteFaults::new().with(ByteFault::new(way, 3, action));
    (ByteLink::at_host(near, faults.clone()), far, faults)
}

/// What `far` writes, as it is read at the host's end.
async fn to_host(action: ByteAction, sent: &[u8]) -> Vec<u8> {
    let (mut host, mut far, _) = line(Way::ToHost, action);
    far.write_all(sent).await.unwrap();
    drop(far);
    let mut heard = Vec::new();
    host.read_to_end(&mut heard).await.unwrap();
    heard
}

/// What the host writes, as it comes to the far end.
async fn to_module(action: ByteAction, sent: &[u8]) -> Vec<u8> {
    let (mut host, mut far, _) = line(Way::ToModule, action);
    host.write_all(sent).await.unwrap();
    host.flush().await.unwrap();
    drop(host);
    let mut heard = Vec::new();
    far.read_to_end(&mut heard).await.unwrap();
    heard
}

#[tokio::test(start_paused = true)]
async fn bytes_are_lost_and_altered_in_both_directions() {
    let cases: [(ByteAction, &[u8]); 6] = [
        (ByteAction::Drop(1), b"abcefgh"),
        (ByteAction::Drop(3), b"abcgh"),
        (ByteAction::Flip(0x20), b"abcDefgh"),
        (ByteAction::Duplicate, b"abcddefgh"),
        (ByteAction::Insert("xyz".into()), b"abcxyzdefgh"),
        (ByteAction::Split, b"abcdefgh"),
    ];
    for (action, expected) in cases {
        assert_eq!(to_host(action.clone(), b"abcdefgh").await, expected, "{action:?}");
        assert_eq!(to_module(action.clone(), b"abcdefgh").await, expected, "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_split_gives_two_reads() {
    let (mut host, mut far, faults) = line(Way::ToHost, ByteAction::Split);
    far.write_all(b"abcdef").await.unwrap();
    let mut space = [0; 16];
    assert_eq!(host.read(&mut space).await.unwrap(), 3);
    assert_eq!(host.read(&mut space).await.unwrap(), 3);
    assert_eq!(faults.passed(Way::ToHost), 6);
    assert_eq!(faults.struck(), [("to-host:split".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stands_still_goes_on_later() {
    let moment = Duration::from_secs(3);
    for way in [Way::ToHost, Way::ToModule] {
        let (mut host, mut far, _) = line(way, ByteAction::Stall(moment));
        let start = Instant::now();
        let mut heard = [0; 4];
        if way == Way::ToHost {
            far.write_all(b"abcd").await.unwrap();
            host.read_exact(&mut heard[..3]).await.unwrap();
            assert_eq!(start.elapsed(), Duration::ZERO);
            host.read_exact(&mut heard[3..]).await.unwrap();
        } else {
            host.write_all(b"abcd").await.unwrap();
            far.read_exact(&mut heard).await.unwrap();
        }
        assert_eq!(&heard, b"abcd");
        assert!(start.elapsed() >= moment, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_line_stays_broken_until_it_is_opened_anew() {
    for (action, code) in [(ByteAction::InputOutputError, 5), (ByteAction::NoSuchDevice, 19)] {
        let (mut host, mut far, faults) = line(Way::ToHost, action);
        far.write_all(b"abcd").await.unwrap();
        let mut heard = [0; 4];
        host.read_exact(&mut heard[..3]).await.unwrap();
        for _ in 0..2 {
            assert_eq!(host.read(&mut heard).await.unwrap_err().raw_os_error(), Some(code));
            assert_eq!(host.write(b"x").await.unwrap_err().raw_os_error(), Some(code));
        }
        let (near, mut far) = tokio::io::duplex(64);
        let mut again = ByteLink::at_host(near, faults);
        far.write_all(b"abcd").await.unwrap();
        again.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"abcd");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_line_ends_or_says_nothing() {
    let mut heard = [0; 4];
    let (mut host, mut far, _) = line(Way::ToHost, ByteAction::End);
    far.write_all(b"abcd").await.unwrap();
    host.read_exact(&mut heard[..3]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(host.read(&mut heard).await.unwrap(), 0);
    }
    assert!(host.write(b"x").await.is_err());
    let (mut host, mut far, _) = line(Way::ToHost, ByteAction::Mute);
    far.write_all(b"abcd").await.unwrap();
    host.read_exact(&mut heard[..3]).await.unwrap();
    assert!(timeout(Duration::from_secs(3600), host.read(&mut heard)).await.is_err());
    host.write_all(b"into the void").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_write_that_breaks_off_has_written_what_came_before() {
    let (mut host, mut far, _) = line(Way::ToModule, ByteAction::InputOutputError);
    assert_eq!(host.write_all(b"abcdef").await.unwrap_err().raw_os_error(), Some(5));
    drop(host);
    let mut heard = Vec::new();
    far.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"abc");
}

#[tokio::test(start_paused = true)]
async fn random_faults_are_the_same_for_the_same_seed() {
    let mut altered = 0;
    for seed in 0..20 {
        let mut heard = [Vec::new(), Vec::new()];
        for heard in &mut heard {
            let (near, mut far) = tokio::io::duplex(100_000);
            let swarm = ByteSwarm::new(seed).only(|action| !matches!(action, ByteAction::InputOutputError));
            let mut host = ByteLink::at_host(near, ByteFaults::new().swarm(Way::ToHost, swarm));
            far.write_all(&[b'x'; 50_000]).await.unwrap();
            drop(far);
            let _ = host.read_to_end(heard).await;
        }
        let [first, second] = heard;
        altered += usize::from(first != vec![b'x'; 50_000]);
        assert_eq!(first, second, "seed {seed}");
    }
    assert!(altered > 10);
}

#[tokio::test(start_paused = true)]
async fn the_modules_own_line_can_have_faults() {
    let faults = ByteFaults::new().with(ByteFault::new(Way::ToHost, 0, ByteAction::Flip(1)));
    let faults = faults.with(ByteFault::new(Way::ToHost, 9, ByteAction::InputOutputError));
    let modem = VirtualModem::builder(Vendor::Quectel).byte_faults(faults).build().unwrap();
    let mut host = modem.duplex();
    host.write_all(b"AT\rAT\r").await.unwrap();
    let mut heard = Vec::new();
    host.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"@T\r\r\nOK\r\n");
}
