# Finds the JDK and Maven for ./parhelion, ./check and bench/run, which source this file.
#
#   find_jdk     sets jdk to the home of a JDK 25 or newer
#   find_maven   sets maven to the mvn script
#   maven_lacks_downloads LOG    true if Maven's offline run failed only for want of a download
#
# The first two return 1, after one line on stderr that says what to install, if there is none. A launch goes
# through find_jdk every time, so it starts no process as long as JAVA_HOME or a usual place will do:
# versions are read from the JDK's "release" file, never by running it.

# Sets major to the feature version of the JDK at $1, or to 0.
jdk_major() {
  major=0
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
  while IFS= read -r jdk_line; do
    case $jdk_line in
      JAVA_VERSION=*)
        jdk_line=${jdk_line#JAVA_VERSION=}
        jdk_line=${jdk_line#\"}
        major=${jdk_line%%[!0-9]*}
        major=${major:-0}
        return 0
        ;;
    esac
  done <"$1/release"
}

find_jdk() {
  if [ -n "${JAVA_HOME:-}" ]; then
    jdk_major "$JAVA_HOME"
    if [ "$major" -ge 25 ]; then
      jdk=$JAVA_HOME
      return 0
    fi
  fi
  # The version that we are tested with wins; else the newest.
  jdk=
  jdk_best=24
  jdk_java=$(command -v javac 2>/dev/null) && [ -n "$jdk_java" ] &&
    jdk_java=$(readlink -f "$jdk_java" 2>/dev/null) || jdk_java=
  for jdk_home in "${jdk_java%/bin/javac}" \
    /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /usr/local/lib/jvm/* /usr/local/openjdk* \
    /opt/java/* /opt/jdk* /opt/*jdk* /usr/local/java/* /usr/local/jdk* \
    "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/* \
    "${HOME:-/nonexistent}"/.local/share/mise/installs/java/* \
    "${HOME:-/nonexistent}"/.asdf/installs/java/* "${HOME:-/nonexistent}"/.local/jdk* \
    /snap/openjdk/current/jdk \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "${HOME:-/nonexistent}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    [ -n "$jdk_home" ] && [ -r "$jdk_home/release" ] || continue
    jdk_major "$jdk_home"
    if [ "$major" -eq 25 ]; then
      jdk=$jdk_home
      return 0
    fi
    if [ "$major" -gt "$jdk_best" ]; then
      jdk=$jdk_home
      jdk_best=$major
    fi
  done
  [ -n "$jdk" ] && return 0
  if [ -n "${JAVA_HOME:-}" ]; then
    echo "parhelion: no JDK 25 or newer found (JAVA_HOME=$JAVA_HOME is none): install one, such as temurin-25-jdk or openjdk-25-jdk, or set JAVA_HOME to it" >&2
  else
    echo "parhelion: no JDK 25 or newer found: install one, such as temurin-25-jdk or openjdk-25-jdk, or set JAVA_HOME to it" >&2
  fi
  return 1
}

find_maven() {
  maven=$(command -v mvn 2>/dev/null) && [ -n "$maven" ] && return 0
  for maven in "${MAVEN_HOME:-/nonexistent}/bin/mvn" "${M2_HOME:-/nonexistent}/bin/mvn" \
    /usr/share/maven/bin/mvn /opt/maven/bin/mvn /opt/apache-maven*/bin/mvn \
    /usr/local/apache-maven*/bin/mvn /usr/local/maven/bin/mvn \
    "${HOME:-/nonexistent}/.sdkman/candidates/maven/current/bin/mvn" \
    /opt/homebrew/bin/mvn /usr/local/bin/mvn; do
    [ -x "$maven" ] && return 0
  done
  maven=
  echo "parhelion: Maven was not found: install it (Debian: apt install maven) or put its mvn on the PATH" >&2
  return 1
}

maven_lacks_downloads() {
  grep -q -i -e 'offline mode' -e 'has not been downloaded from it before' "$1"
}
