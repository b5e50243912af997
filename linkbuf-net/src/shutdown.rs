//! Closing one direction of a stream.

use std::{io, net};

/// A stream of which one direction, or both, can be shut down.
///
/// The standard library's sockets have it. Implement it for a stream of your own (a TLS layer says goodbye here) to use
/// [`Connection::finish`](crate::Connection::finish) with it.
///
/// ```
/// use linkbuf_net::Shutdown;
/// use std::{io, net};
///
/// /// Counts what goes through a stream.
/// struct Counted<S> {
///     inner: S,
///     bytes: u64,
/// }
/// impl<S: Shutdown> Shutdown for Counted<S> {
///     fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
///         self.inner.shutdown(how)
///     }
/// }
/// ```
pub trait Shutdown {
    /// Shuts down the reading half, the writing half or both.
    ///
    /// # Errors
    /// What the system says; `NotConnected` when the peer is gone already.
    fn shutdown(&self, how: net::Shutdown) -> io::Result<()>;
}

impl Shutdown for net::TcpStream {
    fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
        net::TcpStream::shutdown(self, how)
    }
}

#[cfg(unix)]
impl Shutdown for std::os::unix::net::UnixStream {
    fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
        std::os::unix::net::UnixStream::shutdown(self, how)
    }
}

impl<S: Shutdown + ?Sized> Shutdown for &S {
    fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
        S::shutdown(self, how)
    }
}

impl<S: Shutdown + ?Sized> Shutdown for &mut S {
    fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
        S::shutdown(self, how)
    }
}

impl<S: Shutdown + ?Sized> Shutdown for Box<S> {
    fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
        S::shutdown(self, how)
    }
}
