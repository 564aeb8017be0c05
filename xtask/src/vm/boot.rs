//! Boots the machine, shows what it says, and ends it when it takes too long.

use super::folder;
use crate::program::{say, shown};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// In MiB: the image is there twice while it is unpacked.
const MEMORY: &str = "1024";

/// How long a machine may take until it has booted, and until it is done.
pub(super) struct Patience {
    boot: Duration,
    all: Duration,
}

impl Patience {
    /// Booting takes five seconds where nothing else runs.
    pub(super) const TESTS: Self =
        Self { boot: Duration::from_secs(120), all: Duration::from_secs(900) };
}

/// A machine that can be turned on.
pub(super) struct Machine {
    name: &'static str,
    command: Command,
}

impl Machine {
    /// `what` is for process 1, see init.sh.
    pub(super) fn new(kernel: &Path, image: &Path, what: &'static str) -> Self {
        // It must not outlive us, however we end.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "qemu-system-x86_64"]);
        // Never kvm: where it is itself virtual, stock kernels may hang on it.
        command.args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", MEMORY]);
        command.args(["-display", "none", "-nodefaults", "-no-user-config", "-no-reboot"]);
        command.arg("-kernel").arg(kernel).arg("-initrd").arg(image);
        // A panic reboots at once, and a reboot is the machine's end. No stranger's code runs beside
        // ours, so that what guards against one only costs time. On a busy machine the timer may look
        // broken to the kernel's own check. Where every process has its code at other addresses, qemu
        // translates all of it anew for each.
        let line = format!(
            "console=ttyS0 quiet panic=-1 no_timer_check mitigations=off norandmaps \
             netwright={what}"
        );
        command.args(["-append", &line]);
        Self { name: what, command }
    }

    /// A network card whose cable leads to the other machine. Each end is a socket of datagrams, so
    /// that the two may start in any order.
    pub(super) fn connect(&mut self, own: &Path, other: &Path, mac: &str) {
        let (own, other) = (own.display(), other.display());
        let network = format!(
            "dgram,id=cable,local.type=unix,local.path={own},remote.type=unix,remote.path={other}"
        );
        let card = format!("virtio-net-pci,netdev=cable,mac={mac}");
        self.command.args(["-netdev", &network, "-device", &card]);
    }

    /// Runs it to its end; what it says goes to a file and is shown. Gives its results, which are
    /// complete: a machine that ends before it is done is an error.
    pub(super) fn run(mut self, log: &Path, patience: &Patience) -> Result<Vec<String>> {
        let results = folder().join(format!("{}.results", self.name));
        File::create(&results)?;
        self.command.args(["-serial", "stdio", "-serial"]);
        self.command.arg(format!("file:{}", results.display()));
        say(format_args!("$ {}", shown(&self.command)));
        self.command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut machine = self.command.spawn().context("qemu did not start")?;
        let console = machine.stdout.take().context("qemu's stdout is a pipe")?;
        let copier = copy(self.name, console, File::create(log)?);
        let ended = wait(&mut machine, &results, patience);
        let _ = copier.join();
        ended?;
        let lines = read(&results);
        if lines.last().is_none_or(|last| last != "done") {
            bail!("the virtual machine ended before it was done");
        }
        Ok(lines)
    }

    /// The machine's console on this terminal.
    pub(super) fn talk(mut self) -> Result<()> {
        self.command.args(["-serial", "mon:stdio", "-serial", "null"]);
        let status = self.command.status().context("qemu did not start")?;
        if !status.success() {
            bail!("qemu failed: {status}");
        }
        Ok(())
    }
}

/// Whole lines from the machine's results.
fn read(results: &Path) -> Vec<String> {
    let text = fs::read_to_string(results).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Until the machine is off. Ends it by its own id where it takes too long.
fn wait(machine: &mut Child, results: &Path, patience: &Patience) -> Result<()> {
    let start = Instant::now();
    loop {
        if let Some(status) = machine.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("qemu failed: {status}");
        }
        let late = if start.elapsed() > patience.all {
            Some(("was not done", patience.all))
        } else if start.elapsed() > patience.boot && read(results).is_empty() {
            Some(("had not booted", patience.boot))
        } else {
            None
        };
        if let Some((what, time)) = late {
            machine.kill()?;
            machine.wait()?;
            bail!("the virtual machine {what} after {} s, and was ended", time.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Copies the console to the log and shows it, without the carriage returns of a terminal.
fn copy(name: &'static str, console: ChildStdout, mut log: File) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut console = BufReader::new(console);
        let mut line = Vec::new();
        while console.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            line.retain(|byte| *byte != b'\r');
            let shown = String::from_utf8_lossy(&line);
            print!("{name}: {shown}");
            // A full disk must not stop the machine; its verdict comes by another way.
            let _ = log.write_all(&line);
            line.clear();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Machine, Patience};
    use crate::vm::folder;
    use std::process::Command;
    use std::time::Duration;

    /// Another program in qemu's place, which gets qemu's words after its own.
    fn outcome(name: &'static str, script: &str) -> Result<Vec<String>, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let log = folder().join(format!("{name}.log"));
        std::fs::create_dir_all(folder()).expect("target is writable");
        let (boot, all) = (Duration::from_millis(300), Duration::from_millis(900));
        let machine = Machine { name, command };
        machine.run(&log, &Patience { boot, all }).map_err(|error| format!("{error:#}"))
    }

    /// The last of qemu's words is `file:` and where the results go.
    const RESULTS: &str = "for last in $0 $@; do :; done; exec > ${last#file:};";

    #[test]
    fn a_machine_that_is_done_gives_its_results() {
        let script = format!("{RESULTS} echo booted; echo '00-kernel 0'; echo done");
        let lines = ["booted", "00-kernel 0", "done"].map(str::to_owned).to_vec();
        assert_eq!(outcome("self-test-done", &script), Ok(lines));
    }

    #[test]
    fn a_machine_that_dies_half_way_is_no_success() {
        let expected = Err("the virtual machine ended before it was done".to_owned());
        assert_eq!(outcome("self-test-silent", "true"), expected);
        let half = format!("{RESULTS} echo booted; echo '00-kernel 0'; printf don");
        assert_eq!(outcome("self-test-half", &half), expected);
        let failed = Err("qemu failed: exit status: 3".to_owned());
        assert_eq!(outcome("self-test-failed", "exit 3"), failed);
    }

    #[test]
    fn a_machine_that_takes_too_long_is_ended() {
        let late = |what| Err(format!("the virtual machine {what} after 0 s, and was ended"));
        assert_eq!(outcome("self-test-no-boot", "exec sleep 60"), late("had not booted"));
        let hangs = format!("{RESULTS} echo booted; exec sleep 60");
        assert_eq!(outcome("self-test-hangs", &hangs), late("was not done"));
    }
}
