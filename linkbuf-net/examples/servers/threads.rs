//! A thread for each connection, and what a blocking connection does about peers that fall silent.

use std::{
    io,
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use linkbuf_net::{Error, WriteStop, WriteTotal};

/// A peer that sends or takes nothing for so long is dropped.
const PATIENCE: Duration = Duration::from_secs(60);
/// After a failed accept (out of file descriptors, mostly): time for connections to end.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves every connection that comes in, each on a thread of its own. Returns when `incoming` ends and the last
/// connection is done.
pub(crate) fn serve<H>(incoming: impl Iterator<Item = io::Result<TcpStream>>, handle: H)
where
    H: Fn(TcpStream) -> Result<(), Error> + Sync,
{
    let accepted = AtomicU64::new(0);
    let run = |stream: TcpStream| {
        let number = accepted.fetch_add(1, Ordering::Relaxed);
        match set_up(&stream)
            .map_err(Error::from)
            .and_then(|()| handle(stream))
        {
            Ok(()) | Err(Error::Reset(_)) => {}
            Err(e) => eprintln!("connection {number}: {e}"),
        }
    };
    thread::scope(|scope| {
        for stream in incoming {
            let spawned = stream
                .and_then(|stream| thread::Builder::new().spawn_scoped(scope, || run(stream)));
            if let Err(e) = spawned {
                eprintln!("accept: {e}");
                thread::sleep(PAUSE);
            }
        }
    });
}

fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}

/// What a timeout of a blocking socket is for these servers.
pub(crate) fn silent() -> Error {
    Error::Io(io::ErrorKind::TimedOut.into())
}

/// All was sent, or the peer took nothing for too long.
pub(crate) fn all_sent(total: WriteTotal) -> Result<(), Error> {
    match total.stop {
        WriteStop::Empty => Ok(()),
        WriteStop::WouldBlock | WriteStop::Budget => Err(silent()),
    }
}
