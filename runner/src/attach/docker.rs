//! Asks Docker's Engine for a container, over its API's socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use netwright_network::shell::Word;
use serde::Deserialize;

use crate::exit::{Exit, Failure};

/// Where the Engine listens unless DOCKER_HOST says otherwise.
const SOCKET: &str = "/var/run/docker.sock";
/// For an answer of a machine's own daemon.
const PATIENCE: Duration = Duration::from_secs(10);
/// A container's description has some kilobytes.
const LONGEST_ANSWER: u64 = 4 << 20;

/// `GET /containers/NAME/json` of the Engine's API, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Container {
    #[serde(rename = "State")]
    state: State,
}

#[derive(Debug, Deserialize)]
struct State {
    #[serde(rename = "Status")]
    status: String,
    #[serde(rename = "Running")]
    running: bool,
    #[serde(rename = "Pid")]
    process: u32,
}

/// The first process of a running container. `name` is of the characters that Docker allows.
pub(super) fn process_of(name: &str) -> Result<u32, Failure> {
    let socket = socket()?;
    let path = format!("/containers/{name}/json");
    let (status, body) = get(&socket, &path).map_err(|error| {
        Failure::new(
            Exit::Lacking,
            format!(
                "can't ask Docker for container `{name}`: {}: {error}\n  help: start the Engine, set DOCKER_HOST, or name the container's process: host.namespace pid=NUMBER",
                crate::text::path(&socket)
            ),
        )
    })?;
    match status {
        200 => running(name, &body),
        404 => Err(Failure::usage(format!(
            "--grant: Docker has no container `{name}`\n  help: `docker ps` lists those that run"
        ))),
        _ => Err(Failure::new(
            Exit::Lacking,
            format!("can't ask Docker for container `{name}`: it answers with status {status}"),
        )),
    }
}

fn running(name: &str, body: &[u8]) -> Result<u32, Failure> {
    let container: Container = serde_json::from_slice(body).map_err(|error| {
        let message = format!("can't understand what Docker says of container `{name}`: {error}");
        Failure::new(Exit::Lacking, message)
    })?;
    let State { status, running, process } = container.state;
    if running && process > 0 {
        return Ok(process);
    }
    Err(Failure::usage(format!(
        "--grant: container `{name}` does not run, it is {status}\n  help: docker start {}",
        Word(name)
    )))
}

fn socket() -> Result<PathBuf, Failure> {
    let Some(host) = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) else {
        return Ok(PathBuf::from(SOCKET));
    };
    host.strip_prefix("unix://").map(PathBuf::from).ok_or_else(|| {
        Failure::usage(format!(
            "DOCKER_HOST is `{}`; a container of another machine has no namespace here\n  help: set it to unix:///PATH",
            host.escape_debug()
        ))
    })
}

/// One request. HTTP/1.0, so that the answer ends with the connection and is in one piece.
fn get(socket: &PathBuf, path: &str) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    parse(&answer)
}

fn parse(answer: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(answer).map_err(|_| odd())? {
        httparse::Status::Complete(length) => {
            Ok((response.code.ok_or_else(odd)?, answer[length..].to_vec()))
        }
        httparse::Status::Partial => Err(odd()),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, running};

    #[test]
    fn answers_are_taken_apart() {
        let answer = b"HTTP/1.0 404 Not Found\r\nContent-Type: application/json\r\n\r\n{}";
        assert_eq!(parse(answer).expect("HTTP"), (404, b"{}".to_vec()));
        for broken in [&b""[..], b"HTTP/1.0 200", b"SSH-2.0-OpenSSH\r\n\r\n"] {
            assert!(parse(broken).is_err());
        }
    }

    #[test]
    fn a_container_has_to_run() {
        let running = |body: &str| running("c9", body.as_bytes()).map_err(|error| error.message);
        let up = r#"{"State":{"Status":"running","Running":true,"Pid":77}}"#;
        assert_eq!(running(up), Ok(77));
        let down = r#"{"State":{"Status":"exited","Running":false,"Pid":0}}"#;
        let refused = running(down).expect_err("it doesn't run");
        assert!(refused.contains("container `c9` does not run, it is exited"), "{refused}");
        assert!(running("{}").is_err());
    }
}
