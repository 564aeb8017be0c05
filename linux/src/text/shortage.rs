//! What the machine lets this process have no more of.

use std::io;

/// What would let this process have more, where an error says that it gets no more of something: the one
/// place that tells what the machine lacks from what it refuses.
pub fn shortage(error: &io::Error) -> Option<&'static str> {
    Some(match error.raw_os_error()? {
        libc::EAGAIN => {
            "the user, or the group of processes, may have no more of them: raise `ulimit -u`, or `pids.max` (cgroups(7))"
        }
        libc::EMFILE => {
            "this process may have no more files open: raise the hard limit, `ulimit -Hn`"
        }
        libc::ENFILE => "all processes may have no more files open: raise `sysctl fs.file-max`",
        libc::ENOMEM => {
            "the machine, or the group of processes, has no more memory: free some, or raise `memory.max` (cgroups(7))"
        }
        libc::ENOSPC | libc::EDQUOT => "there is no more room: make some",
        libc::EFBIG => "files may not grow so far: raise `ulimit -f`",
        _ => return None,
    })
}
