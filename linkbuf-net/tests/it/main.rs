//! Sockets and buffers: every outcome, every border of a stream, real sockets.

mod choppy;
mod connection;
mod faults;
mod idle;
mod read;
mod servers;
mod sockets;
mod stream;
mod transfer;
mod write;

// The examples' servers, as they are.
#[path = "../../examples/servers/echo.rs"]
mod echo;
#[path = "../../examples/servers/lines.rs"]
mod lines;
#[path = "../../examples/servers/threads.rs"]
mod threads;
