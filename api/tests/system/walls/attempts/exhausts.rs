//! More than a program may have, a little and on both sides: without the wall the same script succeeds.

use ocim::platform::sandbox::RunLimits;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Exhaust {
    pub name: &'static str,
    /// The limit that it goes beyond.
    pub limit: fn(&mut RunLimits),
    /// What the end of the program says; none if the program itself is told.
    pub words: Option<&'static str>,
    pub shell: &'static str,
}

pub const EXHAUSTS: &[Exhaust] = &[
    Exhaust {
        name: "64 processes",
        limit: |limits| limits.processes = 50,
        words: None,
        // A child has its own name only some time after the fork.
        shell: "i=0; while [ $i -lt 64 ]; do sleep 30 & i=$((i+1)); done
            count() { pgrep -cx -P $$ sleep; }
            i=0; while [ $i -lt 50 ] && [ \"$(count)\" -lt 64 ]; do sleep 0.1; i=$((i+1)); done
            [ \"$(count)\" -ge 64 ] && worked",
    },
    Exhaust {
        name: "64 threads",
        limit: |limits| limits.processes = 50,
        words: None,
        shell: "python3 -c '
import threading, time
for _ in range(64): threading.Thread(target=time.sleep, args=(30,), daemon=True).start()' && worked",
    },
    Exhaust {
        name: "memory",
        limit: |limits| limits.memory_mb = 64,
        words: Some("OCIM_RUN_MEMORY_MB"),
        shell: "python3 -c 'b = bytearray(96 << 20); print(len(b))' && worked",
    },
    Exhaust {
        name: "one large file",
        limit: |limits| limits.file_mb = 4,
        words: None,
        shell: "dd if=/dev/zero of=large bs=1M count=6 && worked; rm -f large",
    },
    Exhaust {
        name: "many files",
        limit: |limits| limits.disk_mb = 16,
        words: Some("OCIM_RUN_DISK_MB"),
        shell: "for i in 1 2 3 4 5 6; do dd if=/dev/zero of=part-$i bs=1M count=4; done; sleep 5; worked",
    },
    Exhaust {
        name: "many empty files",
        limit: |limits| limits.disk_mb = 16,
        words: Some("OCIM_RUN_DISK_MB"),
        shell: "python3 -c '
for number in range(6000): open(f\"empty-{number}\", \"w\")'; sleep 5; worked; rm -f empty-*",
    },
    Exhaust {
        name: "an open file that is in no directory",
        limit: |limits| limits.disk_mb = 16,
        words: Some("OCIM_RUN_DISK_MB"),
        shell: "exec 7>hidden; rm hidden; dd if=/dev/zero bs=1M count=24 >&7; sleep 5; worked",
    },
    Exhaust {
        name: "temporary files in memory",
        limit: |limits| limits.memory_mb = 128,
        words: None,
        shell: "dd if=/dev/zero of=/tmp/walls-$$ bs=1M count=40 && worked; rm -f /tmp/walls-$$",
    },
    Exhaust {
        name: "home in memory",
        limit: |limits| limits.memory_mb = 128,
        words: None,
        shell: "dd if=/dev/zero of=\"$HOME/walls\" bs=1M count=40 && worked; rm -f \"$HOME/walls\"",
    },
    Exhaust {
        name: "open files",
        limit: |limits| limits.open_files = 64,
        words: None,
        shell: "python3 -c '
import os
[os.open(\"/dev/null\", 0) for _ in range(100)]' && worked",
    },
];
