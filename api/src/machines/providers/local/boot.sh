# Run by `sh` inside a machine's own namespaces: makes its root file system and becomes its init.
# Arguments: the machine's directory, the base tree. Its stdin holds the machine's start lock. Prints to the machine's
# console.
#
# Paths reach `mount` only as relative names, since "," and ":" in an overlay's options would be taken apart.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
machine=$1
base=$2

cd "$machine"

exec 3>boot

# /proc is still the host's here, so this is our pid and start time as the host sees them; they stay the init's.
read -r stat </proc/self/stat
read -r boot_id </proc/sys/kernel/random/boot_id

mount --bind "$base" lower
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
cat upper/etc/hostname >/proc/sys/kernel/hostname
ip link set lo up

cd root
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
for path in proc/kcore proc/keys proc/timer_list; do
    [ -e "$path" ] || continue
    mount --bind /dev/null "$path"
done

mkdir run/host
pivot_root . run/host
cd /
umount -l /run/host
rmdir /run/host

# Fields 1 and 22 of proc_pid_stat(5).
set -- $stat
echo "$1 ${22} $boot_id" >&3
exec 3>&-
# `unshare` waits outside with the same open file, so closing it here would not release the lock.
flock -u 0
exec </dev/null
# Without the capabilities to make devices, change networks or mounts, send raw packets, load modules, trace, or set the
# clock.
exec setpriv --inh-caps=-all --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+sys_chroot,+audit_write,+setfcap -- /sbin/runit
