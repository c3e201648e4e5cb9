# The first process of a guest: makes its root file system, does what cloud-init would do at the first boot, and becomes the
# init of the base tree. Arguments: the guest's directory, the base tree, the host name.
set -eu
guest=$1 base=$2 name=$3
root=$guest/root

mount --make-rprivate /
mount -t overlay -o "lowerdir=$base,upperdir=$guest/upper,workdir=$guest/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755,size=64m tmpfs "$root/run"
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -m 755 "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,mode=620,gid=5,ptmxmode=666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
hostname "$name"

if [ ! -e "$root/etc/ssh/ssh_host_ed25519_key" ]; then
    echo "$name" >"$root/etc/hostname"
    printf '127.0.0.1 localhost %s\n' "$name" >"$root/etc/hosts"
    { read -r user && read -r key; } <"$guest/user"
    chroot "$root" useradd --create-home --shell /bin/bash --password '*' "$user" 2>/dev/null || true
    echo "$user ALL=(ALL) NOPASSWD:ALL" >"$root/etc/sudoers.d/cloud"
    chmod 440 "$root/etc/sudoers.d/cloud"
    mkdir -p "$root/home/$user/.ssh"
    echo "$key" >"$root/home/$user/.ssh/authorized_keys"
    chroot "$root" chown -R "$user:" "/home/$user/.ssh"
    chmod 700 "$root/home/$user/.ssh"
    chmod 600 "$root/home/$user/.ssh/authorized_keys"
    chroot "$root" ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    cat >"$root/usr/local/bin/cloud-init" <<'STATUS'
#!/bin/sh
if [ -e /run/cloud-init-ended ]; then echo "status: done"; else echo "status: running"; fi
STATUS
    chmod 755 "$root/usr/local/bin/cloud-init"
    (sleep 3 && : >"$root/run/cloud-init-ended") &
else
    : >"$root/run/cloud-init-ended"
fi
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /sbin/runit
