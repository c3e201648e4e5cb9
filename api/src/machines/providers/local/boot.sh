# Run by `sh` inside a machine's own namespaces: makes its root file system, and leaves the rest to `init.pl`.
# Arguments: the machine's directory, the base tree, the machine's name, then the arguments of `init.pl`. Its stdin holds
# the machine's start lock. Prints to the machine's console.
#
# No program of the machine is run here or in `init.pl` while there are more capabilities than the machine may have: after
# a reboot, its root has had a chance to replace each of them.
#
# Paths reach `mount` only as relative names, since "," and ":" in an overlay's options would be taken apart.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
machine=$1
base=$2
name=$3
shift 3

cd "$machine"

# The groups that limit the machine; all that follows is in them.
while read -r members; do
    echo 0 >"$members"
done <groups

exec 3>boot

# /proc is still the host's here, so this is our pid and start time as the host sees them; they stay the init's.
read -r stat </proc/self/stat
read -r boot_id </proc/sys/kernel/random/boot_id
# If the host has no memory left, its kernel ends machines before the manager and the database.
echo 500 >/proc/self/oom_score_adj
# shellcheck disable=SC3045 # Debian's sh has it.
ulimit -c 0

layer=.
if [ -e disk.img ]; then
    # The loop device goes with the mount, and the mount with the machine's namespace.
    mount -t ext4 -o loop,nodev,discard,noinit_itable disk.img disk
    layer=disk
fi
mount --bind "$base" lower
mount -t overlay -o "nodev,lowerdir=lower,upperdir=$layer/upper,workdir=$layer/work" overlay root
printf %s "$name" >/proc/sys/kernel/hostname
ip link set lo up

cd root
for directory in proc sys run dev; do
    # A link of the machine's root would lead the mounts below to the host's directories.
    if [ -L "$directory" ] || [ ! -d "$directory" ]; then
        rm -rf -- "$directory"
        mkdir -m 755 "$directory"
    fi
done
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o nosuid,nodev,mode=755,size=64m tmpfs run

mount -t tmpfs -o nosuid,mode=755,size=1m tmpfs dev
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir -m 755 dev/pts dev/shm
mount -t devpts -o nosuid,noexec,newinstance,mode=620,gid=5,ptmxmode=666 devpts dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777,size=64m tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

# The machine's root is uid 0 of the host: what would change the host's kernel is read-only or hidden.
for path in proc/sys proc/sysrq-trigger proc/irq proc/bus proc/fs; do
    [ -e "$path" ] || continue
    mount --bind "$path" "$path"
    mount -o remount,bind,ro "$path"
done
for path in proc/kcore proc/keys proc/key-users proc/kmsg proc/timer_list proc/sched_debug proc/latency_stats proc/mtrr; do
    [ -e "$path" ] || continue
    mount --bind /dev/null "$path"
done
# Of these the kernel only asks who the owner is: a line in proc/scsi/scsi takes a disk away.
for path in proc/scsi proc/acpi proc/asound proc/driver; do
    [ -d "$path" ] || continue
    mount -t tmpfs -o ro,nosuid,nodev,noexec,size=4k tmpfs "$path"
done

exec perl ../init.pl ../seccomp "$stat" "$boot_id" "$@"
