#!/bin/sh
# Builds what a launch needs into a new generation (see launch.sh): build.sh ROOT JDK. Quiet but for
# one line of progress on stderr; everything that Maven says goes to target/parhelion/build.log, which
# is named on failure. Of two that start at once, one builds and the other waits for it.

root=$1
jdk=$2
. "$root/bin/find-java.sh"
. "$root/bin/launch.sh"

fail() {
  progress_end
  echo "parhelion: $1" >&2
  exit 70
}

# --- One line of progress: rewritten in place on a terminal, a single line elsewhere.
if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then terminal=1; else terminal=; fi
progress_began=$(date +%s)
progress_shown=
progress() {
  if [ -n "$terminal" ]; then
    progress_turn=$(((${progress_turn:-0} + 1) % 4))
    case $progress_turn in
      0) progress_mark='-' ;;
      1) progress_mark='\' ;;
      2) progress_mark='|' ;;
      *) progress_mark='/' ;;
    esac
    printf '\r\033[K%s %s (%ss)' "$progress_mark" "$1" "$(($(date +%s) - progress_began))" >&2
  elif [ -z "$progress_shown" ]; then
    echo "$1 ..." >&2
  fi
  progress_shown=1
}
progress_end() {
  [ -n "$progress_shown" ] && [ -n "$terminal" ] && printf '\r\033[K' >&2
  progress_shown=
}

mkdir -p "$launch_state" 2>/dev/null && [ -w "$launch_state" ] ||
  fail "cannot write to $launch_state: make it writable, or copy the sources to a directory of your own"

# --- The lock: a symbolic link that points at the owner's process id, so that it is made and
# labelled in one step. A lock whose owner is dead is taken away, by rename, so that one does it.
lock=$launch_state/lock
locked=
unlock() {
  [ -n "$locked" ] && rm -f "$lock"
  locked=
}
take_lock() {
  waited=0
  until ln -s "$$" "$lock" 2>/dev/null; do
    owner=$(readlink "$lock" 2>/dev/null) || continue
    if ! kill -0 "$owner" 2>/dev/null; then
      # Dead, unless another has just replaced it: look again at what was really moved.
      mv "$lock" "$lock.$$" 2>/dev/null || continue
      [ "$(readlink "$lock.$$")" = "$owner" ] || ln -s "$(readlink "$lock.$$")" "$lock" 2>/dev/null
      rm -f "$lock.$$"
      continue
    fi
    progress "Waiting for another launch to finish building"
    waited=$((waited + 1))
    [ "$waited" -gt 3600 ] && fail "process $owner has been building for 15 minutes: end it, or remove $lock"
    sleep 0.25
  done
  locked=1
}

job=
cleanup() {
  [ -n "$job" ] && kill "$job" 2>/dev/null
  [ -n "$generation_new" ] && rm -rf "$launch_state/$generation_new"
  unlock
}
generation_new=
trap cleanup EXIT
trap 'progress_end; exit 129' HUP
trap 'progress_end; exit 130' INT
trap 'progress_end; exit 143' TERM

take_lock
# Whoever held the lock before may have built what we came for.
if built; then
  progress_end
  exit 0
fi

find_maven || exit 69
log=$launch_state/build.log
generation_new=g$(date +%Y%m%d-%H%M%S)-$$
mkdir -p "$launch_state/$generation_new" || fail "cannot write to $launch_state"
: >"$launch_state/$generation_new/began"

if [ -n "$generation" ] || [ -r "$launch_state/current" ]; then
  what="Building Parhelion (its sources changed)"
else
  what="Building Parhelion (first use)"
fi

# Runs a command in the background, with its output in the log, and shows progress until it ends.
in_background() {
  "$@" >>"$log" 2>&1 </dev/null &
  job=$!
  ticks=0
  while kill -0 "$job" 2>/dev/null; do
    # A short command should not wait for a spinner.
    [ "$ticks" -eq 0 ] || sleep 0.2
    [ "$ticks" -eq 0 ] && sleep 0.1
    ticks=1
    progress "$what"
  done
  wait "$job"
  status=$?
  job=
  return "$status"
}

# The launcher's build has a directory of its own in each module, so that ./check and it do not meet.
build() {
  rm -rf "$root/app/target/launch/lib"
  (
    cd "$root" || exit 1
    JAVA_HOME=$jdk
    export JAVA_HOME
    exec "$maven" -B -ntp $1 -Dlaunch -Dparhelion.build=target/launch -Dmaven.test.skip=true \
      -Dstyle.color=never -pl app -am package
  )
}

: >"$log"
in_background build -o
status=$?
if [ "$status" -ne 0 ] && maven_lacks_downloads "$log"; then
  : >"$log"
  what="$what, fetching libraries"
  in_background build ""
  status=$?
fi
if [ "$status" -ne 0 ]; then
  progress_end
  # Maven says each error twice.
  grep '^\[ERROR\] .*\.java:' "$log" | sort -u | head -n 5 >&2
  if grep -q -e 'Could not transfer' -e 'Unknown host' "$log"; then
    fail "the libraries that the build needs could not be fetched: connect to the network once (log: $log)"
  fi
  fail "the build failed (log: $log)"
fi

lib=$launch_state/$generation_new/lib
mv "$root/app/target/launch/lib" "$lib" && mv "$lib"/app-*.jar "$lib/parhelion.jar" ||
  fail "the build left no jars in $root/app/target/launch/lib (log: $log)"

# Old class files are brought up to what the AOT cache takes. Launches do without if this fails.
what="Preparing fast starts"
in_background "$jdk/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$root/bin/UpgradeClasses.java" "$lib"/*.jar

# The AOT cache: classes loaded and linked, and profiles, from a short run. Launches do without if
# this fails.
generation=$generation_new
train() {
  run_java "" "-XX:AOTCacheOutput=$launch_state/$generation/parhelion.aot" --train
}
in_background train || rm -f "$launch_state/$generation/parhelion.aot"

printf '%s\n' "$generation_new" >"$launch_state/current.$$" &&
  touch -r "$launch_state/$generation_new/began" "$launch_state/current.$$" &&
  previous=$(cat "$launch_state/current" 2>/dev/null)
mv "$launch_state/current.$$" "$launch_state/current" || fail "cannot write to $launch_state"

# A guest may still run from the generation before this one; older ones go.
for old in "$launch_state"/g[0-9]*; do
  case ${old##*/} in
    "$generation_new" | "$previous") ;;
    *) rm -rf "$old" ;;
  esac
done
generation_new=
progress_end
