//! Who answers: the same for all contenders.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::instant_io::answer_to;

/// Answers each command at once until the line is closed.
pub(crate) async fn serve(mut line: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = [0; 64];
    let mut length = 0;
    loop {
        match line.read(&mut buffer[length..]).await {
            Ok(count) if count > 0 => length += count,
            _ => return,
        }
        let answer = answer_to(&buffer[..length]);
        if !answer.is_empty() {
            length = 0;
            if line.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

/// A connection over the loopback interface.
pub(crate) async fn over_tcp() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let (host, module) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (host, (module, _)) = (host.expect("it connects"), module.expect("it is accepted"));
    for stream in [&host, &module] {
        stream.set_nodelay(true).expect("it can be set");
    }
    tokio::spawn(serve(module));
    host
}
