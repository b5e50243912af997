//! A blocking echo server, a thread per connection.
//!
//! `cargo run -p linkbuf-net --example echo [ADDRESS]`, then `nc 127.0.0.1 7007`.

#[path = "servers/echo.rs"]
mod echo;
#[path = "servers/threads.rs"]
mod threads;

use std::{env, io, net::TcpListener};

fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:7007"))?;
    println!("listening on {}", listener.local_addr()?);
    threads::serve(listener.incoming(), echo::connection);
    Ok(())
}
