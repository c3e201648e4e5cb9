# Run by root on a machine, over SSH: replaces the block with the keys of people in a user's authorized_keys. Argument: the user.
# Input: the block with its two lines. All other lines stay. The file is replaced at once or not at all.
set -u
user=$1
home=$(getent passwd "$user" | cut -d : -f 6)
[ -n "$home" ] || { echo "there is no user $user" >&2; exit 1; }
begin='# BEGIN ocim people: written by ocim, changes between these two lines are lost'
end='# END ocim people'
file=$home/.ssh/authorized_keys
[ ! -L "$file" ] || file=$(readlink -f "$file")
umask 077
if [ ! -d "$home/.ssh" ]; then
    mkdir "$home/.ssh" && chown "$(id -u "$user"):$(id -g "$user")" "$home/.ssh" || exit 1
fi

block=$(cat)
[ "$(printf '%s\n' "$block" | head -n 1)" = "$begin" ] && [ "$(printf '%s\n' "$block" | tail -n 1)" = "$end" ] ||
    { echo "the keys did not arrive completely" >&2; exit 1; }

# In a block without its last line, only keys that bear the mark of a person are taken out.
others() {
    [ -e "$file" ] || return 0
    awk -v begin="$begin" -v end="$end" '
        $0 == begin { rest = ""; is_inside = 1; next }
        is_inside && $0 == end { is_inside = 0; next }
        is_inside { if ($0 !~ / ocim:[^ ]*$/) rest = rest $0 "\n"; next }
        { print }
        END { if (is_inside) printf "%s", rest }
    ' "$file"
}

fresh=$(mktemp "$file.XXXXXX") || exit 1
trap 'rm -f "$fresh"' EXIT
others >"$fresh" && printf '%s\n' "$block" >>"$fresh" &&
    chown "$(id -u "$user"):$(id -g "$user")" "$fresh" && mv "$fresh" "$file"
