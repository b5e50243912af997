//! One connection of the echo server.

use std::io::{Read, Write};

use linkbuf_net::{Connection, Error, ReadOutcome, Shutdown};

use crate::threads::{all_sent, silent};

/// Sends back what comes, until the peer ends its stream; then ends the other direction.
pub(crate) fn connection<S: Read + Write + Shutdown>(stream: S) -> Result<(), Error> {
    let mut conn = Connection::new(stream);
    loop {
        match conn.fill()? {
            ReadOutcome::Data { .. } => {}
            ReadOutcome::WouldBlock => return Err(silent()),
            ReadOutcome::End => break,
        }
        // A view of what came goes out again: large reads are not copied.
        let (input, output) = conn.buffers_mut();
        output.append_slice(input.slice(input.len())?)?;
        all_sent(conn.flush()?)?;
    }
    all_sent(conn.finish()?)
}
