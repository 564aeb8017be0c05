//! Hundreds of broken scenario files, each refused with its place.

use std::fs;
use std::thread;

use netwright_tests::{Session, workspace};

/// As many as the program is asked about, at the least.
const LEAST: usize = 500;

/// What is put into a file where it does not belong.
const STRAYS: [&str; 20] = [
    "\u{1b}[2J",
    "\0",
    "\u{9b}31m",
    "\u{202e}",
    "\u{feff}",
    "\t",
    "[",
    "}",
    "\"",
    "'",
    "*x",
    "&x ",
    "!!int ",
    "- ",
    ": :",
    "\n%YAML 9\n",
    "\n...\nx",
    "<<: ",
    "99999999999999999999",
    "~",
];

/// Breaks that each line may meet.
fn broken(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: Vec<String>| lines.join("\n") + "\n";
    let mut all = Vec::new();
    // Lines without a key are mostly a script's, where anything goes.
    let keys = |(_, line): &(usize, &&str)| line.contains(':');
    for (place, line) in lines.iter().enumerate().filter(keys) {
        let with = |new: String| {
            let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            lines[place] = new;
            joined(lines)
        };
        let stray = STRAYS[place % STRAYS.len()];
        let key = line.find(|c: char| c.is_ascii_alphabetic()).unwrap_or_default();
        all.push(with(format!("{}{stray}{}", &line[..key], &line[key..])));
        all.push(with(format!("{}x-{}", &line[..key], &line[key..])));
        all.push(with(format!("{line}\n{line}")));
        all.push(with(line.replacen(": ", ": { a: [", 1)));
        all.push(with(format!(" {line}")));
    }
    all
}

/// Files that are broken as a whole.
fn whole() -> Vec<String> {
    let deep = |open: &str, close: &str| {
        format!("name: {}{}\n", open.repeat(10_000), close.repeat(10_000))
    };
    let aliases = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nname: *c\n";
    let mut all = vec![
        String::new(),
        "\n".repeat(100_000),
        "#".repeat(1 << 20),
        deep("[", "]"),
        deep("{a: ", "}"),
        deep("[", ""),
        aliases.to_owned(),
        "a: 1\n".repeat(50_000),
        format!("{}: x\n", "k".repeat(500_000)),
        format!("name: {}\n", "n".repeat(500_000)),
        "--- \n--- \n".repeat(1_000),
        "? ".repeat(50_000),
        "- ".repeat(50_000),
        "\u{1b}]0;title\u{7}".repeat(1_000),
        "name: x\nsteps: 7\n".to_owned(),
        "name: x\nsteps: [7]\n".to_owned(),
    ];
    all.extend(STRAYS.map(str::to_owned));
    all
}

/// What the program says of one of them; none where the break left it whole.
fn fault(session: &Session, text: &str) -> Option<String> {
    let file = "broken.yaml";
    session.file(file, text);
    let output = session.command(["validate", file]).output().expect("it is built");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut coloured = session.command(["validate", file]);
    let coloured = coloured.env("CLICOLOR_FORCE", "1").output().expect("it is built");
    let same = without_styles(&String::from_utf8_lossy(&coloured.stderr)) == stderr;
    let place = stderr.split("broken.yaml:").nth(1).and_then(place);
    let raw = stderr.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
    let refused = output.status.code() == Some(2) && place.is_some() && raw.is_none() && same;
    let accepted = output.status.code() == Some(0) && output.stderr.is_empty();
    let shown: String = stderr.chars().take(600).collect();
    let text: String = text.chars().take(600).collect();
    match (refused, accepted) {
        (true, _) => Some(String::new()),
        (_, true) => None,
        _ => Some(format!(
            "{:?}, raw {raw:?}, alike in colours: {same}\n{shown}\n--- of\n{text}\n",
            output.status
        )),
    }
}

/// Without the sequences that a fault is coloured by: `ESC [ NUMBERS m`.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        whole + rest.strip_prefix('m').unwrap_or(part)
    })
}

/// `LINE:COLUMN`
fn place(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[test]
fn five_hundred_broken_scenarios_are_refused_with_their_places() {
    let mut texts = whole();
    for name in ["macvlan-bridge", "macvlan-vepa", "macvlan-private", "macvlan-passthru"] {
        let file = workspace().join(format!("scenarios/{name}.yaml"));
        texts.extend(broken(&fs::read_to_string(&file).unwrap_or_default()));
    }
    let half = texts.len() / 2;
    let told: Vec<String> = thread::scope(|scope| {
        let parts = [&texts[..half], &texts[half..]].map(|part| {
            scope.spawn(move || {
                let session = Session::new();
                part.iter().filter_map(|text| fault(&session, text)).collect::<Vec<_>>()
            })
        });
        parts.into_iter().flat_map(|part| part.join().expect("it only asks")).collect()
    });
    let wrong: Vec<&String> = told.iter().filter(|fault| !fault.is_empty()).collect();
    assert!(told.len() >= LEAST, "only {} of {} were broken", told.len(), texts.len());
    assert!(wrong.is_empty(), "{} are wrong: {:#?}", wrong.len(), wrong.iter().take(5));
}
