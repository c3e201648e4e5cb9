# The last step of a machine's start, run by `boot.sh` in the machine's root file system: leaves the host's file system,
# gives up what the machine may not have, and becomes its init. One process that runs no program in between, since from
# here on all programs are the machine's own. In Perl, which every Debian has, because a shell cannot make system calls.
#
# Arguments: the file of the seccomp filter, which may be empty; our line of proc_pid_stat(5) on the host and the host's
# boot id, for the `boot` file, which is open as descriptor 3; the capabilities to keep, as a number; then the numbers of
# the system calls below. Stdin holds the start lock.
use strict;
use warnings;

my ($filter_file, $stat, $boot_id, @numbers) = @ARGV;
my ($keep, $pivot_root, $umount2, $prctl, $capset, $seccomp, $close_range) = map { $_ + 0 } @numbers;

# Pid and start time, fields 1 and 22; fields are counted from behind the name.
my ($pid, $fields) = $stat =~ /^(\d+) \(.*\) (.*)$/s or die "no line of proc_pid_stat: $stat\n";
my $started = (split ' ', $fields)[19];

sub call {
    my ($what, $number, @arguments) = @_;
    syscall($number, @arguments) != -1 or die "$what: $!\n";
}

open(my $file, '<', $filter_file) or die "$filter_file: $!\n";
my $filter = do { local $/; <$file> } // '';
close($file);
open(my $boot_file, '>&=', 3) or die "boot: $!\n";

# The old root is stacked upon the new one, and taken away. What stays mounted is the machine's.
my $here = '.';
call('pivot_root', $pivot_root, $here, $here);
call('umount2', $umount2, $here, 2);
chdir('/') or die "chdir: $!\n";

# PR_CAPBSET_DROP, up to the last one that the kernel knows.
for my $capability (0 .. 63) {
    next if $keep >> $capability & 1;
    if (syscall($prctl, 24, $capability, 0, 0, 0) == -1) {
        # EINVAL: there is no such capability.
        last if $! == 22;
        die "capability $capability: $!\n";
    }
}
if (length $filter) {
    # SECCOMP_SET_MODE_FILTER, without no-new-privileges: sudo must work. So it comes before the capabilities go.
    my $program = pack('S x6 P', length($filter) / 8, $filter);
    call('seccomp', $seccomp, 1, 0, $program);
}
my $header = pack('L l', 0x20080522, 0);
my ($low, $high) = ($keep & 0xffffffff, $keep >> 32);
my $data = pack('L6', $low, $low, 0, $high, $high, 0);
call('capset', $capset, $header, $data);

syswrite($boot_file, "$pid $started $boot_id\n") or die "boot: $!\n";
close($boot_file);
# `unshare` waits outside with the same open file, so closing it here would not release the lock: LOCK_UN.
flock(STDIN, 8) or die "flock: $!\n";
open(STDIN, '<', '/dev/null') or die "/dev/null: $!\n";
# Bounded by the size of this file system. A file of the host would grow without end.
open(STDOUT, '>>', '/run/console.log') or die "/run/console.log: $!\n";
open(STDERR, '>&', 'STDOUT') or die "stderr: $!\n";
# Nothing else of the host stays open. Kernels before 5.9 lack the call, and nothing should be.
syscall($close_range, 3, 0xffffffff, 0);
%ENV = (PATH => '/usr/sbin:/usr/bin:/sbin:/bin');
exec '/sbin/runit' or die "/sbin/runit: $!\n";
