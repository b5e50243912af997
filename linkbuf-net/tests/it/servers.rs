//! The examples' servers, over real sockets.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

use linkbuf_net::Error;

use crate::{
    choppy::{Choppy, INTERRUPT, Step, first},
    echo, lines,
    sockets::tcp_pair,
    stream::{messages, pattern},
    threads,
};

const MAX_LINE: usize = 100;

/// A server for so many connections.
fn start<H>(connections: usize, handle: H) -> (SocketAddr, JoinHandle<()>)
where
    H: Fn(TcpStream) -> Result<(), Error> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        threads::serve(listener.incoming().take(connections), handle);
    });
    (address, server)
}

fn lines_server(stream: TcpStream) -> Result<(), Error> {
    lines::connection(stream, MAX_LINE)
}

/// Sends all, ends the stream, and returns the whole answer.
fn exchange(mut stream: TcpStream, request: &[u8]) -> Vec<u8> {
    let mut sender = stream.try_clone().unwrap();
    let mut answer = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            sender.write_all(request).unwrap();
            sender.shutdown(Shutdown::Write).unwrap();
        });
        stream.read_to_end(&mut answer).unwrap();
    });
    answer
}

#[test]
fn echo_sends_back_what_comes() {
    let sizes = [0, 1, 100, 5000, 70_000, 1_000_000];
    let (address, server) = start(sizes.len(), echo::connection);
    for size in sizes {
        let bytes = pattern(size);
        assert!(
            exchange(TcpStream::connect(address).unwrap(), &bytes) == bytes,
            "size {size}"
        );
    }
    server.join().unwrap();
}

#[test]
fn echo_answers_before_the_stream_ends() {
    let (address, server) = start(1, echo::connection);
    let mut client = TcpStream::connect(address).unwrap();
    for i in 0..100_u8 {
        client.write_all(&[i; 10]).unwrap();
        let mut back = [0; 10];
        client.read_exact(&mut back).unwrap();
        assert_eq!(back, [i; 10]);
    }
    drop(client);
    server.join().unwrap();
}

#[test]
fn echo_serves_several_at_once() {
    let (address, server) = start(8, echo::connection);
    // All are connected before the first is served to its end.
    let clients: Vec<_> = (0..8)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    thread::scope(|scope| {
        for (i, client) in clients.into_iter().enumerate().rev() {
            scope.spawn(move || {
                let bytes = pattern(10_000 + i);
                assert_eq!(exchange(client, &bytes), bytes);
            });
        }
    });
    server.join().unwrap();
}

#[test]
fn echo_with_short_reads_and_writes_at_every_border() {
    let stream = messages();
    for border in 1..stream.len() {
        let (client, server) = tcp_pair();
        let server = Choppy::new(server)
            .reads(first([
                INTERRUPT,
                Step::Cut(border),
                INTERRUPT,
                Step::Cut(1),
            ]))
            .writes(first([
                INTERRUPT,
                Step::Cut(1),
                INTERRUPT,
                Step::Cut(border),
            ]));
        let server = thread::spawn(move || echo::connection(server));
        assert_eq!(exchange(client, &stream), stream, "border {border}");
        server.join().unwrap().unwrap();
    }
}

#[test]
fn a_client_that_resets_does_not_stop_the_server() {
    let (address, server) = start(2, echo::connection);
    let client = TcpStream::connect(address).unwrap();
    socket2::SockRef::from(&client)
        .set_linger(Some(std::time::Duration::ZERO))
        .unwrap();
    drop(client);
    assert_eq!(
        exchange(TcpStream::connect(address).unwrap(), b"still there"),
        b"still there"
    );
    server.join().unwrap();
}

#[test]
fn lines_are_answered_in_order() {
    let (address, server) = start(1, lines_server);
    let answer = exchange(
        TcpStream::connect(address).unwrap(),
        b"one\n\ntwo words\nlast without an end",
    );
    assert_eq!(
        String::from_utf8(answer).unwrap(),
        "ONE\n\nTWO WORDS\nLAST WITHOUT AN END"
    );
    server.join().unwrap();
}

#[test]
fn lines_are_answered_at_once() {
    let (address, server) = start(1, lines_server);
    let mut client = TcpStream::connect(address).unwrap();
    let mut answers = BufReader::new(client.try_clone().unwrap());
    for i in 0..100 {
        client.write_all(format!("line {i}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, format!("LINE {i}\n"));
    }
    client.shutdown(Shutdown::Write).unwrap();
    server.join().unwrap();
}

#[test]
fn lines_cut_at_every_border_are_answered_whole() {
    let request = b"first line\n\nthe third\nx\nand the last";
    let expected = request.to_ascii_uppercase();
    for border in 1..request.len() {
        let (client, server) = tcp_pair();
        let server = Choppy::new(server)
            .reads(first([Step::Cut(border), INTERRUPT, Step::Cut(1)]))
            .writes(first([Step::Cut(1), INTERRUPT, Step::Cut(border)]));
        let server = thread::spawn(move || lines::connection(server, MAX_LINE));
        assert_eq!(exchange(client, request), expected, "border {border}");
        server.join().unwrap().unwrap();
    }
}

#[test]
fn many_lines_in_one_read_are_answered_with_one_flush() {
    let request = b"a line\n".repeat(50);
    let (mut client, server) = tcp_pair();
    client.write_all(&request).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    // Nothing is read before all of it is there, so it comes in few reads.
    let mut server = Choppy::new(server);
    lines::connection(&mut server, MAX_LINE).unwrap();
    let calls = server.offers.len();
    assert!(calls <= 2, "{calls} write calls for 50 lines");
    drop(server);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, request.to_ascii_uppercase());
}

#[test]
fn the_longest_line_is_answered_and_a_longer_one_refused() {
    let error = format!("error: a line may have {MAX_LINE} bytes\n");
    let longest = [b"a".repeat(MAX_LINE), b"\n".to_vec()].concat();
    let longer = [b"a".repeat(MAX_LINE + 1), b"\n".to_vec()].concat();
    let endless = b"a".repeat(500_000);
    let cases = [
        (longest.clone(), longest.to_ascii_uppercase()),
        (longer.clone(), error.clone().into_bytes()),
        (endless, error.clone().into_bytes()),
        // What came before the long line is answered.
        (
            [&b"one\n"[..], &longer, b"two\n"].concat(),
            [b"ONE\n", error.as_bytes()].concat(),
        ),
    ];
    let (address, server) = start(cases.len(), lines_server);
    for (request, expected) in cases {
        let answer = exchange(TcpStream::connect(address).unwrap(), &request);
        assert_eq!(String::from_utf8(answer), String::from_utf8(expected));
    }
    server.join().unwrap();
}
