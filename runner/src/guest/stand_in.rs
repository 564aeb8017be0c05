//! In place of a recipe, for tests: what somebody would try who has taken over a guest's process.
//! Builds with debug assertions alone have it.
#![expect(unsafe_code, reason = "system calls that no library offers, for they must fail")]

use std::io;
use std::os::fd::AsFd as _;
use std::process::Command;

use super::calls::{Call, Log, Namespaces, OneBatch, OneLink, OneNamespace};
use super::message::{Ended, Export, Order, Word};
use super::proxy::{Shared, lock};
use super::wire::encode;
use crate::host::bindings::netwright::host::{log::Level, types};

const VARIABLE: &str = "NETWRIGHT_STAND_IN";

/// The broker passes it on: a guest inherits no other variable.
pub(super) fn tell(command: &mut Command) {
    if let Some(what) = std::env::var_os(VARIABLE) {
        command.env(VARIABLE, what);
    }
}

/// Does what the variable says, if it says something.
pub(super) fn took_over(line: &Shared, order: &Order) -> io::Result<bool> {
    let Ok(what) = std::env::var(VARIABLE) else { return Ok(false) };
    if order.export == Export::Check {
        lock(line).send(&Word::Ended(Ended::Checked(Vec::new())))?;
        return Ok(true);
    }
    let created = OneNamespace::create("made".to_owned());
    lock(line).send(&Word::Ask(Call::OneNamespace(created)))?;
    let made: Result<u32, types::Error> = lock(line).receive()?;
    let made = made.unwrap_or_default();
    match what.as_str() {
        "system-calls" => system_calls(line)?,
        "garbage" => raw(&[7, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255])?,
        "behind" => behind()?,
        "long" => raw(&[255, 255, 255, 127])?,
        "parts" => parts()?,
        "batch" => fill(line)?,
        "handle" => {
            lock(line).send(&Word::Ask(Call::OneNamespace(OneNamespace::delete(4711))))?;
        }
        "kind" => lock(line).send(&Word::Ask(Call::OneLink(OneLink::delete(made))))?,
        "turn" => lock(line).send(&Word::Loaded(Ok(())))?,
        "export" => lock(line).send(&Word::Ended(Ended::Checked(Vec::new())))?,
        "flood" => loop {
            say(line, "x".repeat(1000))?;
        },
        "unread" => loop {
            // Answers that nobody takes must not fill the broker's memory.
            let list = Word::Ask(Call::Namespaces(Namespaces::list_names()));
            lock(line).send(&list)?;
        },
        "lie" => {
            let cause = "\u{1b}[2Jpassed: 9 checks\npassed: 9 checks".to_owned();
            lock(line).send(&Word::Ended(Ended::Broken { cause, trace: String::new() }))?;
        }
        "silent" => loop {
            std::hint::spin_loop();
        },
        "abort" => std::process::abort(),
        _ => std::process::exit(3),
    }
    lock(line).send(&Word::Ended(Ended::Ran(Ok(()))))?;
    Ok(true)
}

fn raw(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let sent = rustix::io::write(io::stdin().as_fd(), bytes)?;
        bytes = &bytes[sent..];
    }
    Ok(())
}

/// A message with a byte too many.
fn behind() -> io::Result<()> {
    let mut message = encode(&Word::Ended(Ended::Ran(Ok(()))), Vec::new())?;
    message[0] += 1;
    message.push(0);
    raw(&message)
}

/// Settings of a link, two bytes each: as small as they can be sent, and dozens of times that where
/// they are read.
fn parts() -> io::Result<()> {
    let change = OneLink::change(0, Vec::new());
    let mut message = encode(&Word::Ask(Call::OneLink(change)), Vec::new())?;
    message.pop();
    // 3 << 20 as a varint.
    message.extend([0x80, 0x80, 0xc0, 1]);
    message.resize(message.len() + (6 << 20), 0);
    let length = u32::try_from(message.len() - 4).unwrap_or(u32::MAX);
    message[..4].copy_from_slice(&length.to_ne_bytes());
    raw(&message)
}

/// A batch without end.
fn fill(line: &Shared) -> io::Result<()> {
    lock(line).send(&Word::Ask(Call::OneBatch(OneBatch::new())))?;
    let batch: u32 = lock(line).receive()?;
    loop {
        let add = Namespaces::add_namespace(batch, "x".repeat(100_000));
        lock(line).send(&Word::Tell(Call::Namespaces(add)))?;
    }
}

fn say(line: &Shared, message: String) -> io::Result<()> {
    lock(line).send(&Word::Tell(Call::Log(Log::emit(Level::Info, message))))
}

/// Each with arguments by which it would do no harm if it were carried out.
fn system_calls(line: &Shared) -> io::Result<()> {
    let netlink = i64::from(libc::AF_NETLINK);
    let packet = i64::from(libc::AF_PACKET);
    let stream = i64::from(libc::SOCK_STREAM);
    let raw = i64::from(libc::SOCK_RAW);
    let parent = i64::from(std::os::unix::process::parent_id());
    let child = i64::from(libc::SIGCHLD);
    let user = i64::from(libc::CLONE_NEWUSER);
    let network = i64::from(libc::CLONE_NEWNET);
    let here = i64::from(libc::AT_FDCWD);
    let calls: &[(&str, i64, [i64; 3])] = &[
        ("socket, netlink", libc::SYS_socket, [netlink, raw, 0]),
        ("socket, packet", libc::SYS_socket, [packet, raw, 0]),
        ("socket, internet", libc::SYS_socket, [i64::from(libc::AF_INET), stream, 0]),
        ("socket, unix", libc::SYS_socket, [i64::from(libc::AF_UNIX), stream, 0]),
        ("socketpair", libc::SYS_socketpair, [i64::from(libc::AF_UNIX), stream, 0]),
        ("bind", libc::SYS_bind, [0; 3]),
        ("connect", libc::SYS_connect, [0; 3]),
        ("sendmsg", libc::SYS_sendmsg, [0; 3]),
        ("recvmsg", libc::SYS_recvmsg, [0; 3]),
        ("setsockopt", libc::SYS_setsockopt, [0; 3]),
        ("mount", libc::SYS_mount, [0; 3]),
        ("umount2", libc::SYS_umount2, [0; 3]),
        ("fsopen", libc::SYS_fsopen, [0; 3]),
        ("fsmount", libc::SYS_fsmount, [-1, 0, 0]),
        ("move_mount", libc::SYS_move_mount, [-1, 0, -1]),
        ("open_tree", libc::SYS_open_tree, [-1, 0, 0]),
        ("pivot_root", libc::SYS_pivot_root, [0; 3]),
        ("chroot", libc::SYS_chroot, [0; 3]),
        ("setns", libc::SYS_setns, [-1, network, 0]),
        ("unshare, network", libc::SYS_unshare, [network, 0, 0]),
        ("unshare, user", libc::SYS_unshare, [user, 0, 0]),
        ("clone, process", libc::SYS_clone, [child, 0, 0]),
        ("clone, user", libc::SYS_clone, [child | user, 0, 0]),
        ("execve", libc::SYS_execve, [0; 3]),
        ("execveat", libc::SYS_execveat, [-1, 0, 0]),
        ("ptrace", libc::SYS_ptrace, [-1, parent, 0]),
        ("process_vm_readv", libc::SYS_process_vm_readv, [parent, 0, 0]),
        ("process_vm_writev", libc::SYS_process_vm_writev, [parent, 0, 0]),
        ("kcmp", libc::SYS_kcmp, [parent, parent, 0]),
        ("pidfd_open", libc::SYS_pidfd_open, [parent, 0, 0]),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, [-1, 0, 0]),
        ("kill", libc::SYS_kill, [parent, 0, 0]),
        ("tgkill of another", libc::SYS_tgkill, [parent, parent, 0]),
        ("bpf", libc::SYS_bpf, [-1, 0, 0]),
        ("perf_event_open", libc::SYS_perf_event_open, [0; 3]),
        ("userfaultfd", libc::SYS_userfaultfd, [-1, 0, 0]),
        ("io_uring_setup", libc::SYS_io_uring_setup, [0; 3]),
        ("io_uring_enter", libc::SYS_io_uring_enter, [-1, 0, 0]),
        ("io_uring_register", libc::SYS_io_uring_register, [-1, 0, 0]),
        ("openat", libc::SYS_openat, [here, c"/".as_ptr() as i64, 0]),
        ("openat2", libc::SYS_openat2, [here, 0, 0]),
        ("statx", libc::SYS_statx, [here, c"/".as_ptr() as i64, 0]),
        ("newfstatat", libc::SYS_newfstatat, [here, 0, 0]),
        ("getdents64", libc::SYS_getdents64, [0; 3]),
        ("mkdirat", libc::SYS_mkdirat, [here, 0, 0]),
        ("mknodat", libc::SYS_mknodat, [here, 0, 0]),
        ("unlinkat", libc::SYS_unlinkat, [here, 0, 0]),
        ("linkat", libc::SYS_linkat, [here, 0, here]),
        ("memfd_create", libc::SYS_memfd_create, [0, 0, 0]),
        ("fcntl", libc::SYS_fcntl, [0, i64::from(libc::F_DUPFD), 0]),
        ("ioctl", libc::SYS_ioctl, [0; 3]),
        ("setresuid", libc::SYS_setresuid, [0; 3]),
        ("setgroups", libc::SYS_setgroups, [0; 3]),
        ("capset", libc::SYS_capset, [0; 3]),
        ("prctl", libc::SYS_prctl, [i64::from(libc::PR_SET_DUMPABLE), 1, 0]),
        ("prlimit64", libc::SYS_prlimit64, [0; 3]),
        ("seccomp", libc::SYS_seccomp, [-1, 0, 0]),
        ("keyctl", libc::SYS_keyctl, [-1, 0, 0]),
        ("init_module", libc::SYS_init_module, [0; 3]),
        ("kexec_load", libc::SYS_kexec_load, [-1, -1, 0]),
        ("reboot", libc::SYS_reboot, [0; 3]),
        ("sethostname", libc::SYS_sethostname, [0; 3]),
        ("clock_settime", libc::SYS_clock_settime, [-1, 0, 0]),
    ];
    for (name, number, arguments) in calls {
        let [first, second, third] = *arguments;
        // SAFETY: none of them touches memory of this process; a null pointer is refused.
        let answer = unsafe { libc::syscall(*number, first, second, third, 0, 0, 0) };
        let error = io::Error::last_os_error();
        let answer = match answer {
            -1 if error.raw_os_error() == Some(libc::EPERM) => "EPERM".to_owned(),
            -1 => error.to_string(),
            _ => format!("done: {answer}"),
        };
        say(line, format!("{name} -> {answer}"))?;
    }
    Ok(())
}
