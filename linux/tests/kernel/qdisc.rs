//! Queueing disciplines: what tc(8) sees of them, and what they do.

use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use netwright_linux::change::{
    Backlog, Chance, Change, Discipline, Distribution, Netem, Qdisc, Reorder, Setting, Tbf, Write,
};
use netwright_linux::kernel::{Error, Kernel, netns};
use serde_json::{Value, json};

use crate::Named;
use crate::lab::{Lab, link, named, put, set, veth};

pub(crate) const TRIALS: &[Named] = &[
    ("tbf is put as asked, changed in part, removed and undone", tbf_comes_and_goes),
    ("tbf limits a transfer to its rate", tbf_limits),
    ("a former discipline is put back under its handle", former),
    ("netem is put as asked, changed in part and undone, or said to be missing", netem_comes),
    ("a table of netem goes with a change that takes it away, and comes back", tables),
    ("disciplines of a batch come after its links, and go with it", batched),
    ("impossible disciplines are refused with the rule", impossible),
];

/// Set where every discipline must be there.
fn complete() -> bool {
    std::env::var_os("NETWRIGHT_COMPLETE_KERNEL").is_some()
}

fn qdisc(handle: Option<u16>, discipline: Discipline) -> Qdisc {
    Qdisc { handle, discipline }
}

fn put_qdisc(path: &str, discipline: Discipline, how: Write) -> Change {
    Change::PutQdisc { link: link(path), qdisc: qdisc(None, discipline), how }
}

fn tbf(rate: u64, burst: u32, latency: u64) -> Discipline {
    let backlog = Some(Backlog::Latency(latency));
    Discipline::Tbf(Tbf { rate: Some(rate), burst: Some(burst), backlog, peak: None })
}

/// The root discipline as tc(8) sees it.
fn seen(lab: &Lab, namespace: &str, device: &str) -> Value {
    let text = lab.output(namespace, &format!("tc -j -s qdisc show dev {device}"));
    let all: Vec<Value> = serde_json::from_str(&text).expect("JSON of tc");
    all.into_iter().find(|one| one["root"] == true).unwrap_or(Value::Null)
}

/// Kind, handle and options of it.
fn shape(lab: &Lab, device: &str) -> (String, String, Value) {
    let seen = seen(lab, "", device);
    let text = |key: &str| seen[key].as_str().unwrap_or_default().to_owned();
    (text("kind"), text("handle"), seen["options"].clone())
}

fn tbf_comes_and_goes() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    let before = shape(&lab, "p0");
    let added = lab.apply(put_qdisc("p0", tbf(1_000_000, 4096, 50_000_000), Write::Add));
    let (kind, _, options) = shape(&lab, "p0");
    assert_eq!(kind, "tbf");
    assert_eq!(options, json!({ "rate": 125_000, "burst": 4096, "lat": 50_000 }));
    let faster = Discipline::Tbf(Tbf { rate: Some(2_000_000), ..Tbf::default() });
    let changed = lab.apply(put_qdisc("p0", faster, Write::Change));
    let (_, _, options) = shape(&lab, "p0");
    // The bytes that may wait stay the same, 10346 of them.
    assert_eq!(options["rate"], 250_000);
    assert_eq!(options["burst"], 4096);
    assert_eq!(options["lat"], 25_000);
    lab.revert(&changed);
    assert_eq!(shape(&lab, "p0").2, json!({ "rate": 125_000, "burst": 4096, "lat": 50_000 }));
    let removed = lab.apply(Change::RemoveQdisc { link: link("p0") });
    assert_eq!(shape(&lab, "p0"), before);
    lab.revert(&removed);
    assert_eq!(shape(&lab, "p0").2, json!({ "rate": 125_000, "burst": 4096, "lat": 50_000 }));
    let twice = lab.refused(put_qdisc("p0", tbf(1_000_000, 4096, 50_000_000), Write::Add));
    assert!(twice.contains("EEXIST"), "{twice}");
    assert!(twice.contains("`p0` has `handle "), "{twice}");
    assert!(twice.contains("tbf rate 1mbit burst 4096b limit 10346b` already"), "{twice}");
    lab.revert(&added);
    assert_eq!(shape(&lab, "p0"), before);
    // What is gone already is no fault of an undo, but one of a recipe.
    lab.revert(&added);
    let none = lab.refused(Change::RemoveQdisc { link: link("p0") });
    assert!(none.contains("`p0` has only the one that the kernel gave it"), "{none}");
}

/// As many bytes as one namespace sends to the other, and how long that took.
fn transfer(lab: &Lab, bytes: usize) -> Duration {
    let all = lab.kernel.namespaces();
    let of = |name: &str| {
        all.iter().find(|(known, _)| known.as_str() == name).expect("a namespace").1.as_fd()
    };
    let listener =
        netns::within(of("n2"), || TcpListener::bind("10.0.0.2:5000")).expect("a server");
    let mut sender =
        netns::within(of("n1"), || TcpStream::connect("10.0.0.2:5000")).expect("a way");
    let (mut receiver, _) = listener.accept().expect("a connection");
    let start = Instant::now();
    let sending = std::thread::spawn(move || sender.write_all(&vec![7; bytes]));
    let mut received = Vec::new();
    receiver.read_to_end(&mut received).expect("all of it");
    sending.join().expect("no panic").expect("sent");
    assert_eq!(received.len(), bytes);
    start.elapsed()
}

fn tbf_limits() {
    let mut lab = Lab::new();
    lab.namespace("n1");
    lab.namespace("n2");
    lab.apply(veth("n1/eth0", "n2/eth0"));
    lab.apply(put("n1/eth0", "10.0.0.1/24"));
    lab.apply(put("n2/eth0", "10.0.0.2/24"));
    let bytes = 200 << 10;
    let limited = lab.apply(put_qdisc("n1/eth0", tbf(1_000_000, 8192, 400_000_000), Write::Add));
    let slow = transfer(&lab, bytes);
    // 1.6 s at 1 Mbit/s; headers and lost packets only add to it.
    assert!(slow > Duration::from_millis(1300), "{slow:?} for {bytes} bytes at 1 Mbit/s");
    assert!(complete() || slow < Duration::from_secs(8), "{slow:?}");
    assert!(seen(&lab, "n1", "eth0")["bytes"].as_u64() > Some(bytes as u64));
    lab.revert(&limited);
    let fast = transfer(&lab, bytes);
    assert!(complete() || fast < Duration::from_millis(700), "{fast:?} without a limit");
}

fn former() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    lab.output("", "tc qdisc add dev p0 root handle 7: tbf rate 1mbit burst 4096b limit 9000b");
    let before = shape(&lab, "p0");
    let other = Discipline::Other { kind: "pfifo".to_owned(), options: None };
    let replaced = lab.apply(put_qdisc("p0", other, Write::Replace));
    assert_eq!(shape(&lab, "p0").0, "pfifo");
    lab.revert(&replaced);
    assert_eq!(shape(&lab, "p0"), before);
    let same = Change::PutQdisc {
        link: link("p0"),
        qdisc: qdisc(Some(7), tbf(5_000_000, 10_000, 100_000_000)),
        how: Write::Replace,
    };
    let replaced = lab.apply(same);
    assert_eq!(shape(&lab, "p0").2["rate"], 625_000);
    lab.revert(&replaced);
    assert_eq!(shape(&lab, "p0"), before);
    // A kind that is only known by its name comes back with its options.
    lab.output("", "tc qdisc replace dev p0 root handle 8: pfifo limit 77");
    let before = shape(&lab, "p0");
    assert_eq!(before.2, json!({ "limit": 77 }));
    let removed = lab.apply(Change::RemoveQdisc { link: link("p0") });
    lab.revert(&removed);
    assert_eq!(shape(&lab, "p0"), before);
    lab.output("", "tc qdisc delete dev p0 root");
    for kind in ["htb", "prio", "hfsc", "drr"] {
        bare_as_tc_makes_it(&mut lab, kind);
    }
    lab.output("", "tc qdisc replace dev p0 root handle 9: htb");
    lab.output("", "tc class add dev p0 parent 9: classid 9:1 htb rate 1mbit");
    let refused = lab.refused(put_qdisc("p0", tbf(1_000_000, 4096, 1_000_000), Write::Replace));
    assert_eq!(
        refused,
        "`htb` of `p0` can't be put back: it has classes\n  \
         help: delete it with the tool that made it"
    );
}

/// A classful discipline without classes is no more than the line that makes it again.
fn bare_as_tc_makes_it(lab: &mut Lab, kind: &str) {
    let other = Discipline::Other { kind: kind.to_owned(), options: None };
    let made = match lab.try_apply(put_qdisc("p0", other, Write::Add)) {
        Ok(made) => made,
        Err(Error::Unsupported(_)) if kind != "htb" && !complete() => return,
        Err(error) => panic!("{kind}: {error}"),
    };
    let (name, _, options) = shape(lab, "p0");
    lab.revert(&made.undo);
    assert_ne!(shape(lab, "p0").0, kind);
    lab.output("", &format!("tc qdisc replace dev p0 root {kind}"));
    let by_tc = shape(lab, "p0");
    assert_eq!((name, options), (by_tc.0, by_tc.2), "{kind}");
    lab.output("", "tc qdisc delete dev p0 root");
}

/// Whether netem is there; where it may be missing, the refusal is checked instead.
fn has_netem(lab: &mut Lab) -> bool {
    let delayed = Netem { delay: Some(1_000_000), ..Netem::default() };
    match lab.try_apply(put_qdisc("p0", Discipline::Netem(delayed), Write::Add)) {
        Ok(applied) => {
            lab.revert(&applied.undo);
            true
        }
        Err(error) => {
            assert!(!complete(), "{error}");
            assert_eq!(
                error.to_string(),
                "not supported here: queueing discipline `netem`: the kernel lacks \
                 CONFIG_NET_SCH_NETEM (module sch_netem)\n  help: modprobe sch_netem as root, or \
                 run it on a kernel that has it"
            );
            assert!(matches!(error, netwright_linux::kernel::Error::Unsupported(_)));
            false
        }
    }
}

fn netem_comes() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    let before = shape(&lab, "p0");
    if !has_netem(&mut lab) {
        assert_eq!(shape(&lab, "p0"), before);
        return;
    }
    let chance = |percent, correlation| Some(Chance { percent, correlation });
    let all = Netem {
        delay: Some(100_000_000),
        jitter: Some(5_000_000),
        delay_correlation: Some(25.0),
        distribution: None,
        loss: chance(1.0, 30.0),
        duplicate: chance(2.0, 0.0),
        corrupt: chance(0.5, 0.0),
        reorder: Some(Reorder { chance: Chance { percent: 50.0, correlation: 10.0 }, gap: 5 }),
        rate: Some(8_000_000),
        limit: Some(500),
    };
    let added = lab.apply(put_qdisc("p0", Discipline::Netem(all), Write::Add));
    // The percentages are those of 32 bits that tc(8) makes of its own words.
    lab.output("", "tc qdisc add dev p1 root netem limit 500 delay 100ms 5ms 25% loss 1% 30% duplicate 2% corrupt 0.5% reorder 50% 10% gap 5 rate 8mbit");
    let (kind, _, options) = shape(&lab, "p0");
    assert_eq!((kind.as_str(), &options), ("netem", &shape(&lab, "p1").2));
    let more = Netem { loss: chance(10.0, 0.0), ..Netem::default() };
    let changed = lab.apply(put_qdisc("p0", Discipline::Netem(more), Write::Change));
    let (_, _, altered) = shape(&lab, "p0");
    assert_eq!(altered["delay"], options["delay"]);
    assert_eq!(altered["rate"], options["rate"]);
    assert_eq!(altered["limit"], options["limit"]);
    assert_ne!(altered["loss-random"], options["loss-random"]);
    lab.revert(&changed);
    assert_eq!(shape(&lab, "p0").2, options);
    let removed = lab.apply(Change::RemoveQdisc { link: link("p0") });
    assert_eq!(shape(&lab, "p0"), before);
    lab.revert(&removed);
    assert_eq!(shape(&lab, "p0").2, options);
    lab.revert(&added);
    assert_eq!(shape(&lab, "p0"), before);
    let none = Netem { loss: chance(10.0, 0.0), ..Netem::default() };
    let none = lab.refused(put_qdisc("p0", Discipline::Netem(none), Write::Change));
    assert!(none.contains("`p0` has none yet; add it"), "{none}");
}

fn tables() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    if !has_netem(&mut lab) {
        return;
    }
    let with = |distribution| {
        let (delay, jitter) = (Some(100_000_000), Some(10_000_000));
        Discipline::Netem(Netem { delay, jitter, distribution, ..Netem::default() })
    };
    let shown = |lab: &Lab| {
        let query = netwright_linux::change::Query::Qdisc { link: link("p0") };
        match crate::lab::query(&lab.kernel, query) {
            netwright_linux::change::Answer::Qdisc(Some(found)) => found.discipline.to_string(),
            other => panic!("{other:?}"),
        }
    };
    for table in [Distribution::Normal, Distribution::Pareto, Distribution::Paretonormal] {
        let undo = lab.apply(put_qdisc("p0", with(Some(table)), Write::Replace));
        let words = format!("netem limit 1000 delay 100ms 10ms distribution {}", table.word());
        assert_eq!(shown(&lab), words);
        let even = Netem { distribution: Some(Distribution::Uniform), ..Netem::default() };
        let changed = lab.apply(put_qdisc("p0", Discipline::Netem(even), Write::Change));
        assert_eq!(shown(&lab), "netem limit 1000 delay 100ms 10ms");
        lab.revert(&changed);
        assert_eq!(shown(&lab), words);
        lab.revert(&undo);
    }
}

fn batched() {
    let mut lab = Lab::new();
    let changes = |rate| {
        vec![
            put_qdisc("n1/eth0", tbf(rate, 4096, 50_000_000), Write::Add),
            put_qdisc("p0", tbf(rate, 4096, 50_000_000), Write::Add),
            veth("n1/eth0", "/p0"),
            Change::CreateNamespace { name: named("n1") },
            set("p0", &[Setting::Up(true)]),
        ]
    };
    let answers = lab.batch(changes(1_000_000)).expect("all of it");
    assert_eq!(shape(&lab, "p0").0, "tbf");
    assert_eq!(seen(&lab, "n1", "eth0")["options"]["rate"], 125_000);
    for answer in [1, 0, 2, 3] {
        lab.revert(&answers[answer].undo);
    }
    let failed = lab.batch(changes(7)).expect_err("less than a byte");
    assert_eq!(failed.index, 0);
    assert_eq!(
        failed.error.to_string(),
        "`rate` of tbf must be at least 8 bits a second, one byte"
    );
    assert!(!lab.names("").contains(&"p0".to_owned()), "nothing was made");
    assert!(lab.kernel.namespaces().is_empty());
}

fn impossible() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    let netem = Netem::default;
    let chance = |percent| Some(Chance { percent, correlation: 0.0 });
    for (discipline, rule) in [
        (
            Discipline::Netem(Netem { loss: chance(100.1), ..netem() }),
            "loss of netem must be 0 to 100 percent, not 100.1",
        ),
        (
            Discipline::Netem(Netem { corrupt: chance(f64::NAN), ..netem() }),
            "corrupt of netem must be 0 to 100 percent, not NaN",
        ),
        (
            Discipline::Netem(Netem {
                reorder: Some(Reorder {
                    chance: Chance { percent: 1.0, correlation: 0.0 },
                    gap: 1,
                }),
                ..netem()
            }),
            "`reorder` of netem needs a `delay`, which some packets don't wait for",
        ),
        (
            Discipline::Netem(Netem { distribution: Some(Distribution::Normal), ..netem() }),
            "`distribution` of netem is of its jitter: say `delay` and jitter",
        ),
        (
            Discipline::Netem(Netem { delay: Some(u64::MAX), ..netem() }),
            "a delay of netem must be less than 292 years",
        ),
        (
            Discipline::Tbf(Tbf { rate: Some(1000), ..Tbf::default() }),
            "tbf needs `rate`, `burst`, and either `latency` or `limit`",
        ),
        (tbf(1000, 0, 1), "`burst` of tbf must be at least one byte, and hold the largest packet"),
        (
            tbf(80_000_000_000, 1, 1_000_000_000),
            "`latency` of tbf lets more than 4 GiB wait at this rate",
        ),
        (
            Discipline::Other { kind: "no kind".to_owned(), options: None },
            "`no kind` can't be a kind of queueing discipline",
        ),
    ] {
        let change = put_qdisc("p0", discipline, Write::Add);
        // In a batch the rule comes before the question whether the kernel has the kind.
        let failure = lab.batch(vec![change]).expect_err(rule);
        assert_eq!(failure.error.to_string(), rule);
    }
    let unknown = Discipline::Other { kind: "nonesuch".to_owned(), options: None };
    let unknown = lab.refused(put_qdisc("p0", unknown, Write::Add));
    assert_eq!(
        unknown,
        "not supported here: queueing discipline `nonesuch`: the kernel does not know it"
    );
    let appended = lab.refused(put_qdisc("p0", tbf(1000, 1000, 1000), Write::Append));
    assert_eq!(appended, "a queueing discipline is added, changed or replaced");
}
