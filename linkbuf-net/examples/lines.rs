//! A line server: answers every line in upper case, a thread per connection.
//!
//! `cargo run -p linkbuf-net --example lines [ADDRESS]`, then `nc 127.0.0.1 7008`.

#[path = "servers/lines.rs"]
mod lines;
#[path = "servers/threads.rs"]
mod threads;

use std::{env, io, net::TcpListener};

/// Longest line, in bytes, without its end.
const MAX_LINE: usize = 8192;

fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:7008"))?;
    println!("listening on {}", listener.local_addr()?);
    threads::serve(listener.incoming(), |stream| {
        lines::connection(stream, MAX_LINE)
    });
    Ok(())
}
