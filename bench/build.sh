# Sourced by the commands in bench/: builds the benchmarks and sets root, jdk, jar and bench_classpath.
root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/bin/find-java.sh"
find_jdk && find_maven || exit 69

# A build of its own, so that neither a launch nor ./check disturbs the measurement.
log=$root/target/bench.log
mkdir -p "$root/target" && rm -rf "$root/bench/target/bench/lib"
build() {
  (cd "$root" && JAVA_HOME=$jdk "$maven" -B -ntp $1 -Dstyle.color=never -Dlaunch \
    -Dparhelion.build=target/bench -Dmaven.test.skip=true -pl bench -am package) >"$log" 2>&1
}
echo "Building the benchmarks ..." >&2
if ! build -o && ! { maven_lacks_downloads "$log" && build ""; }; then
  grep -E '^\[ERROR\] .*\.java:' "$log" | sort -u | head -n 5 >&2
  echo "bench: the build failed (log: $log)" >&2
  exit 70
fi

for jar in "$root"/bench/target/bench/bench-*.jar; do :; done
bench_classpath="$jar:$root/bench/target/bench/lib/*"
