//! Sockets and linked buffers: read into booked space, write out with vectored calls.
//!
//! This is the base that needs no runtime: it works with the standard library's sockets (and anything else that is
//! [`Read`](std::io::Read) and [`Write`](std::io::Write)), blocking or not.
//!
//! | to | use |
//! |---|---|
//! | read what is there into a buffer, once | [`read_from`]; [`read_at_most`] leaves the rest in the socket |
//! | read until a non-blocking socket is empty, fairly | [`read_some`] |
//! | write a buffer out, once | [`write_to`] |
//! | write a buffer out until it is empty or the socket is full | [`write_some`] |
//! | keep a socket, both buffers and their limits together | [`Connection`], [`Limits`] |
//!
//! What a call can meet is a distinct outcome each, so none can be taken for another:
//!
//! | the system says | reading | writing |
//! |---|---|---|
//! | some bytes | [`ReadOutcome::Data`] | [`WriteOutcome::Data`], `short` if partial |
//! | `EINTR` | called again, with the same room | called again, with the same bytes |
//! | `EAGAIN` | [`ReadOutcome::WouldBlock`] | [`WriteOutcome::WouldBlock`] |
//! | 0 bytes | [`ReadOutcome::End`] | [`Error::WriteZero`] |
//! | connection reset or aborted, broken pipe | [`Error::Reset`] | [`Error::Reset`] |
//! | any other error | [`Error::Io`] | [`Error::Io`] |
//! | more bytes than were offered | [`Error::Overrun`] | [`Error::Overrun`] |
//!
//! # Example
//!
//! A server that answers every line with its length. It answers all the lines that came, then flushes once.
//!
//! ```
//! use linkbuf_core::Error::NotFound;
//! use linkbuf_net::{Connection, Error, ReadOutcome};
//! use std::io::{Read, Write};
//! use std::net::{Shutdown, TcpListener, TcpStream};
//!
//! fn serve(stream: TcpStream) -> Result<(), Error> {
//!     let mut conn = Connection::new(stream);
//!     while let ReadOutcome::Data { .. } = conn.fill()? {
//!         let (input, output) = conn.buffers_mut();
//!         loop {
//!             match input.until(b'\n') {
//!                 Ok(line) => output.write_string(&format!("{}\n", line.len() - 1))?,
//!                 Err(NotFound { .. }) => break, // the rest of the line is still to come
//!                 Err(e) => return Err(e.into()),
//!             }
//!         }
//!         let _ = conn.flush()?;
//!     }
//!     let _ = conn.finish()?;
//!     Ok(())
//! }
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = std::thread::spawn(move || serve(listener.accept()?.0));
//!
//! let mut client = TcpStream::connect(address)?;
//! client.write_all(b"one\ntwo and three\n")?;
//! client.shutdown(Shutdown::Write)?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert_eq!(answer, "3\n13\n");
//! server.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod connection;
mod error;
mod limits;
mod read;
mod shutdown;
mod write;

pub use connection::Connection;
pub use error::Error;
pub use limits::Limits;
pub use read::{ReadOutcome, ReadStop, ReadTotal, read_at_most, read_from, read_some};
pub use shutdown::Shutdown;
pub use write::{MAX_PIECES, WriteOutcome, WriteStop, WriteTotal, write_some, write_to};
