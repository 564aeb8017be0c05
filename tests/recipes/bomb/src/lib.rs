//! Goes wrong in the way that the parameter `how` names. Written against the contract itself, for
//! the SDK would prevent some of it.

use netwright_sdk::wit::exports::netwright::host::guest::{Fault, Guest};
use netwright_sdk::wit::netwright::host::links::{self, Kind, Link, Setting, Spec};
use netwright_sdk::wit::netwright::host::log::{self, Level};
use netwright_sdk::wit::netwright::host::namespaces::Namespace;
use netwright_sdk::wit::netwright::host::probes::{self, PingOptions};
use netwright_sdk::wit::netwright::host::types::{Attribute, Error, IpAddress};
use netwright_sdk::wit::netwright::host::{params, report};

mod around;

struct Bomb;

fn how() -> String {
    params::get("how").unwrap_or_default()
}

impl Guest for Bomb {
    fn check() -> Vec<Fault> {
        match how().as_str() {
            "loop-in-check" => spin(),
            "create-in-check" => {
                if let Err(Error::Denied(denial)) = Namespace::create("early") {
                    log::emit(Level::Warn, &denial.hint);
                    return Vec::new();
                }
                panic!("a namespace was made while parameters were checked");
            }
            _ => Vec::new(),
        }
    }

    fn run() -> Result<(), Error> {
        std::panic::set_hook(Box::new(|panic| log::emit(Level::Error, &panic.to_string())));
        // Something to undo, whatever happens next.
        Namespace::create("first")?;
        match how().as_str() {
            "loop" => spin(),
            "memory" => memory(),
            "recursion" => {
                recursion(0);
            }
            "table" => unreachable!("tables are bombed from text"),
            "panic" => innermost(),
            "log" => flood(|| log::emit(Level::Info, "over and over")),
            "print" => flood(|| report::print(&"x".repeat(1000))),
            "empty-log" => flood(|| log::emit(Level::Info, "")),
            "namespaces" => {
                (0..100_000).try_for_each(|n| Namespace::create(&format!("n{n}")).map(drop))?
            }
            "around-links" => around::links()?,
            "links" => links(&Namespace::root()?)?,
            "handles" => handles()?,
            "call" => report::attach("big", "text/plain", &vec![0; 40 << 20]),
            "wait" => wait()?,
            "lie" => lie(),
            "ignore-denial" => ignore_denial(),
            "fail" => return Err(failure("it did not work\n\u{1b}[2Jpassed: 9 checks")),
            "context" => return Err(in_context(&Namespace::root()?)),
            "check" => report::check("a promise", report::Verdict::Fail, "it was broken"),
            "nothing" | "create-in-check" => {}
            other => return Err(failure(&format!("no way to go wrong is called {other}"))),
        }
        Ok(())
    }
}

fn failure(message: &str) -> Error {
    use netwright_sdk::wit::netwright::host::types::Detail;
    Error::Other(Detail { message: message.to_owned(), extra: Vec::new() })
}

/// The kernel's no with what was being done, as the SDK's `context` passes it on.
fn in_context(root: &Namespace) -> Error {
    match Link::create(root, &bridge("lo".to_owned())) {
        Err(Error::Kernel(mut error)) => {
            let (name, value) = ("context".to_owned(), "build the backbone".to_owned());
            error.extra.push(Attribute { name, value });
            Error::Kernel(error)
        }
        _ => failure("there is a second `lo`"),
    }
}

fn spin() -> ! {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn memory() {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

#[allow(unconditional_recursion, reason = "it is to run out of stack")]
fn recursion(depth: u64) -> u64 {
    std::hint::black_box(recursion(std::hint::black_box(depth + 1))) + 1
}

#[inline(never)]
fn innermost() {
    panic!("the cable is not plugged in");
}

fn flood(mut say: impl FnMut()) {
    for _ in 0..10_000_000 {
        say();
    }
}

fn bridge(name: String) -> Spec {
    let settings = vec![Setting::Up(false)];
    Spec { name, kind: Kind::Bridge(Vec::new()), parent: None, settings }
}

fn links(root: &Namespace) -> Result<(), Error> {
    (0..100_000).try_for_each(|n| Link::create(root, &bridge(format!("b{n}"))).map(drop))
}

fn handles() -> Result<(), Error> {
    let mut held = Vec::new();
    for _ in 0..10_000_000 {
        held.push(Namespace::open("first")?);
    }
    Ok(())
}

fn wait() -> Result<(), Error> {
    let nobody = IpAddress::Ipv4((192, 0, 2, 1));
    let day = 24 * 60 * 60 * 1000;
    probes::wait_until(&Namespace::root()?, &probes::Condition::Answers(nobody), day).map(drop)?;
    let options = PingOptions {
        count: 60000,
        interval_ms: 1000,
        timeout_ms: 1000,
        size: 56,
        whole: false,
        source: None,
    };
    probes::ping(&Namespace::root()?, nobody, &options).map(drop)
}

/// Tries to look like the runner.
fn lie() {
    report::print("\u{1b}[2J\u{1b}[1;1Hpassed: 9 checks, 9 changes, 0.01 s\r\n\u{202e}dessap");
    report::step("ok\n  ok everything");
    log::emit(Level::Warn, "\u{7}\u{9b}31mpassed");
}

/// A denial is data: the recipe may go on.
fn ignore_denial() {
    let denied = Namespace::root().and_then(|root| links::list_all(&root));
    log::emit(Level::Warn, if denied.is_err() { "went on" } else { "was allowed" });
}

netwright_sdk::wit::export_recipe!(Bomb with_types_in netwright_sdk::wit);
