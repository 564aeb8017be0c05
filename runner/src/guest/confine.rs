//! What a guest's process gives up before it sees the first byte of a recipe: capabilities, the
//! user, files, programs, sockets, and all system calls but those that computing takes.
#![expect(unsafe_code, reason = "the standard library can't close what it didn't open")]

use std::collections::BTreeMap;
use std::fs;
use std::io;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetStatus, Scope,
};
use rustix::process::{
    Gid, Resource, Rlimit, Signal, Uid, geteuid, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, set_capabilities,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::message::{Load, Work};

/// The user that root's guests act as: nobody, who owns nothing.
const NOBODY: u32 = 65534;

/// Bytes that a file with machine code may have.
const LONGEST_CODE: u64 = 1 << 30;

/// Bytes of memory that the process takes itself, with some to spare.
const OWN_MEMORY: u64 = 24 << 20;

/// What computing takes: memory, time, and the descriptors that are there.
const ALLOWED: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    // Machine code is seen by all threads before it is run, on processors where that needs help.
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// What a process with one thread does to itself. Whatever fails, no recipe may be seen.
pub(super) fn confine(load: &Load) -> Result<(), String> {
    let failed = |step: &'static str| move |errno: rustix::io::Errno| format!("{step}: {errno}");
    // Where memory runs out, this process goes before any other. No harm if it can't be said.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let compiles = matches!(load.work, Work::Compile);
    let limits = [
        (Resource::Core, 0),
        (Resource::Fsize, if compiles { LONGEST_CODE } else { 0 }),
        // Address space alone is no memory: the engine reserves much of it.
        (Resource::Data, OWN_MEMORY.saturating_add(load.memory as u64)),
    ];
    for (resource, most) in limits {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).map_err(failed("setrlimit"))?;
    }
    become_nobody().map_err(failed("setresuid"))?;
    // Only now: a change of the user takes it away.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed("prctl"))?;
    drop_capabilities().map_err(failed("capset"))?;
    set_no_new_privs(true).map_err(failed("no_new_privs"))?;
    landlock().map_err(|error| format!("landlock: {error}"))?;
    seccomp(compiles).map_err(|error| format!("seccomp: {error}"))
}

/// Standard input and output are the socket and the recipe; the rest came from whoever started
/// the broker.
pub(super) fn close_others() -> io::Result<()> {
    // SAFETY: nothing in this process has opened any of these yet.
    match unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The real user stays, for by that one the broker may end this process, from inside a lab too; and
/// no system call is left to get back to it. Root of a user namespace without another user stays
/// who he is: outside, that is one without rights.
fn become_nobody() -> rustix::io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    match set_thread_res_gid(group, group, group) {
        Err(rustix::io::Errno::INVAL) => return Ok(()),
        changed => changed?,
    }
    set_thread_groups(&[])?;
    set_thread_res_uid(Uid::ROOT, user, user)
}

fn drop_capabilities() -> rustix::io::Result<()> {
    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}

/// No file, no port, and no signal to or socket of a process outside; as much of it as the kernel
/// has.
fn landlock() -> Result<RulesetStatus, landlock::RulesetError> {
    let abi = ABI::V6;
    let nothing = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?;
    Ok(nothing.restrict_self()?.ruleset)
}

/// Whether the kernel has Landlock at all.
pub(super) fn has_landlock() -> bool {
    let nothing = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1));
    nothing.and_then(Ruleset::create).is_ok()
}

/// What is not allowed fails with EPERM, as if a right were missing.
///
/// `compiles`: with threads, and with a file to be written to.
fn seccomp(compiles: bool) -> Result<(), Box<dyn std::error::Error>> {
    // Its flags are in memory, which no filter can read. The C library takes clone(2) then.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    install(clone3, SeccompAction::Allow, absent)?;
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    allowed.insert(libc::SYS_tgkill, vec![to_itself()?]);
    if compiles {
        allowed.insert(libc::SYS_clone, vec![thread()?]);
        allowed.insert(libc::SYS_ftruncate, Vec::new());
    }
    // Refused by the filter before.
    allowed.insert(libc::SYS_clone3, Vec::new());
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    install(allowed, refused, SeccompAction::Allow)
}

fn install(
    calls: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    then: SeccompAction,
) -> Result<(), Box<dyn std::error::Error>> {
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    let program: BpfProgram = SeccompFilter::new(calls, otherwise, then, machine)?.try_into()?;
    Ok(apply_filter(&program)?)
}

/// tgkill(2), by which a process aborts.
fn to_itself() -> Result<SeccompRule, seccompiler::BackendError> {
    let own = u64::from(std::process::id());
    SeccompRule::new(vec![SeccompCondition::new(
        0,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Eq,
        own,
    )?])
}

/// clone(2) of a thread, for the compiler; no process, and no namespace.
fn thread() -> Result<SeccompRule, seccompiler::BackendError> {
    let thread = libc::CLONE_THREAD | libc::CLONE_VM;
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET;
    let looked_at = thread | namespaces | libc::CLONE_PTRACE | libc::CLONE_VFORK;
    SeccompRule::new(vec![SeccompCondition::new(
        0,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(u64::from(looked_at.cast_unsigned())),
        u64::from(thread.cast_unsigned()),
    )?])
}
