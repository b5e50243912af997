//! One connection of the line server.

use std::io::{Read, Write};

use linkbuf_core::{Error as BufferError, LinkBuffer};
use linkbuf_net::{Connection, Error, ReadOutcome, Shutdown};

use crate::threads::{all_sent, silent};

/// How much of a refused peer's stream is read and dropped before its connection is closed.
const LINGER: usize = 1 << 20;

/// Answers every line with the line in upper case, until the peer ends its stream. A last line without an end is
/// answered too. A line of more than `max_line` bytes is answered with an error, and the connection ends.
pub(crate) fn connection<S: Read + Write + Shutdown>(
    stream: S,
    max_line: usize,
) -> Result<(), Error> {
    let mut conn = Connection::new(stream);
    loop {
        let ended = match conn.fill()? {
            ReadOutcome::Data { .. } => false,
            ReadOutcome::WouldBlock => return Err(silent()),
            ReadOutcome::End => true,
        };
        let (input, output) = conn.buffers_mut();
        if !answer_lines(input, output, max_line)? {
            return refuse(conn, max_line);
        }
        if ended {
            let rest = input.next(input.len())?;
            answer(rest, output)?;
            return all_sent(conn.finish()?);
        }
        // One flush for all the lines that came together.
        all_sent(conn.flush()?)?;
    }
}

/// Answers all complete lines. `false`: one is too long.
fn answer_lines(
    input: &mut LinkBuffer,
    output: &mut LinkBuffer,
    max_line: usize,
) -> Result<bool, Error> {
    loop {
        match input.until(b'\n') {
            Ok(line) if line.len() - 1 > max_line => return Ok(false),
            Ok(line) => answer(line, output)?,
            Err(BufferError::NotFound { readable }) => return Ok(readable <= max_line),
            Err(e) => return Err(e.into()),
        }
    }
}

/// Writes the answer in place.
fn answer(line: &[u8], output: &mut LinkBuffer) -> Result<(), Error> {
    let room = output.malloc(line.len())?;
    room.copy_from_slice(line);
    room.make_ascii_uppercase();
    Ok(())
}

/// Says why, and ends the connection so that the peer gets to read it.
fn refuse<S: Read + Write + Shutdown>(
    mut conn: Connection<S>,
    max_line: usize,
) -> Result<(), Error> {
    let message = format!("error: a line may have {max_line} bytes\n");
    conn.output_mut().write_string(&message)?;
    all_sent(conn.finish()?)?;
    // Closing a socket with unread input would reset the connection, and the message might be lost on its way.
    let mut left = LINGER;
    while left > 0 {
        conn.input_mut().clear();
        match conn.fill()? {
            ReadOutcome::Data { bytes, .. } => left = left.saturating_sub(bytes),
            ReadOutcome::WouldBlock | ReadOutcome::End => break,
        }
    }
    Ok(())
}
