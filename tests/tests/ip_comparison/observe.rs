//! Carries a script out, once by iproute2 and once by netwright, and asks iproute2 what is there.

use std::fmt::Write;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use netwright_tests::Session;
use serde_json::{Map, Value};

/// What is asked in each namespace; every answer is a list.
const QUESTIONS: [&str; 9] = [
    "link show",
    "address show",
    "-4 route show table all",
    "-6 route show table all",
    "-4 rule show",
    "-6 rule show",
    "-4 neighbour show nud all",
    "-6 neighbour show nud all",
    "neighbour show proxy",
];

/// Long enough for links to notice that they have a carrier (net/core/link_watch.c: one second)
/// and for addresses to be found unique.
const SETTLE_SECONDS: f32 = 2.5;

/// Shell commands that print the answers, each after a line that says what to.
fn questions() -> String {
    let mut script = format!("sleep {SETTLE_SECONDS}\n");
    script.push_str("for ns in '' $(ip netns list | cut -d' ' -f1 | sort); do\n");
    for question in QUESTIONS {
        let ip = "ip ${ns:+-n $ns} -j -d";
        writeln!(script, "echo \"@@@$ns {question}\"; {ip} {question} || exit 1; echo")
            .expect("a string can be written to");
    }
    script.push_str("done\n");
    script
}

/// `NAMESPACE QUESTION` to the answer; the root namespace has no name.
fn answers(printed: &str) -> Map<String, Value> {
    let mut answers = Map::new();
    for part in printed.split("@@@").filter(|part| !part.trim().is_empty()) {
        let (question, answer) = part.split_once('\n').expect("an answer is on its own lines");
        let answer = answer.trim();
        let answer = if answer.is_empty() { "[]" } else { answer };
        let value = serde_json::from_str(answer)
            .unwrap_or_else(|error| panic!("{question}: {error}\n{answer}"));
        answers.insert(question.to_owned(), value);
    }
    answers
}

/// By iproute2, in a network of its own and with a /run of its own. The shell is process 1, for
/// scripts that go back to where they began with `netns 1`.
pub(crate) fn by_iproute2(script: &str) -> Map<String, Value> {
    if script.trim_start().starts_with("ip ") {
        by_shell(script)
    } else {
        by_shell(&format!("ip -batch - <<'SCRIPT'\n{script}\nSCRIPT"))
    }
}

/// The same of commands for sh(1).
fn by_shell(script: &str) -> Map<String, Value> {
    let begin = "set -e\nmount -t tmpfs tmpfs /run\nexec 3>&1 >/dev/null\n";
    let output = shell_in_namespaces(&format!("{begin}{script}\nexec >&3\n{}", questions()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "iproute2 refused the script:\n{errors}\n{script}");
    answers(&String::from_utf8_lossy(&output.stdout))
}

/// The commands that `plan --as ip` shows of a script, carried out by iproute2.
pub(crate) fn by_planned_commands(
    session: &Session,
    lab: &str,
    script: &str,
) -> Map<String, Value> {
    let file = session.file(&format!("{lab}.planned"), script);
    let parameter = format!("script=@{}", file.display());
    let plan = session.netwright(["plan", "builtin:ip", "--as", "ip", "-p", &parameter]);
    by_shell(&plan.expect_code(0).stdout)
}

/// Whether iproute2 refuses a line of the script.
pub(crate) fn fails_by_iproute2(script: &str) -> bool {
    !shell_in_namespaces(&format!("set -e\nmount -t tmpfs tmpfs /run\n{script}\n")).status.success()
}

fn shell_in_namespaces(script: &str) -> Output {
    let mut unshare = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "sh"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("unshare of util-linux is installed");
    let mut input = unshare.stdin.take().expect("its input is ours");
    // A shell that ended early has closed its end, and is judged by its status.
    drop(input.write_all(script.as_bytes()));
    drop(input);
    unshare.wait_with_output().expect("it can be waited for")
}

/// By `builtin:ip`, in a lab of this name.
pub(crate) fn by_netwright(session: &Session, lab: &str, script: &str) -> Map<String, Value> {
    let file = session.file(&format!("{lab}.script"), script);
    let parameter = format!("script=@{}", file.display());
    let lab = session.keep(lab, ["builtin:ip", "-p", &parameter]);
    let output = lab.exec(None, ["sh", "-c", &questions()]).expect_code(0);
    answers(&output.stdout)
}
