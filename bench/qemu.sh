# Sourced by bench/boot, bench/table and the tests of disk images. find_qemu sees to it that qemu-system-x86_64 is on the
# PATH, find_qemu_img the same for qemu-img: where it is not installed, Debian's packages of it are fetched and unpacked below
# ~/.cache/parhelion, as an ordinary user.

find_qemu() {
  find_qemu_program qemu-system-x86_64 qemu-system-x86 qemu
}

find_qemu_img() {
  find_qemu_program qemu-img qemu-utils qemu-img
}

# find_qemu_program PROGRAM PACKAGE DIRECTORY
find_qemu_program() {
  command -v "$1" >/dev/null && return 0
  case ${XDG_CACHE_HOME:-} in
    /*) qemu_cache=$XDG_CACHE_HOME/parhelion/$3 ;;
    *) qemu_cache=$HOME/.cache/parhelion/$3 ;;
  esac
  if [ ! -x "$qemu_cache/bin/$1" ]; then
    qemu_remedy="install Debian's package $2"
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
      echo "bench: $1 is missing: $qemu_remedy, or put one on the PATH" >&2
      return 1
    }
    echo "Fetching $1 into $qemu_cache ..." >&2
    unpack_qemu "$1" "$2" >&2 || {
      echo "bench: $1 is missing and could not be fetched (log: $qemu_cache/log): $qemu_remedy" >&2
      return 1
    }
  fi
  PATH=$qemu_cache/bin:$PATH
  export PATH
}

# What apt would install for it, unpacked side by side in one tree; a script finds the libraries and firmware there.
# unpack_qemu PROGRAM PACKAGE
unpack_qemu() {
  rm -rf "$qemu_cache/new" && mkdir -p "$qemu_cache/new/debs" "$qemu_cache/bin" || return
  qemu_names=$(apt-get -s -qq -o Debug::NoLocking=1 --no-install-recommends install "$2" 2>"$qemu_cache/log" |
    sed -n 's/^Inst \([^ ]*\) .*/\1/p')
  [ -n "$qemu_names" ] || return
  # shellcheck disable=SC2086
  (cd "$qemu_cache/new/debs" && apt-get -qq download $qemu_names) >>"$qemu_cache/log" 2>&1 || return
  for qemu_deb in "$qemu_cache"/new/debs/*.deb; do
    dpkg -x "$qemu_deb" "$qemu_cache/new" >>"$qemu_cache/log" 2>&1 || return
  done
  rm -rf "$qemu_cache/new/debs" "$qemu_cache/tree"
  mv "$qemu_cache/new" "$qemu_cache/tree" || return
  qemu_options=
  [ "$1" = qemu-img ] || qemu_options="-L $qemu_cache/tree/usr/share/qemu -L $qemu_cache/tree/usr/share/seabios \
    -L $qemu_cache/tree/usr/lib/ipxe/qemu"
  cat >"$qemu_cache/bin/new" <<EOT
#!/bin/sh
LD_LIBRARY_PATH=$qemu_cache/tree/usr/lib/x86_64-linux-gnu:$qemu_cache/tree/lib/x86_64-linux-gnu
QEMU_MODULE_DIR=$qemu_cache/tree/usr/lib/x86_64-linux-gnu/qemu
export LD_LIBRARY_PATH QEMU_MODULE_DIR
exec $qemu_cache/tree/usr/bin/$1 $qemu_options "\$@"
EOT
  chmod +x "$qemu_cache/bin/new"
  "$qemu_cache/bin/new" --version >>"$qemu_cache/log" 2>&1 || return
  mv "$qemu_cache/bin/new" "$qemu_cache/bin/$1"
}
