//! The virtual module and its transcripts: any input is survived.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use virtual_modem::{Transcript, Vendor, VirtualModem};

use super::in_virtual_time;
use super::source::Source;

/// A host that says anything: the module answers, settles, and still knows `AT` when it has been restarted.
pub fn modem_input(data: &[u8]) {
    let mut source = Source(data);
    let vendors = [Vendor::Quectel, Vendor::SimCom, Vendor::Fibocom, Vendor::Neoway];
    let vendor = vendors[source.below(vendors.len())];
    let pieces: Vec<Vec<u8>> = source.pieces().into_iter().map(<[u8]>::to_vec).collect();
    in_virtual_time(async move {
        let module = VirtualModem::builder(vendor).build().expect("it can be built");
        let mut host = module.duplex();
        for piece in pieces {
            // What it takes nobody's turn for is lost: a module that was switched off does not read.
            let write = host.write_all(&piece);
            if !matches!(tokio::time::timeout(Duration::from_secs(1), write).await, Ok(Ok(()))) {
                break;
            }
            silence(&mut host).await;
        }
        drop(host);
        module.reboot(virtual_modem::Reboot::Silent);
        let mut host = module.duplex();
        tokio::time::sleep(Duration::from_secs(30)).await;
        host.write_all(b"AT\r").await.expect("it listens");
        let said = silence(&mut host).await;
        assert!(said.ends_with("OK\r\n"), "{vendor:?} says {said:?}");
    });
}

/// What is said until nothing is said for a while.
async fn silence(host: &mut tokio::io::DuplexStream) -> String {
    let mut said = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(Ok(count @ 1..)) =
        tokio::time::timeout(Duration::from_millis(200), host.read(&mut buffer)).await
    {
        said.extend_from_slice(&buffer[..count]);
        assert!(said.len() < 1 << 20, "it never stops");
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Text that is a transcript is the same one when it was written and read again.
pub fn transcript(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(transcript) = text.parse::<Transcript>() else { return };
    let written = transcript.to_string();
    assert_eq!(written.parse().as_ref(), Ok(&transcript), "{written}");
}
